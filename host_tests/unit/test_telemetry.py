"""Payloads and the state block."""

import json

from firmware import state, telemetry


def test_senml():
    payload = telemetry.senml(
        "node-1", [("wake", None, 3), ("battery", "V", 3.91), ("signal", "dBm", None)]
    )
    assert payload == '[{"bn":"node-1:","n":"wake","v":3},{"n":"battery","u":"V","v":3.91}]'
    assert len(json.loads(payload)) == 2


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
    block = state.State(7, 41).pack()
    again = state.unpack(block)
    assert (again.starts, again.wakes) == (7, 41)
    assert state.unpack(b"") is None
    assert state.unpack(block[:-1]) is None
    for i in range(len(block)):
        assert state.unpack(block[:i] + bytes([block[i] ^ 1]) + block[i + 1 :]) is None, i


def test_wakes_are_counted_while_rtc_memory_lasts():
    board = Board()
    board.store(state.State(2, 10).pack())
    assert state.begin(board).wakes == 11
    assert state.begin(board).wakes == 12
