"""What an operator types is checked with the firmware's own table before anything is sent."""

import json

import pytest

import host_tests.shim  # noqa: F401 (installs MicroPython's dialect before firmware/ is imported)
from firmware import config
from tools.command import words
from tools.deploy import settings
from tools.own import new
from tools.own.folder import Folder

# Wrong for any key: too much of everything, and nothing that could be anything.
WRONG = ("x" * 300, "y" * 5000)
# And for any that is no text, or a text of some form.
NO_NUMBERS = ("[1]", "-99999999999", "a b", "null", "{}", "true", "", "1e999", "NaN")
PIN_NAMES = ("1e999", "NaN")
RIGHT = {"mqtt.user": "007", "http.url": "http://h/x", "pins.wake": "X6", "battery.low_v": "3"}


def in_this_process(monkeypatch):
    """The firmware's table without a MicroPython for each question."""

    def refusal(key, value):
        rule = config.SCHEMA.get(key) or config.SECRETS[key]
        fits = config.fits(key, value, rule)
        return "" if fits else f"{key}: {config.allowed(key, rule)}"

    tables = [{k: t[k][0] for k in t} for t in (config.SCHEMA, config.SECRETS)]
    monkeypatch.setattr(settings, "tables", lambda: tables)
    monkeypatch.setattr(settings, "refusal", refusal)


def refused(key, text):
    with pytest.raises(words.Usage) as caught:
        words.check(words.body(["set", f"{key}={text}"]))
    said = str(caught.value)
    assert said.startswith(f"{key}: ")
    assert " is not allowed; allowed is " in said
    assert len(said) < 250
    assert "\n" not in said


@pytest.mark.parametrize("key", [key for key in config.SCHEMA if key != "id"])
def test_every_setting_with_values_it_does_not_take_and_one_that_it_does(key, monkeypatch):
    in_this_process(monkeypatch)
    default = config.SCHEMA[key][0]
    right = RIGHT.get(key, default if isinstance(default, str) else json.dumps(default))
    words.check(words.body(["set", f"{key}={right}"]))
    for text in (*WRONG, *(() if isinstance(default, str) else NO_NUMBERS)):
        is_name = text in PIN_NAMES and config.SCHEMA[key][1] is config.PIN
        if not is_name and not (text == "{}" and default == {}):
            refused(key, text)


def test_the_firmware_on_a_real_micropython_says_so():
    words.check(words.body(["set", "mqtt.port=1884"]))
    refused("mqtt.port", "1e999")
    refused("sleep.module", "deep")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "set report.peroid_s=5",
            "there is no setting report.peroid_s: did you mean report.period",
        ),
        ("set period_s=5", "did you mean sample.period_s?"),
        ("set mqtt.hots=h", "did you mean mqtt.host?"),
        ("set REPORT.PERIOD_S=5", "there is no setting REPORT.PERIOD_S"),
        ("set zzz=5", "known are alarm.gap_s, alarm.max_per_day, apn"),
        ("set mqtt={}", "there is no setting mqtt"),
        ("set id=other", "id is set by provisioning only"),
        ("set commands.key=00", "commands.key is a secret"),
        ("set pin=1234", "pin is a secret"),
        ("set mqtt.password=hush", "mqtt.password is a secret"),
        ("set http.token=hush", "http.token is a secret"),
        ("set", "set needs one KEY=VALUE"),
        ("set apn", "set needs one KEY=VALUE"),
        ("set =5", "set needs one KEY=VALUE"),
        ("pnig", "there is no command pnig: did you mean ping?"),
        ("result", "did you mean results?"),
        ("explode", "there is no command explode; there are ping"),
        ("ping now", "ping does not take now"),
        ("log all", "log does not take all"),
        ("log -3", "log does not take -3"),
        ("log 99999999999999999999", "log does not take 9999"),
    ],
)
def test_what_should_not_have_been_typed(typed, said, monkeypatch):
    in_this_process(monkeypatch)
    with pytest.raises(words.Usage) as caught:
        words.check(words.body(typed.split()))
    assert said in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mqtt.user=007", "007"),
        ("mqtt.user=true", "true"),
        ('mqtt.user="x"', "x"),
        ("mqtt.user=", ""),
        ("apn=a=b", "a=b"),
        ("mqtt.port=1884", 1884),
        ("battery.divider=1.5", 1.5),
        ("battery.divider=2", 2),
        ("pins.wake=5", 5),
        ("pins.wake=X6", "X6"),
        ("sleep.module=psm", "psm"),
    ],
)
def test_a_value_has_the_type_of_its_key(text, value, monkeypatch):
    in_this_process(monkeypatch)
    what = words.body(["set", text])
    words.check(what)
    assert what["value"] == value
    assert type(what["value"]) is type(value)
    shown = words.shown(what)
    assert words.body(shown.split(" ", 1)) == what


