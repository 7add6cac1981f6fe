"""The operator's side of commands: what is typed, what waits at the broker, what is told."""
