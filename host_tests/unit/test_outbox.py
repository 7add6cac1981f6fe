"""The queue of unsent telemetry: order, bounds, policies, damage. (Loss of power: test_flash.)"""

import os
import struct
from binascii import crc32

from firmware import files, outbox, segment
from firmware.outbox import Full, Outbox
from host_tests.support import raises
from host_tests.support.ram_files import RamFiles
from host_tests.support.scratch import folder

SMALL = 2 * 4096


def payloads(box, most=1 << 20):
    return [data for _, data in box.peek(most)]


def content(path):
    with open(path, "rb") as file:
        return file.read()


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


def fill(box, count, size=100, begin=0):
    return [box.append(b"%05d" % (begin + i) + b"x" * (size - 5)) for i in range(count)]


def test_first_in_first_out():
    box = Outbox(folder(), SMALL)
    assert box.peek(1000) == []
    assert [box.append(data) for data in (b"a", b"", b"\x00\r\n\xff")] == [1, 2, 3]
    assert box.peek(1000) == [(1, b"a"), (2, b""), (3, b"\x00\r\n\xff")]
    assert len(box) == 3
    box.ack(2)
    assert box.peek(1000) == [(3, b"\x00\r\n\xff")]
    box.ack(3)
    assert box.peek(1000) == []
    assert len(box) == 0
    assert box.append(b"b") == 4


def test_peek_is_bounded_but_never_empty_handed():
    box = Outbox(folder(), SMALL)
    fill(box, 5)
    assert len(box.peek(250)) == 2
    assert len(box.peek(1)) == 1
    assert len(box.peek(500)) == 5


def test_peek_behind_a_record():
    box = Outbox(folder(), 40960)
    fill(box, 100)
    box.ack(20)
    for after, first in ((0, 21), (20, 21), (21, 22), (70, 71), (99, 100)):
        assert [seq for seq, _ in box.peek(250, after)] == list(range(first, 101))[:2]
    assert box.peek(250, 100) == []


def test_everything_survives_reopening():
    where = folder()
    box = Outbox(where, 40960)
    fill(box, 200)
    box.ack(60)
    for _ in range(2):
        box = Outbox(where, 40960)
        assert [seq for seq, _ in box.peek(1 << 20)] == list(range(61, 201))
        assert box.next == 201
    box.ack(200)
    box = Outbox(where, 40960)
    assert box.peek(100) == []
    assert box.append(b"later") == 201


def test_acks_are_cumulative_and_may_repeat():
    box = Outbox(folder(), 40960)
    fill(box, 100)
    box.ack(50)
    box.ack(50)
    box.ack(10)
    assert box.peek(1)[0][0] == 51
    with raises(ValueError):
        box.ack(101)


def test_confirmed_segments_leave_the_flash():
    where = folder()
    box = Outbox(where, 40960)
    fill(box, 200)
    many = len(os.listdir(where))
    box.ack(150)
    assert len(os.listdir(where)) < many
    box.ack(200)
    assert os.listdir(where) == ["confirmed"]


def test_full_drops_the_oldest_and_counts_them():
    where = folder()
    box = Outbox(where, SMALL)
    seqs = fill(box, 300)
    left = box.peek(1 << 20)
    assert left[-1][0] == seqs[-1] == 300
    assert [seq for seq, _ in left] == list(range(left[0][0], 301))
    assert box.dropped == 300 - len(left)
    assert box.dropped > 0
    again = Outbox(where, SMALL)
    assert again.dropped == box.dropped
    assert again.peek(1 << 20) == left


def test_full_refuses_the_newest():
    box = Outbox(folder(), SMALL, "newest")
    with raises(Full):
        fill(box, 300)
    kept = box.peek(1 << 20)
    assert kept[0][0] == 1
    assert len(kept) == kept[-1][0]
    box.ack(kept[-1][0])
    assert fill(box, 1)[0] == kept[-1][0] + 1


