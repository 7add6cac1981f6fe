"""What a node's sessions with TLS cost, beside the same node without it.

    python -m tools tls-cost
    python -m tools tls-cost --days 7 --period 21600

Each row is the firmware's own life on a real MicroPython, with a virtual module and a server of
its own, whose key is of the named kind. Bytes and round trips are those of a whole session on the
connection: handshake, MQTT or HTTP, and TLS around it; seconds are from the registration to the
delivery. What the board computes for the keys is not in it: nobody here knows how long an ESP32
takes for that.
"""

import argparse
import statistics
import sys

from tools import options
from tools.broker import BrokerError
from tools.deploy import DeployError
from tools.power.scenario import NODE, Scenario
from tools.power.simulate import Life, days, simulate
from tools.virtual_board.process import BoardError

HOST = "server.simulated"
ROWS = (  # uplink, key of the server
    ("mqtt", ""),
    ("mqtts", "P-256"),
    ("mqtts", "RSA-2048"),
    ("https", "P-256"),
    ("https", "RSA-2048"),
)
HEAD = ("uplink", "key", "bytes up", "bytes down", "round trips", "seconds", "mAh a day")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--days", type=days, default=1.0, help="virtual days of each (1)")
    parser.add_argument("--period", type=options.whole(10, 604800), default=3600,
                        metavar="SECONDS", help="between reports (3600)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Returns 0, or 1 when a life cannot be lived or has lost something."""
    print(*_row(HEAD), sep="\n", flush=True)
    for uplink, key in ROWS:
        try:
            life = lived(uplink, key, args.days, args.period)
        except (ValueError, DeployError, BoardError, BrokerError) as error:
            print(f"tls-cost: {error}", file=sys.stderr)
            return 1
        print(*_row(cost(uplink, key, life))[:1], flush=True)
        if life.run.problem:
            print(f"tls-cost: {life.run.problem}", file=sys.stderr)
            return 1
    return 0


def lived(uplink: str, key: str, days: float, period_s: int) -> Life:
    """A node's life with this uplink, and a server with such a key."""
    node = dict(NODE)
    node["report"] = {"period_s": period_s}
    node["uplink"] = {"first": uplink}
    node["mqtt"] = {"host": HOST}
    if uplink == "https":
        node["http"] = {"url": f"https://{HOST}/telemetry"}
    if key:
        node["tls"] = {"ca": "ca.pem"}
    return simulate(Scenario("", days, node), tls_key=key or "P-256")


def cost(uplink: str, key: str, life: Life) -> tuple[str, ...]:
    """The cells of a row, of a session in the middle: the first one has less to tell."""
    took, begun = [], None
    for us, text in life.console:
        if text.startswith("registered "):
            begun = us
        elif text.startswith("delivered ") and begun is not None:
            took.append((us - begun) / 1e6)
            begun = None
    counted = ["", "", ""]
    if life.secured:
        counted = [
            f"{statistics.median(getattr(each, name) for each in life.secured):.0f}"
            for name in ("up", "down", "trips")
        ]
    seconds = f"{statistics.mean(took):.1f}" if took else ""
    return (uplink, key, *counted, seconds, f"{life.mah_per_day:.2f}")


def _row(cells: tuple[str, ...]) -> tuple[str, str]:
    return f"| {' | '.join(cells)} |", "|" + " --- |" * len(cells)
