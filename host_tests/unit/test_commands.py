"""Commands: what a node accepts, what it refuses, and that a refusal executes nothing."""

import json
from binascii import hexlify, unhexlify

from firmware import commands, hmac
from host_tests.support.json_texts import BYTES, wrong_texts

KEY = bytes(range(32))
NODE = "field-17"


def message(counter=1, body='{"do":"ping"}', id="a1", node=NODE, key=KEY, **changes):
    mac = commands.signature(key, node, id, counter, body)
    envelope = {"id": id, "counter": counter, "body": body, "mac": hexlify(mac).decode()}
    envelope.update(changes)
    return json.dumps(envelope).encode()


def gate(counter=0):
    return commands.Gate(NODE, KEY, counter)


def refused(payload, counter=0):
    """Why a fresh gate refuses this, and that it stays as it was."""
    door = gate(counter)
    order, result = door.judge(payload)
    assert order is None, payload
    assert result["result"] == "refused"
    assert sorted(result) == ["id", "result", "why"]
    return result["why"], door.counter != counter


# HMAC -------------------------------------------------------------------------------------------


def test_hmac_of_rfc_4231():
    for key, data, mac in (
        (
            b"\x0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 20,
            b"\xdd" * 50,
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ):
        assert hmac.hmac_sha256(key, data) == unhexlify(mac)


def test_comparison_sees_every_bit():
    one = bytes(range(32))
    assert hmac.same(one, bytes(one))
    for bit in range(256):
        other = bytearray(one)
        other[bit // 8] ^= 1 << bit % 8
        assert not hmac.same(one, bytes(other))
    assert not hmac.same(one, one[:-1])
    assert not hmac.same(one, one + b"\x00")
    assert not hmac.same(one, b"")


def test_the_signed_bytes_are_these():
    """Anyone who writes another sender needs them to stay."""
    told = b'c1100-command\nfield-17\na1\n7\n{"do":"ping"}'
    mac = commands.signature(KEY, NODE, "a1", 7, '{"do":"ping"}')
    assert mac == hmac.hmac_sha256(KEY, told)


# What is accepted -------------------------------------------------------------------------------


def test_genuine_commands():
    door = gate()
    for number, (body, do, args) in enumerate(
        (
            ('{"do":"ping"}', "ping", {}),
            ('{"do":"report"}', "report", {}),
            ('{"do":"reboot"}', "reboot", {}),
            ('{"do":"fix"}', "fix", {}),
            ('{"do":"log"}', "log", {}),
            ('{"do":"log","skip":3}', "log", {"skip": 3}),
            ('{"do":"set","key":"apn","value":"x"}', "set", {"key": "apn", "value": "x"}),
            ('{"do":"set","key":"apn","value":5}', "set", {"key": "apn", "value": 5}),
            ('{"do":"set","key":"ä","value":[1]}', "set", {"key": "ä", "value": [1]}),
        )
    ):
        order, result = door.judge(message(number + 1, body))
        assert result is None
        assert order == ("a1", number + 1, do, args)
        assert door.counter == number + 1


def test_counters_may_be_large_and_have_gaps():
    door = gate()
    for counter in (5, 1795453200123, 2**53 - 1):
        assert door.judge(message(counter))[0].counter == counter


# What is refused --------------------------------------------------------------------------------


def test_a_wrong_key():
    for key in (b"", KEY[:-1], KEY + b"\x01", bytes(32), b"\xff" * 64):
        assert refused(message(key=key)) == (commands.BAD_MAC, False)


def test_whatever_is_changed_after_it_was_signed():
    good = json.loads(message(5))
    for name, value in (
        ("id", "a2"),
        ("counter", 6),
        ("body", '{"do":"reboot"}'),
        ("body", '{"do":"ping"} '),
        ("mac", "00" * 32),
    ):
        changed = dict(good)
        changed[name] = value
        assert refused(json.dumps(changed).encode()) == (commands.BAD_MAC, False)


def test_a_command_for_another_node():
    assert refused(message(node="field-18")) == (commands.BAD_MAC, False)


def test_a_field_cannot_lend_its_end_to_the_next():
    mac = commands.signature(KEY, NODE, "a", 1, "2\nx")
    forged = {"id": "a\n1", "counter": 2, "body": "x", "mac": hexlify(mac).decode()}
    assert refused(json.dumps(forged).encode()) == (commands.MALFORMED, False)


def test_a_replay():
    door = gate()
    first = message(7)
    assert door.judge(first)[0].do == "ping"
    for again, why in (
        (first, commands.REPEATED),
        (message(7, '{"do":"reboot"}'), commands.REPEATED),
        (message(6), commands.REPLAY),
        (message(1), commands.REPLAY),
    ):
        order, result = door.judge(again)
        assert order is None
        assert result == {"id": "a1", "result": "refused", "why": why}
        assert door.counter == 7
    assert refused(first, 8) == (commands.REPLAY, False)  # the counter outlives the node's sleep


def test_a_refused_replay_proves_the_counter_that_is_to_be_passed():
    door = gate(7)
    result = door.judge(message(6))[1]
    door.prove(result)
    text = "c1100-counter\n%s\na1\n7" % NODE
    assert result["last"] == 7
    assert result["proof"] == hexlify(hmac.hmac_sha256(KEY, text.encode())).decode()


def test_who_has_no_key_learns_nothing_about_the_counter():
    for counter in (1, 7, 8, 2**53 - 1):
        assert refused(message(counter, key=bytes(32)), 7) == (commands.BAD_MAC, False)


def test_every_truncation():
    whole = message()
    for length in range(len(whole)):
        assert refused(whole[:length]) == (commands.MALFORMED, False), length


def test_every_flipped_bit():
    whole = message()
    for at in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << bit
            order, _ = gate().judge(bytes(damaged))
            # A hexadecimal letter in upper case.
            assert order is None or order == ("a1", 1, "ping", {})


def test_what_is_too_long():
    for size in (1025, 4096, 100000):
        assert refused(b"x" * size) == (commands.TOO_LONG, False)
        assert refused(message(body='{"do":"ping"}' + " " * size)) == (commands.TOO_LONG, False)
    fits = '{"do":"ping"}'
    fits += " " * (1024 - len(message(body=fits)))
    assert gate().judge(message(body=fits))[0].do == "ping"


def test_what_is_no_command():
    for payload in (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"5",
        b"ping",
        b"\xff\xfe",
        b"\x00" * 50,
        b"[" * 1000,
        b'{"a":' * 200,
        message(id=""),
        message(id="x" * 33),
        message(id="a b"),
        message(id='a"b'),
        message(mac=""),
        message(mac="zz" * 32),
        message(mac="00" * 31),
        message(mac="00" * 33),
        message(mac=5),
        message(mac=None),
        message(counter=0),
        message(counter=-1),
        message(2**53),
        message(2**200),
        message(counter=1, extra=1),
        json.dumps({"id": "a", "counter": "1", "body": "{}", "mac": "00" * 32}).encode(),
        json.dumps({"id": "a", "counter": True, "body": "{}", "mac": "00" * 32}).encode(),
        json.dumps({"id": "a", "counter": 1.0, "body": "{}", "mac": "00" * 32}).encode(),
        json.dumps({"id": 5, "counter": 1, "body": "{}", "mac": "00" * 32}).encode(),
        json.dumps({"id": "a", "counter": 1, "body": {}, "mac": "00" * 32}).encode(),
    ):
        assert refused(payload) == (commands.MALFORMED, False), payload


def test_a_genuine_message_that_is_no_command_uses_its_counter_up():
    for body, why in (
        ("", commands.MALFORMED),
        ("[]", commands.MALFORMED),
        ("{}", commands.MALFORMED),
        ('{"do":5}', commands.MALFORMED),
        ('{"do":"ping"', commands.MALFORMED),
        ('{"do":"erase"}', commands.UNKNOWN),
        ('{"do":"__init__"}', commands.UNKNOWN),
        ('{"do":"ping","x":1}', commands.MALFORMED),
        ('{"do":"set"}', commands.MALFORMED),
        ('{"do":"set","key":"apn"}', commands.MALFORMED),
        ('{"do":"set","key":5,"value":1}', commands.MALFORMED),
        ('{"do":"log","skip":"1"}', commands.MALFORMED),
        ('{"do":"log","skip":true}', commands.MALFORMED),
    ):
        assert refused(message(body=body)) == (why, True), body


def test_what_is_no_json_is_no_command_outside_and_inside():
    good = message().decode()
    tried = 0
    for text in wrong_texts():
        for payload in (text, good[:-1] + ', "more": %s}' % text, good + (text or ",")):
            why, counted = refused(payload.encode())
            assert why == commands.MALFORMED or len(payload) > 1024, payload
            assert not counted
        assert refused(message(body=text)) == (commands.MALFORMED, True), text
        body = '{"do": "set", "key": "apn", "value": %s}' % text
        assert refused(message(body=body)) == (commands.MALFORMED, True), body
        tried += 5
    for data in BYTES:
        assert refused(data) == (commands.MALFORMED, False)
        assert refused(message()[:-1] + data) == (commands.MALFORMED, False)
        tried += 2
    # Names twice: the one that MicroPython's own reader would have taken, or the other.
    for more in ('"counter": 9', '"id": "b"', '"body": "{}"', '"mac": "%s"' % ("00" * 32)):
        assert refused((good[:-1] + ", " + more + "}").encode()) == (commands.MALFORMED, False)
        assert refused(("{" + more + ", " + good[1:]).encode()) == (commands.MALFORMED, False)
    print("%d texts are no command" % tried)
    assert tried > 2000
