"""The boards' files against stand-ins that record calls: no ESP32 or STM32 is in the loop."""

from firmware import config
from firmware.boards import unfit
from host_tests.support import raises
from host_tests.support.fake_hardware import (
    Gone,
    Machine,
    Os,
    Pin,
    esp32_module,
    load,
    stm_module,
)

F405 = "PYBv1.1 with STM32F405RG"
F411 = "a board with STM32F411CE"


def settings(**sections):
    given = {"id": "n", "mqtt": {"host": "h"}}
    given.update(sections)
    return config.check(given, config.SCHEMA, "c")


def esp32(functions=("wake_on_ext0", "gpio_deep_sleep_hold"), **sections):
    calls = []
    machine = Machine(calls)
    module = load("esp32", machine, esp32=esp32_module(calls, *functions))
    return module.Board(settings(**sections)), machine, calls


class Stm32:
    """One STM32: its backup domain outlives the boards that are made of it."""

    def __init__(self, chip=F405, registers=20, block="RTC", **sections):
        self.calls = []
        self.machine = Machine(self.calls)
        self.stm = stm_module(registers, block)
        self.module = load("stm32", self.machine, stm=self.stm)
        self.module.os = Os(chip)
        self.settings = settings(**sections)

    def board(self):
        return self.module.Board(self.settings)


def named(calls, name):
    return [(args, keywords) for n, args, keywords in calls if n == name]


def test_receive_buffer_holds_what_comes_in_a_long_pause_at_every_rate():
    module = load("base", Machine([]))
    for baud in (9600, 115200, 460800, 921600):
        assert module.rx_bytes(baud) >= baud / 10 * 0.3
    assert module.rx_bytes(115200) == 4096
    assert module.rx_bytes(921600) == 32256


def test_esp32_uart():
    board, _, calls = esp32(uart={"id": 2, "baud": 921600, "tx": 17, "rx": 16})
    board.uart()
    ((args, keywords),) = named(calls, "UART")
    assert args == (2, 921600)
    assert (keywords["tx"].number, keywords["rx"].number) == (17, 16)
    assert (keywords["timeout"], keywords["rxbuf"]) == (0, 32256)


def test_esp32_uart_on_the_ports_own_pins():
    board, _, calls = esp32()
    board.uart()
    assert sorted(named(calls, "UART")[0][1]) == ["rxbuf", "timeout"]


def test_polarity_of_outputs_and_inputs():
    pins = {"pwrkey": 4, "wake": 5, "status": 18, "ring": "D19"}
    for port in ("esp32", "stm32"):
        if port == "esp32":
            board, _, calls = esp32(pins=pins)
        else:
            chip = Stm32(pins=pins)
            board, calls = chip.board(), chip.calls
        assert board.output("pwrkey").invert is False
        assert board.output("wake").invert is True
        assert board.input("status").invert is False
        assert board.input("ring").invert is True
        made = [
            (args, keywords.get("value"))
            for name, args, keywords in calls
            if name.startswith("Pin") and args[1] is not None
        ]
        assert made == [
            ((4, Pin.OUT), False),
            ((5, Pin.OUT), True),
            ((18, Pin.IN), None),
            (("D19", Pin.IN), None),
        ]


def test_what_is_not_wired_is_none():
    for board in (esp32()[0], Stm32().board()):
        assert board.output("pwrkey") is None
        assert board.input("ring") is None
        assert board.volts("battery") is None


def test_volts():
    board, _, calls = esp32(pins={"battery": 34})
    assert board.volts("battery") == 1.85
    assert named(calls, "ADC") == [((34,), {"atten": 3})]
    assert round(Stm32(pins={"battery": "X8"}).board().volts("battery"), 2) == 1.65


def test_causes_and_identity():
    board, machine, _ = esp32()
    names = []
    for machine.cause in (1, 2, 3, 4, 5, 77):
        names.append(board.reset_cause())
    assert names == ["power", "reset", "watchdog", "deepsleep", "soft", "unknown 77"]
    assert board.unique_id() == b"\x01\x02\x03"


def test_esp32_memory_is_the_rtcs():
    board, machine, _ = esp32()
    board.store(b"state")
    assert machine.rtc.data == b"state"
    assert board.load() == b"state"


