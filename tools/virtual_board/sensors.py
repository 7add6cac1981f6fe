"""What the virtual board's ADC pins measure: a seeded model, the same for the same seed.

Inferred values, chosen to look like a node in a garden: a battery that falls slowly and a daily
temperature curve, each with noise, as voltages that a 12-bit converter of 3.3 V reads.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from tools.virtual_board.battery import Battery

DAY_US = 86_400_000_000
STEP_UV = 3_300_000 / 4096  # one step of the converter


@dataclass(frozen=True)
class Reading:
    """One value that the board has read."""

    at_us: int
    pin: int
    name: str
    microvolts: int
    value: float


@dataclass(frozen=True)
class Sensor:
    """A quantity at an ADC pin: its course over time, and how it becomes a voltage."""

    name: str
    unit: str
    course: Callable[[float], float]  # days -> value
    noise: float
    to_uv: Callable[[float], float]
    from_uv: Callable[[float], float]


BATTERY = Sensor(
    name="battery",
    unit="V",
    course=lambda days: 3.65 - 0.002 * days,
    noise=0.002,
    to_uv=lambda volts: volts * 1e6 / 2,  # a 1:2 divider
    from_uv=lambda uv: uv * 2 / 1e6,
)
TEMPERATURE = Sensor(
    name="temperature",
    unit="Cel",
    course=lambda days: 12 - 8 * math.cos(2 * math.pi * (days - 0.1)),
    noise=0.15,
    to_uv=lambda celsius: 500_000 + celsius * 10_000,  # as a TMP36: 10 mV/K, 0.5 V at 0 degrees
    from_uv=lambda uv: (uv - 500_000) / 10_000,
)
AT_PINS = {34: BATTERY, 35: TEMPERATURE}


def read(seed: int, pin: int, at_us: int, battery: Battery | None = None) -> Reading:
    """What the converter gives at `pin` at `at_us` (microseconds); 0 V where nothing is wired.

    battery -- in place of the one with a course of its own
    """
    sensor = AT_PINS.get(pin)
    if sensor is None:
        return Reading(at_us, pin, "open", 0, 0.0)
    noise = random.Random(f"{seed} {pin} {at_us}").gauss(0, sensor.noise)
    own = battery is not None and sensor is BATTERY
    value = battery.volts() if battery is not None and own else sensor.course(at_us / DAY_US)
    uv = sensor.to_uv(value + noise)
    step = max(0, min(4095, round(uv / STEP_UV)))
    microvolts = round(step * STEP_UV)
    return Reading(at_us, pin, sensor.name, microvolts, sensor.from_uv(microvolts))
