"""The C1100 module in software, in real time: on a PTY for a terminal program or a virtual board,
or on a USB-UART for a physical one. Ctrl-C ends it.

A PTY has no power key, so the module starts powered on; with --off it waits. SIGUSR1 presses the
key for 1.5 s: it switches the module on, and off when it runs.
"""

import argparse
import shutil
import signal
import time
from pathlib import Path

from tools import failure, options
from tools.timeline import Timeline
from tools.virtual_c1100 import measured, realtime
from tools.virtual_c1100.faults import FAULTS
from tools.virtual_c1100.module import VirtualC1100
from tools.virtual_c1100.profile import VARIANTS, Profile, load, parse_address
from tools.virtual_c1100.realtime import PtyPort, SerialPort
from tools.virtual_c1100.trace import Trace

KEY_PRESS_S = 1.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m tools virtual-c1100`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _fault_help()
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--link", type=Path, metavar="PATH", help="symbolic link to the PTY")
    where.add_argument("--serial", metavar="DEVICE", help="serial port with a physical board")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="settings as TOML")
    parser.add_argument(
        "--baud", type=options.baud, help="bits per second after power-on (115200)"
    )
    parser.add_argument("--variant", choices=VARIANTS, help="hardware variant (MGGT)")
    parser.add_argument("--pin", help="PIN that the SIM asks for (none)")
    parser.add_argument("--no-sim", action="store_true", help="no card in the holder")
    parser.add_argument("--seed", type=options.seed, help="of all randomness (1)")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[:PARAMETER]",
                        help="something that goes wrong, see below; may be repeated")  # fmt: skip
    parser.add_argument("--trace", type=Path, metavar="FILE",
                        help="write every byte with its time; secrets are masked")  # fmt: skip
    parser.add_argument("--route", action="append", default=[], metavar="HOST:PORT=HOST:PORT",
                        help="where traffic for the first address really goes; without a route "
                        "only loopback can be reached; may be repeated")  # fmt: skip
    parser.add_argument("--off", action="store_true", help="start without power, see above")


def _fault_help() -> str:
    rows = [
        f"  {name:<15}{text} [{ids}]" + (f", default {default}" if default else "")
        for name, (ids, default, text, _) in FAULTS.items()
    ]
    return "faults:\n" + "\n".join(rows)


def profile_from(args: argparse.Namespace) -> Profile:
    """The profile file with the command line's settings over it. Raises ValueError, OSError."""
    profile = load(args.profile) if args.profile else Profile()
    for name in ("baud", "variant", "seed"):
        if getattr(args, name) is not None:
            setattr(profile, name, getattr(args, name))
    if args.pin is not None:
        if not (args.pin.isdigit() and 4 <= len(args.pin) <= 8):
            raise ValueError("--pin takes 4 to 8 digits")
        profile.sim.pin = args.pin
    if args.no_sim:
        profile.sim.present = False
    for route in args.route:
        asked, _, real = route.partition("=")
        profile.routes[parse_address(asked)] = parse_address(real)
    profile.faults += args.fault
    if profile.start_s == Profile.start_s:
        profile.start_s = int(time.time())
    return measured.fitting(profile)


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C. Returns the exit code: 2 when a setting is wrong."""
    timeline = Timeline()
    stop: list[int] = []
    try:
        profile = profile_from(args)
        module = VirtualC1100(timeline, profile, lambda data: port.write(data))
        if args.trace:
            module.trace = Trace(timeline, args.trace.open("w", buffering=1))
        # Before the link is there: who waits for that may send a signal at once.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, frame: stop.append(number))
        signal.signal(signal.SIGUSR1, lambda number, frame: _press(timeline, module))
        port = SerialPort(args.serial, profile.baud) if args.serial else PtyPort(args.link)
    except (ValueError, OSError) as error:
        print(f"virtual-c1100: {failure.words(error)}")
        return 2
    _greet(args, profile, port.name)
    if not args.off:
        module.power_on()
    try:
        realtime.run(
            timeline, module, port, lambda: bool(stop), lambda text: print(text, flush=True)
        )
    finally:
        if module.trace:
            module.trace.close()
        port.close()
    return 0


def _press(timeline: Timeline, module: VirtualC1100) -> None:
    module.set_pin("pwrkey", True)
    timeline.call_later(round(KEY_PRESS_S * 1e6), lambda: module.set_pin("pwrkey", False))


def _greet(args: argparse.Namespace, profile: Profile, name: str) -> None:
    state = "waits for SIGUSR1" if args.off else f"boots, {profile.latency.boot:g} s"
    print(f"C1100 {profile.variant} at {name}, {profile.baud} Bd; it {state}. Ctrl-C ends it.")
    if args.link:
        terminal = "picocom" if shutil.which("picocom") else "python -m serial.tools.miniterm"
        speed = f"-b {profile.baud} " if terminal == "picocom" else ""
        after = "" if speed else f" {profile.baud}"
        print(f"In another terminal: {terminal} {speed}{args.link}{after}")
        print("Then type, each with Enter:  AT   AT+CPIN?   AT+CSQ   AT+CEREG=1   AT+COPS?")
    if profile.faults:
        print("Faults in force: " + ", ".join(profile.faults))
