"""What the system refuses is told in words by every command: of which file or port, and why."""

import errno
import subprocess
import tempfile
from pathlib import Path

import pytest
import serial

from host_tests.power.test_report import made
from tools import __main__ as entry
from tools import failure

NAMED = {  # {0} is a path that is not there
    "simulate --config": "simulate --config {0}",
    "simulate --scenario": "simulate --scenario {0}",
    "power-report": "power-report {0}",
    "provision --batch": "provision --folder nowhere --batch {0}",
    "provision --secrets": "provision --folder nowhere --id n --broker h --secrets {0}",
    "image --config": "image --board esp32-4m --config {0}",
    "flash --firmware": "flash --board esp32-4m --port {0} --firmware {0}",
    "probe --replay": "probe --replay {0}",
    "probe": "probe {0}",
    "bridge --board": "bridge --board {0}",
    "bridge --module": "bridge --module {0} --flash nowhere",
    "virtual-c1100 --serial": "virtual-c1100 --serial {0}",
    "virtual-c1100 --link": "virtual-c1100 --link {0}/c1100",
    "virtual-c1100 --profile": "virtual-c1100 --link c1100 --profile {0}",
    "virtual-board --uart": "virtual-board --flash nowhere --uart {0}",
}


@pytest.mark.parametrize("line", NAMED.values(), ids=NAMED)
def test_a_file_or_port_that_is_not_there(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    missing = str(tmp_path / "missing")
    assert entry.main(line.format(missing).split()) in (1, 2)
    said = "".join(capsys.readouterr())
    assert missing in said
    assert "No such file or directory" in said
    assert said.count("No such file") == 1
    assert "Errno" not in said
    assert "Error" not in said


def test_an_error_of_a_library_is_in_its_words_where_the_file_is_known_later(tmp_path):
    with pytest.raises(OSError, match="None") as caught, failure.naming(tmp_path):
        raise OSError("not whole")
    assert failure.words(caught.value) == f"{tmp_path}: not whole"


@pytest.mark.parametrize(
    ("error", "name", "want"),
    [
        (FileNotFoundError(2, "x", "a"), "", "a: No such file or directory"),
        (FileExistsError(17, "x", "/dev/pts/8", None, "README"), "", "README: File exists"),
        (PermissionError(13, "x", "a"), "b", "b: Permission denied"),
        (OSError(98, "bind on address ('127.0.0.1', 8099): address already in use"), "",
         "bind on address ('127.0.0.1', 8099): address already in use"),
        (OSError(28, "No space left on device"), "", "No space left on device"),
        (OSError("no number"), "a", "a: no number"),
        (ValueError("wrong"), "", "wrong"),
        (ValueError("wrong"), "a", "a: wrong"),
        (serial.SerialException(2, "could not open port p: [Errno 2] No such: 'p'"), "p",
         "p: No such file or directory"),
        (serial.SerialException("Could not configure port: (25, 'Inappropriate ioctl')"), "p",
         "p: Could not configure port: Inappropriate ioctl"),
        (serial.SerialException("device reports readiness"), "", "device reports readiness"),
    ],
)  # fmt: skip
def test_words(error, name, want):
    assert failure.words(error, name) == want


def test_no_command_says_it_otherwise():
    """An OSError as text has a number and quotes; each place that shows one asks for words."""
    done = subprocess.run(
        ["grep", "-rnE", r"print\(.*\{error\}", "--include=*.py", "tools"],
        cwd=Path(failure.__file__).parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    shown = [line for line in done.stdout.splitlines() if "(DeployError" not in line]
    for line in shown:
        path, number, _ = line.split(":", 2)
        lines = (Path(failure.__file__).parents[1] / path).read_text().splitlines()
        caught = [text for text in lines[: int(number)] if "except " in text][-1]
        assert "OSError" not in caught, f"{path}, line {number}"


FULL = {  # {0} is a file on a disk that is full
    "image": "image --board esp32-4m --frozen --out {0}",
    "image --romfs": "image --board esp32-4m --romfs --out {0}",
    "power-report png": "power-report run.json --out power.png",
    "power-report html": "power-report run.json --out power.html",
    "simulate --trace": "simulate --days 0.01 --out . --trace {0}",
    "simulate run.json": "simulate --days 0.01 --out run.json",
    "bench --output": "bench --only outbox --output {0}",
}


@pytest.mark.parametrize("line", FULL.values(), ids=FULL)
def test_a_full_disk_is_told_with_the_path(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = line.split()
    if words[0] == "power-report":
        made().save(tmp_path / "run.json")
    last = words[-1]
    if last != "{0}":  # a folder, in which that file is
        words[-1] = "out"
        Path("out").mkdir()
        file = Path("out", last)
    else:
        file = Path("full")
        words[-1] = "full"
    file.symlink_to("/dev/full")
    assert entry.main(words) == 1
    said = "".join(capsys.readouterr())
    assert f"{file}: No space left on device" in said
    assert said.count("No space left") == 1


def test_a_full_disk_without_a_name_is_one_of_ours(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    error = OSError(errno.ENOSPC, "No space left on device")
    assert failure.words(error, failure.fullest(error)) in (
        f"{tmp_path}: No space left on device",
        f"{tempfile.gettempdir()}: No space left on device",
    )
    for known in (OSError(errno.ENOSPC, "full", "x"), OSError(errno.EACCES, "no")):
        assert failure.fullest(known) == ""
