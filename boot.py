"""Runs at every start, before main.py. Nothing here may fail: a board must always come up."""

import micropython

if hasattr(micropython, "alloc_emergency_exception_buf"):
    micropython.alloc_emergency_exception_buf(100)
