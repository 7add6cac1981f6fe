"""One wake of the node: firmware/app.py. A board without this file stays at its prompt."""

from firmware import app

app.main()
