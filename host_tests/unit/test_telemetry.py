"""Payloads, the state block, pauses after failures."""

import json

from firmware import jobs, state, telemetry


def test_senml():
    payload = telemetry.senml(
        "node-1", [("wake", None, 3), ("battery", "V", 3.91), ("signal", "dBm", None)]
    )
    assert payload == '[{"bn":"node-1:","n":"wake","v":3},{"n":"battery","u":"V","v":3.91}]'
    assert len(json.loads(payload)) == 2


def test_senml_with_text_and_time():
    payload = telemetry.senml("n", [("event", None, 'a "b"'), ("wake", None, 1)], 1700000000)
    assert payload == (
        '[{"bn":"n:","bt":1700000000,"n":"event","vs":"a \\"b\\""},{"n":"wake","v":1}]'
    )


def test_senml_without_any_value():
    assert telemetry.senml("n", [("signal", "dBm", None)]) == "[]"


class Board:
    def __init__(self):
        self.block = b""

    def load(self):
        return self.block

    def store(self, data):
        self.block = data


def test_state_survives_a_wake_and_is_refused_when_damaged():
    block = state.State(starts=7, wakes=41, failures=3, unfinished=2).pack()
    again = state.unpack(block)
    assert (again.starts, again.wakes, again.failures, again.unfinished) == (7, 41, 3, 2)
    assert state.unpack(b"") is None
    assert state.unpack(block[:-1]) is None
    for i in range(len(block)):
        assert state.unpack(block[:i] + bytes([block[i] ^ 1]) + block[i + 1 :]) is None, i


def test_what_does_not_fit_the_block_is_stored_as_the_nearest_that_does():
    again = state.unpack(
        state.State(failures=300, signal=-200, drift=500, psm_active=70000).pack()
    )
    assert (again.failures, again.signal, again.drift) == (255, -128, 127)
    assert again.psm_active == 65535
    assert len(again.pack()) <= 68  # what the smallest board keeps


def test_wakes_are_counted_while_rtc_memory_lasts():
    board = Board()
    board.store(state.State(starts=2, wakes=10).pack())
    assert state.begin(board).wakes == 11
    current = state.begin(board)
    assert current.wakes == 12
    assert current.unfinished == 2
    assert not current.is_stuck


def test_wakes_that_never_end_are_noticed():
    board = Board()
    board.store(state.State(starts=1, wakes=1).pack())
    for _ in range(state.UNFINISHED_LIMIT):
        assert not state.begin(board).is_stuck
    assert state.begin(board).is_stuck


def test_pauses_grow_with_failures_and_spread():
    assert jobs.pause_s(900, 0, 12345) == 0
    for failures, nominal in ((1, 900), (2, 1800), (3, 3600), (5, 14400), (50, 14400)):
        pauses = [jobs.pause_s(900, failures, salt) for salt in range(0, 100000, 37)]
        assert nominal * 7 // 8 <= min(pauses)
        assert max(pauses) < nominal
        assert len(set(pauses)) > 50