def test_full_thins_out_the_older_half():
    where = folder()
    box = Outbox(where, 8 * 4096, "thin")
    fill(box, 600)
    seqs = [seq for seq, _ in box.peek(1 << 20)]
    assert seqs == sorted(seqs)
    assert seqs[-1] == 600
    assert box.dropped == 600 - len(seqs)
    steps = [seqs[i + 1] - seqs[i] for i in range(len(seqs) - 1)]
    assert steps[-1] == 1
    assert max(steps[: len(steps) // 4]) > 1
    assert Outbox(where, 8 * 4096, "thin").peek(1 << 20) == box.peek(1 << 20)


def test_damage_never_reaches_the_reader_and_costs_no_other_record():
    where = folder()
    box = Outbox(where, SMALL)
    fill(box, 10)
    path = where + "/00000001.seg"
    good = content(path)
    for at in range(0, len(good), 7):
        put(path, good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :])
        box = Outbox(where, SMALL)
        assert payloads(box) == [b"%05d" % i + b"x" * 95 for i in range(10) if i != at // 110], at
        assert box.dropped == 1
        assert len(box) == 9
        put(path, good)
        assert Outbox(where, SMALL).dropped == 0  # it was the chip's mood


def test_a_queue_with_damage_goes_on():
    where = folder()
    box = Outbox(where, SMALL)
    fill(box, 3)
    with open(where + "/00000001.seg", "ab") as file:
        file.write(b"\x05")
    box = Outbox(where, SMALL)
    assert box.append(b"next") == 4
    assert payloads(Outbox(where, SMALL))[-1] == b"next"


def test_damaged_mark_repeats_records_but_loses_none():
    where = folder()
    box = Outbox(where, SMALL)
    fill(box, 10)
    box.ack(4)
    put(where + "/confirmed", b"rubbish")
    assert [seq for seq, _ in Outbox(where, SMALL).peek(1 << 20)] == list(range(1, 11))


def test_no_number_is_given_twice_whatever_is_lost():
    marks = ("/confirmed", "/next", ".next", "/00000001.seg")
    for acked in (0, 7, 10):
        for lost in range(1, 16):
            gone = [name for bit, name in enumerate(marks) if lost >> bit & 1]
            if len(gone) > 2 and ".next" in gone:
                continue  # nothing is left that knows
            for data in (None, b"", b"rubbish", bytes(12), bytes(20), b"\xff" * 12):
                where = folder()
                box = Outbox(where, SMALL)
                fill(box, 10)
                box.ack(acked)
                for name in gone:
                    try:
                        os.remove(where + name)
                    except OSError:
                        continue  # all is confirmed: there is none
                    if data is not None:
                        put(where + name, data)
                box = Outbox(where, SMALL)
                if not (".next" in gone and len(gone) == 2 and knows_nothing(acked, gone)):
                    assert 11 <= box.append(b"new") <= 75, (acked, gone, data)
                    assert box.peek(1 << 20)[-1][1] == b"new"
                if "/confirmed" not in gone and "/next" not in gone:
                    lost = 10 - acked if "/00000001.seg" in gone else 0
                    assert box.dropped == lost, (acked, gone, data)
    # With all of it, what RTC memory knows remains.
    assert Outbox(folder(), SMALL, "oldest", 77).append(b"new") == 77


def knows_nothing(acked, gone):
    """Whether no file is left that knows the number."""
    return (acked == 10 and "/confirmed" in gone) or (acked < 10 and "/next" in gone)


def test_a_queue_of_an_older_firmware():
    """... which had segments and one mark of 12 bytes."""
    where = folder()
    os.mkdir(where)
    for first in (1, 31):
        block = b"".join([segment.record(seq, b"%05d" % seq) for seq in range(first, first + 30)])
        put("%s/%08x.seg" % (where, first), block)
    block = struct.pack("<II", 7, 3)
    put(where + "/confirmed", block + struct.pack("<I", crc32(block)))
    box = Outbox(where, SMALL)
    assert box.peek(1 << 20) == [(seq, b"%05d" % seq) for seq in range(8, 61)]
    assert (box.next, box.confirmed, box.dropped) == (61, 7, 3)
    box.ack(60)
    assert os.listdir(where) == ["confirmed"]
    assert content(where + "/confirmed")[:8] == struct.pack("<II", 60, 3)
    assert Outbox(where, SMALL).append(b"next") == 61


def test_files_may_be_mixed_up():
    where = folder()
    box = Outbox(where, 40960)
    fill(box, 90)
    box.ack(3)
    names = ["/" + name for name in sorted(os.listdir(where))] + [".next"]
    assert len(names) == 6
    stored = {name: content(where + name) for name in names}
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            for name in os.listdir(where):
                os.remove(where + "/" + name)
            for name in names:
                put(where + name, stored[name])
            put(where + a, stored[b])
            put(where + b, stored[a])
            box = Outbox(where, 40960)
            assert [seq for seq, _ in box.peek(1 << 20)] == list(range(4, 91)), (a, b)
            assert (box.next, box.dropped) == (91, 0)
            assert box.append(b"next") == 91
            assert [seq for seq, _ in Outbox(where, 40960).peek(1 << 20)] == list(range(4, 92))


def test_records_of_another_segment_in_the_middle_of_one():
    where = folder()
    box = Outbox(where, 40960)
    fill(box, 70)
    first, second = where + "/00000001.seg", where + "/00000026.seg"
    block = content(first)
    put(first, block[:1100] + content(second)[1100:2200] + block[2200:])
    box = Outbox(where, 40960)
    seqs = [seq for seq, _ in box.peek(1 << 20)]
    assert seqs == [seq for seq in range(1, 71) if not 11 <= seq <= 20]
    assert len(box) == 60
    assert box.dropped == 10
    for seq in (5, 30, 55, 70):
        box.ack(seq)
        assert len(box) == len([each for each in seqs if each > seq])
    assert Outbox(where, 40960).dropped == 10


def test_a_foreign_file_is_no_segment():
    where = folder()
    box = Outbox(where, SMALL)
    fill(box, 3)
    for name in ("/notes.seg", "/x", "/zz.seg", "/ffffffff.seg", "/00000001.seg.new"):
        put(where + name, b"do not touch")
    os.mkdir(where + "/00000005.seg")
    box = Outbox(where, SMALL)
    assert (len(box), box.next, box.dropped) == (3, 4, 0)
    assert fill(box, 60)[0] == 4
    assert len(Outbox(where, SMALL)) == 63
    box.ack(63)
    assert Outbox(where, SMALL).next == 64


def test_what_flash_does_not_take_waits_in_ram():
    ram = RamFiles()
    with ram.under(outbox, segment, files):
        box = Outbox("box", SMALL)
        fill(box, 2)
        for errors in (("write",), ("open",), ("close",), ("closed",)):
            ram.fault = Fault(errors)
            with raises(OSError):
                box.append(b"in RAM")
            ram.fault = None
            box.append(b"on flash")
        assert [seq for seq, _ in box.peek(1000)] == list(range(1, 11))
        assert len(box) == 10
        again = Outbox("box", SMALL, "oldest", box.next)
        assert [seq for seq, _ in again.peek(1000)] == [1, 2, 4, 6, 8, 9, 10]  # 9: after all
        assert again.dropped == 3
        box.ack(5)
        assert [seq for seq, _ in box.peek(1000)] == [6, 7, 8, 9, 10]


def test_a_folder_that_cannot_be_used_is_replaced_by_another_or_by_ram():
    for made, least in ((("box",), "box.1"), (("box", "box.1"), "")):
        ram = RamFiles()
        with ram.under(outbox, segment, files):
            fill(Outbox("box", SMALL), 3)
            ram.fault = lambda what, path, made=made: made_fails(path, made)
            box = Outbox("box", SMALL)
            assert box._folder == least
            assert box.next == 65  # the numbers up to it were reserved
            try:
                box.append(b"next")
            except OSError:
                assert not least
            assert payloads(box) == [b"next"]
            ram.fault = None
            box = Outbox("box", SMALL, "oldest", box.next)
            assert [seq for seq, _ in box.peek(1000)] == [1, 2, 3, 65][: 4 if least else 3]


def made_fails(path, names):
    for name in names:
        if path == name or path[: len(name) + 1] == name + "/":
            raise OSError(5)


class Fault:
    """Lets these calls fail in the folder of the queue."""

    def __init__(self, kinds):
        self.kinds = kinds

    def __call__(self, what, path):
        if what in self.kinds and path[:4] == "box/":
            raise OSError(5)


def test_what_cannot_be_stored_is_refused():
    box = Outbox(folder(), SMALL)
    with raises(ValueError):
        box.append(b"x" * 4087)
    assert box.append(b"x" * 4086) == 1
    with raises(ValueError):
        Outbox(folder(), 4096)
    with raises(ValueError):
        Outbox(folder(), SMALL, "random")
