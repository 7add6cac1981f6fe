"""A slice of what host_tests/damaged_files.py tries, and that a fault is told once."""

import json
import os

import pytest

from host_tests import damaged_files
from host_tests.damaged_files import lived, tried
from host_tests.support import node_life
from host_tests.support.node_life import Life

STEP = int(os.environ.get("DAMAGE_STEP", "73"))


def test_whatever_is_in_a_file_the_node_samples_reports_and_sleeps():
    counts, wrong = tried(STEP)
    print(f"{sum(counts.values())} lives: {dict(counts)}")
    assert wrong == []
    assert sum(counts.values()) > 1900
    assert len(counts) > 18


@pytest.fixture(scope="module")
def node():
    return lived()


def events(life: Life) -> list[str]:
    return [
        part["vs"]
        for _, record in life.delivered
        for part in json.loads(record)
        if part["n"] == "event"
    ]


# What is done to a file, and what is told of it.
TOLD = (
    ("outbox/00000009.seg", b"", "records are lost, flash is damaged"),
    ("outbox/00000009.seg", None, "records are lost, flash is damaged"),
    ("outbox/00000009.seg", "folder", "00000009.seg cannot be read"),
    ("config.trial", b"\xff" * 50, "config.trial is damaged: what was on trial is taken back"),
    ("config.trial", "folder", "config.trial cannot be read"),
    ("config.json", b'{"id": "n", "mqtt": {"host": }}', "line 1, column 30: a value is missing"),
    ("config.json", "folder", "config.json cannot be read"),
    ("config.json", None, "config.json is missing"),
    ("secrets.json", b"{", "secrets.json is not valid JSON"),
)


@pytest.mark.parametrize(("path", "data", "said"), TOLD)
def test_what_is_not_good_is_told_in_a_record(node, path, data, said):
    flash = node.flash.copy()
    del flash.files[path]
    if data == "folder":
        flash.folders.add(path)
        flash.files[path + "/x"] = b"in the way"
    elif data is not None:
        flash.files[path] = data
    life = node.again(memory=True)
    with flash.under(*node_life.MODULES):
        life.live(12)
    told = [event for event in events(life) if said in event]
    assert told
    if not path.endswith(".json"):  # which is told until it is mended
        assert len(told) == 1


def test_what_can_never_be_written_is_told_once_and_again_when_it_comes_again(node):
    flash = node.flash.copy()
    life = node.again(memory=True)

    def refuse(what: str, path: str) -> None:
        if what == "open" and path in ("outbox.next", "outbox.next.bad"):
            raise OSError(5, "as told")

    with flash.under(*node_life.MODULES):
        for _ in range(2):
            flash.fault = refuse
            life.live(12)
            flash.fault = None
            life.live(12)
    told = [event for event in events(life) if "outbox.next cannot be written" in event]
    assert len(told) == 2


def test_all_the_configurations_are_damaged(node):
    """Nothing can be sampled or reported; the node sleeps, and tries again."""
    flash = node.flash.copy()
    flash.files |= {"config.json": b"{", "config.good": b"{"}
    life = node.again(memory=True)
    with flash.under(*node_life.MODULES):
        assert life.wake()
        assert life.slept_ms == 3600000
        flash.files["config.json"] = node.flash.files["config.json"]
        life.live(8)
    assert {seq for seq, _ in life.delivered} > set(node.waiting)


def test_a_wrong_pin_is_tried_once_though_no_file_can_say_so(node):
    """... nor is it when it cannot be read whether it was refused, more than once."""
    for kinds in (("write", "rename"), ("open",), ("read", "write")):
        for path in ("pin_refused", "pin_refused.2", ""):
            flash = node.flash.copy()

            def fail(what: str, name: str, kinds=kinds, path=path) -> None:
                if what in kinds and name.startswith(path or "pin_refused"):
                    raise OSError(28, "as told")

            flash.fault = fail
            life = node.again(memory=True)
            life.wrong_pin = "1234"
            with flash.under(*node_life.MODULES):
                life.live(60)
            assert life.pins.count("1234") == 1, (kinds, path)
            assert life.pins.count(None) > 2


def test_a_counter_that_is_damaged_is_known_from_its_copy(node):
    for path in ("commands.counter", "commands.counter.2"):
        for data in (None, b"", b"rubbish", b"9" * 400, b"1", b"0"):
            flash = node.flash.copy()
            life = node.again(memory=True)
            with flash.under(*node_life.MODULES):
                life.live(8)
                last = life.counters[-1]
                flash.files.pop(path)
                if data is not None:
                    flash.files[path] = data
                life.counters.clear()
                life.live(8)
                assert life.counters[0] == last + 1, (path, data)


def test_state_that_no_firmware_can_have_left(node):
    """RTC memory with a right CRC: any field, at its ends."""
    from firmware import state

    good = state.unpack(node.life.memory)
    assert good is not None
    tried = 0
    for name, code in state._FIELDS:
        least, most = state._LIMITS[code]
        now = int(node.life.now)
        for value in {least, most, most - 1, most // 2, most // 3, now + 10**6, now - 10**6, 7, 6}:
            block = state.unpack(node.life.memory)
            setattr(block, name, value)
            life = node.again(memory=True)
            life.memory = block.pack()
            flash = node.flash.copy()
            with flash.under(*node_life.MODULES):
                life.live(9)
            begun = [seq for seq, _ in life.delivered if seq > node.given]
            assert len(begun) > 1, (name, value)
            assert life.crashes == [], (name, value)
            tried += 1
    for old in range(256):  # another version, whose CRC is right
        life = node.again(memory=True)
        life.memory = _versioned(old, node.life.memory)
        with node.flash.copy().under(*node_life.MODULES):
            life.live(4)
        assert life.crashes == []
        tried += 1
    print(f"{tried} states")


def _versioned(version: int, block: bytes) -> bytes:
    from binascii import crc32

    body = bytes([version]) + block[1:-3]
    return body + (crc32(body) & 0xFFFFFF).to_bytes(3, "little")


def test_the_whole_takes_all_its_kinds():
    """Each kind of damage is there for each file."""
    node = lived()
    paths = {path for path, _, _ in damaged_files.damages(node)}
    assert set(node.flash.files) <= paths
