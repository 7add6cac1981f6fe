"""A node's life under mixed faults: `python -m host_tests.campaign`, a short one in the suite."""
