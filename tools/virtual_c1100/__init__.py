"""The C1100 module in software: its UART, its pins, and real network peers behind it."""

from tools.virtual_c1100.module import VirtualC1100
from tools.virtual_c1100.profile import Profile

__all__ = ["Profile", "VirtualC1100"]
