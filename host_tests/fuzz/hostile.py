"""A module that answers as it should until the fuzzer decides otherwise."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from c1100 import C1100, C1100Error, Refused, http
from c1100.channel import COMMAND
from host_tests import virtual_time
from host_tests.fuzz.feed import Feed

LIMIT_S = 900  # virtual seconds: longer than anything that a caller of the driver may wait for
HEALTHY_S = 200
CSQ = b"+CSQ: 22,99\r\n0\r"
URCS = (
    b"+CEREG: 2\r\n",
    b"+CEREG: 5\r\n",
    b"^SIMST: 1\r\n",
    b"RING\r\n",
    b"3\r",
    b"+CSQ: 1,1\r\n",
    b"+LSIPCLOSE:1,0,0,0\r",
    b"+LSIPCALL:0\r",
    b"+MQTTOPEN:0\r\n",
    b"+MQTTPUB:1\r\n",
    b">",
    b"OK\r\n",
    b"+LSIPRTCP=1,3,616263\r",
    b"+LSIPRTCP=2,3,616263\r",
    b"+LSIPRUDP=1,1,00\r",
    b"RDY\r\n",
    b'+MQTTMSG:"a/b",1,0,5,hello\r\n',
    b"$GPGGA,1,2*00\r\n",
    b"^EXITPSMMODE\r\n",
    b"^DATADISCONN\r",
    b"^ENTERPSMMODE\r\n",
    b"+CME ERROR: 100\r\n",
    b"+LSHTTPGET: 0,200,5\r\nhello",
    b"\x00\xff\x80",
)
# What a healthy module says: the beginning of a command, what follows it.
HEALTHY = (
    ("AT+LSIPCALL=1", b"+LSIPCALL:1, 10.0.0.9\r+LSIP:OK\r0\r"),
    ("AT+LSIPCALL=0", b"+LSIPCALL:0\r+LSIP:OK\r0\r"),
    ("AT+LSIPCALL?", b"+LSIPCALL:1, 10.0.0.9\r\n0\r"),
    ("AT+LSIPOPEN?", b"+LSIPOPEN:1,2,3,4\r\n0\r"),
    ("AT+LSIPOPEN=", b"+LSIPOPEN=1,1\r+LSIP:OK\r0\r"),
    ("AT+LSIPSEND=", b"+LSIPSEND:1,1497\r\n0\r"),
    ("AT+LSIPPUSH=", b"+LSIP:OK \r0\r+LSIPRTCP=1,3,616263\r"),
    ("AT+LSIPCLOSE?", b"+LSIPCLOSE:1\r\n0\r"),
    ("AT+LSIPCLOSE=", b"+LSIPCLOSE:1,3,3,0\r+LSIP:OK\r0\r"),
    ("AT+LSIPTPS=", b">"),
    ("AT+LSMQTTCALL=1", b"0\r+MQTTCALL:1\r\n"),
    ("AT+LSMQTTOPEN=", b"0\r+MQTTOPEN:1\r\n"),
    ("AT+LSMQTTPUB=", b'0\r+MQTTPUB:1\r\n+MQTTMSG:"a/b",1,0,5,hello\r\n'),
    ("AT+LSMQTTSUB=", b"0\r+MQTTSUB:1\r\n"),
    ("AT+LSMQTTCLOSE=", b"0\r+MQTTCLOSE:1\r\n"),
    ("AT+LSHTTPURL=", b">"),
    ("AT+LSHTTPPOST=", b">"),
    ("AT+LSHTTPGET", b"+LSHTTPGET: 0,200,5\r\nhello\r\n0\r"),
    ("AT+CSQ", CSQ),
    ("AT+CPIN?", b"+CPIN: READY\r\n0\r"),
    ("AT+CEREG?", b'+CEREG: 4,1,"0012","00000034",9,,,"00000101","00100001"\r\n0\r'),
    ("AT+CGREG?", b"+CGREG: 1,1\r\n0\r"),
    ("AT+COPS?", b'+COPS: 0,2,"46000",9\r\n0\r'),
    ("AT+CCLK?", b'+CCLK: "26/11/28,12:00:00+32"\r\n0\r'),
    ("AT+CGSN", b"866425030123456\r\n0\r"),
    ("AT+CGMM", b"C1100 MGGT\r\n0\r"),
    ("AT+CFUN?", b"+CFUN: 1\r\n0\r"),
    ("AT+CPSMS?", b'+CPSMS: 1,,,"00100001","00000101"\r\n0\r'),
    ("AT+CEDRXS?", b'+CEDRXS: 5,"0101"\r\n0\r'),
    ("AT+CEDRXRDP", b'+CEDRXRDP: 5,"0101","0101","0001"\r\n0\r'),
    ("AT+GPSSTART", b"0\r$GPTXT,01*4A\r\n"),
    ("ATD", b"1\r"),
)


class Hostile:
    """A stream like machine.UART(timeout=0). Nothing is decided any more after `heal`."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._hostile = True
        self._queue: list[tuple[int, bytes]] = []
        self._line = bytearray()

    def heal(self) -> None:
        """From now on as it should be; what is under way is lost."""
        self._hostile = False
        self._queue.clear()
        self._line.clear()

    def write(self, data) -> int:
        self._line += bytes(data)
        while (end := self._line.find(b"\r")) >= 0:
            line = bytes(self._line[:end]).decode("latin-1").strip("\x00\n+")
            del self._line[: end + 1]
            self._hear(line)
        if self._line and b"AT" not in self._line:  # what a prompt has asked for
            self._line.clear()
            self._say(b"0\r", 0)
        return len(data)

    def _hear(self, line: str) -> None:
        line = line[line.rfind("AT") :] if "AT" in line else ""
        if not line:
            return
        answer = next((said for start, said in HEALTHY if line.startswith(start)), b"0\r")
        if not self._hostile or not self._feed.left:
            self._say(answer, 1)
            return
        self._decide(answer)

    def _decide(self, answer: bytes) -> None:
        feed = self._feed
        what = feed.below(16)
        if what < 4:
            self._say(answer, 1)
        elif what == 4:
            pass  # not a word
        elif what == 5:
            self._say(answer, feed.byte() * 50)
        elif what == 6:
            self._say(URCS[feed.below(len(URCS))] + answer, 1)
        elif what == 7:
            at = feed.below(len(answer) + 1)
            self._say(answer[:at] + URCS[feed.below(len(URCS))] + answer[at:], 1)
        elif what == 8:
            self._say(answer + URCS[feed.below(len(URCS))], 1)
        elif what == 9:
            at = feed.below(len(answer) + 1)
            self._say(answer[:at] + feed.take(16) + answer[at + feed.below(8) :], 1)
        elif what == 10:
            self._say(answer[: feed.below(len(answer) + 1)], 1)
        elif what == 11:
            self._say(feed.take(64), 1)
        elif what == 12:
            self._say(b"%d\r" % feed.below(6), 1)
        elif what == 13:
            self._say(b"+CME ERROR: %d\r\n" % feed.byte(), 1)
        elif what == 14:
            for at in range(0, len(answer), 2):
                self._say(answer[at : at + 2], 120)
        else:
            self._say(answer * (1 + feed.below(8)), 1)

    def _say(self, data: bytes, after_ms: int) -> None:
        last = self._queue[-1][0] if self._queue else time.ticks_ms()
        if time.ticks_diff(last, time.ticks_ms()) < 0:
            last = time.ticks_ms()
        self._queue.append((time.ticks_add(last, after_ms), data))

    def readinto(self, buf) -> int | None:
        if not self._queue or time.ticks_diff(self._queue[0][0], time.ticks_ms()) > 0:
            return None
        at, data = self._queue[0]
        n = min(len(buf), len(data))
        buf[:n] = data[:n]
        if n < len(data):
            self._queue[0] = (at, data[n:])
        else:
            self._queue.pop(0)
        return n


