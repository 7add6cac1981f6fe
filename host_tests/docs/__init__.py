"""README and docs are held to the code: what they print is run, what they name is there."""
