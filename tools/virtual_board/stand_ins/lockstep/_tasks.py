# asyncio's task queue and task on the virtual clock. The C ones of the interpreter stamp tasks
# with the host's clock, so the order of tasks that are due together would depend on the host. Same
# interface and order: by time, then in the order of arrival. Tasks are larger on the heap.
import sys

from _computing import free
from time import ticks_diff, ticks_ms


class TaskQueue:
    def __init__(self):
        self._tasks = []

    @free
    def peek(self):
        return self._tasks[0] if self._tasks else None

    @free
    def push(self, task, key=None):
        task.data = None
        task.ph_key = key = ticks_ms() if key is None else key
        tasks = self._tasks
        at = len(tasks)
        while at and ticks_diff(tasks[at - 1].ph_key, key) > 0:
            at -= 1
        tasks.insert(at, task)

    @free
    def pop(self):
        return self._tasks.pop(0)

    @free
    def remove(self, task):
        self._tasks.remove(task)


class Task:
    def __init__(self, coro, globals=None):
        self.coro = coro
        self.data = None  # what it waits on, the exception to throw into it, or its result
        self.state = True  # True: runs; TaskQueue: and others wait on it; None, False: finished
        self.ph_key = 0

    @free
    def __iter__(self):
        if not self.state:
            self.state = False  # its result has been asked for
        elif self.state is True:
            self.state = TaskQueue()
        elif not isinstance(self.state, TaskQueue):
            raise RuntimeError("can't wait")
        return self

    @free
    def __next__(self):
        if not self.state:
            raise self.data
        waiter = sys.modules["asyncio.core"].cur_task
        self.state.push(waiter)
        waiter.data = self

    @free
    def done(self):
        return not self.state

    @free
    def cancel(self):
        core = sys.modules["asyncio.core"]
        if not self.state:
            return False
        if self is core.cur_task:
            raise RuntimeError("can't cancel self")
        task = self
        while isinstance(task.data, Task):
            task = task.data  # it waits on that one, which is to be cancelled
        if hasattr(task.data, "remove"):
            task.data.remove(task)
            core._task_queue.push(task)
        elif ticks_diff(task.ph_key, ticks_ms()) > 0:
            core._task_queue.remove(task)
            core._task_queue.push(task)
        task.data = core.CancelledError
        return True