async def _start(modem: C1100) -> None:
    await modem.start(apn="apn", timeout_s=60)


async def _questions(modem: C1100) -> None:
    for ask in (modem.signal, modem.operator, modem.registration, modem.clock, modem.imei):
        await ask()
    await modem.variant()
    await modem.command("+CGSN")


async def _tcp(modem: C1100) -> None:
    await _socket(modem, modem.tcp)


async def _udp(modem: C1100) -> None:
    await _socket(modem, modem.udp)


async def _socket(modem: C1100, opened: Callable) -> None:
    async with modem.pdp("apn"):
        sock = await opened("host", 7)
        await sock.sendall(b"abc")
        await sock.recv(100, 20)
        sock.close()
        await sock.wait_closed()


async def _passthrough(modem: C1100) -> None:
    async with modem.pdp("apn"):
        sock = await modem.tcp("host", 7)
        async with modem.passthrough(sock) as pipe:
            await pipe.write(b"abc")


async def _mqtt(modem: C1100) -> None:
    mqtt = modem.mqtt("id", "host", user="u", password="p")
    await mqtt.connect()
    await mqtt.subscribe("a/b")
    await mqtt.publish("a/b", "hello", 1)
    await mqtt.publish("a/b", b"\x00", 0)
    mqtt.check_msg()
    await mqtt.disconnect()


