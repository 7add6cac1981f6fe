"""What a sleep costs, and so which one is the cheapest until the next wake (break-even).

The figures are rounded from tools/power/profiles, where their sources are. None was measured on a
C1100. What differs most from place to place, how long it takes to attach, the node measures.
"""

import sys
from collections import namedtuple

from micropython import const

# Charges in millicoulombs (mA s), currents in microamperes.
#
# boot_mc -- from the power key to a SIM that is ready, which takes boot_s
# search_ua -- from then until it is registered; stop_mc -- to detach and switch off
# tail_ua -- connected without traffic, until the network releases the connection
# wake_mc -- out of PSM, until the cell is found again and a connection is there
# update_mc -- a periodic tracking-area update out of PSM and back, without its active time
Module = namedtuple(
    "Module",
    (
        "boot_mc",
        "boot_s",
        "search_ua",
        "stop_mc",
        "tail_ua",
        "wake_mc",
        "update_mc",
        "awake_ua",
        "idle_ua",
        "edrx_ua",
        "psm_ua",
        "off_ua",
    ),
)
MDM9206 = Module(397, 7, 75000, 52, 58000, 329, 332, 11000, 1300, 1050, 9, 7)

# boot_mc -- from the reset to the first line of app.py
Board = namedtuple("Board", ("active_ua", "light_ua", "deep_ua", "boot_mc"))
BOARDS = {
    "esp32": Board(30000, 800, 10, 15),
    "pyboard": Board(40000, 230, 4, 20),
}

Profile = namedtuple("Profile", ("module", "board"))
_QUIET_S = const(6)  # without a command, until the module may enter PSM (SARA-R4, same chip)
RELEASE_S = const(15)  # until an idle connection is released, usually
ATTACH_S = const(15)  # from the power key to registration, until one was measured

OFF = "off"
PSM = "psm"
EDRX = "edrx"
IDLE = "idle"
LIGHT = "light"
DEEP = "deep"

# How long an attach takes, what is granted (None: not), and until an idle connection is released.
# Seconds.
Network = namedtuple("Network", ("start_s", "active_s", "tau_s", "edrx_s", "release_s"))


def profile() -> Profile:
    """Of a C1100 on this board; a port that is not listed counts as an ESP32."""
    return Profile(MDM9206, BOARDS.get(sys.platform, BOARDS["esp32"]))


def module_sleep(module: Module, gap_s: int, network: Network, allowed: tuple) -> str:
    """The cheapest way for the module to spend ``gap_s`` seconds, of those allowed.

    allowed -- of OFF, PSM, EDRX and IDLE (wiring.ways()); those that the network has not granted
               do not count. OFF when none is left, which IDLE always is
    """
    best = OFF
    least = None
    for name in allowed:
        charge = module_mc(name, module, gap_s, network)
        if charge is not None and (least is None or charge < least):
            best = name
            least = charge
    return best


def module_mc(name: str, module: Module, gap_s: int, network: Network) -> float | None:
    """Charge of a gap in millicoulombs; None when it is not granted, or takes longer."""
    if name == OFF:
        search = module.search_ua * max(network.start_s - module.boot_s, 0) / 1000
        return module.stop_mc + module.boot_mc + search + module.off_ua * gap_s / 1000
    tail_s = min(gap_s, network.release_s)
    tail = module.tail_ua * tail_s / 1000
    if name == PSM:
        active_s = network.active_s
        if active_s is None or gap_s < network.release_s + active_s:
            return None
        awake = module.idle_ua * active_s / 1000
        # Its processor stays up for a while after the last command; in a tail that costs nothing.
        tail += module.awake_ua * max(_QUIET_S - tail_s, 0) / 1000
        updates = gap_s // network.tau_s if network.tau_s else 0
        rest = module.wake_mc + module.psm_ua * gap_s / 1000
        return tail + awake + updates * (module.update_mc + awake) + rest
    if name == EDRX and network.edrx_s is None:
        return None
    current = module.edrx_ua if name == EDRX else module.idle_ua
    return tail + current * (gap_s - tail_s) / 1000


def board_sleep(board: Board, wait_s: int) -> str:
    """The cheapest way for the board to spend ``wait_s`` seconds: IDLE, LIGHT or DEEP."""
    if wait_s <= 0:
        return IDLE
    deep = board.boot_mc + board.deep_ua * wait_s / 1000
    return DEEP if deep < board.light_ua * wait_s / 1000 else LIGHT