def test_a_signature_is_known_and_nothing_else_is():
    message = json.loads(words.signed("n", b"k" * 16, {"do": "ping"}, 5, "a"))
    assert words.is_genuine("n", b"k" * 16, message)
    assert not words.is_genuine("m", b"k" * 16, message)
    assert not words.is_genuine("n", b"l" * 16, message)
    for part, value in (("counter", 6), ("id", "b"), ("mac", "ü"), ("body", None), ("mac", None)):
        assert not words.is_genuine("n", b"k" * 16, message | {part: value})
    assert not words.is_genuine("n", b"k" * 16, {})


OWN_RIGHT = (
    "rules.warm.above=9", "rules.warm.for_s=60", "rules.a.b.do=event",
    'rules.warm={"of": "t", "below": 2}', "rules={}", "fences.yard.dwell_s=60",
    "fences.yard.circle=[31.2, 121.4, 50]", "fences.yard.polygon=[[0,0],[0,1],[1,1]]",
    "dead_bands.level=0.1", "sensors.soil.dry_v=2.7", "sensors.soil.over=mean",
    'sensors.soil={"period_s": 60}', 'sensors={"soil": {"dry_v": 2}}', "sensors.battery.over=min",
)  # fmt: skip
OWN_WRONG = (
    ("rules.warm.above=x", "rules.warm.above"),
    ("rules.warm.frequency=9", "there is no setting rules.warm.frequency"),
    ("rules.warm.max_per_day=0", "rules.warm.max_per_day"),
    ("rules.warm=9", "rules.warm must be an object"),
    ('rules.warm={"of": "t"}', "rules.warm needs one of"),
    ("rules=9", "rules"),
    ("rule.warm.above=9", "there is no setting rule.warm.above"),
    ("fences.yard.circle=[91, 0, 5]", "fences.yard.circle"),
    ("fences.yard.dwell_s=-1", "fences.yard.dwell_s"),
    ("dead_bands.level=-1", "dead_bands.level"),
    ("sensors.battery.gain=1", "there is no setting sensors.battery.gain"),
    ("sensors.soil.over=median", "sensors.soil.over"),
    ("sensors.soil.limit_s=0", "sensors.soil.limit_s"),
)


def test_what_is_a_nodes_own_is_checked_without_its_folder():
    for typed in OWN_RIGHT:
        words.check(words.body(["set", typed]))
    for typed, said in OWN_WRONG:
        with pytest.raises(words.Usage) as caught:
            words.check(words.body(["set", typed]))
        assert said in str(caught.value), typed


def test_with_its_folder_it_is_checked_against_what_else_is_there(tmp_path):
    new.make(tmp_path / "n1", ["example"], "esp32")
    config_file = tmp_path / "n1" / "config.json"
    given = json.loads(config_file.read_text())
    given["rules"] = {"dry": {"of": "moisture", "below": 0.2}}
    config_file.write_text(json.dumps(given))
    own = Folder.at(tmp_path / "n1")
    for typed in ("rules.dry.below=0.3", "sensors.example.dry_v=2.7", "rules={}"):
        words.check(words.body(["set", typed]), own)
    for typed, said in (
        ("rules.dry.above=1", "rules.dry needs one of"),
        ("rules.wet.above=1", "rules.wet.of is missing"),
        ("sensors.example.dry_v=9", "sensors.example.dry_v: 9 is not allowed"),
        ("sensors.example.gain=9", "there is no setting sensors.example.gain"),
        ("sensors.soil.dry_v=2", "no file sensors/soil.py"),
    ):
        with pytest.raises(words.Usage) as caught:
            words.check(words.body(["set", typed]), own)
        assert said in str(caught.value), typed
