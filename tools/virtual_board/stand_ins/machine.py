"""The module `machine` of the virtual board: what the unix port lacks, as ESP32 and STM32 have it.

Modelled: UART (time on the line, receive buffer that overflows, transmit buffer that blocks, idle
line interrupt), pins and their interrupts, RTC with memory, ADC, watchdog, sleeps, resets and
their causes, I2C, SPI and OneWire with what virtual/ has on them. Not modelled: PWM, Timer, flow
control, framing errors, break, a wrong baud rate, drive strength and pulls, brown-out. A handler
runs when the program next waits, never in the middle of a statement. In real time no module is
wired to the pins, and handlers run only while the program waits in select or asyncio.
"""

import io

import _link
import _port
import micropython
import time
from _computing import free
from umachine import PinBase, Signal, mem8, mem16, mem32

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
IDLE, SLEEP, DEEPSLEEP = 1, 2, 4
PIN_WAKE, TIMER_WAKE = 2, 4
RTC_MEMORY_BYTES = 2048

_about = {}
_rtc_memory = b""
_freq = 160000000
_masked = 0
_held = []  # handlers that became due while interrupts were disabled


def _start(about):
    global _about, _rtc_memory
    _about = about
    _rtc_memory = bytes.fromhex(about["rtc"])
    time._rtc_us = about["rtc_us"]
    if about["buses"]:  # most nodes have none, and each wake would load them
        import _bus
        import onewire

        for name in ("I2C", "SoftI2C", "SPI", "SoftSPI"):
            globals()[name] = getattr(_bus, name)


def _interrupt(handler, source):
    if _masked:
        _held.append((handler, source))
    else:
        handler(source)


def disable_irq():
    global _masked
    _masked += 1
    return _masked - 1


def enable_irq(state=0):
    global _masked
    _masked = state
    while _held and not _masked:
        handler, source = _held.pop(0)
        handler(source)


def reset_cause():
    return _about["cause"]


def wake_reason():
    """PIN_WAKE or TIMER_WAKE after deep sleep, else 0."""
    return _about["wake"]


def unique_id():
    return bytes.fromhex(_about["id"])


def freq(hz=None):
    """Get or set the CPU's frequency; it has no effect on the virtual board."""
    global _freq
    if hz is None:
        return _freq
    _freq = hz


def reset():
    _link.leave("R", "B", 0)


def soft_reset():
    _link.leave("R", "B", 1)


@free
def deepsleep(time_ms=None):
    _link.leave("S", "q", -1 if time_ms is None else time_ms)


@free
def lightsleep(time_ms=None):
    """Sleep for `time_ms` (None: until a pin with wake=SLEEP changes). UARTs receive nothing."""
    end = None if time_ms is None else _port.now_us() + time_ms * 1000
    while end is None or _port.now_us() < end:
        before = Pin._wakes
        _port.wait(-1 if end is None else end - _port.now_us(), 0, 1)
        if Pin._wakes != before:
            return


@free
def idle():
    """Stop the CPU until an interrupt, at most a millisecond."""
    _port.wait(1000)


class _Line:
    # One UART's driver; a board has one for each number, whatever objects name it.
    def __init__(self, number):
        self.number = number
        self.handler = None
        self.irq_wanted = False
        self.busy = False  # bytes came since the last idle interrupt
        self.flags = 0
        self.tx_end_us = 0
        self.source = None

    def configure(self, uart, baudrate, frame_bits, rxbuf, txbuf):
        self.source = uart
        self.baudrate = baudrate
        self.frame_bits = frame_bits
        self.txbuf = max(txbuf, 1)
        self.rx = micropython.RingIO(rxbuf)
        _link.send("O", "BI", self.number, baudrate)

    def arrived(self, data):
        self.busy = True
        lost = len(data) - (self.rx.write(data) or 0)
        if lost:
            _link.send("X", "BI", self.number, lost)

    def idle(self):
        self.busy = False
        if self.handler:
            self.flags = UART.IRQ_RXIDLE
            _interrupt(self.handler, self.source)

    def bytes_us(self, count):
        return count * self.frame_bits * 1000000 // self.baudrate

    def full_us(self):
        # Microseconds until the transmit buffer takes another byte.
        return max(0, self.tx_end_us - _port.now_us() - self.bytes_us(self.txbuf - 1))

    def transmit(self, data):
        _port.transmit(self.number, data)
        self.tx_end_us = max(self.tx_end_us, _port.now_us()) + self.bytes_us(len(data))
        over = self.tx_end_us - _port.now_us() - self.bytes_us(self.txbuf)
        if over > 0:
            _port.sleep_us(over)


