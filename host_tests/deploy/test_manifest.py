"""manifest.py freezes all that is deployed, once, and nothing else.

No package that could be pinned here has MicroPython's own manifestfile.py; these are its functions
as its documentation (reference/manifest.html) describes them, as far as this manifest uses them.
"""

from tools.deploy import project


class Manifest:
    """Collects what a manifest names: path in the build -> file."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.included: list[str] = []

    def include(self, path: str) -> None:
        self.included.append(path)

    def package(self, name: str, base_path: str = ".") -> None:
        base = (project.ROOT / base_path).resolve()
        found = sorted((base / name).rglob("*.py"))
        assert found, f"package {name} is empty"
        for path in found:
            self._add(path.relative_to(base).as_posix(), str(path))

    def module(self, name: str, base_path: str = ".") -> None:
        path = (project.ROOT / base_path / name).resolve()
        assert path.is_file(), f"module {name} is missing"
        self._add(name, str(path))

    def _add(self, target: str, path: str) -> None:
        assert target not in self.files, f"{target} is frozen twice"
        self.files[target] = path


def test_manifest_freezes_everything_that_is_deployed_once() -> None:
    manifest = Manifest()
    names = {name: getattr(manifest, name) for name in ("include", "package", "module")}
    exec((project.ROOT / "manifest.py").read_text(), names)
    # Without it there would be no _boot.py, and no file system.
    assert manifest.included == ["$(PORT_DIR)/boards/manifest.py"]
    assert manifest.files == {
        target.removeprefix("lib/"): str(path) for target, path in project.sources().items()
    }