def test_esp32_outputs_keep_their_levels_in_deep_sleep_and_are_released_at_the_start():
    board, _, calls = esp32(pins={"pwrkey": 4, "wake": 5})
    board.output("pwrkey")
    board.output("wake")
    assert named(calls, "Pin.init") == [
        ((4, Pin.OUT), {"value": False, "hold": False}),
        ((5, Pin.OUT), {"value": True, "hold": False}),
    ]
    del calls[:]
    with raises(Gone):
        board.sleep(5000)
    assert calls == [
        ("Pin.init", (4,), {"hold": True}),
        ("Pin.init", (5,), {"hold": True}),
        ("gpio_deep_sleep_hold", (True,), {}),
        ("deepsleep", (5000,), {}),
    ]


def test_esp32_ring_pin_is_armed_as_the_chip_has_it():
    chips = (
        (("wake_on_ext0", "wake_on_ext1", "wake_on_gpio"), ("wake_on_ext0", (4, False), {})),
        (("wake_on_ext1", "wake_on_gpio"), ("wake_on_ext1", ((4,), False), {})),
        (("wake_on_gpio",), ("wake_on_gpio", ((4,), False), {})),
    )
    for functions, armed in chips:
        board, _, calls = esp32(functions, pins={"ring": 4})
        with raises(Gone):
            board.sleep(1000, ring=True)
        assert armed in calls
        assert calls[-1] == ("deepsleep", (1000,), {})


def test_esp32_ring_pin_is_disarmed_when_only_the_timer_counts():
    board, _, calls = esp32(pins={"ring": 4, "ring_active": 1})
    with raises(Gone):
        board.sleep(1000)
    assert named(calls, "wake_on_ext0") == [((None, True), {})]


def test_a_pin_may_end_the_sleep_by_its_release():
    for active in (0, 1):
        for releases in (False, True):
            low = (not active) != releases
            board, _, calls = esp32(pins={"alarm": 4, "alarm_active": active})
            board.waits_for_release = releases
            with raises(Gone):
                board.sleep(1000, ring=True)
            assert named(calls, "wake_on_ext0") == [((4, not low), {})]
            chip = Stm32(pins={"alarm": "X1", "alarm_active": active})
            Pin.names = {"X1": "A0"}
            board = chip.board()
            board.waits_for_release = releases
            with raises(Gone):
                board.sleep(1000, ring=True)
            edges = [args[2] for args, _ in named(chip.calls, "Pin.irq")]
            assert edges == ([Pin.IRQ_FALLING, 0] if low else [])  # only a rise ends Standby


def test_esp32_tells_ring_from_timer():
    board, machine, calls = esp32(pins={"ring": 4})
    machine.woken = machine.TIMER_WAKE
    assert board.light_sleep(200, ring=True) is False
    machine.woken = machine.PIN_WAKE
    assert board.light_sleep(200, ring=True) is True
    assert named(calls, "lightsleep") == [((200,), {})] * 2
    assert board.woken_by_ring() is False  # it was no deep sleep
    machine.cause = machine.DEEPSLEEP_RESET
    assert board.woken_by_ring() is True


def test_watchdogs():
    board, _, calls = esp32()
    board.watchdog(60000).feed()
    assert calls == [("WDT", (60000,), {}), ("WDT.feed", (), {})]
    chip = Stm32()
    chip.board().watchdog(60000)
    assert named(chip.calls, "WDT") == [((32000,), {})]


def test_stm32_memory():
    for chip in (
        Stm32(),
        Stm32(F411),
        Stm32("a board with STM32H743", 32),
        Stm32("a board with STM32G474", 32, "TAMP"),
    ):
        board = chip.board()
        assert board.load() == b""
        for data in (b"", b"1", b"1234", b"\xff" * 60 + b"end"):
            board.store(data)
            assert chip.board().load() == data


def test_stm32_memory_uses_backup_sram_where_there_is_some():
    chip = Stm32()
    chip.board().store(bytes(2048))
    assert min(a for a in chip.stm.mem32.words if a >= 0x40024000) == 0x40024000
    assert chip.stm.mem32[0x40023830] == 1 << 18
    assert chip.stm.mem32[0x40007004] & 1 << 9
    with raises(ValueError):
        chip.board().store(bytes(2049))
    small = Stm32(F411)
    small.board().store(bytes(68))
    assert max(a for a in small.stm.mem32.words if a < 0x40007000) == 0x40002800 + 80 + 4 * 19
    with raises(ValueError):
        small.board().store(bytes(69))


