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
    "supply cut": Fault(_cut, lambda rig: None),
}
