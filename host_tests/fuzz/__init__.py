"""Fuzzing: the driver and the node fed with anything, for as long as one likes.

    make fuzz MINUTES=30                    all targets, coverage-guided (atheris), in turn
    python -m host_tests.fuzz --only nmea --minutes 1
    python -m host_tests.fuzz --replay build/fuzz/mqtt/crash-...

A target takes bytes and raises nothing, whatever they are (targets.py). What was found once stays
in `corpus/`, and the suite runs all of it again (test_fuzz.py), with a minute of hypothesis.
"""