async def _http(modem: C1100) -> None:
    reply = await modem.http.get("http://h/", headers={"A": "b"})
    for look in (http.Response.json, lambda reply: reply.text):
        try:
            look(reply)
        except ValueError:
            continue
    await modem.http.post("http://h/", data=b"{}")


async def _gnss(modem: C1100) -> None:
    try:
        await modem.gnss.start()
        await modem.gnss.fix(20)
    finally:
        await modem.gnss.stop()


async def _sleep(modem: C1100) -> None:
    await modem.power.psm(tau_s=3600, active_s=10, timeout_s=5)
    await modem.power.settings()
    await modem.power.edrx(20.48, 5)
    await modem.power.edrx_granted()
    await modem.power.wait_psm(20)


async def _lwm2m(modem: C1100) -> None:
    await modem.lwm2m.configure(["5.39.83.206:5683"])
    await modem.lwm2m.enable()


FLOWS: dict[str, Callable[[C1100], Awaitable[None]]] = {
    "start": _start, "questions": _questions, "tcp": _tcp, "udp": _udp, "mqtt": _mqtt,
    "http": _http, "gnss": _gnss, "sleep": _sleep, "passthrough": _passthrough, "lwm2m": _lwm2m,
}  # fmt: skip


class Key:
    """A power key that nothing is behind, so that a module in PSM can be woken."""

    def on(self) -> None:
        """Pressed."""

    def off(self) -> None:
        """Released."""


def flow(name: str, data: bytes) -> None:
    """One flow with a hostile module. Typed errors only, in time; afterwards the module, healed,
    is asked and answers; nothing is left when the driver is closed.
    """
    virtual_time.run(_flow(FLOWS[name], data))


async def _flow(act: Callable[[C1100], Awaitable[None]], data: bytes) -> None:
    stream = Hostile(Feed(data))
    modem = C1100(stream, pwrkey=Key())
    modem._channel.mode = COMMAND
    modem._channel.settings_lost = False
    before = _registered(modem)
    try:
        await asyncio.wait_for(act(modem), LIMIT_S)
    except Refused as error:  # by what is beyond the module: no command is at fault
        assert "AT+" not in str(error), repr(error)
    except C1100Error as error:
        assert "AT" in str(error) or error.command is None, repr(error)
    except TimeoutError:
        raise AssertionError(f"a caller waits for more than {LIMIT_S} s") from None
    stream.heal()
    modem._channel.ring.clear()
    for left in (2, 1, 0):
        try:
            signal = await asyncio.wait_for(modem.signal(), HEALTHY_S)
            break
        except C1100Error:
            assert left, "a module that is well again is not understood"
    assert signal.rssi == -69, f"the answer of another command: {signal}"
    faults = modem.stats["faults"]
    assert not faults, f"{faults} exceptions that are not the driver's own"
    modem.close()
    await asyncio.sleep(1)
    here = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() if task is not here]
    assert not left, f"left behind: {left}"
    assert _registered(modem) <= before, "callbacks are left behind"


def _registered(modem: C1100) -> int:
    channel = modem._channel
    return sum(map(len, channel._callbacks.values())) + len(channel.on_restart)
