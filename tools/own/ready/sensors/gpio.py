"""A contact at a digital input: true while it is closed."""

import machine

SETTINGS = {
    "pin": (33, int, 0, 255),
    "name": ("contact", str, 1, 32),
    "closed": (0, int, 0, 1),
    "pull": ("up", ("up", "down", "none")),
}

_given = {}


def setup(node, settings):
    _given.update(settings)


def read(node):
    pulls = {"up": machine.Pin.PULL_UP, "down": machine.Pin.PULL_DOWN, "none": -1}
    pin = machine.Pin(_given["pin"], machine.Pin.IN, pulls[_given["pull"]])
    return [(_given["name"], None, pin.value() == _given["closed"])]
