"""`python -m tools deploy` onto virtual boards, with the real mpremote and mpy-cross."""

import os
import pty
from dataclasses import replace
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport

from host_tests.bench.test_mpremote import mpremote, serving
from host_tests.deploy.conftest import SMALL, command
from tools.deploy import DeployError, compiler, connection, deploy
from tools.deploy.compiler import Format
from tools.deploy.connection import Connection
from tools.deploy.ports import Report
from tools.virtual_board.board import Board, flash_image

X64 = Format(6, 3, "x64")


@pytest.mark.parametrize("kind", ["py", "mpy"])
def test_board_boots_from_what_was_deployed_and_only_changes_are_copied(
    kind, checkout, boards, capsys
) -> None:
    board = boards()
    options = ["--port", board.tty, *(["--source"] if kind == "py" else [])]
    count = len(SMALL)
    assert command(deploy, *options, "--log", "0.5") == 0
    out = capsys.readouterr().out
    assert f"{count} of {count} files copied" in out
    assert f"| hello from firmware/app.{kind}" in out
    assert {"boot.py", "main.py", f"lib/c1100/at.{kind}"} <= board.files()

    assert command(deploy, *options, "--log", "0.5") == 0
    out = capsys.readouterr().out
    assert f"0 of {count} files copied (0 bytes), 0 removed" in out
    assert f"| hello from firmware/app.{kind}" in out

    (checkout / "firmware" / "boards" / "base.py").write_text("CHANGED = 1\n")
    assert command(deploy, *options, "--no-reset") == 0
    assert f"1 of {count} files copied (" in capsys.readouterr().out
    assert b"CHANGED" in (board.flash / f"firmware/boards/base.{kind}").read_bytes()
    assert len(board.files()) == count


def test_the_real_firmware_starts_from_what_was_deployed(boards, capsys) -> None:
    board = boards()
    (board.flash / "config.json").write_text('{"id": "x"}')
    assert command(deploy, "--port", board.tty, "--log", "1.5") == 0
    out = capsys.readouterr().out
    # The configuration is checked by the firmware itself, which by then has loaded.
    assert "mqtt" in out[out.index("|") :], out


def test_a_configuration_that_keeps_the_board_from_starting_is_refused(
    boards, capsys, monkeypatch
) -> None:
    board = boards()
    (board.flash / "config.json").write_text('{"id": "x", "mqtt": {"host": "h"}}')
    about = Connection.about
    esp32 = "Generic ESP32 module with ESP32"
    monkeypatch.setattr(Connection, "about", lambda self: replace(about(self), machine=esp32))
    assert command(deploy, "--port", board.tty, "--no-reset") == 1
    said = capsys.readouterr()
    assert "config.json of the board: uart.tx: without it UART 1 of an esp32 has pin 10" in (
        said.out + said.err
    )
    assert board.files() == {"config.json"}


def test_a_source_never_hides_the_compiled_module_beside_it(checkout, boards) -> None:
    board = boards()
    for options, suffix in ((["--source"], "py"), ([], "mpy"), (["--source"], "py")):
        assert command(deploy, "--port", board.tty, "--no-reset", *options) == 0
        modules = board.files() - {"boot.py", "main.py"}
        assert len(modules) == len(SMALL) - 2
        assert {name.rpartition(".")[2] for name in modules} == {suffix}


def test_prune_removes_what_was_ours_and_nothing_else(checkout, boards, capsys) -> None:
    board = boards()
    (checkout / "firmware" / "old").mkdir()
    (checkout / "firmware" / "old" / "thing.py").write_text("")
    assert command(deploy, "--port", board.tty, "--no-reset") == 0
    (checkout / "firmware" / "old" / "thing.py").unlink()
    others = {"config.json", "secrets.json", "outbox/1", "lib/other/__init__.py", "starts"}
    for name in others:
        (board.flash / name).parent.mkdir(parents=True, exist_ok=True)
        (board.flash / name).write_text("{}")
    assert command(deploy, "--port", board.tty, "--no-reset") == 0
    out = capsys.readouterr().out
    assert "no longer needed (--prune removes them): firmware/old/thing.mpy" in out
    assert "firmware/old/thing.mpy" in board.files()
    assert command(deploy, "--port", board.tty, "--no-reset", "--prune") == 0
    assert not (board.flash / "firmware" / "old").exists()
    assert others <= board.files()
    assert len(board.files()) == len(SMALL) + len(others)


def test_a_tray_of_boards_one_of_which_is_missing(checkout, boards, capsys, tmp_path) -> None:
    first, second = boards(), boards()
    missing = tmp_path / "ttyNONE"
    options = ["--port", first.tty, "--port", second.tty, "--port", missing, "--wait", "1"]
    assert command(deploy, *options, "--no-reset") == 1
    out = capsys.readouterr().out
    assert first.files() == second.files()
    assert len(first.files()) == len(SMALL)
    for board in (first, second):
        assert f"{board.tty}: {len(SMALL)} of {len(SMALL)} files copied" in out
    assert f"{missing}: FAILED: there is no such port (serial ports here: " in out


def test_a_port_without_micropython_is_named() -> None:
    master, slave = pty.openpty()
    try:
        with pytest.raises(DeployError, match=r"no MicroPython prompt.*right port.*sleep"):
            Connection(os.ttyname(slave), wait_s=1)
    finally:
        os.close(master)
        os.close(slave)


