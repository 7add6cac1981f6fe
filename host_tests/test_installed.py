"""Peers that pip cannot bring: installed without a question, or said to be missing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.patience import LIMIT_S
from tools import installed
from tools.installed import Peer

ROOT = Path(__file__).resolve().parents[1]
APT = """#!/bin/sh
echo "$DEBIAN_FRONTEND: $*" >> {log}
[ "$1" = update ] && exit {update}
touch {there}
"""


class Machine:
    """A system with one package, which is not installed, and an apt-get that may work."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log, self.there, self._bin = folder / "log", folder / "there", folder / "bin"
        self._bin.mkdir()
        monkeypatch.setenv("PATH", f"{self._bin}:{os.environ['PATH']}")
        monkeypatch.setattr(installed, "SBIN", str(self._bin))
        stub = Peer(("stub", "stub-driver"), self.there.exists, "stubs")
        monkeypatch.setattr(installed, "PEERS", {"a stub": stub})
        self.program("apt-get", APT.format(log=self.log, there=self.there, update=0))

    def program(self, name: str, text: str) -> None:
        path = self._bin / name
        path.write_text(text)
        path.chmod(0o755)

    def said(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Machine:
    monkeypatch.delenv("CI", raising=False)
    return Machine(tmp_path, monkeypatch)


INSTALLED = [
    "noninteractive: update -qq",
    "noninteractive: install -y -qq --no-install-recommends stub stub-driver",
]


def test_root_installs_after_one_line(machine, monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert installed.main([]) == 0
    assert machine.said() == INSTALLED
    assert capsys.readouterr().out == "installing a stub: apt-get install stub stub-driver\n"
    assert installed.main([]) == 0  # it is there: nothing to do, nothing to say
    assert machine.said() == INSTALLED
    assert capsys.readouterr().out == ""


def test_sudo_that_asks_nothing_installs(machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.program("sudo", '#!/bin/sh\nshift\nexec "$@"\n')
    assert installed.main([]) == 0
    assert machine.said() == INSTALLED


def missing(machine, monkeypatch) -> None:
    """Somebody who may not install, and whom sudo would ask for a password."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.program("sudo", "#!/bin/sh\nexit 1\n")


def test_others_are_told_and_go_on(machine, monkeypatch, capsys):
    missing(machine, monkeypatch)
    assert installed.main([]) == 0
    assert machine.said() == []
    told = capsys.readouterr().err
    assert "a stub (for stubs) is missing" in told
    assert told.endswith("what installs it: apt-get install stub stub-driver\n")


def test_in_ci_a_missing_peer_is_a_failure(machine, monkeypatch):
    missing(machine, monkeypatch)
    monkeypatch.setenv("CI", "true")
    assert installed.main([]) == 1


def test_a_machine_without_packages_to_fetch_says_why(machine, monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.program("apt-get", "#!/bin/sh\necho cannot resolve >&2\nexit 100\n")
    assert installed.main([]) == 0
    assert "apt-get update failed: cannot resolve" in capsys.readouterr().err


def test_without_venv_nothing_goes_on(machine, monkeypatch, capsys):
    missing(machine, monkeypatch)
    monkeypatch.setattr(installed, "VENV", Peer(("python3-venv",), lambda: False, "environments"))
    assert installed.main(["venv"]) == 1
    assert "apt-get install python3-venv" in capsys.readouterr().err


BUILD = "import sys\nprint({why!r}, file=sys.stderr)\nsys.exit({code})\n"


@pytest.fixture
def built(machine, tmp_path, monkeypatch):
    """built(exit code, its last word): a peer that is built, and how that ends. A compiler is
    there once the packages are.
    """
    monkeypatch.setattr(installed, "ROOT", tmp_path)
    monkeypatch.setattr(installed, "_compiler", machine.there.exists)

    def make(code: int, why: str = "") -> Peer:
        script = tmp_path / "build.py"
        script.write_text(BUILD.format(code=code, why=why))
        if code == 0:
            script.write_text(f"open({str(tmp_path / 'client')!r}, 'w')")
        peer = Peer(("cc",), (tmp_path / "client").exists, "stubs", script.name)
        monkeypatch.setattr(installed, "PEERS", {"a stub": peer})
        return peer

    return make


def test_what_is_in_no_package_is_built_once_there_is_a_compiler(built, monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    built(0)
    assert installed.main([]) == 0
    said = ["installing a stub: apt-get install cc", "building a stub: build.py"]
    assert capsys.readouterr().out.splitlines() == said
    assert installed.main([]) == 0
    assert capsys.readouterr().out == ""


def test_nobody_need_be_root_to_build(built, machine, monkeypatch):
    missing(machine, monkeypatch)
    machine.there.touch()  # the compiler
    peer = built(0)
    assert installed.main([]) == 0
    assert peer.found()


@pytest.mark.parametrize(
    ("code", "compiler", "ci"),
    [
        (os.EX_UNAVAILABLE, True, 0),  # no sources: CI does without what it cannot have
        (os.EX_UNAVAILABLE, False, 0),  # nor a compiler
        (1, True, 1),  # it does not compile: somebody has to look
    ],
)
def test_what_cannot_be_built(built, machine, monkeypatch, capsys, code, compiler, ci):
    missing(machine, monkeypatch)
    if compiler:
        machine.there.touch()
    peer = built(code, "no sources")
    assert not peer.excused  # nobody has tried
    assert installed.main([]) == 0
    monkeypatch.setenv("CI", "true")
    assert installed.main([]) == ci
    assert peer.excused == (ci == 0)
    told = capsys.readouterr().err.splitlines()
    why = "no sources" if compiler else "not here to be installed without asking"
    assert f"a stub (for stubs) is missing, {why}" in told[0]
    first = "" if compiler else "apt-get install cc && "
    assert told[1] == f"what installs it: {first}python3 tools/installed.py"


# Makes a run of real tests one on a machine that has no such program; xdist's workers load it too.
PLUGIN = "from tools import installed\ninstalled.program = lambda name: None\n"
TESTS = ("host_tests/monitor/test_page.py", "host_tests/unit/test_timers.py")


@pytest.fixture
def suite(tmp_path):
    """suite(workers, **environment): a run of TESTS where every program is missing"""
    (tmp_path / "lacking.py").write_text(PLUGIN)

    def run(workers: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name != "CI"}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "lacking", "-p", "no:cacheprovider",
             "--dist", "loadfile", "-n", workers, *TESTS],
            cwd=ROOT, env=kept | {"PYTHONPATH": str(tmp_path)} | environment,
            capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip

    return run


@pytest.mark.parametrize("workers", ["0", "2"])
def test_tests_that_lack_a_peer_are_skipped_and_counted(suite, workers):
    done = suite(workers)
    assert done.returncode == 0, done.stdout
    *_, how, counts = done.stdout.splitlines()
    assert re.search(r"^a browser: \d+ tests were skipped$", done.stdout, re.MULTILINE)
    assert how.startswith("To run them too: apt-get install ")
    assert "chromium chromium-driver" in how
    assert "skipped" in counts


def test_in_ci_they_fail(suite):
    done = suite("0", CI="true")
    assert done.returncode == 1
    assert "a browser is not installed: apt-get install chromium chromium-driver" in done.stdout


def test_a_tool_outside_the_environment_says_which_to_use(tmp_path):
    for command in ("demo", "deploy", "monitor"):
        done = subprocess.run(
            [sys.executable, "-S", "-m", "tools", command, "--help"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert ".venv/bin/python -m tools" in done.stderr


def test_one_place_knows_the_packages():
    """Everything else names the command or this file."""
    grep = shutil.which("git")
    assert grep is not None
    found = subprocess.run(
        [grep, "grep", "-lE", "chromium-driver|libslirp0"], cwd=ROOT, capture_output=True,
        text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert set(found) <= {"tools/installed.py", "host_tests/test_installed.py"}
