"""Into the network on modules with faults and habits: each that concerns the start, with what
comes of it. Data: a new one is one line.
"""

import pytest

from c1100 import C1100, PinRefused, RegistrationDenied, SimError
from host_tests.states.far_side import FarSide
from host_tests.states.world import Wiring, World
from tools.virtual_c1100.profile import NB_IOT, Cell, Profile, SimCard

PIN = "1234"


async def start(modem: C1100, far: FarSide) -> None:
    assert (await modem.start(pin=PIN)).registered
    assert (await modem.signal()).rssi == -69


# faults; seconds that the start of a module that is on may take
STARTS = (
    # Questions of no consequence
    (("cme:+COPS=30",), 1),
    (("cme:+COPS=100",), 1),
    (("error:+COPS",), 1),
    (("answer:+COPS?=0",), 1),
    (("answer:+COPS?=+COPS: x,y|0",), 1),
    (("mute:+COPS=1",), 40),
    (("error:+CSQ=2",), 5),
    (("error:+CMEE",), 1),
    (("error:V",), 1),
    (("error:E",), 1),
    (("error:E", "error:V", "error:+CMEE"), 1),
    # What a module of another radio lacks
    (("error:+CGREG",), 1),
    (("cme:+CGREG=4",), 1),
    (("answer:+CGREG?=0",), 1),
    # States that pass
    (("answer:+CPIN?*3=+CPIN: NOT READY|0",), 3),
    (("answer:+CPIN?*3=+CPIN: NOT INSERTED|0",), 3),
    (("answer:+CPIN?*20=+CPIN: SIM BUSY|0",), 12),
    (("answer:+CPIN?=+CPIN: ready|0",), 1),
    (('answer:+CPIN?=+CPIN: "READY"|0',), 1),
    (("answer:+CPIN?=+CPIN: SIM PIN2|0",), 1),
    (("answer:+CPIN?=+CPIN: SIM PUK2|0",), 1),
    (("answer:+CPIN?*3=4",), 3),
    (("answer:+CPIN?*3=0",), 3),
    (("answer:+CEREG?*2=+CEREG: 1,3|0", "answer:+CGREG?*2=+CGREG: 1,0|0"), 40),
    (("answer:+CEREG?*2=+CEREG: 1,3|0", "answer:+CGREG?*2=+CGREG: 1,3|0"), 40),
    (("answer:+CEREG?*2=+CEREG: 1,3|0", "error:+CGREG=2"), 40),
    (("answer:+CEREG?=+CEREG: 1,10|0",), 1),
    # Habits
    (("echo-stuck",), 1),
    (("verbose-stuck",), 1),
    (("echo-stuck", "verbose-stuck"), 1),
    (("byte-gap:20",), 20),
    (("byte-gap:200",), 90),
    (("imei-quoted",), 1),
    (("number-quoted",), 5),
    (("leading-blank",), 1),
    (("blank-behind",), 1),
    (("colon-blank",), 1),
    (("urc-unknown",), 1),
    (("line-before:+CPIN=RING",), 1),
    (("line-between:+CEREG=^SIMST: 1",), 1),
    # What an earlier life left
    (("left:AT+CFUN=4",), 8),
    (("left:AT+CFUN=0",), 8),
    (("left:AT+COPS=2",), 8),
    (("left:AT+CGATT=0",), 25),
)


def _profile(faults: tuple[str, ...], **values) -> Profile:
    return Profile(faults=list(faults), **values)


@pytest.mark.parametrize("faults,within_s", STARTS, ids=lambda row: " ".join(map(str, row))
                         if isinstance(row, tuple) else "")  # fmt: skip
def test_start(faults, within_s):
    for wiring in (Wiring(), Wiring(pwrkey=False), Wiring(status=True, doze=True)):
        with World(_profile(faults), wiring) as world:
            begin = world.now
            presses = world.presses
            world.life(start)
            assert world.now - begin < within_s + 1, f"{world.now - begin:.1f} s, {wiring}"
            assert world.presses == presses, "the power key of a module that runs"
            assert world.module.sim.pin_tries == 3


def test_module_with_nb_iot_alone():
    """Its variant has one domain, and the network the other one, too."""
    for variant in ("NGGT", "MGGT"):
        cell = Cell(acts=(NB_IOT,))
        with World(Profile(variant=variant, cell=cell, faults=["error:+CGREG"])) as world:
            world.life(start)


# faults; how often the PIN may be tried; what comes of it
PINS = (
    ((), None),
    (("answer:+CPIN?*2=+CPIN: NOT READY|0",), None),
    (("sim-late:8",), None),
    (("cme:+CPIN=14",), SimError),
    (("error:+CMEE",), None),
)


@pytest.mark.parametrize("faults,outcome", PINS, ids=str)
def test_pin(faults, outcome):
    profile = _profile(faults, sim=SimCard(pin=PIN))
    with World(profile, on=False) as world:
        if outcome is None:
            world.life(start)
        else:
            with pytest.raises(outcome):
                world.life(start)
        assert world.module.sim.pin_tries == 3


def test_wrong_pin_costs_one_try():
    for faults in ((), ("error:+CMEE",)):
        with World(_profile(faults, sim=SimCard(pin="9999")), on=False) as world:
            with pytest.raises(PinRefused):
                world.life(start)
            assert world.module.sim.pin_tries == 2


def test_a_network_that_refuses():
    with World(Profile(cell=Cell(denied_cause=11), variant="NGGT"), on=False) as world:
        world.module.faults.add("error:+CGREG")
        begin = world.now
        with pytest.raises(RegistrationDenied):
            world.life(start)
        assert world.now - begin < 40
