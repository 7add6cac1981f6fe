"""`python -m tools virtual-board` and `demo` as a person runs and ends them."""

import signal
import subprocess
import sys
from pathlib import Path

from host_tests.patience import LIMIT_S

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "tools", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        # A suite that runs in the background has SIGINT ignored, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def test_virtual_board_serves_mpremote_until_it_is_ended(tmp_path: Path) -> None:
    link = tmp_path / "board"
    image = tmp_path / "flash.bin"
    board = start("virtual-board", "--lfs", str(image), "--blocks", "32", "--link", str(link))
    try:
        assert board.stdout is not None
        tty = board.stdout.readline().strip()
        assert link.readlink() == Path(tty)
        assert board.stdout.readline().endswith(f": python -m tools deploy --port {link}\n")
        code = "import os; print(os.statvfs('/')[2])"
        done = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", tty, "exec", code],
            capture_output=True, text=True, timeout=LIMIT_S, check=True,
        )  # fmt: skip
        assert done.stdout == "32\n"
        board.send_signal(signal.SIGINT)
        assert board.wait(LIMIT_S) == 0
    finally:
        board.kill()
        board.communicate()
    assert not link.is_symlink()
    assert image.stat().st_size == 32 * 4096


def test_virtual_board_names_what_it_cannot_open(tmp_path: Path) -> None:
    board = start("virtual-board", "--flash", str(tmp_path), "--uart", str(tmp_path / "no-tty"))
    output = board.communicate(timeout=LIMIT_S)[0]
    assert board.returncode == 1
    assert "virtual-board: cannot open the UART's tty" in output
    assert "Traceback" not in output


def test_ctrl_c_ends_the_demo_cleanly(tmp_path: Path) -> None:
    demo = start("demo", "--reports", "500", "--trace", str(tmp_path / "trace"))
    try:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "sampled [" in line:
                break
        demo.send_signal(signal.SIGINT)
        output = demo.communicate(timeout=LIMIT_S)[0]
    finally:
        demo.kill()
        demo.communicate()
    assert demo.returncode == 130
    assert output.rstrip().endswith("stopped")
    assert "Traceback" not in output
