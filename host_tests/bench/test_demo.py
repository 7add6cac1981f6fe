"""The demo end to end, and that it fails when a record is lost or damaged."""

import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.bench.mqtt_proxy import damage, lose, proxy
from host_tests.patience import LIMIT_S
from host_tests.peers import any_broker, dead_port
from tools import demo
from tools.broker import Address, BrokerError, embedded, mosquitto
from tools.demo import check
from tools.demo.subscriber import Subscriber
from tools.virtual_board.sensors import Reading

ROOT = Path(__file__).resolve().parents[2]


def command(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools", "demo", *options],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip


def test_demo_reports_and_exits_with_0(tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    done = command("--reports", "2", "--trace", str(trace), "--keep", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every record arrived exactly as it was sampled." in done.stdout
    assert done.stdout.count("sampled [") == 2
    assert "\x1b" not in done.stdout  # no colours without a terminal
    text = trace.read_text()
    assert text.count(" board    AT+LSMQTTPUB=1") == 2
    assert text.count(" reading  battery") == 2
    assert (tmp_path / "flash" / "config.json").exists()
    assert "mAh a day" in done.stdout
    assert (tmp_path / "power.png").read_bytes().startswith(b"\x89PNG")
    assert "module: psm" in (tmp_path / "power.html").read_text()


def test_demo_repeats_byte_for_byte_from_the_reset_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def life(name: str) -> str:
        trace = tmp_path / name
        assert demo.demonstrate(demo.Options(1, seed=3, trace=trace)) == 0
        text = trace.read_text()
        return text[text.index("boot     hard reset") :]

    first = life("a")
    assert "sampled [" in first
    assert life("b") == first
    capsys.readouterr()


def test_demo_of_a_board_that_runs_from_romfs(tmp_path: Path, capsys) -> None:
    options = demo.Options(1, trace=tmp_path / "t", keep=tmp_path, romfs=True)
    assert demo.demonstrate(options) == 0
    assert "deploying 3 files with mpremote" in capsys.readouterr().out
    code = [path for path in (tmp_path / "flash").rglob("*") if path.suffix in (".py", ".mpy")]
    assert sorted(path.name for path in code) == ["boot.py", "main.py"]


def test_demo_with_a_users_broker_and_an_observer_of_our_own(tmp_path: Path) -> None:
    with any_broker() as broker, Subscriber(broker, "nodes/+/telemetry") as observer:
        done = command("--broker", str(broker), "--reports", "1", "--trace", str(tmp_path / "t"))
        observer.wait(1, LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(observer.payloads) == 1
    assert observer.payloads[0].decode() in (tmp_path / "t").read_text()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (lose, ["record of wake 1 did not arrive: expected b'["]),
        (damage, ["record of wake 1 did not arrive", "was never sampled: got b'["]),
    ],
)
def test_demo_fails_when_a_record_is_lost_or_damaged(
    fault, says, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.setattr(demo.far_side, "ARRIVAL_LIMIT_S", 0.5)
    with embedded() as broker, proxy(broker, 1, fault) as broken:
        options = demo.Options(1, broker=broker, node_broker=broken, trace=tmp_path / "trace")
        assert demo.demonstrate(options) == 1
    shown = capsys.readouterr().out
    for text in [*says, "FAILED", str(tmp_path / "trace")]:
        assert text in shown


def test_demo_fails_and_says_so_without_a_broker(tmp_path: Path) -> None:
    done = command("--broker", f"127.0.0.1:{dead_port()}", "--trace", str(tmp_path / "t"))
    assert done.returncode == 1
    assert "FAILED: no MQTT broker at 127.0.0.1" in done.stdout


def test_arguments_are_checked() -> None:
    for options in (["--broker", "nowhere"], ["--reports", "0"]):
        done = command(*options)
        assert done.returncode == 2
        assert "argument" in done.stderr


def report(payload: bytes | None, battery: float = 3.6, wake: int = 1) -> check.Report:
    readings = [
        Reading(0, 34, "battery", 0, battery),
        Reading(0, 35, "temperature", 0, 21.04),
    ]
    return check.Report(wake, payload, readings, ["last line"])


GOOD = b'[{"n":"battery","v":3.6},{"n":"temperature","v":21.0}]'


def test_check_accepts_what_arrived_once_or_twice() -> None:
    assert check.problems([report(GOOD)], [GOOD], 1) == []
    assert check.problems([report(GOOD)], [GOOD, GOOD], 1) == []


@pytest.mark.parametrize(
    ("made", "arrived", "wanted", "says"),
    [
        ([report(GOOD)], [], 1, "record of wake 1 did not arrive"),
        ([report(GOOD)], [GOOD], 2, "expected 2 wakes, the node made 1"),
        ([report(None)], [], 1, "wake 1 sampled nothing; its console ends: last line"),
        ([report(GOOD)], [GOOD, b"[]"], 1, "arrived, but was never sampled: got b'[]'"),
        ([report(GOOD, battery=3.7)], [GOOD], 1, "battery expected 3.7000, got 3.6"),
        ([report(b"{}x")], [b"{}x"], 1, "is not SenML"),
        ([report(b"[]")], [b"[]"], 1, "has no battery"),
    ],
)
def test_check_names_what_is_wrong(made, arrived, wanted, says) -> None:
    assert any(says in problem for problem in check.problems(made, arrived, wanted))


def test_mosquitto_with_a_password_refuses_a_stranger() -> None:
    with mosquitto({"node": "secret"}) as broker:
        with pytest.raises(BrokerError, match="Not authorized"):
            Subscriber(broker, "#")
        assert broker == Address("127.0.0.1", broker.port)
