"""Stand-ins for `machine`, `esp32` and `stm` that record what a board's file does with them.

No such board is here: this shows which calls are made, in which order and with which values, not
what a chip does with them. `load` imports a board's file afresh against new stand-ins.
"""

import sys

_OURS = ("base", "esp32", "stm32", "stm32_memory", "unix")


class Gone(Exception):
    """The chip has reset, or sleeps deeply: such a call never returns."""


class Recorder:
    """A module, or an object, whose calls go to one list: (name, args, keywords)."""

    def __init__(self, calls, prefix="", **attributes):
        self._calls = calls
        self._prefix = prefix
        for name, value in attributes.items():
            setattr(self, name, value)

    def record(self, name, *args, **keywords):
        self._calls.append((self._prefix + name, args, keywords))


class Pin:
    """load() sets where calls go; names -- what name() gives, by number

    missing, inputs -- numbers that the chip does not have, and that are inputs only
    """

    IN, OUT, IRQ_RISING, IRQ_FALLING = 1, 3, 1, 2
    calls = names = handlers = None
    missing = inputs = ()

    def __init__(self, number, mode=None, **keywords):
        self.number = number
        self._check(mode)
        Pin.calls.append(("Pin", (number, mode), keywords))

    def _check(self, mode):
        if self.number in Pin.missing:
            raise ValueError("invalid pin")
        if mode == Pin.OUT and self.number in Pin.inputs:
            raise ValueError("pin can only be input")

    def init(self, *args, **keywords):
        self._check(args[0] if args else None)
        Pin.calls.append(("Pin.init", (self.number,) + args, keywords))

    def irq(self, handler=None, trigger=0, **keywords):
        Pin.calls.append(("Pin.irq", (self.number, handler is not None, trigger), keywords))
        Pin.handlers[self.number] = handler

    def name(self):
        return Pin.names[self.number]


class Signal:
    def __init__(self, pin, invert=False):
        self.pin = pin
        self.invert = invert


class Rtc:
    def __init__(self):
        self.data = b""

    def memory(self, data=None):
        if data is None:
            return self.data
        self.data = bytes(data)
        return None


class Memory:
    """stm.mem32: addresses to words, 0 where nothing has been written."""

    def __init__(self):
        self.words = {}

    def __getitem__(self, address):
        return self.words.get(address, 0)

    def __setitem__(self, address, value):
        assert address % 4 == 0 and 0 <= value < 1 << 32, (address, value)
        self.words[address] = value


class Adc(Recorder):
    """`machine.ADC`: every input is at 1.85 V, or half of the reference.

    digital -- numbers of pins that are no such inputs
    """

    ATTN_11DB = 3
    digital = ()

    def __call__(self, pin, **keywords):
        if _numbers(pin) in self.digital:
            raise ValueError("invalid pin")
        if not isinstance(pin, Pin):
            Pin(pin)
        self.record("ADC", _numbers(pin), **keywords)
        return self

    def read_uv(self):
        return 1850000

    def read_u16(self):
        return 0x8000


class Machine(Recorder):
    PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
    PIN_WAKE, TIMER_WAKE, SLEEP, DEEPSLEEP = 2, 4, 2, 4
    Pin = Pin
    Signal = Signal
    uarts = (0, 1, 2, 3, 4, 6)
    bad_bauds = ()

    def __init__(self, calls):
        super().__init__(calls)
        self.cause = self.PWRON_RESET
        self.woken = 0
        self.during_sleep = None
        self.rtc = Rtc()
        self.ADC = Adc(calls)

    def RTC(self):
        return self.rtc

    def UART(self, *args, **keywords):
        if args[0] not in self.uarts:
            raise ValueError("UART(%d) does not exist" % args[0])
        if args[1] in self.bad_bauds:
            raise ValueError("set baudrate is not within 5% of desired value")
        if "tx" in keywords and keywords["tx"].number in Pin.inputs:
            raise OSError(-258, "ESP_ERR_INVALID_ARG")
        self.record("UART", *args, **keywords)

    def WDT(self, timeout):
        self.record("WDT", timeout)
        dog = Recorder(self._calls, "WDT.")
        dog.feed = lambda: dog.record("feed")
        return dog

    def reset_cause(self):
        return self.cause

    def wake_reason(self):
        return self.woken

    def unique_id(self):
        return b"\x01\x02\x03"

    def lightsleep(self, ms):
        self.record("lightsleep", ms)
        if self.during_sleep is not None:
            self.during_sleep()

    def deepsleep(self, ms):
        self.record("deepsleep", ms)
        raise Gone

    def reset(self):
        self.record("reset")
        raise Gone


class Uname:
    def __init__(self, machine):
        self.machine = machine


class Os:
    def __init__(self, machine):
        self._uname = Uname(machine)

    def uname(self):
        return self._uname


def esp32_module(calls, *functions):
    """Module `esp32` with these functions, each recorded with the numbers of its pins."""
    module = Recorder(calls)
    for name in functions:
        setattr(module, name, _recorded(module, name))
    return module


def _recorded(module, name):
    def call(*args):
        module.record(name, *[_numbers(value) for value in args])

    return call


def _numbers(value):
    if isinstance(value, tuple):
        return tuple([pin.number for pin in value])
    return getattr(value, "number", value)


def stm_module(registers=20, block="RTC"):
    """Module `stm` with memory and this many backup registers."""
    module = Recorder([], mem32=Memory(), PWR=0x40007000, RCC=0x40023800, RCC_AHB1ENR=0x30)
    module.RTC, module.RTC_ISR = 0x40002800, 12
    setattr(module, block, 0x40002800)
    for n in range(registers):
        setattr(module, "%s_BKP%dR" % (block, n), 80 + 4 * n)
    return module


def load(port, machine, **modules):
    """The file firmware/boards/<port>.py as a module that sees these stand-ins and no others."""
    Pin.calls = machine._calls
    Pin.missing = Pin.inputs = ()
    Pin.handlers = {}
    for name in _OURS:
        sys.modules.pop("firmware.boards." + name, None)
    before = {}
    modules["machine"] = machine
    for name, module in modules.items():
        before[name] = sys.modules.get(name)
        sys.modules[name] = module
    try:
        return __import__("firmware.boards." + port, None, None, ("Board",))
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
        for name in _OURS:
            sys.modules.pop("firmware.boards." + name, None)