def test_a_node_that_sleeps_is_met_at_its_wake(checkout, boards) -> None:
    board = boards()
    main = "import machine, time\ntime.sleep(0.4)\nmachine.deepsleep(1500)\n"
    (checkout / "main.py").write_text(main)
    assert command(deploy, "--port", board.tty, "--log", "0.5") == 0
    (checkout / "main.py").write_text("print('stays')\n")
    assert command(deploy, "--port", board.tty, "--wait", "10", "--no-reset") == 0
    assert "stays" in (board.flash / "main.py").read_text()


def test_a_board_left_in_raw_mode_by_another_tool_answers(boards) -> None:
    board = boards()
    mpremote(board.tty, "exec", "kept = 1")  # leaves it there
    with Connection(board.tty) as connected:
        assert connected.about().implementation == "micropython"


def test_files_of_another_version_than_the_board_loads_are_not_copied(
    checkout, boards, monkeypatch, capsys
) -> None:
    board = boards()
    monkeypatch.setattr(compiler, "emitted", lambda: Format(7, 0, ""))
    assert command(deploy, "--port", board.tty) == 1
    said = capsys.readouterr().out
    assert (
        f"{board.tty}: FAILED: the board loads .mpy version 6, mpy-cross makes version 7" in said
    )
    assert "or deploy with --source" in said
    assert board.files() == set()


def test_a_link_to_a_pty_will_do(boards, tmp_path) -> None:
    board = boards()
    link = tmp_path / "board"
    link.symlink_to(board.tty)
    with Connection(str(link)) as connected:
        about = connected.about()
    assert about.implementation == "micropython"
    assert Format.of(about.mpy) == X64
    assert about.free
    assert len(bytes.fromhex(about.unique_id)) == 6


def test_what_does_not_fit_is_said_before_anything_is_written(tmp_path, capsys) -> None:
    with serving(Board(flash_image(tmp_path / "flash.bin", blocks=16))) as real:
        tty = real.runner.console.name
        assert command(deploy, "--port", tty, "--no-reset") == 1
        assert "bytes of flash are needed and" in capsys.readouterr().out
        with Connection(tty) as board:
            assert board.tree(["boot.py", "lib/c1100"]) == {}


class Interrupted(Exception):
    """Stands for a cable that was pulled."""


def test_an_interrupted_deployment_leaves_whole_files_and_no_main(
    checkout, boards, monkeypatch, capsys
) -> None:
    board = boards()
    assert command(deploy, "--port", board.tty, "--no-reset") == 0
    before = (board.flash / "firmware/app.mpy").read_bytes()
    (checkout / "firmware/app.py").write_text("NEW = 'long enough for two pieces' * 20\n" * 30)
    (checkout / "main.py").write_text("print('new main')\n")

    def pulled(self: Report, count: int) -> None:
        raise Interrupted

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(Report, "advance", pulled)
        command(deploy, "--port", board.tty)
    assert (board.flash / "firmware/app.mpy").read_bytes() == before
    assert "main.py" not in board.files()
    assert command(deploy, "--port", board.tty, "--log", "0.5") == 0
    assert "new main" in capsys.readouterr().out
    assert len(board.files()) == len(SMALL)  # nothing is left over
    assert b"two pieces" in (board.flash / "firmware/app.mpy").read_bytes()


def test_a_write_that_did_not_take_is_found_and_does_not_replace(
    checkout, boards, monkeypatch, capsys
) -> None:
    board = boards()
    write = SerialTransport.fs_writefile

    def worn_out(self, dest, data, **options):
        write(self, dest, data[:-1], **options)

    with monkeypatch.context() as patch:
        patch.setattr(SerialTransport, "fs_writefile", worn_out)
        assert command(deploy, "--port", board.tty, "--no-reset") == 1
    assert "firmware/__init__.mpy" not in board.files()
    assert "lib/c1100/__init__.mpy does not read back as written" in capsys.readouterr().out


def test_a_board_that_is_too_old(boards, monkeypatch) -> None:
    board = boards()
    monkeypatch.setattr(connection, "LEAST_VERSION", (9, 0))
    with Connection(board.tty) as connected, pytest.raises(DeployError, match=r"9\.0 is needed"):
        connected.about()


def test_version_and_architecture_of_a_board() -> None:
    assert Format.of(2822) == X64
    assert Format.of(6 | 3 << 8 | 10 << 10) == Format(6, 3, "xtensawin")
    assert Format.of(6) == Format(6, 0, "")
    with pytest.raises(DeployError, match="architecture 13 is newer"):
        Format.of(6 | 13 << 10)
    compiler.check(X64)
    with pytest.raises(DeployError, match=r"loads .mpy version 5.*newer MicroPython.*--source"):
        compiler.check(Format(5, 0, ""))
    with pytest.raises(DeployError, match="install a newer mpy-cross"):
        compiler.check(Format(7, 0, ""))
    with pytest.raises(DeployError, match=r"loads no \.mpy files: use --source"):
        deploy.contents(0, source=False)


def test_native_code_is_compiled_for_the_board_only(tmp_path: Path) -> None:
    source = tmp_path / "fast.py"
    source.write_text("import micropython\n@micropython.native\ndef f(): return 1\n")
    files = {"firmware/fast.py": source}
    native = compiler.compiled(files, X64)["firmware/fast.mpy"]
    assert native[2] >> 2 == compiler.ARCHITECTURES.index("x64")
    with pytest.raises(DeployError, match="mpy-cross does not compile"):
        compiler.compiled(files, Format(6, 3, ""))
    with pytest.raises(DeployError, match=r"native code for armv7m.*the board runs x64"):
        other = compiler.compiled(files, Format(6, 3, "armv7m"))["firmware/fast.mpy"]
        compiler._check_header("firmware/fast.py", other, X64)
    with pytest.raises(DeployError, match="SyntaxError"):
        source.write_text("def (\n")
        compiler.compiled(files, X64)
