"""The log on flash: levels, two files in turn, losses of power, and nothing when it is off."""

import os

from firmware import log
from host_tests.support.ram_files import RamFiles
from host_tests.support.scratch import made


def begin(level="info", where=None, secrets=()):
    if where is None:
        where = made()
    log._waiting.clear()
    log.begin(level, list(secrets), where + "/")
    return where


def texts():
    return [line[22:] for line in log.lines()]


def test_levels_decide_what_is_kept():
    for level, kept in (
        ("error", ["e 1"]),
        ("warning", ["e 1", "w"]),
        ("info", ["e 1", "w", "i"]),
        ("debug", ["e 1", "w", "i", "d"]),
    ):
        where = begin(level)
        log.error("e %d", 1)
        log.warning("w")
        log.info("i")
        log.debug("d")
        log.flush()
        begin(level, where)
        assert texts() == kept, level
        assert [line[20] for line in log.lines()] == list("EWID")[: len(kept)]


def test_off_keeps_nothing_and_touches_no_file():
    where = begin("off")
    log.error("e")
    try:
        raise ValueError("x")
    except ValueError as error:
        log.crash(error)
    log.flush()
    assert os.listdir(where) == []
    assert log.lines() == []


def test_flash_is_written_once_in_a_wake_and_for_the_first_errors():
    where = begin()
    writes = []
    append = log._append
    log._append = lambda block: (writes.append(block), append(block))
    try:
        for number in range(10):
            log.info("line %d", number)
        assert writes == []
        log.flush()
        log.flush()
        assert len(writes) == 1
        for number in range(10):
            log.error("error %d", number)
        assert len(writes) == 4
        log.flush()
        assert len(writes) == 5
    finally:
        log._append = append
    begin(where=where)
    assert texts() == ["line %d" % i for i in range(10)] + ["error %d" % i for i in range(10)]


def test_two_files_take_turns_and_the_last_lines_are_kept():
    where = begin()
    for number in range(500):
        log.info("line number %d", number)
        if number % 7 == 6:
            log.flush()
    log.flush()
    sizes = [os.stat(where + "/" + name)[6] for name in os.listdir(where)]
    assert len(sizes) == 2
    assert max(sizes) <= 4096
    begin(where=where)
    got = texts()
    assert got == ["line number %d" % i for i in range(500 - len(got), 500)]
    assert len(got) > 4096 // 40


def test_a_line_that_was_cut_off_spoils_no_other():
    where = begin()
    log.info("first")
    log.flush()
    with open(where + "/log.0", "rb") as file:
        whole = file.read()
    for cut in range(len(whole) + 1):
        with open(where + "/log.0", "wb") as file:
            file.write(whole[:cut])
        begin(where=where)
        log.info("second")
        log.flush()
        got = log.lines()
        assert got[-1].endswith(" I second"), cut
        assert len(got) <= 2
        begin(where=where)
        assert log.lines() == got


def test_files_of_somebody_else_are_no_lines():
    where = begin()
    for name in ("log.0", "log.1"):
        with open(where + "/" + name, "wb") as file:
            file.write(b"\xff\xfe#\x00\nrubbish \xff\n")
    assert log.lines() == []
    log.info("mine")
    log.flush()
    assert texts() == ["mine"]


def test_what_is_too_much_for_one_wake_is_counted():
    where = begin()
    for number in range(40):
        log.info("line %d", number)
    log.flush()
    begin(where=where)
    assert log.lines()[-1] == "8 lines lost"
    assert len(log.lines()) == 33


def test_a_line_is_one_line_and_not_too_long():
    begin()
    log.info("a\r\nb\n%s", "x" * 1000)
    log.flush()
    (line,) = log.lines()
    assert "a | b | x" in line
    assert len(line) < 200


def test_passwords_and_keys_are_never_kept():
    where = begin(secrets=["swordfish", "00112233445566778899aabbccddeeff", "", "1234"])
    log.warning("broker says: no user with %s", "swordfish")
    log.info("key 00112233445566778899aabbccddeeff")
    log.info("1234 records")
    try:
        raise ValueError("swordfish")
    except ValueError as error:
        log.crash(error)
    log.flush()
    begin(where=where)
    kept = "\n".join(log.lines())
    assert "swordfish" not in kept
    assert "00112233" not in kept
    assert "1234 records" in kept  # a PIN in a number would be told by hiding it
    assert "no user with ***" in kept


def test_a_crash_is_kept_with_its_cause():
    where = begin("error")
    try:
        raise ValueError("what nobody expected")
    except ValueError as error:
        log.crash(error)
    begin(where=where)
    (line,) = log.lines()
    assert "what nobody expected" in line


def test_a_flash_that_cannot_be_written_stops_nothing():
    where = begin()
    log.begin("info", [], where + "/no/such/folder/")
    log.info("x")
    log.flush()
    assert log.lines() == []


def test_whatever_its_files_are_a_line_is_kept_or_told_as_lost():
    for name in ("log.0", "log.1"):
        other = "log.1" if name == "log.0" else "log.0"
        for serial in (0, 3):
            for data in (
                None,
                b"",
                b"#",
                b"#x\n",
                b"#-7\nx",
                b"#7",
                b"#99999999999999999999\nx\n",
                b"\xff" * 300,
                b"#4\n" + b"\xfe" * 300,
                b"#4\nx\n" * 5000,
            ):
                ram = RamFiles()
                if serial:
                    ram.files[other] = b"#%d\nold\n" % serial
                if data is None:
                    ram.folders.add(name)
                    ram.files[name + "/x"] = b"y"
                else:
                    ram.files[name] = data
                with ram.under(log):
                    log._waiting.clear()
                    log.begin("info")
                    for number in range(3):
                        log.info("line %d", number)
                        log.flush()
                        assert log.lines()[-1][22:] == "line %d" % number, (name, data)
                    assert log.lines()[-3][22:] == "line 0"
                    ram.fault = fail
                    log.info("lost")
                    log.flush()
                    assert log.lines() == []
                    ram.fault = None
                    log.info("kept")
                    log.flush()
                    assert log.lines()[-1][22:] == "kept"


def fail(what, path):
    raise OSError(84, "as told")


def test_what_is_told_is_an_error_once_and_waits_for_the_record():
    where = begin("error")
    log.told()
    for _ in range(2):
        log.tell("%s cannot be read: %d", "x", 5)
        log.tell("100 %")
    assert log.told() == ["x cannot be read: 5", "100 %"]
    assert log.told() == []
    log.flush()
    begin(where=where)
    assert texts() == ["x cannot be read: 5", "100 %"]
