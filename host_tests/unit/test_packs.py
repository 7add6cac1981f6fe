"""What waits and what is sent: both forms of a pack, what earlier firmware has stored, joined."""

import json
import os

from firmware import cbor, cbor_text, clock, dates, log, telemetry, uplinks
from firmware.outbox import Outbox
from firmware.telemetry import Fixed
from host_tests.support.scratch import folder

HOME = os.getcwd()

JSON = {"payload.format": "senml+json", "id": "n1"}
CBOR = {"payload.format": "senml+cbor", "id": "n1"}
AT = 1700000000

VALUES = [
    0, 1, -1, 23, 24, -24, -25, 255, 256, -256, -257, 65535, 65536, 4294967295, 4294967296,
    -4294967296, -4294967297, 18446744073709551615, 18446744073709551616, -18446744073709551617,
    10**30, 0.0, 0.5, -0.5, 3.61, -21.4, 21.0, 1e-7, -1.5e-9, 1e22, 2.5e30, 1234.5678,
    Fixed(1214736670, 7), Fixed(-5, 3), Fixed(0, 2), Fixed(7, 0), True, False, "", "x",
    "a \"b\" \\ c", "\n\t", "Grüße", "土壤", "end\\", b"", b"\x00", b"\xff\xfe\xfd",
    bytes(range(200)),
]  # fmt: skip
REFUSED = [None, float("nan"), float("inf"), -float("inf"), [], {}, (), Fixed(1.5, 2), object()]
NAMES = ["x", "seq", "Feuchte-Süd", "湿度", "a b", 'q"q', "back\\slash"]


def text_of(samples, at=AT):
    return telemetry.senml("n1", samples, at).encode()


def without_name(record):
    return b"[{" + record[record.find(b'",', 8) + 2 :]


def numbers(found):
    """JSON text -> its records, resolved as far as base name and time go."""
    name = at = None
    records = []
    for record in json.loads(found):
        name, at = record.get("bn", name), record.get("bt", at)
        value = [(k, record[k]) for k in ("u", "v", "vs", "vb", "vd") if k in record]
        records.append((name + record["n"], at or None, value))
    return records


def as_text(pack):
    return cbor_text.decoded(pack) if pack[0] >= 0x80 else pack


def test_every_value_says_the_same_in_both():
    for value in VALUES:
        for unit in (None, "V"):
            if unit and isinstance(value, bytes):
                continue
            text = text_of([("x", unit, value)])
            made = cbor.encoded(text)
            assert numbers(as_text(made)) == numbers(text), value
            assert len(made) < len(text)


def test_no_value_is_none_in_both():
    for value in REFUSED:
        assert text_of([("x", None, value)]) == b"[]"
        assert not telemetry.are_samples([("x", None, value)])
    assert text_of([("x", "V", b"data has no unit")]) == b"[]"


def test_names_of_any_kind():
    for name in NAMES:
        text = text_of([("seq", None, 1), (name, "V", 1.5)])
        assert numbers(as_text(cbor.encoded(text))) == numbers(text), name


def test_lengths_at_the_borders_of_a_head():
    for size in (0, 1, 22, 23, 24, 25, 254, 255, 256, 257, 300):
        text = text_of([("x", None, "s" * size)])
        assert numbers(as_text(cbor.encoded(text))) == numbers(text), size
    for count in (1, 2, 22, 23, 24, 25, 254, 255, 256, 257):
        text = text_of([("s%d" % n, None, n) for n in range(count)])
        assert numbers(as_text(cbor.encoded(text))) == numbers(text), count
        for size in (1, 5):  # and of several together
            pack = cbor.joined([cbor.encoded(text)] * size)
            assert len(numbers(as_text(pack))) == count * size


def test_what_is_no_pack_is_none():
    good = text_of([("x", "V", 1.5), ("y", None, "t")])
    strange = [b"", b"x", b"[", b"{}", b"[{}", b"[1]", b'[{"n":1', b'[{"zz":1}]', b'[{"v":}]',
               b'[{"v":nan}]', b'["n"]', b"[{]"]  # fmt: skip
    for text in strange + [good[:end] for end in range(len(good))]:
        try:
            cbor.encoded(text)
        except ValueError:
            continue
        raise AssertionError(text)
    made = cbor.encoded(good)
    for end in range(len(made)):
        try:
            cbor_text.decoded(made[:end])
        except ValueError:
            continue
        raise AssertionError(end)


# Stored by this firmware or an earlier one, for a node that wants either form ------------------


