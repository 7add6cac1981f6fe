"""Batteries: levels by chemistry, up and down; what is no voltage; sag; factors."""

from firmware import battery, jobs, state
from firmware.last_good import ConfigError

SETTINGS = {
    "id": "n", "battery.kind": "li-socl2", "battery.cells": 1, "battery.divider": 2.0,
    "battery.sample": "1,1,2,4", "battery.report": "1,1,4,0", "battery.position": "1,1,0,0",
    "sample.period_s": 300, "sample.flex_s": 0, "report.period_s": 900, "report.flex_s": 0,
    "report.deadline_s": 0, "report.poor_dbm": -109, "position.period_s": 3600,
    "position.flex_s": 0, "sleep.module": "auto", "sleep.release_s": 15, "pins.pwrkey": 4,
    "pins.wake": 5, "battery.low_v": 0.0, "battery.critical_v": 0.0,
}  # fmt: skip


class Board:
    def __init__(self, *volts):
        self.volts_at = list(volts)

    def volts(self, name):
        assert name == "battery"
        if len(self.volts_at) == 1:
            return self.volts_at[0]
        return self.volts_at.pop(0)


class Node:
    def __init__(self, kind="li-socl2", cells=1):
        self.settings = dict(SETTINGS)
        self.settings["battery.kind"] = kind
        self.settings["battery.cells"] = cells
        self.state = state.State()
        self.is_urgent = False
        self.load_v = 0.0
        self.board = None

    def rest(self):
        pass

    def at(self, volts):
        """Events of a measurement at rest."""
        return [text for _, _, text in battery.measured(self, volts)]


def test_each_chemistry_through_all_levels_and_back():
    for name in battery.KINDS:
        kind = battery.KINDS[name]
        for cells in (1, 3):
            node = Node(name, cells)
            full = cells * (kind.falls[0] + kind.margin_v + 0.01)
            assert node.at(full) == [] and node.state.level == 1
            for n in range(3):
                border = cells * kind.falls[n]
                assert node.at(border + 0.001) == [] and node.state.level == n + 1, (name, n)
                told = node.at(border - 0.001)
                assert len(told) == 1 and told[0].startswith("battery " + battery.LEVELS[n + 2])
                assert node.at(border + 0.001) == []  # a little more is no other level
                assert node.state.level == n + 2
            assert node.is_urgent and node.state.last_word
            for n in (2, 1, 0):
                border = cells * (kind.falls[n] + kind.margin_v)
                assert node.at(border - 0.001) == [] and node.state.level == n + 2, (name, n)
                assert len(node.at(border + 0.001)) == 1
                assert node.state.level == n + 1


def test_noise_within_the_margin_changes_nothing():
    for name in battery.KINDS:
        kind = battery.KINDS[name]
        for least in kind.falls:
            node = Node(name)
            node.at(least - 0.001)
            level = node.state.level
            for n in range(100):
                assert node.at(least + kind.margin_v * 0.9 * (n % 7) / 6 - 0.002) == []
            assert node.state.level == level


def test_from_the_top_to_the_bottom_at_once():
    for name in battery.KINDS:
        kind = battery.KINDS[name]
        node = Node(name)
        node.at(kind.most_v - 0.1)
        assert node.at(kind.falls[2] - 0.1)[0].startswith("battery dead")
        assert node.at(kind.most_v - 0.1)[0].startswith("battery high")
        fresh = Node(name)  # a node that starts with an empty one says so too
        assert fresh.at(kind.falls[2] - 0.1)[0].startswith("battery dead")


def test_the_middle_of_some_readings():
    node = Node()
    node.board = Board(1.8, 0.0, 3.3, 1.81, 1.79)
    assert abs(battery.volts(node) - 3.6) < 1e-6
    node.board = Board(None)
    assert battery.volts(node) is None


