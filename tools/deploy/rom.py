"""A board's partition for ROMFS: asked for, written and looked at over its prompt.

The first block makes an image one (without it a board mounts nothing), so it is written last: a
deployment that is interrupted leaves no ROMFS, never half of one. `rom_ioctl` is that of
MicroPython's extmod/vfs_rom_ioctl.h; the partition is memory, or a block device (ESP32).
"""

import ast
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from tools.deploy import DeployError, project, romfs
from tools.deploy.connection import Connection

CHUNK = 4096
PREPARE = 32768  # at a time: erasing takes a while, and the board says nothing meanwhile

_FIND = """\
import vfs
r = None
if hasattr(vfs, 'rom_ioctl') and vfs.rom_ioctl(1) > 0:
 d = vfs.rom_ioctl(2, 0)
 if not isinstance(d, int):
  if hasattr(d, 'ioctl'):
   b = d.ioctl(5, 0)
   r = d.ioctl(4, 0) * b, b, True
  else:
   b = vfs.rom_ioctl(6, 0)
   r = len(d), b if b > 0 else len(d), False
print(repr(r))
"""
# Of a partition `d`: e(begin, size) erases, w(begin, bytes) writes; either raises OSError.
_DEVICE = """\
import vfs
from binascii import a2b_base64
from hashlib import sha256
try:
 vfs.umount('/rom')
except OSError:
 pass
d = vfs.rom_ioctl(2, 0)
def c(r):
 if r is not None and r < 0:
  raise OSError(-r)
"""
_MEMORY = """\
def e(a, n):
 c(vfs.rom_ioctl(3, 0, a, n))
def w(a, b):
 c(vfs.rom_ioctl(4, 0, a, b))
"""
_BLOCKS = """\
def e(a, n):
 for i in range(a // {block}, (a + n) // {block}):
  c(d.ioctl(6, i))
def w(a, b):
 c(d.writeblocks(a // {block}, b, a % {block}))
"""
_DIGEST = "print(sha256(memoryview(d)[{}:{}]).digest().hex())"
_ORIGIN = """\
import sys
for n in {!r}:
 try:
  print(repr((n, __import__(n).__file__)))
 except ImportError:
  print(repr((n, '')))
"""


@dataclass(frozen=True)
class Partition:
    """Sizes in bytes. `device`: a block device, not memory."""

    size: int
    block: int
    device: bool


def find(board: Connection) -> Partition | None:
    """The board's partition for ROMFS, None without one: its MicroPython is asked."""
    found = ast.literal_eval(board.run(_FIND))
    return None if found is None else Partition(*found)


def holds(board: Connection, image: bytes) -> bool:
    """Whether the board runs from this very image."""
    code = f"import vfs\nfrom hashlib import sha256\nd = vfs.rom_ioctl(2, 0)\n{_DIGEST}"
    said = board.run(code.format(0, len(image)))
    return said.strip() == sha256(image).hexdigest()


def write(board: Connection, at: Partition, image: bytes, progress: Callable[[int], None]) -> None:
    """Replace what is in the partition. progress(count): bytes written. Raises DeployError: then
    the board has no ROMFS, and the next deployment writes it.
    """
    data = (image + bytes(-len(image) % CHUNK))[: at.size]
    try:
        erase(board, at, len(data))
        for begin in [*range(CHUNK, len(data), CHUNK), 0]:
            if not begin:
                _verify(board, image, CHUNK)
            text = b2a_base64(data[begin : begin + CHUNK], newline=False)
            board.run(f"w({begin}, a2b_base64({text!r}))")
            progress(min(CHUNK, len(image) - begin))
        if not at.device:
            board.run("c(vfs.rom_ioctl(5, 0))")
        _verify(board, image, 0)
    except DeployError as error:
        why = str(error).splitlines()[-1]
        raise DeployError(f"ROMFS is not written, deploy again: {why}") from error


def erase(board: Connection, at: Partition, size: int = CHUNK) -> None:
    """Make the partition's first bytes ready to be written: then it holds no image."""
    methods = _BLOCKS.format(block=at.block) if at.device else _MEMORY
    board.run(_DEVICE + methods)
    size = min(at.size, -(-size // at.block) * at.block)
    step = max(at.block, PREPARE // at.block * at.block)
    for begin in range(0, size, step):
        board.run(f"e({begin}, {min(step, size - begin)})")


def _verify(board: Connection, image: bytes, begin: int) -> None:
    if board.run(_DIGEST.format(begin, len(image))).strip() != sha256(image[begin:]).hexdigest():
        raise DeployError("it does not read back as written; if that stays, the flash is worn")


def origins(board: Connection, modules: list[str]) -> dict[str, str]:
    """Module -> file that the board loads it from; "" where it does not load."""
    lines = board.run(_ORIGIN.format(modules)).splitlines()
    return dict(ast.literal_eval(line) for line in lines)


def others(tree: dict[str, str | None]) -> tuple[list[str], list[str]]:
    """The files at /rom (Connection.tree), as paths in it: of this project, and of others."""
    paths = [path.removeprefix(romfs.MOUNT + "/") for path, kind in tree.items() if kind]
    return [p for p in paths if project.ours(p)], [p for p in paths if not project.ours(p)]
