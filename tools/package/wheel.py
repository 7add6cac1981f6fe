"""A wheel of files that need no compiler (binary distribution format 1.0)."""

import base64
import hashlib
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

_KIND = "Wheel-Version: 1.0\nGenerator: c1100\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Wheel:
    """metadata -- fields of the core metadata, a list for one that may come several times
    description -- its body
    """

    def __init__(self, metadata: Mapping[str, str | list[str]], description: str) -> None:
        name = re.sub(r"[-_.]+", "_", str(metadata["Name"])).lower()
        self.stem = f"{name}-{metadata['Version']}"
        lines = ["Metadata-Version: 2.1"]
        for field, value in metadata.items():
            lines += [f"{field}: {v}" for v in ([value] if isinstance(value, str) else value)]
        self.metadata = "\n".join(lines) + f"\n\n{description}"
        self._files: dict[str, bytes] = {}
        self.about("METADATA", self.metadata)
        self.about("WHEEL", _KIND)

    def add(self, name: str, data: bytes) -> None:
        """A file, by its path below site-packages."""
        self._files[name] = data

    def about(self, name: str, text: str) -> None:
        """A file of .dist-info."""
        self.add(f"{self.stem}.dist-info/{name}", text.encode())

    def write(self, folder: Path) -> str:
        """Returns the file's name."""
        name = f"{self.stem}-py3-none-any.whl"
        record = f"{self.stem}.dist-info/RECORD"
        lines = [f"{file},{_digest(data)},{len(data)}" for file, data in self._files.items()]
        # What is about the wheel comes last, so that it is found at once.
        files = sorted(self._files.items(), key=lambda item: (".dist-info/" in item[0], item[0]))
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for file, data in (*files, (record, "\n".join([*lines, f"{record},,", ""]).encode())):
                info = zipfile.ZipInfo(file)  # of 1980: the same sources, the same file
                info.external_attr = 0o644 << 16
                archive.writestr(info, data, zipfile.ZIP_DEFLATED)
        return name


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.decode().rstrip('=')}"
