"""Pins and ADC of the virtual board: wiring to the module, interrupts, wakes, readings."""

from tools.virtual_board import sensors
from tools.virtual_board.board import Cause


def test_outputs_reach_the_module_as_logical_levels(node) -> None:
    n = node("""
import machine, time
key = machine.Signal(machine.Pin(4, machine.Pin.OUT, value=0), invert=False)
wake = machine.Signal(machine.Pin(5, machine.Pin.OUT, value=1), invert=True)
time.sleep_ms(10)
key.on()
time.sleep_ms(1000)
key.off()
wake.on()
print(key.value(), wake.value(), machine.Pin(5).value())
time.sleep_ms(500)
machine.deepsleep(100000)
""")
    n.bench.run(until=10)
    assert n.lines == ["0 1 0"]
    assert n.bench.module.pins == [
        (310_000, "pwrkey", True),
        (1_310_000, "pwrkey", False),
        (1_310_000, "wake", True),
        (1_810_000, "wake", False),  # pins float in deep sleep
    ]


def test_a_wire_is_asserted_while_the_board_or_something_else_asserts_it(node) -> None:
    n = node("""
import machine, time
time.sleep(1)
wake = machine.Signal(machine.Pin(5, machine.Pin.OUT, value=1), invert=True)
wake.on()
time.sleep(2)
wake.off()
machine.deepsleep(100000)
""")
    for at, held in ((2, True), (5, False), (6, True), (7, False)):
        n.bench.run(until=at)
        n.bench.hold("wake", held)
    assert n.bench.module.pins == [
        (1_300_000, "wake", True),
        (5_000_000, "wake", False),  # the board's own has ended at 3.3 s
        (6_000_000, "wake", True),
        (7_000_000, "wake", False),
    ]


def test_input_reads_the_module_and_its_interrupt_ends_a_wait(node) -> None:
    n = node("""
import asyncio, machine, time
status = machine.Pin(18, machine.Pin.IN)
flag = asyncio.ThreadSafeFlag()
status.irq(lambda pin: flag.set(), machine.Pin.IRQ_RISING)
async def main():
    print(status.value())
    await flag.wait()
    print(status.value(), time.ticks_ms())
asyncio.run(main())
machine.deepsleep(100000)
""")
    n.bench.timeline.call_at(2_300_000, lambda: n.bench.module.change("status", True))
    n.bench.run(until=10)
    assert n.lines == ["0", "1 2000"]


def test_interrupts_wait_while_they_are_disabled(node) -> None:
    n = node("""
import machine, time
machine.Pin(18).irq(lambda pin: print("handler", time.ticks_ms()))
state = machine.disable_irq()
time.sleep(2)
print("enable", time.ticks_ms())
machine.enable_irq(state)
machine.deepsleep(100000)
""")
    n.bench.timeline.call_at(1_300_000, lambda: n.bench.module.change("status", True))
    n.bench.run(until=10)
    assert n.lines == ["enable 2000", "handler 2000"]


def test_pin_ends_light_sleep_and_deep_sleep_only_when_told_to(node) -> None:
    n = node("""
import machine, time
pin = machine.Pin(18)
if machine.reset_cause() == machine.PWRON_RESET:
    pin.irq(None, machine.Pin.IRQ_RISING)
    machine.lightsleep(3000)
    print("not woken", time.ticks_ms())
    pin.irq(None, machine.Pin.IRQ_RISING, wake=machine.SLEEP | machine.DEEPSLEEP)
    machine.lightsleep()
    print("woken", time.ticks_ms())
    machine.deepsleep()
print(machine.wake_reason() == machine.PIN_WAKE)
machine.deepsleep(100000000)
""")
    for at_s, level in ((1, True), (2, False), (5, True), (6, False), (9, True)):
        n.bench.timeline.call_at(
            at_s * 1_000_000, lambda level=level: n.bench.module.change("status", level)
        )
    n.bench.run(until=20)
    assert n.lines == ["not woken 3000", "woken 4700", "True"]
    assert [(w.cause, w.start_us) for w in n.bench.wakes] == [
        (Cause.POWER_ON, 300_000),
        (Cause.DEEP_SLEEP, 9_300_000),
    ]


def test_readings_are_logged_as_they_were_handed_out(node) -> None:
    n = node(
        """
import machine, time
for _ in range(3):
    print(machine.ADC(34).read_uv(), machine.ADC(machine.Pin(35)).read_u16())
    time.sleep(3600)
machine.deepsleep(100000)
""",
        seed=7,
    )
    n.bench.run(until=3600 * 3)
    readings = n.bench.readings
    assert [r.name for r in readings] == ["battery", "temperature"] * 3
    assert [r.at_us for r in readings[::2]] == [300_000 + h * 3_600_000_000 for h in range(3)]
    printed = [tuple(map(int, line.split())) for line in n.lines]
    assert printed == [
        (battery.microvolts, temperature.microvolts * 65535 // 3_300_000)
        for battery, temperature in zip(readings[::2], readings[1::2], strict=True)
    ]


def test_sensor_model_depends_on_seed_and_time_alone() -> None:
    hour = 3_600_000_000
    assert sensors.read(1, 34, hour) == sensors.read(1, 34, hour)
    assert {sensors.read(s, 35, hour).microvolts for s in range(20)} != {
        sensors.read(1, 35, hour).microvolts
    }
    night, noon = (sensors.read(1, 35, h * hour).value for h in (3, 14))
    assert noon - night > 10
    assert sensors.read(1, 12, hour).microvolts == 0
