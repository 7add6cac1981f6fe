"""Wakes of a node without module and network, on CPython and on MicroPython: the firmware's own
app.py, its files and its queue; a board that remembers, and a session that delivers to a list.

    life = Life()
    life.wake()                 # True: the node has slept
    life.delivered, life.slept_ms, life.trace
"""

import json
from binascii import hexlify

from firmware import (
    app,
    boards,
    clock,
    downlink,
    files,
    log,
    outbox,
    pin_guard,
    segment,
    state,
    trial,
)

KEY = bytes(range(16))
CONFIG = {
    "id": "n",
    "mqtt": {"host": "h"},
    "sample": {"period_s": 300},
    "report": {"period_s": 900},
    "log": {"level": "info"},
    "watchdog_s": 0,
    "outbox": {"bytes": 16384},
}
SECRETS = {"pin": "1234", "commands": {"key": hexlify(KEY).decode()}}
# What opens, renames, removes.
MODULES = (app, files, outbox, segment, log)
_BEGIN = 1800000000


class Slept(BaseException):
    """The board is in deep sleep."""


class Board:
    """Remembers as RTC memory does."""

    def __init__(self, life):
        self._life = life

    def load(self):
        return self._life.memory

    def store(self, data):
        assert len(data) <= 68
        self._life.memory = bytes(data)

    def reset_cause(self):
        return self._life.cause

    def volts(self, name):
        return None

    def watchdog(self, ms):
        return self

    def feed(self):
        pass

    def sleep(self, ms, ring=False):
        self._life.slept_ms = ms
        raise Slept

    def light_sleep(self, ms, ring=False):
        life = self._life
        if not life.light_sleeps:
            self.sleep(ms)
        life.light_sleeps -= 1
        life.now += max(ms // 1000, 1)


class Session:
    """What is due, as firmware/session.py has it, by an uplink that is a list."""

    life = None

    def __init__(self, node, names):
        self._node = node
        self._names = names

    async def run(self):
        node, life = self._node, self.life
        node.keep_samples()
        if "report" not in self._names or not life.network:
            return
        pin = pin_guard.allowed(node.settings["pin"], node.state)
        life.pins.append(pin)
        if pin == life.wrong_pin and pin is not None:
            pin_guard.refuse(pin, node.state)
            return
        sent = 0
        while True:
            batch = node.outbox.peek(512)
            if not batch:
                break
            life.delivered += batch
            node.outbox.ack(batch[-1][0])
            sent += len(batch)
        node.delivered(sent > 0)
        await self._listen()

    async def _listen(self):
        """One ping, as downlink.py takes it."""
        life = self.life
        counter = downlink._stored_counter()
        life.counters.append(counter)
        if counter is not None:
            try:
                files.store(downlink._COUNTER_FILE, b"%d" % (counter + 1))
            except OSError as error:
                log.error("counter of commands not stored: %s", error)
        outcome = trial.outcome()
        if outcome is not None:
            life.outcomes.append(outcome)
            try:
                trial.forget()
            except OSError as error:
                log.error("outcome of the trial not removed: %s", error)


class Life:
    """memory    -- of the RTC
    cause     -- of the reset before a wake
    sensors   -- that are read in it
    light_sleeps -- so many before the board sleeps deeply
    network   -- whether there is one
    delivered -- [(sequence number, record)]
    crashes   -- errors that app.py had not expected
    """

    def __init__(self):
        self.memory = b""
        self.cause = "deepsleep"
        self.sensors = ()
        self.light_sleeps = 0
        self.network = True
        self.wrong_pin = None
        self.now = _BEGIN
        self.slept_ms = 0
        self.delivered = []
        self.pins = []
        self.counters = []
        self.outcomes = []
        self.crashes = []
        self.wakes = 0

    def wake(self):
        """One wake. Returns whether the node sleeps after it; it has the prompt if not."""
        self.wakes += 1
        kept = _replaced(self)
        try:
            app.main()
        except Slept:
            self.now += max(self.slept_ms // 1000, 1)
            return True
        finally:
            for module, name, value in kept:
                setattr(module, name, value)
            log.begin("off")  # what comes after this life is none of its business
            log._waiting.clear()
        return False

    def live(self, wakes):
        """So many wakes, each of which must end in sleep."""
        for _ in range(wakes):
            assert self.wake(), "the node is at its prompt"


def _replaced(life):
    """Put the life's own in place of the board, the clock and the session. Returns what was."""

    class Sessions(Session):
        pass

    Sessions.life = life

    def crash(error):
        life.crashes.append(error)

    def sleep(settings, ms):
        life.slept_ms = ms
        raise Slept

    new = (
        (boards, "board", lambda settings: Board(life)),
        (boards, "is_woken", lambda: life.cause == "deepsleep"),
        (clock, "now_s", lambda: life.now - clock.epoch()),
        (app, "_load_session", lambda *args: Sessions),
        (app, "forget", lambda node: None),  # it has no driver, and tests have one of their own
        (app, "SENSORS", life.sensors),
        (app, "_sleep", sleep),
        (app, "_safe_mode", lambda current: None),  # it lasts ten minutes
        (log, "crash", crash),
    )
    kept = [(module, name, getattr(module, name)) for module, name, _ in new]
    for module, name, value in new:
        setattr(module, name, value)
    log.told()
    return kept


def begin(write):
    """The files of a node that is provisioned; write(name, data)"""
    write("config.json", json.dumps(CONFIG).encode())
    write("secrets.json", json.dumps(SECRETS).encode())


def lived(life):
    """What a node does in some days, so that all its files are there: records that wait, some of
    a segment's confirmed, a setting on trial, a refused PIN of before, commands, a log.
    """
    life.wrong_pin = "1234"
    life.live(3)
    life.wrong_pin = None
    life.memory = b""
    pin_guard.refuse("9999", state.State())  # of a SIM before
    life.live(6)
    life.network = False
    life.live(30)
    trial.start("c1", "report.period_s", 600)
    life.network = True
    life.live(1)
    patient = state.unpack(life.memory)
    patient.hold = patient.failures = 0  # what goes wrong next shows in the next report
    life.memory = patient.pack()


def records(box_bytes=16384):
    """What waits in the queue that is there."""
    return dict(outbox.Outbox("outbox", box_bytes).peek(1 << 20))
