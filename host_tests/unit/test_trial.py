"""A setting on trial, and the configuration that a node falls back to."""

import json
import os

from firmware import config, files, last_good, trial
from host_tests.support import raises
from host_tests.support.scratch import made

GOOD = {"id": "n", "mqtt": {"host": "h"}}


def place(given=GOOD):
    where = made()
    where += "/"
    write(where, "config.json", given)
    return where


def write(where, name, given):
    with open(where + name, "wb") as file:
        file.write(given if isinstance(given, bytes) else json.dumps(given).encode())


def setting(where, key="mqtt.port"):
    return last_good.settings(where)[0][key]


# Trial ------------------------------------------------------------------------------------------


def test_a_change_is_kept_after_a_report():
    where = place()
    trial.start("c1", "mqtt.port", 1884, where)
    assert config.load(where)["mqtt.port"] == 1883
    assert setting(where) == 1884
    assert trial.outcome(where) is None
    trial.keep(where)
    assert config.load(where)["mqtt.port"] == 1884
    assert trial.outcome(where) == {"name": "c1", "key": "mqtt.port", "state": "kept"}
    assert setting(where) == 1884
    trial.forget(where)
    assert trial.outcome(where) is None
    assert setting(where) == 1884


def test_a_change_is_taken_back_when_its_wakes_do_not_report():
    where = place()
    trial.start("c1", "mqtt.host", "nowhere", where)
    seen = []
    for _ in range(6):
        seen.append(setting(where, "mqtt.host"))
        trial.count(where)
    assert seen == ["nowhere"] * trial.TRIES + ["h"] * (6 - trial.TRIES)
    told = trial.outcome(where)
    assert told["state"] == trial.TAKEN_BACK
    assert "did not report" in told["why"]
    trial.keep(where)  # too late
    assert config.load(where)["mqtt.host"] == "h"


def test_what_is_a_nodes_own_is_on_trial_like_all_else():
    given = dict(GOOD)
    given["rules"] = {"warm": {"of": "t", "above": 8}}
    for key, value, section, tried in (
        ("rules.warm.above", 9, "rules", {"warm": {"of": "t", "above": 9}}),
        ("rules.cold", {"of": "t", "below": 1}, "rules", None),
        ("rules", {}, "rules", {}),
        ("fences.yard.circle", [1, 2, 3], "fences", {"yard": {"circle": [1, 2, 3]}}),
        ("dead_bands.t", 0.5, "dead_bands", {"t": 0.5}),
        ("sensors.battery.over", "mean", "sensors", {"battery": {"over": "mean"}}),
    ):
        where = place(given)
        if tried is None:
            tried = dict(given["rules"])
            tried["cold"] = value
        before = setting(where, section)
        trial.start("c1", key, value, where)
        assert setting(where, section) == tried, key
        trial.take_back("no", where)
        assert setting(where, section) == before, key
        trial.forget(where)
        trial.start("c2", key, value, where)
        trial.keep(where)
        assert config.load(where)[section] == tried, key
        assert trial.outcome(where) == {"name": "c2", "key": key, "state": "kept"}
    with raises(config.ConfigError):
        trial.start("c3", "rules.warm.below", 9, place(given))


def test_what_is_not_allowed_changes_nothing():
    where = place()
    for key, value, part in (
        ("mqtt.port", 70000, "mqtt.port"),
        ("mqtt.pork", 1, "mqtt.pork"),
        ("mqtt", 1, "mqtt"),
        ("mqtt.host", "", "mqtt.host is missing"),
        ("uplink.first", "tcp", "tcp.host is missing"),
        ("pin", "1234", "pin is a secret"),
        ("commands.key", "00" * 16, "commands.key is a secret"),
        ("id", "other", "provisioning"),
    ):
        with raises(config.ConfigError) as caught:
            trial.start("c1", key, value, where)
        assert part in str(caught.error), (key, caught.error)
        assert "1234" not in str(caught.error)
    assert sorted(os.listdir(where)) == ["config.json"]


