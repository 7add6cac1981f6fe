"""The driver alone as packages for `mip`, compiled: an index, and a tree for a release branch.

    python -m tools mip
    mpremote mip install --index http://HOST/PATH c1100      an index on any web server
    mpremote mip install github:OWNER/REPO@mpy               build/mip pushed as branch `mpy`

Without a branch, package.json at the top of the repository counts. It names the sources, as a
repository holds no build products, and mip compiles nothing; --update brings it up to date.
"""

import argparse
import hashlib
import json
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

from tools.deploy import DeployError, compiler, project

NAME = "c1100"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, default=Path("build/mip"), metavar="DIR",
                        help="default build/mip")  # fmt: skip
    parser.add_argument("--update", action="store_true",
                        help="only write the repository's package.json")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Build. Returns 0, or 1 when it cannot be built."""
    try:
        if args.update:
            (project.ROOT / "package.json").write_text(source_package())
            return 0
        count = build(args.out)
    except (DeployError, OSError) as error:
        print(f"mip: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {count} modules of {NAME} {_version()}")
    return 0


def source_package() -> str:
    """What package.json at the top of the repository must hold."""
    return _package({target: f"lib/{target}" for target in _sources()})


def build(out: Path) -> int:
    """Write index and release tree into a folder. Returns how many modules there are.

    The index has the layout of https://micropython.org/pi/v2 (micropython-lib, tools/build.py):
    package/<.mpy version or py>/<name>/<version>.json with hashes, and file/<hash>. The driver has
    nothing native, so one .mpy serves all architectures. Raises DeployError.
    """
    sources = _sources()
    form = replace(compiler.emitted(), arch="")
    mpy = compiler.compiled(sources, form)
    plain = {target: path.read_bytes() for target, path in sources.items()}
    for kind, files in ((str(form.version), mpy), ("py", plain)):
        listed = {"v": 1, "version": _version(), "hashes": [
            [target, _stored(out, data)] for target, data in files.items()
        ]}  # fmt: skip
        for version in (_version(), "latest"):
            _write(out / "package" / kind / NAME / f"{version}.json", json.dumps(listed).encode())
    for target, data in mpy.items():
        _write(out / target, data)
    _write(out / "package.json", _package({target: target for target in mpy}).encode())
    return len(mpy)


def _sources() -> dict[str, Path]:
    prefix = "lib/"
    return {
        target.removeprefix(prefix): path for target, path in project.sources().items()
        if target.startswith(f"{prefix}{NAME}/")
    }  # fmt: skip


def _version() -> str:
    return tomllib.loads((project.ROOT / "pyproject.toml").read_text())["project"]["version"]


def _package(urls: dict[str, str]) -> str:
    # URLs without a host are relative to package.json.
    return json.dumps({"version": _version(), "urls": list(urls.items())}, indent=2) + "\n"


def _stored(out: Path, data: bytes) -> str:
    short = hashlib.sha256(data).hexdigest()[:8]
    _write(out / "file" / short[:2] / short, data)
    return short


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
