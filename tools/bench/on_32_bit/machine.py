# The module `machine` of a board, with a C1100 in the network on its UART that answers at once.
import time

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
TIMER_WAKE = 4
rtc = b""  # memory; empty: the supply was off before
heard = 0  # commands
status = 1  # of the module: it runs
_REGISTERED = b'+CEREG: 4,1,"1A2B","01234567",7,,,"00000101","00111000"\r\n0\r'
# By how the command begins; any other is taken. Outcomes come behind the result code.
_ANSWERS = (
    (b"AT+CEREG?", _REGISTERED),
    (b"AT+CPIN?", b"+CPIN: READY\r\n0\r"),
    (b"AT+CSQ", b"+CSQ: 22,99\r\n0\r"),
    (b"AT+LSCELLINFO", b"BAND:8\r\nRSRP:-89\r\nRSRQ:-8\r\nRSSI:-69\r\nSINR:12\r\n0\r"),
    (b"AT+CCLK?", b'+CCLK: "23/11/15,02:40:52+00"\r\n0\r'),
    (b"AT+LSMQTTCALL=1", b"0\r+MQTTCALL:1\r\n"),
    (b"AT+LSMQTTOPEN", b"0\r+MQTTOPEN:1\r\n"),
    (b"AT+LSMQTTPUB=1", b"0\r+MQTTPUB:1\r\n"),
    (b"AT+LSMQTTCLOSE", b"0\r+MQTTCLOSE:1\r\n"),
)


class Pin:
    IN, OUT, OPEN_DRAIN, PULL_UP, IRQ_RISING = 0, 1, 2, 3, 4

    def __init__(self, number, *args, **options):
        self._level = options.get("value", 1)

    init = irq = lambda self, *args, **options: None

    def value(self, level=None):
        if level is None:
            return self._level
        self._level = level


class Signal:
    def __init__(self, pin, invert=False):
        self._pin = pin

    def on(self):
        global status
        status = 1  # its wake pin or its key: the module runs

    def off(self):
        pass

    def value(self):
        return status


class ADC:
    ATTN_11DB = 3

    def __init__(self, *args, **options):
        pass

    def read_uv(self):
        return 1_800_000


class RTC:
    def memory(self, data=None):
        global rtc
        if data is None:
            return rtc
        rtc = bytes(data)

    def datetime(self, when=None):
        year, month, day, _, hour, minute, second, _ = when
        time.set_rtc(time.mktime((year, month, day, hour, minute, second, 0, 0)) * 1000)


class UART:
    def __init__(self, *args, **options):
        self._in = self._out = b""

    def write(self, data):
        global heard
        self._in += bytes(data)
        while b"\r" in self._in:
            line, self._in = self._in.split(b"\r", 1)
            heard += 1
            self._out += next((said for begin, said in _ANSWERS if line.startswith(begin)), b"0\r")
        return len(data)

    def readinto(self, buffer):
        n = min(len(buffer), len(self._out))
        buffer[:n], self._out = self._out[:n], self._out[n:]
        return n or None

    def any(self):
        return len(self._out)

    init = deinit = lambda self, *args, **options: None


class WDT:
    def __init__(self, timeout):
        pass

    def feed(self):
        pass


def reset_cause():
    return DEEPSLEEP_RESET if rtc else PWRON_RESET


def wake_reason():
    return TIMER_WAKE


def unique_id():
    return b"\x24\x0a\xc4\x00\x00\x01"


def freq(*args):
    return 80_000_000


def deepsleep(ms=None):
    raise SystemExit


def lightsleep(ms=None):
    time.pass_ms(ms or 0)
