"""Every flow end to end: driver on MicroPython, virtual C1100, a real peer."""