def _no_room(*_args):
    raise MemoryError("memory allocation failed, allocating 368 bytes")


def test_where_the_heap_has_no_room_for_the_table_the_next_start_looks():
    for key, value, part in (
        ("mqtt.port", 1884, ""),
        ("mqtt.port", 70000, "mqtt.port"),
        ("mqtt.pork", 1, "mqtt.pork"),
        ("mqtt", 1, "mqtt"),
        ("mqtt.host", "", "mqtt.host is missing"),
        ("uplink.first", "tcp", "tcp.host is missing"),
    ):
        where = place()
        from firmware import config as table

        whole, table.load_file = table.load_file, _no_room
        try:
            trial.start("c1", key, value, where)
        finally:
            table.load_file = whole
        settings, problem = last_good.settings(where)
        assert problem == ""
        if part:
            assert (settings["mqtt.port"], settings["mqtt.host"]) == (1883, "h")
            told = trial.outcome(where)
            assert told["state"] == trial.TAKEN_BACK
            assert part in told["why"], told
        else:
            assert settings[key] == value
            trial.keep(where)
            assert trial.outcome(where)["state"] == trial.KEPT
            assert setting(where) == 1884
    for key in ("pin", "commands.key", "id"):
        where = place()
        with raises(last_good.ConfigError):
            trial.start("c1", key, "1234", where)
        assert sorted(os.listdir(where)) == ["config.json"]


def test_a_file_that_is_no_trial_is_none():
    where = place()
    for text in (b"", b"{", b"[]", b"5", b'{"state": "trying"}'):
        write(where, "config.trial", text)
        assert trial.change(where) is None
        trial.count(where)
        trial.keep(where)
        assert trial.outcome(where) is None
        assert setting(where) == 1883


def test_a_change_that_a_new_config_json_rules_out_is_taken_back():
    where = place()
    write(where, "config.json", {"id": "n", "uplink": {"first": "tcp"}, "tcp": {"host": "t"}})
    trial.start("c2", "uplink.first", "tcp", where)
    write(where, "config.json", GOOD)
    settings, problem = last_good.settings(where)
    assert settings["uplink.first"] == "mqtt"
    assert problem == ""
    assert "tcp.host is missing" in trial.outcome(where)["why"]


class PowerCut(Exception):
    """Instead of one of the writes."""


class _Files:
    """`files` that loses power before its n-th change of the flash."""

    def __init__(self, changes):
        self.left = changes
        self.read = files.read
        self.remove = files.remove

    def replace(self, path, data):
        for step in (self._new, self._rename):
            if not self.left:
                raise PowerCut
            self.left -= 1
            step(path, data)

    @staticmethod
    def _new(path, data):
        with open(path + ".new", "wb") as file:
            file.write(data)

    @staticmethod
    def _rename(path, data):
        os.rename(path + ".new", path)


def test_power_may_go_at_any_write_of_a_trial():
    cut = 0
    while True:
        where = place()
        now = trial._trials()  # a node's wake may have let go of the one that was imported
        trial.files = now.files = _Files(cut)
        try:
            trial.start("c1", "mqtt.port", 1884, where)
            trial.count(where)
            trial.keep(where)
            ended = True
        except PowerCut:
            ended = False
        trial.files = now.files = files
        # The next start: the old setting or the new one, and a report settles it.
        trying = trial.change(where) is not None
        assert setting(where) in (1883, 1884)
        before = setting(where)
        trial.count(where)
        trial.keep(where)
        assert setting(where) == before
        assert config.load(where)["mqtt.port"] == before
        assert (trial.outcome(where) is not None) == (before == 1884), (cut, trying)
        if ended:
            break
        cut += 1
    assert cut == 8


# The last good one ------------------------------------------------------------------------------


