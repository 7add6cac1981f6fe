"""One target under atheris, in a process of its own, which libFuzzer ends:

python -m host_tests.fuzz.child TARGET SEED-CORPUS LIBFUZZER-OPTIONS...
"""

import sys

import atheris

import host_tests.shim  # noqa: F401 (MicroPython's dialect, before lib/ is imported)

with atheris.instrument_imports(include=["c1100", "firmware"]):
    from host_tests.fuzz.targets import TARGETS


def main() -> None:
    """Runs until libFuzzer has enough, or has found something."""
    name, *options = sys.argv[1:]
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