class _Irq:
    def __init__(self, line, trigger):
        self._line = line
        self._trigger = trigger

    def flags(self):
        return self._line.flags

    def trigger(self):
        return self._trigger


class UART(io.IOBase):
    IRQ_RX, IRQ_RXIDLE, IRQ_BREAK, IRQ_TXIDLE = 1, 2, 4, 8
    INV_TX, INV_RX, INV_RTS, INV_CTS, RTS, CTS = 1, 2, 4, 8, 1, 2

    def __init__(self, id, *args, **kw):
        if id not in (0, 1, 2):
            raise ValueError("UART(%s) does not exist" % id)
        self._line = _port.lines.get(id)
        if self._line is None:
            self._line = _port.lines[id] = _Line(id)
        self.init(*args, **kw)

    def init(
        self,
        baudrate=115200,
        bits=8,
        parity=None,
        stop=1,
        *,
        tx=None,
        rx=None,
        rts=None,
        cts=None,
        txbuf=256,
        rxbuf=256,
        timeout=0,
        timeout_char=0,
        invert=0,
        flow=0,
    ):
        self._timeout_us = timeout * 1000
        frame = 1 + bits + (parity is not None) + stop
        self._char_us = max(timeout_char * 1000, 2 * frame * 1000000 // baudrate)
        self._line.configure(self, baudrate, frame, rxbuf, txbuf)

    def deinit(self):
        _link.send("O", "BI", self._line.number, 0)

    @free
    def any(self):
        _port.pull(self._line.number)
        n = self._line.rx.any()
        if not n:
            _port.spin()
        return n

    def _gather(self, wanted):
        # Wait for `wanted` bytes as long as the time-outs allow. Returns how many there are.
        n = self.any()
        if not self._timeout_us:
            return n
        limit = _port.now_us() + self._timeout_us
        while n < wanted and _port.now_us() < limit:
            _port.wait(limit - _port.now_us(), 1 << self._line.number)
            now = self.any()
            if now > n:
                n = now
                limit = _port.now_us() + self._char_us
        return n

    @free
    def read(self, nbytes=-1):
        n = self._gather(nbytes if nbytes >= 0 else self._line.rx.any() + 1)
        if not n:
            return None
        return self._line.rx.read(n if nbytes < 0 else min(n, nbytes))

    @free
    def readinto(self, buf, nbytes=None):
        wanted = len(buf) if nbytes is None else min(nbytes, len(buf))
        n = min(self._gather(wanted), wanted)
        if not n:
            return None
        return self._line.rx.readinto(buf, n)

    @free
    def readline(self):
        line = b""
        while not line.endswith(b"\n") and self._gather(1):
            line += self._line.rx.readline()
        return line or None

    @free
    def write(self, buf):
        data = bytes(buf, "utf8") if isinstance(buf, str) else memoryview(buf)
        self._line.transmit(data)
        return len(data)

    @free
    def txdone(self):
        left = self._line.tx_end_us - _port.now_us()
        if left > 0:
            _port.spin()
        return left <= 0

    @free
    def flush(self):
        left = self._line.tx_end_us - _port.now_us()
        if left > 0:
            _port.sleep_us(left)

    def sendbreak(self):
        self.flush()

    def irq(self, handler=None, trigger=0, hard=False):
        line = self._line
        if trigger & ~self.IRQ_RXIDLE:
            raise ValueError("only IRQ_RXIDLE exists here")
        line.handler = handler
        line.irq_wanted = bool(handler and trigger)
        _link.send("I", "BB", line.number, line.irq_wanted)
        return _Irq(line, trigger)

    @free
    def ioctl(self, req, arg):
        if req == 3:  # MP_STREAM_POLL: readable 1, writable 4
            ready = 0
            if arg & 1:
                _port.pull(self._line.number)
                ready |= 1 if self._line.rx.any() else 0
            if arg & 4 and not self._line.full_us():
                ready |= 4
            return ready
        if req == 1:  # MP_STREAM_FLUSH
            self.flush()
            return 0
        return 0 if req == 4 else -1  # MP_STREAM_CLOSE

    def __repr__(self):
        return "UART(%d, baudrate=%d)" % (self._line.number, self._line.baudrate)


class Pin(PinBase):
    IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN = 1, 3, 7, 2, 1
    IRQ_RISING, IRQ_FALLING = 1, 2
    _wakes = 0  # changes of pins with wake=SLEEP so far

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=0, hold=None, alt=-1):
        if isinstance(id, Pin):
            id = id._number
        if not isinstance(id, int) or not 0 <= id < 64:
            raise ValueError("invalid pin")
        self._number = id
        self._mode = self.IN
        self._level = 0
        self._handler = None
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=0, hold=None, alt=-1):
        if value is not None:
            self._level = 1 if value else 0
        if mode != -1:
            self._mode = mode
        if self._mode != self.IN:
            _link.send("P", "BB", self._number, self._level)
        elif mode == self.IN:
            _link.send("P", "BB", self._number, 2)

    @free
    def value(self, level=None):
        if level is not None:
            self._level = 1 if level else 0
            if self._mode != self.IN:
                _link.send("P", "BB", self._number, self._level)
            return None
        if self._mode == self.OUT:
            return self._level
        _port.spin()
        _link.send("p", "B", self._number)
        return _link.answer()[0]

    @free
    def __call__(self, level=None):
        return self.value(level)

    @free
    def on(self):
        self.value(1)

    @free
    def off(self):
        self.value(0)

    high, low = on, off

    @free
    def toggle(self):
        self.value(not self._level)

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING, *, wake=None, hard=False):
        self._handler = handler
        self._trigger = trigger
        self._wake = wake or 0
        _port.pins[self._number] = self
        wanted = trigger if handler or wake else 0
        _link.send("Q", "BBB", self._number, wanted, self._wake)

    def changed(self, level):
        if self._wake & SLEEP:
            Pin._wakes += 1
        if self._handler:
            _interrupt(self._handler, self)

    def __repr__(self):
        return "Pin(%d)" % self._number


