"""What a node counts of itself: lines that add up, over starts, steps of the clock and damage."""

import os

from firmware import files, health, log, tally
from host_tests.support.scratch import Inside


class Box:
    next = 10
    dropped = 3

    def __len__(self):
        return 4


class Node:
    def __init__(self):
        self.outbox = Box()
        self.sent = self.received = self.refused = self.waiting = 0
        self.rest_v = self.load_v = 0.0


class Flash(Inside):
    def __enter__(self):
        log.begin("off")
        log.told()
        return super().__enter__()


def session(error="", connect=5.0, lasted=20, **values):
    node = Node()
    for name, value in values.items():
        setattr(node, name, value)
    tally.session(node, error, connect, lasted)
    return node


def test_sessions_add_up():
    with Flash():
        session(sent=100, received=5, waiting=3)
        session("Refused", 9.5, 30, sent=50, refused=2, waiting=7)
        node = session("NotRegistered", 0, waiting=1)
        assert node.sent == node.received == node.refused == 0
        session("Strange")
        found = health.counted()
        assert found["sessions"] == 4 and found["on"] == 90
        assert (found["sent"], found["received"], found["refused"]) == (150, 5, 2)
        assert (found["connect"], found["worst"], found["waiting"]) == (50, 95, 7)
        assert found["failed"] == {"refused": 1, "network": 1, "module": 1}


def test_every_error_has_a_cause():
    for error in ("Refused", "Unfit", "NotRegistered", "RegistrationDenied", "SimError",
                  "PinRefused", "Timeout", "NoModule", "NotConnected", "x"):  # fmt: skip
        with Flash():
            session(error)
            (cause,) = health.counted()["failed"]
            assert cause in health.BLAMED


def test_restarts_by_cause_and_steps_of_the_clock():
    with Flash():
        tally.add("R", "power", 100)
        tally.add("T", 1000000)
        assert health.counted()["began"] == 1000100
        tally.add("R", "watchdog", 1000500)
        tally.add("R", "crash", 1000700)
        tally.add("T", -50)
        tally.add("R", "brownout of another firmware".replace(" ", "_"), 1000800)
        found = health.counted()
        assert found["began"] == 1000800
        assert found["restarts"] == {"power": 1, "watchdog": 1, "crash": 1, "unknown": 1}


def test_when_a_record_is_due():
    period = 86400
    with Flash():
        assert tally.is_due(5, period)  # the first
        health._write(1000 + period, health._new())
        end = 1000 + period
        for now, due in ((1000, False), (1001, False), (end - 1, False), (end, True),
                         (10**9, True), (999, True), (0, True)):  # fmt: skip
            assert tally.is_due(now, period) is due, now
        session()
        assert not tally.is_due(1001, period)
        tally.add("R", "reset", 1001)
        assert tally.is_due(1002, period)
        health.shorten()
        assert tally.is_due(1003, period)  # it still is
        health._write(1003 + period, health.counted())
        assert not tally.is_due(1004, period)


def test_the_file_stays_short_and_nothing_is_lost_of_it():
    with Flash():
        health._write(5000, health._new())
        for _ in range(300):
            session(sent=10)
            assert os.stat(tally.FILE)[6] <= tally.BYTES + 100
        assert health.counted()["sessions"] == 300
        assert health.counted()["sent"] == 3000
        assert not tally.is_due(4000, 86400)


def test_damaged_lines_count_for_nothing():
    strange = (b"", b"H", b"H ", b"H 5", b"H 5 {", b"H 5 []", b'H 5 {"sent":"x","restarts":[1]}',
               b"S", b"S - 1", b"S - a b c d e f g h i j", b"R", b"R power", b"R power x", b"T ",
               b"T x", b"\xff\xfe\x00", b"Z 1 2", b'H 7 {"nobody":1}',
               b'H 7 {"volts":[[]]}', b'H 7 {"volts":[1,2]}', b'H 7 {"volts":[[1,"x"],[2]]}',
               b'H 7 {"failed":{"module":"x"}}', b'H 7 {"failed":{"module":[]}}',
               b'H 7 {"volts":[[5,3600,1]]}')  # fmt: skip
    for line in strange:
        with Flash():
            with open(tally.FILE, "wb") as file:
                file.write(line + b"\n")
            tally.add("T", 10)
            session("Timeout", sent=7)
            found = health.counted()
            assert found["sent"] == 7, line
            assert found["restarts"] == {}
            assert found["failed"] == {"module": 1}, line
            health._drop(found, 5)
            tally.is_due(5, 10)
    with Flash():
        os.mkdir(tally.FILE)  # something else in its place
        session()
        assert health.counted()["sessions"] == 0
        assert log.told()
        os.rmdir(tally.FILE)


def test_damage_is_gone_once_the_file_is_made_short():
    with Flash():
        health._write(5000, health._new())
        with open(tally.FILE, "rb") as file:
            whole = file.read()
    for at in range(len(whole)):
        for bit in (0x01, 0x80):
            with Flash():
                with open(tally.FILE, "wb") as file:
                    file.write(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
                session(sent=7)
                health.shorten()
                assert health.counted()["sent"] in (0, 7, 8), (at, bit)  # a line may be none
                tally.is_due(4000, 86400)


def test_records_of_wakes_without_a_session_were_written_too():
    with Flash():
        before = files.writes
        session()
        files.writes += 4
        Box.next = 20
        session()
        Box.next = 10
        assert health.counted()["writes"] >= 4 + 2 * 9
        assert files.writes >= before


def test_voltage_drop_in_a_week():
    day = 86400
    for daily, days, drop in ((0.01, 8, 0.07), (0.0, 8, 0.0), (-0.02, 8, -0.14), (0.01, 2, 0.07)):
        found = health._new()
        node = Node()
        for n in range(days):
            node.rest_v = 3.6 - daily * n + 1e-6
            health._note_volts(found, node, 1000 + n * day)
        assert abs(health._drop(found, 1000 + days * day) - drop) < 0.002
        assert len(found["volts"]) <= 9
    found = health._new()
    assert health._drop(found, 0) is None
    health._note_volts(found, Node(), 5)
    assert found["volts"] == []