def test_stm32_without_known_backup_registers_is_refused():
    with raises(NotImplementedError):
        Stm32("a board with STM32X", 0).board()


def test_stm32_sleeps_and_the_next_start_is_a_wake():
    chip = Stm32()
    with raises(Gone):
        chip.board().sleep(900000)
    assert chip.calls == [("deepsleep", (900000,), {})]
    chip.machine.cause = chip.machine.DEEPSLEEP_RESET
    chip.board()
    assert len(chip.calls) == 1


def test_stm32_sleeps_longer_than_its_timer_can_count():
    chip = Stm32()
    chip.machine.cause = chip.machine.DEEPSLEEP_RESET
    week = 7 * 86400 * 1000
    chip.stm.mem32[0x4000280C] = 1 << 10  # WUTF: the timer ends each part
    with raises(Gone):
        chip.board().sleep(week)
    for _ in range(4):
        with raises(Gone):
            chip.board()
    chip.board()
    slept = [args[0] for args, _ in named(chip.calls, "deepsleep")]
    assert sum(slept) == week
    assert max(slept) < 131072000


def test_stm32_reset_button_ends_a_long_sleep():
    chip = Stm32()
    with raises(Gone):
        chip.board().sleep(7 * 86400 * 1000)
    chip.machine.cause = chip.machine.HARD_RESET
    chip.board()
    chip.machine.cause = chip.machine.DEEPSLEEP_RESET
    chip.board()
    assert len(chip.calls) == 1


def test_stm32_gets_rid_of_its_watchdog_before_it_sleeps():
    chip = Stm32()
    board = chip.board()
    board.watchdog(30000)
    with raises(Gone):
        board.sleep(900000)
    assert chip.calls[-1] == ("reset", (), {})
    chip.machine.cause = chip.machine.HARD_RESET
    with raises(Gone):
        chip.board()
    assert chip.calls[-1] == ("deepsleep", (900000,), {})
    chip.machine.cause = chip.machine.DEEPSLEEP_RESET
    chip.stm.mem32[0x4000280C] = 1 << 10
    chip.board()
    assert len(named(chip.calls, "deepsleep")) == 1


def test_stm32_light_sleep_is_cut_so_that_the_watchdog_is_fed():
    chip = Stm32()
    board = chip.board()
    board.watchdog(20000)
    board.light_sleep(25000)
    assert chip.calls[1:] == [
        ("lightsleep", (10000,), {}),
        ("WDT.feed", (), {}),
        ("lightsleep", (10000,), {}),
        ("WDT.feed", (), {}),
        ("lightsleep", (5000,), {}),
        ("WDT.feed", (), {}),
    ]


def test_stm32_ring_pin_ends_light_sleep():
    chip = Stm32(pins={"ring": "X7"})
    chip.machine.during_sleep = lambda: Pin.handlers["X7"](None)
    assert chip.board().light_sleep(60000, ring=True) is True
    assert named(chip.calls, "Pin.irq") == [
        (("X7", True, Pin.IRQ_FALLING), {}),
        (("X7", False, 0), {}),
    ]
    chip.machine.during_sleep = None
    assert chip.board().light_sleep(60000, ring=True) is False


def test_stm32_pa0_ends_standby():
    chip = Stm32(pins={"ring": "X1", "ring_active": 1})
    Pin.names = {"X1": "A0"}
    with raises(Gone):
        chip.board().sleep(1000, ring=True)
    assert chip.calls[-1] == ("deepsleep", (1000,), {})
    assert chip.stm.mem32[0x40007004] & 1 << 8
    chip.machine.cause = chip.machine.DEEPSLEEP_RESET
    assert chip.board().woken_by_ring() is True
    with raises(Gone):
        chip.board().sleep(1000)
    assert not chip.stm.mem32[0x40007004] & 1 << 8
    chip.stm.mem32[0x4000280C] = 1 << 10
    assert chip.board().woken_by_ring() is False