class ADC:
    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    _FULL_UV = 3300000

    def __init__(self, pin, *, atten=None, sample_ns=None):
        self._number = pin._number if isinstance(pin, Pin) else pin

    init = atten = lambda self, *args, **kw: None

    @free
    def read_uv(self):
        """The voltage at the pin, in microvolts."""
        _link.send("A", "B", self._number)
        data = _link.answer()
        return data[0] | data[1] << 8 | data[2] << 16 | data[3] << 24

    @free
    def read_u16(self):
        """The voltage at the pin, 0 to 65535 for 0 to 3.3 V."""
        return min(65535, self.read_uv() * 65535 // self._FULL_UV)


class RTC:
    def __init__(self, id=0):
        pass

    @free
    def memory(self, data=None):
        """Get or set up to 2048 bytes that survive deep sleep and soft reset."""
        global _rtc_memory
        if data is None:
            return _rtc_memory
        if len(data) > RTC_MEMORY_BYTES:
            raise ValueError("buffer too long")
        _rtc_memory = bytes(data)
        _link.send_bytes("M", None, _rtc_memory)

    @free
    def datetime(self, t=None):
        """Get or set (year, month, day, weekday, hour, minute, second, microsecond)."""
        if t is None:
            us = time._now_us()
            y, mo, d, h, mi, s, weekday, _ = time.gmtime(us // 1000000)
            return (y, mo, d, weekday, h, mi, s, us % 1000000)
        us = time.mktime((t[0], t[1], t[2], t[4], t[5], t[6], 0, 0)) * 1000000 + t[7]
        _link.send("T", "q", time._set_rtc(us))

    init = datetime


class WDT:
    def __init__(self, id=0, timeout=5000):
        self._timeout = timeout
        self.feed()

    @free
    def feed(self):
        _link.send("D", "I", self._timeout)