def test_what_no_such_battery_has():
    for name in battery.KINDS:
        most = battery.KINDS[name].most_v
        for wrong in (0.0, -1.0, most / 2 + 0.01, 100.0, float("nan"), float("inf"), 0.05):
            node = Node(name)
            node.state.level = 2
            node.board = Board(wrong)
            try:
                battery.volts(node)
            except ValueError:
                assert battery.loaded(node) == []
                assert node.state.level == 2
                continue
            raise AssertionError(wrong)


def test_sag_alone_makes_it_low_until_it_is_over():
    for name in battery.KINDS:
        kind = battery.KINDS[name]
        node = Node(name)
        good = kind.falls[0] + kind.margin_v + 0.02
        node.at(good)
        fresh = good - battery._TX_A * kind.ohms
        node.board = Board(fresh / 2)
        assert [each[0] for each in battery.loaded(node)] == ["battery_load"]
        assert abs(node.load_v - fresh) < 1e-6 and not node.state.sags
        node.board = Board((fresh - (good - kind.falls[1]) - 0.01) / 2)
        names = [each[0] for each in battery.loaded(node)]
        assert names == ["battery_load", "event"] and node.state.level == battery.LOW, name
        assert node.at(good) == [] and node.state.level == battery.LOW  # it rests well, and sags
        assert not node.is_urgent
        node.board = Board(fresh / 2)
        battery.loaded(node)
        assert node.at(good)[0].startswith("battery high")


def test_while_it_delivers_only_news_makes_a_record():
    for name in battery.KINDS:
        kind = battery.KINDS[name]
        node = Node(name)
        kept = []
        node.keep = kept.append
        good = kind.falls[0] + kind.margin_v + 0.02
        node.at(good)
        fresh = good - battery._TX_A * kind.ohms
        weak = fresh - (good - kind.falls[1]) - 0.01
        for volts, sags, records in ((fresh, False, 0), (weak, True, 1), (weak, True, 1),
                                     (fresh, False, 1)):  # fmt: skip
            node.board = Board(volts / 2)
            battery.delivering(node)
            assert node.state.sags == sags and abs(node.load_v - volts) < 1e-6
            assert len(kept) == records, name
        assert [each[0] for each in kept[0]] == ["battery_load", "event"]
        node.board = Board(None)
        battery.delivering(node)
        assert len(kept) == 1


def test_state_over_sleep():
    for level in range(5):
        for sags in (False, True):
            for word in (False, True):
                for restless in range(5):
                    kept = state.State(level=level, sags=sags, last_word=word, restless=restless)
                    found = state.unpack(kept.pack())
                    assert (found.level, found.sags, found.last_word, found.restless) == (
                        level, sags, word, restless)  # fmt: skip


def periods(level, last_word=False, **changes):
    settings = dict(SETTINGS)
    settings.update(changes)
    made = jobs.scheduler(settings, state.State(level=level, last_word=last_word), 1000)
    return {job.name: job.period_s for job in made.jobs}


def test_periods_by_level():
    all = {"sample": 300, "report": 900, "position": 3600}
    assert periods(0) == periods(1) == periods(2) == all
    assert periods(3) == {"sample": 600, "report": 3600}
    assert periods(4) == {"sample": 1200}
    assert periods(4, True) == {"sample": 1200, "report": 900}
    assert periods(4, **{"battery.kind": "none"}) == all
    never = {"battery.sample": "0,0,0,0", "battery.report": "0,0,0,0"}
    assert periods(1, **never) == {"sample": 300, "position": 3600}  # it must see that it is back
    assert periods(3, **{"battery.report": "1,1,12,99"})["report"] == 12 * 900


def test_factors_that_are_none():
    for text in ("1,1,1", "1,1,1,1,1", "1,1,1,x", "1,,1,1", "xxxxxxx", "1;1;1;1", "1,1,-1,0"):
        settings = dict(SETTINGS)
        settings["battery.report"] = text
        try:
            battery.factors(settings, 0)
        except ConfigError as error:
            assert "battery.report" in str(error) and text in str(error)
            continue
        raise AssertionError(text)