def test_stm32_ring_pin_that_cannot_end_standby_gets_stop_mode_and_a_reset():
    for pin, active in (("X7", 1), ("X1", 0)):
        chip = Stm32(pins={"ring": pin, "ring_active": active})
        Pin.names = {"X1": "A0", "X7": "C6"}
        with raises(Gone):
            chip.board().sleep(1000, ring=True)
        names = [name for name, _, _ in chip.calls if name in ("lightsleep", "reset", "deepsleep")]
        assert names == ["lightsleep", "reset"]


# Pins that cannot be what they are to be ---------------------------------------------------------

OUTPUTS = ("pwrkey", "wake", "cut")
INPUTS = ("status", "ring")
ANALOGUE = ("battery", "temperature")


def boards_of(**sections):
    """(port, board, its machine) of both ports."""
    found = [("esp32",) + esp32(**sections)[:2]]
    chip = Stm32(**sections)
    return found + [("stm32", chip.board(), chip.machine)]


def use(board, name):
    if name in OUTPUTS:
        return board.output(name)
    return board.input(name) if name in INPUTS else board.volts(name)


def refused(make, *args):
    with raises(config.ConfigError) as caught:
        make(*args)
    return str(caught.error)


def test_a_pin_that_there_is_not_is_told_by_its_key():
    for pin in (99, "X99"):
        for name in OUTPUTS + INPUTS + ANALOGUE:
            for port, board, _ in boards_of(pins={name: pin}):
                Pin.missing = (99, "X99")
                want = "pins.%s: this chip has no pin %s" % (name, pin)
                assert refused(use, board, name) == want, port
                assert board.faults() == [want], port
                Pin.missing = ()
                assert board.faults() == []


def test_a_pin_that_is_an_input_only_is_told_by_its_key():
    for name in OUTPUTS:
        for port, board, _ in boards_of(pins={name: 34}):
            Pin.inputs = (34,)
            want = "pins.%s: pin 34 of this chip cannot be an output: pin can only be input" % name
            assert refused(use, board, name) == want, port
    for name in INPUTS + ANALOGUE:
        for _, board, _ in boards_of(pins={name: 34}):
            Pin.inputs = (34,)
            assert use(board, name) is not None


def test_a_pin_that_is_not_analogue_is_told_by_its_key():
    for name in ANALOGUE:
        for port, board, machine in boards_of(pins={name: 16}):
            machine.ADC.digital = (16,)
            want = "pins.%s: pin 16 of this chip cannot measure a voltage: invalid pin" % name
            assert refused(use, board, name) == want, port
            assert board.faults() == []


def test_what_is_wrong_with_the_uart_is_told_by_its_keys():
    for number in (5, 7, 8):
        for port, board, _ in boards_of(uart={"id": number}):
            assert refused(board.uart) == "uart.id: this chip has no UART %d" % number, port
    for name, other in (("tx", "rx"), ("rx", "tx")):
        board = esp32(uart={name: 99, other: 4})[0]
        Pin.missing = (99,)
        assert refused(board.uart) == "uart.%s: this chip has no pin 99" % name
        assert board.faults() == ["uart.%s: this chip has no pin 99" % name]
    board = esp32(uart={"tx": 34})[0]
    Pin.inputs = (34,)
    assert "uart.tx: pin 34 of this chip cannot be an output" in refused(board.uart)
    for port, board, machine in boards_of(uart={"baud": 921600}):
        machine.bad_bauds = (921600,)
        said = refused(board.uart)
        assert "921600 baud" in said and "check uart.baud" in said, port
        assert ("uart.tx" in said) is (port == "esp32")


def test_what_is_no_fault_of_a_pin_is_raised_as_it_is():
    board, machine, _ = esp32(pins={"battery": 34})

    class Broken:
        ATTN_11DB = 3

        def __call__(self, *args, **keywords):
            raise MemoryError

    machine.ADC = Broken()
    with raises(MemoryError):
        board.volts("battery")


def test_the_settings_that_are_pins_are_known_by_their_names():
    there = [key for key, rule in config.SCHEMA.items() if rule[1] is config.PIN]
    settings = {key: 99 if key in there else rule[0] for key, rule in config.SCHEMA.items()}

    def no_pin(number):
        raise ValueError("invalid pin")

    told = unfit.pins(settings, no_pin)
    assert told == ["%s: this chip has no pin 99" % key for key in sorted(there)]
