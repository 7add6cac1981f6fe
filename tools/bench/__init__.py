"""Figures of the project, measured by running it: `python -m tools bench`."""