def test_all_well():
    where = place()
    assert last_good.settings(where) == (config.load(where), "")
    assert files.read(where + "config.good") == files.read(where + "config.json")


def test_the_copy_is_of_the_one_that_has_reported():
    where = place()
    last_good.settings(where)
    write(where, "config.json", {"id": "n", "mqtt": {"host": "valid-but-wrong"}})
    last_good.settings(where)
    write(where, "config.json", b"{")
    assert setting(where, "mqtt.host") == "h"
    write(where, "config.json", {"id": "n", "mqtt": {"host": "second"}})
    last_good.settings(where)
    last_good.delivered(where)
    write(where, "config.json", b"{")
    last_good.delivered(where)  # with the copy
    assert setting(where, "mqtt.host") == "second"


def test_secrets_have_a_copy_of_their_own():
    where = place()
    write(where, "secrets.json", {"pin": "1234", "commands": {"key": "ab" * 16}})
    last_good.settings(where)
    write(where, "secrets.json", {"pin": "123456789", "commands": {"key": "ab" * 16}})
    settings, problem = last_good.settings(where)
    assert settings["pin"] == "1234"
    assert "secrets.json: pin" in problem
    assert "123456789" not in problem
    write(where, "config.json", b"")
    settings, problem = last_good.settings(where)
    assert settings["mqtt.host"] == "h"
    assert "config.json" in problem
    assert "secrets.json" in problem


def test_without_a_copy_that_works_the_node_says_so():
    where = place(b"[1]")
    with raises(config.ConfigError) as caught:
        last_good.settings(where)
    assert "must hold one JSON object" in str(caught.error)
    write(where, "config.good", {"id": "n"})
    with raises(config.ConfigError) as caught:
        last_good.settings(where)
    assert "config.json must hold" in str(caught.error).replace(where, "")
    assert "mqtt.host is missing" in str(caught.error)


def test_a_trial_goes_on_top_of_what_works():
    where = place()
    last_good.settings(where)
    trial.start("c1", "mqtt.port", 1884, where)
    assert setting(where) == 1884
    assert last_good.settings(where)[1] == ""


# What was checked before ------------------------------------------------------------------------


class _Checks:
    """Counts how often a configuration is checked."""

    def __init__(self):
        self.count = 0

    def __enter__(self):
        from firmware import checking  # as the firmware finds it: it may have been unloaded

        self._module = checking
        self._real = checking.settings
        checking.settings = self._checked
        return self

    def __exit__(self, *_):
        self._module.settings = self._real

    def _checked(self, folder):
        self.count += 1
        return self._real(folder)


SOME = (
    GOOD,
    {"id": "n", "mqtt.host": "h", "battery": {"divider": 3.3, "low_v": 1}},
    b'{"id": "\\u006e", "mqtt": {"host": "h"}, "battery": {"low_v": 33e-1}}',
    b' {"id":"n","mqtt":{"host":"h"},"uart":{"tx":"A2"}}\r\n',
)


def test_what_was_checked_is_not_checked_again_and_is_the_same():
    for secrets in (None, {}, {"pin": "1234"}, {"commands": {"key": "ab" * 16}, "http": {}}):
        for given in SOME:
            where = place(given)
            if secrets is not None:
                write(where, "secrets.json", secrets)
            first, problem = last_good.settings(where)
            with _Checks() as checks:
                assert last_good.settings(where) == (first, problem)
                assert checks.count == (1 if problem else 0), given
                assert last_good.settings(where, True) == (first, problem)  # a start
                assert checks.count == (2 if problem else 1)
            kinds = [type(first[key]) for key in sorted(first)]
            again = last_good.settings(where)[0]
            assert [type(again[key]) for key in sorted(again)] == kinds


