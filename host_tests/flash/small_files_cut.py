"""Run by MicroPython: the small files on a real LittleFS whose supply is cut at every write.

A life with commands is recorded write by write: counters, settings on trial that are kept or taken
back, copies of the configuration, and the log through several turns of its two files. Then the
node starts on what each loss of power has left. Prints one JSON object.
"""

import json
import os
import sys

HOME = os.getenv("COMPILED", ".")  # compiled.py
sys.path[:0] = [HOME, HOME + "/lib"]

from firmware import config, files, last_good, log, trial, trials  # noqa: E402
from host_tests.flash import journal as chip  # noqa: E402

BLOCKS = 32
AT = "/cut/"
PORTS = 12
LINES_A_WAKE = 8


def line(number):
    return "line %05d of the log, long enough to fill it soon" % number


def record():
    """One run. Returns (flash before, journal, promises): (writes by then, what, value)."""
    flash = chip.empty(BLOCKS)
    chip.mount(flash)
    with open(AT + "config.json", "w") as file:
        json.dump({"id": "n", "mqtt": {"host": "h", "port": 2000}}, file)
    last_good.settings(AT)
    log.begin("info", [], AT)
    before = bytes(flash.data)
    flash.journal = journal = []
    promises = []

    def promise(what, value):
        promises.append((len(journal), what, value))

    told = 0
    for port in range(2001, 2001 + PORTS):
        promise("counter begun", port)
        files.replace(AT + "commands.counter", b"%d" % port)
        promise("counter", port)
        promise("port begun", port)
        trial.start("c", "mqtt.port", port, AT)
        trial.count(AT)
        if port % 3:
            trial.keep(AT)
            promise("port", port)
            last_good.delivered(AT)
        else:
            trial.take_back("for the test", AT)
            promise("port", port - 1)
        trial.forget(AT)
        for _ in range(LINES_A_WAKE):
            told += 1
            log._keep(3, line(told))
        promise("log begun", told)
        log.flush()
        promise("log", told)
    return before, journal, promises


def value(promises, writes, what):
    """What was last promised when so many writes had been done."""
    return max([number for at, name, number in promises if name == what and at <= writes] or [0])


def check(data, promises, writes):
    """What is wrong with a flash after so many writes: a list of words."""
    chip.mount(chip.Flash(data))
    wrong = []
    counter = int(files.read(AT + "commands.counter") or b"0")
    if not value(promises, writes, "counter") <= counter:
        wrong.append("counter")
    if counter > value(promises, writes, "counter begun"):
        wrong.append("counter ahead")
    settings, problem = last_good.settings(AT)
    last = [number for at, name, number in promises if name == "port" and at <= writes]
    allowed = (last[-1] if last else 2000, value(promises, writes, "port begun"))
    if problem or settings["mqtt.port"] not in allowed:
        wrong.append("settings")
    ended = trials._read(AT)
    if ended is not None and ended["state"] != trial.TRYING:
        kept = settings["mqtt.port"] == ended["value"]
        if kept != (ended["state"] == trial.KEPT):
            wrong.append("outcome")
    log.begin("info", [], AT)
    log._waiting.clear()
    numbers = [int(text.split()[4]) for text in log.lines()]
    newest = numbers[-1] if numbers else 0
    if not value(promises, writes, "log") <= newest <= value(promises, writes, "log begun"):
        wrong.append("log lost")
    if numbers != list(range(newest - len(numbers) + 1, newest + 1)):
        wrong.append("log disordered")
    # And life goes on.
    trial.start("c", "mqtt.port", 3000, AT)
    trial.keep(AT)
    last_good.delivered(AT)
    files.replace(AT + "commands.counter", b"9999")
    log._keep(3, line(newest + 1))
    log.flush()
    if config.load(AT)["mqtt.port"] != 3000 or files.read(AT + "commands.counter") != b"9999":
        wrong.append("stuck")
    if int(log.lines()[-1].split()[4]) != newest + 1:
        wrong.append("log stuck")
    return wrong


def main():
    before, journal, promises = record()
    wrong = []
    tried = 0
    for writes, data in chip.cuts(before, journal, 1):
        wrong += check(data, promises, writes)
        tried += 1
    print(json.dumps({"writes": len(journal), "cuts": tried, "wrong": wrong}))


main()
