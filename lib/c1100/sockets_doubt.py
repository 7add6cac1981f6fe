"""What a line of a socket may have told that cannot be read: it is found out later. Methods of
sockets.Sockets, loaded when first called.
"""

import asyncio

from . import at, dialect


def damaged(sockets, kind: int, number=None) -> None:
    """Bytes have come that cannot be read, for a socket or, without a number that can be, for
    any of a kind: a stream with a gap is none.
    """
    hit = [sockets.owner(number)] if sockets.exists(number) else list(sockets._open.values())
    error = at.BadAnswer("the header of data that came cannot be read", dialect.IP_DATA[kind])
    for socket in hit:
        if (
            socket is not None
            and socket.opened
            and (sockets.exists(number) or socket.kind == kind)
        ):
            socket.message_ended(error)


def waiting(sockets, kind: int, number: int) -> None:
    """The module keeps what has come for a socket until it is asked for (F): as an earlier
    life has told it to.
    """
    if sockets.owner(number) is not None:
        sockets.find_out(number, lambda: _fetch(sockets, kind, number))


async def _fetch(sockets, kind: int, number: int) -> None:
    """Read what is kept until there is no more. If there is nothing, it was a damaged header
    that looked like a notice.
    """
    asked = sockets._asked
    begin = asked.count
    count = -1
    try:
        while asked.count != count:
            count = asked.count
            await sockets.run(dialect.IP_READ, number, owner=sockets.owner(number))
    finally:
        if asked.count == begin:
            sockets.damaged(kind, number)


async def check(sockets) -> None:
    """Find out which connections the module still has: the line that told of an end may have
    been lost. Raises Timeout when it does not answer.
    """
    ours = list(sockets._open.values())
    try:
        free = await sockets._free(False)
    except at.Timeout:
        raise
    except at.C1100Error:
        return  # it is not known
    for socket in ours:
        if socket.opened and socket.number in free and sockets._open.get(socket.number) is socket:
            socket.lost(at.NotConnected("the module has closed the connection"))


def find_out(sockets, what, question) -> None:
    """Await question() later: a line that cannot be read may have told something. What it
    raises is no matter, because who waits asks again.
    """
    if sockets._open:
        sockets._todo[what] = question
        if sockets._finding is None:
            sockets._finding = asyncio.create_task(_find_out(sockets))


async def _find_out(sockets) -> None:
    try:
        while sockets._todo:
            _, question = sockets._todo.popitem()
            try:
                await question()
            except at.C1100Error:
                pass  # it is not known
    finally:
        sockets._finding = None
