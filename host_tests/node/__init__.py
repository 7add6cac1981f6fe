"""The whole node in lockstep: the firmware on MicroPython, the virtual C1100, a real broker."""
