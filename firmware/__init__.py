"""The application: one wake of a telemetry node. Knows the driver's public API and a Board."""
