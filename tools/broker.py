"""Real MQTT brokers on a free loopback port: the embedded one of pip, and mosquitto.

with embedded() as broker:
    client.connect(broker.host, broker.port)
"""

import argparse
import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import iotcore

from tools import installed

HOST = "127.0.0.1"
MQTT_PORT = 1883
REACH_S = 5.0  # patience with a broker that somebody has named
START_LIMIT_S = 60.0  # the machine may be busy; a program that ends is seen at once
PORTS = 3  # that are tried
# The default of the embedded broker is 20 KB; larger messages vanish.
MAX_PAYLOAD_BYTES = 8_000_000


class Address(NamedTuple):
    """Where a broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def address(text: str) -> Address:
    """`HOST` or `HOST:PORT` of a command line; without a port it is MQTT's.

    Raises argparse.ArgumentTypeError that says what is wrong.
    """
    host, colon, port = text.partition(":")
    if "://" in text or "/" in text:
        raise argparse.ArgumentTypeError(f"{text!r}: a host, without scheme and path")
    if not host or (colon and not port.isdecimal()) or not 0 < int(port or MQTT_PORT) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST or HOST:PORT, port 1 to 65535")
    if not colon:  # a word alone is more often a mistake than a host
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not HOST:PORT, and no host is called so"
            ) from None
    return Address(host, int(port or MQTT_PORT))


def reach(broker: Address) -> None:
    """Whether anybody listens there. Raises BrokerError that says why not, within seconds."""
    try:
        socket.create_connection(broker, REACH_S).close()
    except OSError as error:
        raise BrokerError(unreachable(broker, error)) from error


def unreachable(broker: Address, error: OSError) -> str:
    """Why nobody could be reached there, in words."""
    if isinstance(error, socket.gaierror):
        return f"there is no host {broker.host!r}: {error.strerror}"
    why = "it does not answer" if isinstance(error, TimeoutError) else error.strerror
    return f"no MQTT broker at {broker}: {why or error}"


class BrokerError(Exception):
    """A broker is missing or does not come up; the text says what to do."""


class NotInstalled(BrokerError, installed.PeerMissing):
    """The broker's program is not on this machine."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on, and that for a minute goes only
    to who asks for it by its number.

    A connection that has been there keeps it (TIME-WAIT, RFC 9293 3.6): a system gives it to no
    program that takes any, and to a server that may use an address again, which all do. Without
    that it may be somebody else's before ours has begun.
    """
    with socket.create_server((HOST, 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address):
            server.accept()[0].close()  # the server's side ends it first: that side waits
        return address[1]


@contextlib.contextmanager
def embedded() -> Iterator[Address]:
    """The broker that pip installs (rumqttd), in a process of its own.

    It delivers at the QoS of the subscription. Raises BrokerError when it does not come up.
    """
    port = free_port()
    broker = iotcore.Broker(port, HOST, max_payload_size=MAX_PAYLOAD_BYTES)
    try:
        broker.start(START_LIMIT_S)
    except (OSError, RuntimeError) as error:
        raise BrokerError(f"the embedded MQTT broker does not start: {error}") from error
    try:
        yield Address(HOST, port)
    finally:
        broker.stop()


@contextlib.contextmanager
def mosquitto(
    passwords: dict[str, str] | None = None, tls: dict[str, str] | None = None
) -> Iterator[Address]:
    """Eclipse mosquitto, without persistence. `passwords`: user -> password, else anonymous.

    tls -- PEM texts: certfile, keyfile, and cafile if clients must have a certificate of that one

    Raises NotInstalled, or BrokerError when it does not come up.
    """
    program = _program("mosquitto")
    with tempfile.TemporaryDirectory(prefix="mosquitto.") as name:
        folder = Path(name)
        folder.chmod(0o755)  # mosquitto gives up root's rights and then reads its files
        settings = ["persistence false", "max_queued_messages 0"]
        if passwords is None:
            settings.append("allow_anonymous true")
        else:
            file = folder / "passwords"
            file.write_text("".join(f"{user}:{word}\n" for user, word in passwords.items()))
            subprocess.run([_program("mosquitto_passwd"), "-U", str(file)], check=True)
            file.chmod(0o644)
            settings += ["allow_anonymous false", f"password_file {file}"]
        listening = []
        for name, text in (tls or {}).items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o644)
            listening.append(f"{name} {folder / name}")
        if "cafile" in (tls or {}):
            listening.append("require_certificate true")
        process, port = _started(program, folder, settings, listening)
        try:
            yield Address(HOST, port)
        finally:
            process.terminate()
            process.wait()


def _started(
    program: str, folder: Path, settings: list[str], listening: list[str]
) -> tuple[subprocess.Popen[bytes], int]:
    """A mosquitto that listens, and its port. A port may be taken again before it gets there."""
    config, log = folder / "mosquitto.conf", folder / "log"
    for left in reversed(range(PORTS)):
        port = free_port()
        config.write_text("\n".join([*settings, f"listener {port} {HOST}", *listening, ""]))
        with log.open("wb") as out:
            process = subprocess.Popen([program, "-c", str(config)], stdout=out, stderr=out)
        try:
            _wait_for(port, process, log)
            return process, port
        except BrokerError as error:
            process.terminate()
            process.wait()
            if not left or "in use" not in str(error):
                raise
    raise AssertionError("the last try returns or raises")


def _program(name: str) -> str:
    found = installed.program(name)
    if found is None:
        raise NotInstalled("mosquitto")
    return found


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 0.2):
            return
        time.sleep(0.02)
    raise BrokerError(f"mosquitto does not start: {log.read_text(errors='replace').strip()}")
