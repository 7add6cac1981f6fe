"""A module that is asked in any order, and the oracle for what it has been made to say."""

import asyncio

from c1100 import at, dialect
from c1100.channel import COMMAND, Channel
from host_tests.support.streams import Module


class Talker(Module):
    """Says what its steps say to a command, and after them answers whatever is asked. Each
    AT+CSQ gets another number, so that an answer that is not its own shows.
    """

    def __init__(self, *steps):
        super().__init__(*steps)
        self.asked = 0

    def _hear(self, line):
        if self.steps:
            super()._hear(line)
            return
        self.heard.append(line)
        if line == "AT+CSQ":
            self.asked += 1
            self.say(b"+CSQ: %d,99\r\n0\r" % self.asked)
        elif line in ("AT+CGREG?", "AT+CEREG?"):
            self.say(line[2:8].encode() + b": 1,1\r\n0\r")
        elif line in ("AT", "ATV0", "ATE0"):
            self.say(b"0\r")
        else:
            self.say(b"4\r")


def open_channel(module):
    """A channel that is past its start-up."""
    channel = Channel(module)
    channel.mode = COMMAND
    channel.settings_lost = False
    channel.numeric = channel.quiet = True
    return channel


async def attempt(awaitable):
    """What it returns, or the kind of the driver's own error; any other error goes through."""
    try:
        return await awaitable
    except at.C1100Error as error:
        return type(error).__name__


async def sound(channel, module):
    """Whatever has come: the channel's tasks live, it waits for nothing, and the next commands
    get their own answers.
    """
    for task in channel._tasks:
        assert not task.done()
    for _ in range(2):
        values = await channel.ask(dialect.SIGNAL)
        assert values == [module.asked, 99], "%r, asked %d times" % (values, module.asked)
    assert channel._exchange is None and channel._deadline is None and channel._stale is None
    await asyncio.sleep_ms(0)
