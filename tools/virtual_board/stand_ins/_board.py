# Runs first in each life of the virtual board: loads the stand-ins, puts the board's own file
# system at "/", then does what a port's main() does with boot.py and main.py.
import json
import os
import random
import sys

import _link
import micropython
import vfs


class _Image:
    # Block device on a LittleFS image file; the handle outlives the unmounting of the host's root.
    def __init__(self, path, size):
        self._file = open(path, "r+b")
        self._size = size
        self._count = self._file.seek(0, 2) // size

    def readblocks(self, block, buf, offset=0):
        self._file.seek(block * self._size + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        self._file.seek(block * self._size + offset)
        self._file.write(buf)

    def ioctl(self, op, arg):
        if op == 4:
            return self._count
        if op == 5:
            return self._size
        return 0


def _file_system(flash):
    if "folder" in flash:
        return vfs.VfsPosix(flash["folder"])
    device = _Image(flash["image"], flash["block_size"])
    try:
        return vfs.VfsLfs2(device)
    except OSError:  # blank or broken: a board formats its flash
        vfs.VfsLfs2.mkfs(device)
        return vfs.VfsLfs2(device)


def _mount_rom():
    # As extmod/vfs.c does (mp_vfs_mount_romfs_protected): an erased partition is none.
    rom = sys.modules["vfs"]
    try:
        vfs.mount(vfs.VfsRom(rom.rom_ioctl(2, 0)), "/rom")
    except OSError:
        return
    sys.path[2:2] = ["/rom", "/rom/lib"]


def _run(name, namespace):
    try:
        with open(name) as f:
            code = f.read()
    except OSError:
        return
    try:
        exec(compile(code, name, "exec"), namespace)
    except SystemExit:
        _link.leave("R", "B", 1)  # as ports do: leaving boot.py or main.py is a soft reset
    except BaseException as e:
        sys.print_exception(e)


def start(namespace):
    """Become the board. `namespace` is that of __main__, which the prompt shows."""
    del namespace["_board"]
    about = json.loads(_link.answer())
    here = sys.path[0]
    if about["lockstep"]:
        sys.path[:] = [here + "/lockstep", here]
        import _computing

        _computing.start(about)  # before the modules that ask whether it counts
        import _port
        import _tasks

        sys.modules["_asyncio"] = _tasks  # not a module that a file may replace by itself
    else:
        sys.path[:] = [here + "/realtime", here]
        import _computing
        import _port
    _port.start(about)
    import machine
    import select
    import time

    machine._start(about)
    if about["rom"]:
        import _rom

        _rom._start(about["rom"])
        sys.modules["vfs"] = _rom  # not a module that a file may replace by itself
    random.seed(about["seed"])
    fs = _file_system(about["flash"])
    vfs.umount("/")
    vfs.mount(fs, "/")
    os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    if about["rom"]:
        _mount_rom()
    for name in ("_board", "_bus", "_computing", "_link", "_port", "_rom", "_tasks"):
        sys.modules.pop(name, None)
    try:
        os.stat("/lib")
    except OSError:
        os.mkdir("/lib")
    try:
        _link.send("G")
        _computing.begin()
        _run("boot.py", namespace)
        if not about["raw"]:
            _run("main.py", namespace)
    except KeyboardInterrupt:
        print("interrupted")  # between the two programs, where no traceback says anything
    while True:
        try:
            micropython.kbd_intr(-1)
            for _ in range(2):  # one that came just before is raised where the code jumps
                pass
            break
        except KeyboardInterrupt:
            print("interrupted")
    _link.send("E")
    os.putenv("MICROPYINSPECT", "1")  # now the prompt