def test_whatever_has_changed_is_checked_again():
    where = place()
    write(where, "secrets.json", {"pin": "1234"})
    with _Checks() as checks:
        last_good.settings(where)
        for name, given in (
            ("config.json", {"id": "n", "mqtt": {"host": "g"}}),
            ("config.json", b'{"id": "n", "mqtt": {"host": "g"}} '),
            ("secrets.json", {"pin": "1235"}),
            ("secrets.json", {}),
        ):
            last_good.settings(where)
            before = checks.count
            write(where, name, given)
            assert last_good.settings(where) == (config.load(where), "")
            assert checks.count == before + 1, given
        os.remove(where + "secrets.json")
        assert last_good.settings(where)[0]["pin"] == ""
        os.remove(where + last_good.CHECKED)
        before = checks.count
        last_good.settings(where)
        assert checks.count == before + 1


def test_damage_to_what_was_checked_is_found_and_mended():
    where = place()
    good = last_good.settings(where)[0]
    whole = files.read(where + last_good.CHECKED)
    assert whole is not None
    places = range(0, len(whole), 31)
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in places]
    for block in damaged + [b"", b"{}", whole[:32], whole[:-1], whole + b" ", b"\xff" * 9000]:
        write(where, last_good.CHECKED, block)
        assert last_good.settings(where) == (good, "")
        assert files.read(where + last_good.CHECKED) == whole


def test_no_secret_stands_beside_its_file():
    where = place()
    write(where, "secrets.json", {"mqtt": {"password": "open-sesame"}})
    assert last_good.settings(where)[0]["mqtt.password"] == "open-sesame"
    assert b"sesame" not in files.read(where + last_good.CHECKED)
    assert tuple(sorted(last_good.SECRETS)) == tuple(sorted(config.SECRETS))


# What cannot be used ----------------------------------------------------------------------------


def bad_values(rule):
    """Values that a rule must refuse."""
    values = [None, [], {"x": 1}, {"x": {"y": 1}}, "two words", 'quo"te', "x" * 300, "\n"]
    if len(rule) == 2:
        return values + ["other", 5, True, ""]
    _, kind, least, most = rule
    if kind in (config.PIN, int, float):
        values += [least - 1, most + 1, True, -(1 << 70), 1 << 70, "", "a name too long"]
    if kind is int:
        values += [least + 0.5, str(least)]
    if kind is dict:
        values = [value for value in values if not isinstance(value, dict)] + [5, True, 1.5, ""]
    if kind is str:
        values += [5, 1.5, False]
    return values


def test_every_setting_refuses_what_is_not_allowed_and_the_node_starts_with_the_last_good():
    where = place()
    good = last_good.settings(where)[0]
    tried = 0
    for key, rule in config.SCHEMA.items():
        section, _, name = key.rpartition(".")
        for value in bad_values(rule):
            given = {"id": "n", "mqtt": {"host": "h"}}
            (given.setdefault(section, {}) if section else given)[name] = value
            write(where, "config.json", given)
            with raises(config.ConfigError) as caught:
                config.load(where)
            said = str(caught.error)
            assert key in said, said
            assert len(said) < 400
            settings, problem = last_good.settings(where)
            assert settings == good, key
            assert key in problem
            tried += 1
    print("%d configurations refused" % tried)
    assert tried > 500


def test_files_that_are_no_configuration():
    where = place()
    good = last_good.settings(where)[0]
    for text in (
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b'"x"',
        b"{'id': 'n'}",
        b'{"id": "n"',
        b'{"id": "n", "mqtt": {"host": "\xff\xfe"}}',
        b'{5: {"host": "h"}}',
        b"\x00" * 100,
        b"\xff" * 4096,
        b'{"id": NaN}',
        b'{"mqtt": 5}',
        b'{"": {"": {}}}',
        b"[" * 200,
    ):
        write(where, "config.json", text)
        settings, problem = last_good.settings(where)
        assert settings == good, text
        assert "config.json" in problem, text
    os.remove(where + "config.json")
    settings, problem = last_good.settings(where)
    assert settings == good
    assert "is missing" in problem