def stored():
    """(what waits, what it says), in the order in which they were made."""
    steps = [(1, AT - clock.epoch())]
    made = []
    for n in range(6):
        samples = [("seq", None, n + 1), ("battery", "V", 3.5 + n / 100), ("event", None, "ü")]
        at = AT + 900 * n
        bare, old = text_of(samples, None), text_of(samples, at)
        new = without_name(old)
        says = numbers(old)
        undated = [(name, None, value) for name, _, value in says]
        stamp = dates._STAMP % (1, 900 * n)
        unknown = dates._STAMP % (9, 900 * n)
        made += [
            (old, says),  # with its base name: firmware before 0.2
            (new, says),
            (cbor.encoded(new), says),
            (bare, undated),
            (stamp + bare, says),
            (stamp + without_name(bare), says),
            (stamp + cbor.encoded(without_name(bare)), says),
            (unknown + bare, undated),
            (unknown + cbor.encoded(without_name(bare)), undated),
        ]
    return made, steps


def test_all_that_waits_is_sent_in_the_form_that_is_wanted():
    made, steps = stored()
    for settings in (JSON, CBOR):
        batch = []
        total = []
        for n, (record, says) in enumerate(made):
            sent = uplinks.whole(dates.dated(record, steps), settings)
            assert uplinks.is_pack(sent)
            assert (sent[0] >= 0x80) == (settings is CBOR)
            assert numbers(as_text(sent)) == says, record
            batch.append((n + 1, sent))
            total += says
        pack = uplinks.joined(batch)
        assert numbers(as_text(pack)) == total  # no record has the time of another one
        assert len(pack) <= sum([len(record) for _, record in batch])
        for size in range(1, len(batch)):  # nor of a part of them
            part = uplinks.joined(batch[-size:])
            assert numbers(as_text(part)) == total[-3 * size :]


def test_a_queue_with_all_of_them_and_some_damage():
    """What flash has damaged is lost and counted; all the others are sent, each with its time."""
    made, steps = stored()
    for settings in (JSON, CBOR):
        where = folder()
        os.mkdir(where)
        os.chdir(where)
        try:
            log.begin("off")
            box = Outbox("box", 65536)
            for record, _ in made:
                box.append(record)
            name = sorted([each for each in os.listdir("box") if each.endswith(".seg")])[0]
            with open("box/" + name, "rb") as file:
                block = file.read()
            hit = block.find(made[4][0]) + 20  # in the fifth record
            with open("box/" + name, "wb") as file:
                file.write(block[:hit] + b"\xff" + block[hit + 1 :])
            box = Outbox("box", 65536)
            assert box.dropped == 1
            batch = [
                (seq, uplinks.whole(dates.dated(record, steps), settings))
                for seq, record in box.peek(65536)
            ]
            wanted = []
            for n, (_, says) in enumerate(made):
                wanted += [] if n == 4 else says
            assert len(batch) == len(made) - 1
            assert numbers(as_text(uplinks.joined(batch))) == wanted
        finally:
            os.chdir(HOME)
            log.told()


def test_base_name_and_time_stand_where_they_change():
    samples = [("seq", None, 1), ("x", None, 2)]
    for settings in (JSON, CBOR):
        records = [without_name(text_of(samples, AT + n // 2)) for n in range(6)]
        batch = [(n, uplinks.whole(record, settings)) for n, record in enumerate(records)]
        text = as_text(uplinks.joined(batch))
        assert (text.count(b'"bn"'), text.count(b'"bt"')) == (1, 3), text
    old = [(1, b'[{"bn":"a:","n":"x","v":1}]'), (2, b'[{"bn":"b:","n":"x","v":1}]')]
    assert uplinks.joined(old) == b'[{"bn":"a:","n":"x","v":1},{"bn":"b:","n":"x","v":1}]'


def test_what_is_no_pack_stays_what_it_is():
    good = cbor.encoded(text_of([("x", "V", 1.5), ("y", None, "t"), ("z", None, b"z")]))
    damaged = [good[:end] for end in range(1, len(good))] + [good + b"\x00"]
    strange = (b"", b"x", b"[]", b"[{", b"{}", b"[1]", b"\x80", b"\x81", b"\x81\x01", b"\xff\xff",
               b"\x82\xa1\x00", b"\x9b" + b"\xff" * 8 + b"\xa0")  # fmt: skip
    for record in list(strange) + damaged:
        for settings in (JSON, CBOR):
            sent = uplinks.whole(record, settings)
            assert sent in (record, b"[]") and not uplinks.is_pack(sent), record


def test_the_type_of_content():
    assert uplinks.type_of(b"[{}]") == "application/senml+json"
    assert uplinks.type_of(b"\x81\xa0") == "application/senml+cbor"
