# One wake of the node, in steps between which everything that is not used is collected: this port
# collects only when nothing runs.
import asyncio
from asyncio import core

import time

core._schedule_run_iter = lambda ms: None  # the bench runs the loop
core.new_event_loop()
node = session = task = None


def load(name):
    __import__("firmware." + name)


def as_a_board():
    import firmware.boards

    firmware.boards._MODULES["webassembly"] = "esp32"


def begin():
    global node
    from firmware import app, config, last_good, log

    settings, problem = last_good.settings()
    log.begin(settings["log.level"], [settings[key] for key in config.SECRETS])
    node = app.Node(settings, problem)


def load_session():
    global session
    from firmware import app

    session = app._load_session(node, ["sample", "report"])
    assert session


def work():
    global task
    from firmware import app

    task = asyncio.create_task(app._work(node, ["sample", "report"], session, None))


def step():
    # Runs what is due, and lets time pass until something is. Returns whether that was not all.
    first = core._task_queue.peek()
    if first is None:
        return False
    time.pass_ms(time.ticks_diff(first.ph_key, time.ticks_ms()))
    core._run_iter()
    return True


def end():
    # Returns what the node has done.
    from firmware import state

    node.remember()
    state.finish(node.board, node.state)
    return " ".join(node.done)
