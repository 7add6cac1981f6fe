"""The queue of unsent telemetry: order, bounds, policies, damage. (Loss of power: test_flash.)"""

import os

from firmware.outbox import Full, Outbox
from host_tests.support import raises
from host_tests.support.scratch import folder

SMALL = 2 * 4096


def payloads(box, most=1 << 20):
    return [data for _, data in box.peek(most)]


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


def test_damage_never_reaches_the_reader():
    where = folder()
    box = Outbox(where, SMALL)
    fill(box, 10)
    path = where + "/00000001.seg"
    with open(path, "rb") as file:
        good = file.read()
    for at in range(0, len(good), 7):
        with open(path, "wb") as file:
            file.write(good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :])
        box = Outbox(where, SMALL)
        got = payloads(box)
        assert got == [b"%05d" % i + b"x" * 95 for i in range(len(got))], at
        assert len(got) == at // 110


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
    with open(where + "/confirmed", "wb") as file:
        file.write(b"rubbish")
    assert [seq for seq, _ in Outbox(where, SMALL).peek(1 << 20)] == list(range(1, 11))


def test_what_cannot_be_stored_is_refused():
    box = Outbox(folder(), SMALL)
    with raises(ValueError):
        box.append(b"x" * 4087)
    assert box.append(b"x" * 4086) == 1
    with raises(ValueError):
        Outbox(folder(), 4096)
    with raises(ValueError):
        Outbox(folder(), SMALL, "random")
