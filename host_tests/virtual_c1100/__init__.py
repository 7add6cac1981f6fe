"""Tests of the virtual C1100 by itself."""
