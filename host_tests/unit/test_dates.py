"""Records made before the node knew the time."""

import os

from firmware import clock, dates, files
from host_tests.support.scratch import folder

RECORD = b'[{"bn":"n1:","n":"seq","v":7},{"n":"battery","u":"V","v":3.6}]'
TIME = 1700000000


def inside(test):
    """Run a test in a folder of its own."""

    def run():
        before = os.getcwd()
        where = folder()
        os.mkdir(where)
        os.chdir(where)
        try:
            test()
        finally:
            os.chdir(before)

    return run


def at(time):
    return RECORD.replace(b'"n1:",', b'"n1:","bt":%d,' % time)


@inside
def roundtrip():
    for start in (1, 2, 255, 65535, 65536, 70000):
        for shown in (0, 1, 59, 86400, 800000000):
            stored = dates.stamped(RECORD, start, shown)
            assert dates.dated(stored, dates.steps()) == RECORD  # not known yet
            dates.learned(start, TIME - clock.epoch() - 59)  # when the clock showed 59
            sent = dates.dated(stored, dates.steps())
            assert sent == at(TIME + shown - 59)
            assert len(sent) == len(stored)  # no batch grows
            os.remove("clock.steps")


def test_a_record_is_dated_once_the_time_is_known():
    roundtrip()


@inside
def several():
    for start in range(1, 10):
        dates.learned(start, TIME + start - clock.epoch())
    dates.learned(8, TIME - clock.epoch())
    assert dates.steps()[0] == (8, TIME - clock.epoch())
    for start in range(1, 10):
        expected = {9: at(TIME + 9), 8: at(TIME), 7: at(TIME + 7), 6: at(TIME + 6)}
        stored = dates.stamped(RECORD, start, 0)
        assert dates.dated(stored, dates.steps()) == expected.get(start, RECORD), start


def test_a_few_cold_starts_are_remembered():
    several()


def test_other_records_stay_as_they_are():
    known = [(1, TIME - clock.epoch())]
    stamp = b"~0001%010d~" % 5
    assert dates.dated(stamp + RECORD, known) == at(TIME + 5)
    for stored in (
        RECORD,
        at(TIME),
        b"",
        b"~",
        b"~" * 16,
        b"~" * 40,
        stamp,
        stamp + b"[",
        stamp + b"{}",
        b"~0001" + b"x" * 10 + b"~{",
        bytes(range(256)),
        os.urandom(100),
    ):
        assert dates.dated(stored, known) == stored, stored
    for stamp in (
        b"~000g0000000005~",
        b"~0001000000000x~",
        b"~0001-000000005~",
        b"~    0000000005~",
    ):
        found = dates.dated(stamp + RECORD, known)
        assert found in (RECORD, at(TIME - 5)), stamp
    assert dates.dated(b"~0001%010d~" % 5 + b'[{"bn":1}]', known) == b'[{"bn":1}]'
    # A clock that would not have been set to such a time.
    assert dates.dated(b"~0001" + b"9" * 10 + b"~" + RECORD, known) == RECORD
    assert dates.dated(dates.stamped(RECORD, 1, -5), known) == at(TIME)


@inside
def damage():
    good = b"7 1000\n6 2000\n5 3000"
    for cut in range(len(good)):
        files.replace("clock.steps", good[:cut])
        for start, step in dates.steps():
            assert start in (5, 6, 7)
            assert step <= {7: 1000, 6: 2000, 5: 3000}[start]
    for text in (
        b"",
        b"\n",
        b"x",
        b"7",
        b"7 x",
        b"7 1 2",
        b"\xff\xfe",
        b"\0" * 50,
        b"7 1000\n\n6 1",
    ):
        files.replace("clock.steps", text)
        assert dates.steps() in ([], [(7, 1000)]), text
    files.remove("clock.steps")
    os.mkdir("clock.steps")
    assert dates.steps() == []
    dates.learned(1, 2)  # what stands in its way is put aside
    assert dates.steps() == [(1, 2)]


def test_a_damaged_file_costs_the_dates_and_no_record():
    damage()
