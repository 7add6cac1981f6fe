# One wake of the node, in steps between which everything that is not used is collected: this port
# collects only when nothing runs.
import asyncio
import sys
from asyncio import core

import time

core._schedule_run_iter = lambda ms: None  # the bench runs the loop
core.new_event_loop()
node = task = None
names = ["sample", "report"]  # of jobs that are due


def load(name):
    __import__("firmware." + name)


def as_a_board():
    from firmware import boards
    from firmware.boards import esp32

    boards.board = esp32.Board


def begin():
    global node
    from firmware import app, last_good, log, unload

    found, problem = last_good.settings()  # as app.py does it
    settings = app.Settings(found)
    del found
    last_good.release()
    log.begin(settings["log.level"], [settings[key] for key in last_good.SECRETS])
    unload("last_good", "trial")
    del last_good
    node = app.Node(settings, problem)


def work():
    global task
    from firmware import app

    task = asyncio.create_task(app.work(node, names, None))


def step():
    # One turn of one task, when time has passed until it is due. Returns whether there was one.
    queue = core._task_queue
    if queue.peek() is None:
        return False
    turn = core.cur_task = queue.pop()
    time.pass_ms(time.ticks_diff(turn.ph_key, time.ticks_ms()))
    thrown, turn.data = turn.data, None
    try:
        if thrown:
            turn.coro.throw(thrown)
        else:
            turn.coro.send(None)
    except (asyncio.CancelledError, Exception) as end:
        waiting, turn.state = turn.state, None
        if waiting is not True:  # others wait for its end
            turn.state = False
            while waiting.peek():
                queue.push(waiting.pop())
        turn.data = end
    return True


def over():
    # As app.py does it.
    global task
    from firmware import app

    if not isinstance(task.data, StopIteration):
        sys.print_exception(task.data)
    core.new_event_loop()
    task = core.cur_task = None
    app.forget(node)


def end():
    # Returns what the node has done.
    from firmware import log, state

    node.plan()
    node.remember()
    state.finish(node.board, node.state)
    log.flush()
    return " ".join(node.done)


def sleep(seconds):
    time.pass_ms(seconds * 1000)
