"""Ways to deliver telemetry: one file each, with a class of the same small interface."""
