"""What goes wrong in the campaign: each entry begins, and ends, one kind of trouble."""

from collections.abc import Callable
from typing import NamedTuple

from host_tests.campaign.rig import BROKER, HUNG, HUNG_SENSOR, WEB, Rig, dead


class Fault(NamedTuple):
    """begin, end -- called while the board is in deep sleep"""

    begin: Callable[[Rig], None]
    end: Callable[[Rig], None]


def _module(name: str, parameter: str = "") -> Fault:
    return Fault(
        lambda rig: rig.module.faults.add(name, parameter) if parameter else
        rig.module.faults.add(name),
        lambda rig: rig.module.faults.clear(),
    )  # fmt: skip


def _route(rig: Rig, address: tuple[str, int]) -> None:
    rig.profile.routes[BROKER] = address


def _sim(present: bool) -> Callable[[Rig], None]:
    def change(rig: Rig) -> None:
        rig.profile.sim.present = present

    return change


def _denied(cause: int | None) -> Callable[[Rig], None]:
    def change(rig: Rig) -> None:
        rig.profile.cell.denied_cause = cause

    return change


def _covered(covered: bool) -> Callable[[Rig], None]:
    def change(rig: Rig) -> None:
        rig.profile.cell.covered = covered

    return change


def _rssi(rssi: int) -> Callable[[Rig], None]:
    def change(rig: Rig) -> None:
        rig.profile.cell.rssi = rssi

    return change


def _clock(step_s: int) -> Callable[[Rig], None]:
    def change(rig: Rig) -> None:
        rig.profile.start_s = rig.start_s + step_s

    return change


def _http_500(rig: Rig) -> None:
    rig.flash.configure(uplink={"first": "http"}, http={"url": f"http://{WEB}/status/500"})


def _mqtt_again(rig: Rig) -> None:
    rig.flash.configure(uplink=None, http=None)


def _cut(rig: Rig) -> None:
    """The supply goes in the middle of the next wake."""
    awake = len(rig.bench.wakes)
    rig.bench.run(until=lambda: len(rig.bench.wakes) > awake)
    moment = rig.bench.timeline.now_us / 1e6 + rig.random.uniform(0.01, 14)
    rig.bench.run(until=moment)
    rig.bench.cut_power(rig.random.uniform(0.1, 30))


HABITS = (
    "leading-blank", "blank-behind", "blank-fields", "colon-blank", "number-zeros", "bits-bare",
    "bits-empty", "urc-ls", "verbose-stuck", "echo-stuck", "result-first:+CSQ", "imei-quoted",
)  # fmt: skip
LEFT = (
    "AT+CFUN=4",
    "AT+CFUN=0",
    "AT+GPSSTART",
    "AT+LSIPHEX=1",
    "ATE0V0",
    "AT+LSHTTPURL=99",
    "ATQ1",
)
STATUSES = (301, 400, 401, 404, 413, 429, 500, 503)
CLOCKS = ("00/01/01,00:00:00+00", "24/13/45,25:61:61+00", "99/12/31,23:59:59+00", "", "x" * 60)
# Those that the node reads besides its configuration.
SMALL = (
    "starts",
    "config.trial",
    "pin_refused",
    "commands.counter",
    "commands.result",
    "clock.steps",
    "set_aside",
)


def _habit(rig: Rig) -> None:
    rig.module.faults.add(rig.random.choice(HABITS))


def _left(rig: Rig) -> None:
    rig.module.faults.add("left", rig.random.choice(LEFT))


def _cured(rig: Rig) -> None:
    rig.module.faults.add("error", "+LSMQTTCALL")
    rig.module.faults.add("cured-by", rig.random.choice(("radio", "restart", "power", "supply")))


def _status(rig: Rig) -> None:
    status = rig.random.choice(STATUSES)
    rig.flash.configure(uplink={"first": "http"}, http={"url": f"http://{WEB}/status/{status}"})


def _nonsense(rig: Rig) -> None:
    rig.module.faults.add("clock", rig.random.choice(CLOCKS))


def _spoil(rig: Rig) -> None:
    data = rig.random.choice((b"", b"{", b"\xff" * 40, rig.random.randbytes(200), None))
    rig.flash.spoil(rig.random.choice(SMALL), data)


def _mend(rig: Rig) -> None:
    for name in SMALL:
        rig.flash.mend(name)


def _nothing(rig: Rig) -> None:
    """It stays as it is: the node has to live with it."""


FAULTS = {
    "module mute": _module("mute"),
    "module mute to MQTT": _module("mute", "+LSMQTTPUB"),
    "module reboots mid-command": _module("reboot", "+LSMQTTOPEN"),
    "module refuses": _module("error", "+LSMQTTCALL"),
    "garbage on the line": _module("noise"),
    "garbage at boot": _module("boot-garbage"),
    "bytes to the module lost": _module("lose-in"),
    "bytes from the module lost": _module("lose-out"),
    "answers late": _module("late"),
    "URCs everywhere": _module("urc-between"),
    "power key dead": _module("key-dead"),
    "SIM gone": Fault(_sim(False), _sim(True)),
    "registration denied": Fault(_denied(15), _denied(None)),
    "no network": Fault(_covered(False), _covered(True)),
    "poor signal": Fault(_rssi(0), _rssi(22)),
    "broker down": Fault(lambda rig: _route(rig, dead()), lambda rig: _route(rig, rig.broker)),
    "broker never confirms": Fault(
        lambda rig: _route(rig, rig.silent), lambda rig: _route(rig, rig.broker)
    ),
    "HTTP 500": Fault(_http_500, _mqtt_again),
    "flash full": Fault(lambda rig: rig.flash.fill(), lambda rig: rig.flash.empty()),
    "clock step forward": Fault(_clock(40 * 86400), _clock(0)),
    "clock step back": Fault(_clock(-5000), _clock(0)),
    "program hangs": Fault(
        lambda rig: rig.flash.put(HUNG, HUNG_SENSOR), lambda rig: rig.flash.put(HUNG, None)
    ),
    # The module has other habits, or is in a state that passes.
    "habits": Fault(_habit, lambda rig: rig.module.faults.clear()),
    "SIM not ready": _module("sim"),
    "SIM asks for a PIN that nobody has": _module("sim", "SIM PIN"),
    "no operator": _module("answer", "+COPS?=+CME ERROR: 30|4"),
    "a result code that belongs to nobody": _module("line-before", "=NO CARRIER"),
    "lines that answer nobody": _module("line-before", "=^SIMST: 1"),
    "bytes with pauses": _module("byte-gap", "50"),
    # What an earlier life, or another firmware, has left in the module.
    "left over": Fault(_left, lambda rig: rig.module.faults.clear()),
    "hangs until": Fault(_cured, lambda rig: rig.module.faults.clear()),
    # The far side.
    "server refuses": Fault(_status, _mqtt_again),
    "broker refuses": _module("mqtt-refused"),
    "a clock that tells nonsense": Fault(_nonsense, lambda rig: rig.module.faults.clear()),
    # Files.
    "a file is spoilt": Fault(_spoil, _mend),
    "a record is damaged": Fault(lambda rig: rig.flash.flip("outbox", rig.random), _nothing),
    "supply cut": Fault(_cut, lambda rig: None),
}
