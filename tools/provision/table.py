"""Tables of nodes as spreadsheets write them."""

import csv
from pathlib import Path

from tools.deploy import DeployError

DELIMITERS = ",;\t"
# What a byte order mark says of a file; without one it is UTF-8.
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, by the names in its first line.

    Commas, semicolons or tabs, whatever the first line has most of; UTF-8 or UTF-16. Raises
    DeployError for a file that is none, or has no rows.
    """
    data = path.read_bytes()
    coding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(coding)
    except UnicodeDecodeError as error:
        raise DeployError(f"{path} is no text in {coding}: {error}") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        raise DeployError(f"{path} has no nodes: a line of settings' names, then one for each")
    delimiter = max(DELIMITERS, key=lines[0].count)
    found = []
    for number, row in enumerate(csv.DictReader(lines, delimiter=delimiter), 2):
        if None in row:
            raise DeployError(f"{path}, line {number}: more columns than the first line names")
        found.append({(k or "").strip(): (v or "").strip() for k, v in row.items()})
    return found
