"""Host side of the project (CPython >= 3.11): `python -m tools --help`."""
