"""A ROMFS image of driver and firmware: a board runs their code in it, in place.

`vfs.VfsRom` (MicroPython 1.25) finds bytecode and strings of a .mpy in memory-mapped flash, so
that they need no heap, as if they were frozen. What a board writes, or its interpreter runs by
name, stays on its file system: config.json, secrets.json, outbox, boot.py, main.py.
"""

from mpremote.romfs import VfsRomWriter

from tools.deploy import DeployError, project

MAGIC = VfsRomWriter.ROMFS_HEADER
MOUNT = "/rom"  # where every port mounts it, before main.py (extmod/vfs.c)

Tree = dict[str, "Tree | bytes"]


def contents(files: dict[str, bytes]) -> dict[str, bytes]:
    """Of what belongs on a board, what goes into the image: path -> content."""
    return {
        path: data
        for path, data in files.items()
        if any(path.startswith(folder + "/") for folder in project.FOLDERS)
    }


def build(files: dict[str, bytes]) -> bytes:
    """The image. Raises DeployError when a name has characters that it cannot hold."""
    root: Tree = {}
    for path, data in files.items():
        *folders, name = path.split("/")
        at = root
        for folder in folders:
            inner = at.setdefault(folder, {})
            assert isinstance(inner, dict)
            at = inner
        at[name] = data
    writer = VfsRomWriter()
    try:
        _fill(writer, root)
    except UnicodeEncodeError as error:
        raise DeployError(f"{error.object!r} cannot be a name in a ROMFS: ASCII only") from error
    return writer.finalise()


def _fill(writer: VfsRomWriter, tree: Tree) -> None:
    for name, item in sorted(tree.items()):
        if isinstance(item, bytes):
            writer.mkfile(name, item)
        else:
            writer.opendir(name)
            _fill(writer, item)
            writer.closedir()
