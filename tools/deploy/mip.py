"""The driver alone as packages for `mip`, compiled: an index, and a tree for a release branch.

    python -m tools mip
    mpremote mip install --index http://HOST/PATH c1100      an index on any web server
    mpremote mip install github:OWNER/REPO@mpy               build/mip pushed as branch `mpy`

Only what is used: c1100-core, c1100-mqtt, c1100-http, c1100-sockets, c1100-gnss, c1100-lwm2m,
c1100-ppp, c1100-power (parts.py), each with the core.

    mpremote mip install --index http://HOST/PATH c1100-mqtt
    mpremote mip install github:OWNER/REPO/c1100-mqtt.json@mpy
    mpremote mip install github:OWNER/REPO/lib/c1100-mqtt.json

    python -m tools mip --node field-17

brings what a node's sensors.txt names into its lib/, a package in each line, as `mpremote mip
install` takes them: it is a list and no manifest.py, because nothing is frozen, and a list can be
read without running it.

Without a branch, package.json at the top of the repository counts, and the .json files in lib/.
They name the sources, as a repository holds no build products, and mip compiles nothing; --update
brings them up to date, and gives driver and firmware the version of pyproject.toml.
"""

import argparse
import hashlib
import json
import re
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

from tools import failure
from tools.deploy import DeployError, compiler, parts, project
from tools.deploy.parts import NAME
from tools.own import folder
from tools.power.wording import count

SAY_VERSION = {"lib/c1100/__init__.py": "__version__", "firmware/version.py": "VERSION"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, default=Path("build/mip"), metavar="DIR",
                        help="default build/mip")  # fmt: skip
    folder.add_argument(parser, "install what its sensors.txt names into its lib/")
    parser.add_argument("--index", metavar="URL", help="of packages without an address (--node)")
    parser.add_argument("--update", action="store_true",
                        help="only write package.json, lib/*.json and the version")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Build. Returns 0, or 1 when it cannot be built."""
    try:
        if args.update:
            if not project.IS_A_CLONE:
                raise DeployError("--update is for a clone of the project")
            for path, text in (versioned() | source_packages()).items():
                (project.ROOT / path).write_text(text)
            return 0
        if args.node:
            return _install(folder.Folder.at(args.node), args.index)
        modules = build(args.out)
    except (DeployError, OSError) as error:
        print(f"mip: {failure.words(error)}", file=sys.stderr)
        return 1
    print(f"{args.out}: {count(modules, 'module')} of {NAME} {_version()}")
    return 0


def _install(node: folder.Folder, index: str | None) -> int:
    """mpremote's own mip, into the folder."""
    from tools.own import packages  # mpremote takes its time

    target = node.path / folder.LIBRARIES
    if not node.packages():
        print(f"{node.path / folder.PACKAGES} names no package")
        return 0
    target.mkdir(exist_ok=True)
    for package, files in packages.install(node, index).items():
        print(f"{package}: {', '.join(files)} in {target}")
    return 0


def source_packages() -> dict[str, str]:
    """The packages of sources that the repository must hold: path -> text."""
    packages = {"package.json": _package({target: f"lib/{target}" for target in _sources()})}
    for part in parts.modules():
        named = {target: target for target in parts.files(part)}
        packages[f"lib/{NAME}-{part}.json"] = _package(named)
    return packages


def versioned() -> dict[str, str]:
    """What says its version on a board, with that of the project: path -> text."""
    texts = {
        path: (project.ROOT / path).read_text()
        for path in SAY_VERSION if (project.ROOT / path).is_file()
    }  # fmt: skip
    return {
        path: re.sub(f'^{SAY_VERSION[path]} = "[^"]*"', f'{SAY_VERSION[path]} = "{_version()}"',
                     text, count=1, flags=re.MULTILINE)
        for path, text in texts.items()
    }  # fmt: skip


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
    packages = {NAME: {target.removesuffix(".py") for target in sources}}
    for part in parts.modules():
        packages[f"{NAME}-{part}"] = {t.removesuffix(".py") for t in parts.files(part)}
    for kind, files in ((str(form.version), mpy), ("py", plain)):
        for name, wanted in packages.items():
            listed = {"v": 1, "version": _version(), "hashes": [
                [target, _stored(out, data)] for target, data in files.items()
                if target.rpartition(".")[0] in wanted
            ]}  # fmt: skip
            for version in (_version(), "latest"):
                path = out / "package" / kind / name / f"{version}.json"
                _write(path, json.dumps(listed).encode())
    for target, data in mpy.items():
        _write(out / target, data)
    for name, wanted in packages.items():
        chosen = {target: target for target in mpy if target.rpartition(".")[0] in wanted}
        file = "package.json" if name == NAME else f"{name}.json"
        _write(out / file, _package(chosen).encode())
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
    with failure.naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
