"""A live view of nodes: last report, battery, signal, backlog, recovery events.

    python -m tools monitor --broker broker.example:1883
    python -m tools monitor --broker broker.example:1883 --web 8080 --no-terminal

The web page shows the same, a map of GNSS positions and what each value was over time; it is
served on this machine only, unless --host says otherwise. A password comes from $MQTT_PASSWORD, or
is asked for.

--store FILE keeps what the nodes have said: it is there again when the monitor is started again.
Without it everything is in memory, also with --web: nothing is written to a disk that nobody has
named, and what the nodes of two brokers have said is not mixed in one file.
"""

import argparse
import asyncio
import contextlib
import getpass
import math
import os
import signal
import sys
from pathlib import Path

from tools import failure
from tools.broker import BrokerError, address, reach
from tools.monitor import web
from tools.monitor.database import StoreError
from tools.monitor.feed import Feed
from tools.monitor.model import Fleet
from tools.monitor.store import KEEP_DAYS, Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--broker", required=True, type=address, metavar="HOST[:PORT]",
                        help="MQTT broker")  # fmt: skip
    parser.add_argument("--user", default="", help="name at the broker")
    parser.add_argument("--web", type=_port, metavar="PORT",
                        help="serve the page at this port (0: a free one)")  # fmt: skip
    parser.add_argument("--host", default="127.0.0.1", help="for --web (127.0.0.1)")
    parser.add_argument("--no-terminal", action="store_true", help="only the web page")
    parser.add_argument("--store", type=Path, metavar="FILE",
                        help="keep what the nodes say (default: in memory)")  # fmt: skip
    parser.add_argument("--keep", type=_days, default=KEEP_DAYS, metavar="DAYS",
                        help=f"in the store ({KEEP_DAYS:g}), 1 GB at most")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Show until q, Ctrl-C or SIGTERM. Returns 0, 1 when a port is taken, 2 for wrong options."""
    if args.no_terminal and args.web is None:
        print("monitor: --no-terminal needs --web PORT", file=sys.stderr)
        return 2
    password = os.environ.get("MQTT_PASSWORD", "")
    if args.user and not password:
        password = getpass.getpass(f"password of {args.user}: ")
    try:
        # Later it comes back by itself; one that cannot be reached at first is the wrong one.
        reach(args.broker)
        with contextlib.ExitStack() as stack:
            fleet = Fleet()
            store, problem = _stored(stack, args, fleet)
            feed = Feed(fleet, args.broker, args.user, password, store, problem)
            stack.enter_context(feed)
            feed.wait()
            if feed.refused:
                raise BrokerError(feed.state)
            asyncio.run(_show(feed, args))
    except KeyboardInterrupt:
        return 0
    except BrokerError as error:
        print(f"monitor: {failure.words(error)}", file=sys.stderr)
        return 1
    return 0


def _stored(
    stack: contextlib.ExitStack, args: argparse.Namespace, fleet: Fleet
) -> tuple[Store | None, str]:
    """The store that was asked for, read back into the fleet; else why there is none. What the
    nodes say now is shown all the same.
    """
    if args.store is None:
        return None, ""
    try:
        store = stack.enter_context(Store(args.store, args.keep))
        store.load(fleet)
    except StoreError as error:
        stack.close()
        print(f"monitor: nothing is kept: {error}", file=sys.stderr, flush=True)
        return None, str(error)
    return store, ""


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 < days <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days above 0")
    return days


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number up to 65535")
    return int(text)


async def _show(feed: Feed, args: argparse.Namespace) -> None:
    port = 0
    async with contextlib.AsyncExitStack() as stack:
        if args.web is not None:
            runner = await web.serve(
                web.application(feed.snapshot, feed.history, feed.mark), args.host, args.web
            )
            stack.push_async_callback(runner.cleanup)
            port = runner.addresses[0][1]  # of --web 0 it is a free one
        if args.no_terminal:
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            print(f"http://{args.host}:{port}/ -- Ctrl-C ends it", flush=True)
            await stop.wait()
        else:
            from tools.monitor.terminal import Monitor

            await Monitor(feed.snapshot).run_async()
