"""`python -m tools command` as an operator uses it, with a node on the bench."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.patience import LIMIT_S
from host_tests.peers import dead_port
from tools import command

ROOT = Path(__file__).resolve().parents[2]
KEY = "c0ffee" * 8


def start(broker, *args, **variables):
    address = f"{broker.host}:{broker.port}" if broker else f"127.0.0.1:{dead_port()}"
    environment = {k: v for k, v in os.environ.items() if k != command.KEY_VARIABLE}
    return subprocess.Popen(
        [sys.executable, "-m", "tools", "command", "n1", "--broker", address, *args],
        cwd=ROOT,
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    out, err = process.communicate(timeout=LIMIT_S)
    assert KEY not in out + err
    return process.returncode, out, err


@pytest.fixture
def n(node):
    return node(secrets={"commands": {"key": KEY}})


def meet(n, process):
    """Let the node live until the operator's command has ended."""
    n.bench.run(until=lambda: n.asleep and process.poll() is not None, limit_s=10**7)
    return ended(process)


def test_ping_with_the_secrets_of_the_node(n, broker):
    process = start(broker, "ping", "--secrets", str(n.flash / "secrets.json"))
    code, out, err = meet(n, process)
    assert (code, err) == (0, "")
    assert out.startswith("done backlog=0 start=1 wake=")


def test_set_waits_for_the_trial(n, broker):
    process = start(broker, "set", "sample.period_s=450", C1100_COMMAND_KEY=KEY)
    code, out, err = meet(n, process)
    assert (code, err) == (0, "")
    assert out.splitlines() == ["trying key=sample.period_s", "kept key=sample.period_s"]
    assert json.loads((n.flash / "config.json").read_text())["sample"]["period_s"] == 450


def test_a_rule_of_the_node_is_set_on_trial(n, broker):
    rules = {"warm": {"of": "temperature", "above": 8, "do": "event"}}
    n.configure(rules=rules)
    process = start(broker, "set", "rules.warm.above=9", C1100_COMMAND_KEY=KEY)
    code, out, err = meet(n, process)
    assert (code, err) == (0, "")
    assert out.splitlines() == ["trying key=rules.warm.above", "kept key=rules.warm.above"]
    kept = json.loads((n.flash / "config.json").read_text())["rules"]
    assert kept == {"warm": {"of": "temperature", "above": 9, "do": "event"}}
    # What only the node can know.
    process = start(broker, "set", "rules.warm.below=9", C1100_COMMAND_KEY=KEY)
    code, out, err = meet(n, process)
    assert (code, err) == (1, "")
    assert "rules.warm needs one of above, below, change, rate" in out


def test_what_the_node_refuses_of_what_looks_right(n, broker, tmp_path):
    """The table of keys allows it; what else this node is set to does not."""
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    process = start(broker, "set", "uplink.first=http", "--key-file", str(file))
    code, out, _ = meet(n, process)
    assert code == 1
    assert "failed why=" in out
    assert "http.url is missing" in out


def test_a_wrong_key_is_refused(n, broker):
    process = start(broker, "reboot", C1100_COMMAND_KEY="00" * 16)
    code, out, _ = meet(n, process)
    assert code == 1
    assert out == "refused why=not signed with this node's key\n"


def test_a_node_that_does_not_answer(broker):
    code, out, err = ended(start(broker, "ping", "--wait", "0.2", C1100_COMMAND_KEY=KEY))
    assert (code, out) == (1, "")
    assert "no result within 0.2 s" in err
    assert "waits at the broker" in err


def test_no_broker():
    code, _, err = ended(start(None, "ping", C1100_COMMAND_KEY=KEY))
    assert code == 1
    assert "no MQTT broker at 127.0.0.1" in err


def test_keys_that_cannot_be_used(tmp_path, monkeypatch):
    monkeypatch.delenv(command.KEY_VARIABLE, raising=False)
    file = tmp_path / "file"
    cases = (
        (None, None, "", "has no key of 16 bytes"),
        (None, None, "c0ffee", "has no key of 16 bytes"),
        (None, None, "xyz", "not hexadecimal"),
        (None, file, "", "has no key"),
        (file, None, "{}", "has no key"),
        (file, None, "c0ffee", "cannot be used"),
        (file, None, '{"commands": {"key": 5}}', "not hexadecimal"),
        (file, None, "[]", "cannot be used"),
        (tmp_path / "none", None, "", "cannot be used"),
        (None, tmp_path / "none", "", "cannot be read"),
    )
    for secrets_file, key_file, text, part in cases:
        file.write_text(text)
        monkeypatch.setenv(command.KEY_VARIABLE, text)
        with pytest.raises(command.Failure, match=part) as caught:
            command.read_key(secrets_file, key_file)
        assert not text or text == "{}" or text == "[]" or text not in str(caught.value)


def test_what_words_mean():
    assert command.body(["set", "apn=internet"]) == {
        "do": "set",
        "key": "apn",
        "value": "internet",
    }
    assert command.body(["set", "a=1.5"])["value"] == 1.5
    assert command.body(["set", "a=x=y"])["value"] == "x=y"
    assert command.body(["log", "20"]) == {"do": "log", "skip": 20}
    assert command.body(["ping"]) == {"do": "ping"}
    for words, part in (
        (["set"], "one KEY=VALUE"),
        (["set", "apn"], "one KEY=VALUE"),
        (["set", "a=1", "b=2"], "one KEY=VALUE"),
        (["ping", "x"], "does not take x"),
        (["log", "-1"], "does not take"),
        (["set", "mqtt.password=hush"], "is a secret"),
    ):
        with pytest.raises(command.Failure, match=part) as caught:
            command.body(words)
        assert "hush" not in str(caught.value)
