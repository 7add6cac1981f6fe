"""Sensors of a node's own that do anything but what they should, on the virtual board: the others
are reported, each bad one is told once, and after a hundred wakes nothing is left of any of them.
"""

import json
from itertools import pairwise

import pytest

from host_tests.node.test_leftovers import DRIFT

WAKES = 100
ENDLESS = ("hangs", "clings", "yields")
FINE = "def read(node):\n    return [({name!r}, None, 1)]\n"
# Told by the name of the file: what it holds, and what the event says of it, None: nothing.
RETURNS = {
    "none": ("None", "NoneType instead of a list"),
    "number": ("7", "int instead of a list"),
    "text": ("'text'", "str instead of a list"),
    "tuple_": ("(('t', None, 1),)", "tuple instead of a list"),
    "dict_": ("{'d': 1}", "dict instead of a list"),
    "pair": ("[('p', 1)]", "tuple instead of (name, unit, value)"),
    "items": ("[None, 7, 'x', {}, []]", "NoneType instead of (name, unit, value)"),
    "types": ("[(1, 2, 3)]", "tuple instead of (name, unit, value)"),
    "unit": ("[('u', 5, 1)]", "u is no value, or too long"),
    "nan": ("[('n', None, float('nan'))]", "n is no value, or too long"),
    "inf": ("[('i', None, -float('inf'))]", "i is no value, or too long"),
    "complex_": ("[('c', None, 1j)]", "c is no value, or too long"),
    "long": ("[('l', None, 'x' * 10000)]", "l is no value, or too long"),
    "many": ("[('m', None, n) for n in range(500)]", "500 values, allowed are 32"),
    "huge": ("[('h', None, 10 ** 20000)]", "h is no value, or too long"),
    "odd_int": ("[('o', None, 1 << 128)]", "o is no value, or too long"),
    "data": ("[('b', 'V', b'abc')]", "b is no value, or too long"),
    "nothing": ("[('', None, 1)]", "? is no value, or too long"),
    "spaced": ("[('a b', None, 1)]", "'a b' is no name"),
    "lines": ("[('a\\n\"}', None, 1)]", "is no name"),
    "accent": ("[('caf\\u00e9', None, 1)]", "is no name"),
    "dash": ("[('-a', None, 1)]", "'-a' is no name"),
    "wide": ("[('w' * 400, None, 1)]", " is no value, or too long"),
    "twice": ("[('t2', None, 1), ('t2', None, 2)]", "'t2' is another's value"),
    "z_others": ("[('fine', None, 2)]", "'fine' is another's value"),
    "ours": ("[('seq', None, 0), ('wake', None, 0)]", "'seq' is another's value"),
    "ours_too": ("[('sinr', 'dB', 0), ('rsrp', None, 0)]", "'sinr' is another's value"),
    "lazy": ("(('g', None, n) for n in (1, 2))", "read() is a generator"),
    "empty": ("(n for n in ())", "NoneType instead of a list"),
    "itself": ("node", "View instead of a list"),
    "raw": ("[('raw', None, b'\\x00\\xff')]", None),
}
RAISES = {
    "value_error": "ValueError('broken')",
    "os_error": "OSError(19)",
    "bare_os": "OSError()",
    "memory": "MemoryError()",
    "exits": "SystemExit(0)",
    "cancels": "asyncio.CancelledError()",
    "stops": "StopIteration(7)",
    "generator_exit": "GeneratorExit()",
    "base": "BaseException('x')",
    "own_kind": "Odd()",
    "wordy": "ValueError('x' * 10000)",
}
ODD = (
    "import asyncio\nclass Odd(Exception):\n    def __str__(self):\n        return 1 / 0\n"
    "    __repr__ = __str__\n"
)
# What else is done: the whole file, and what the event says of it.
DOES = {
    "no_read": ("x = 1\n", "it has no read(node)"),
    "read_is_text": ("read = 'x'\n", "TypeError"),
    "no_syntax": ("def read(node:\n", "SyntaxError"),
    "no_module": ("import nothing_like_it\ndef read(node): return []\n", "ImportError"),
    "exits_at_once": ("raise SystemExit\n", "SystemExit"),
    "warms": ("warm_up_ms = 'long'\ndef read(node): return []\n", "warm_up_ms is 0 to 60000"),
    "no_table": (
        "SETTINGS = 7\ndef setup(n, s): pass\ndef read(node): return []\n", "TypeError",
    ),
    "odd_table": (
        "SETTINGS = {'a': ()}\ndef setup(n, s): pass\ndef read(node): return []\n",
        "IndexError",
    ),
    "hangs": (
        "import asyncio\nasync def read(node):\n    await asyncio.sleep(3600)\n",
        "TimeoutError",
    ),
    "clings": (
        "import asyncio\nasync def read(node):\n    while True:\n        try:\n"
        "            await asyncio.sleep(1)\n        except BaseException:\n            pass\n",
        "TimeoutError",
    ),
    "yields": ("def read(node):\n    yield\n    yield\n", "TimeoutError"),
    "gives": ("def read(node):\n    yield ('y', None, 1)\n", "read() is a generator"),
    "gives_async": ("async def read(node):\n    yield ('y', None, 1)\n", "read() is a generator"),
    "own_loop": (
        "import asyncio\nasync def own():\n    await asyncio.sleep_ms(20)\n"
        "    return [('own_loop', None, 1)]\ndef read(node):\n    return asyncio.run(own())\n",
        None,
    ),
    "own_loop_async": (
        "import asyncio\nasync def own():\n    await asyncio.sleep_ms(20)\n    return 1\n"
        "async def read(node):\n    found = asyncio.run(own())\n    await asyncio.sleep_ms(5)\n"
        "    return [('own_loop_async', None, found)]\n",
        "AttributeError",
    ),
    "new_loop": (
        "import asyncio\ndef read(node):\n    asyncio.new_event_loop()\n"
        "    return [('new_loop', None, 1)]\n",
        None,
    ),
    "leaves": (
        "import asyncio\nasync def left():\n    while True:\n        await asyncio.sleep_ms(1)\n"
        "async def read(node):\n    for n in range(5):\n        asyncio.create_task(left())\n"
        "    await asyncio.sleep_ms(5)\n    return [('leaves', None, 1)]\n",
        None,
    ),
    "leaves_plainly": (
        "import asyncio\nasync def left():\n    raise SystemExit\n"
        "def read(node):\n    asyncio.create_task(left())\n"
        "    return [('leaves_plainly', None, 1)]\n",
        None,
    ),
    "leaves_blocking": (
        "import asyncio\nasync def left():\n    await asyncio.sleep_ms(50)\n    while True:\n"
        "        pass\nasync def read(node):\n    asyncio.create_task(left())\n"
        "    await asyncio.sleep_ms(5)\n    return [('leaves_blocking', None, 1)]\n",
        None,
    ),
    "leaves_exit": (
        "import asyncio\nasync def left():\n    raise SystemExit\nasync def read(node):\n"
        "    asyncio.create_task(left())\n    await asyncio.sleep_ms(5)\n"
        "    return [('leaves_exit', None, 1)]\n",
        "SystemExit",
    ),
    "eats": (
        "def read(node):\n    eaten = []\n    while True:\n"
        "        eaten.append(bytearray(1000))\n",
        "MemoryError",
    ),
    "hoards": (
        "kept = []\ndef read(node):\n    kept.append(bytearray(120000))\n"
        "    return [('hoards', None, 1)]\n",
        "bytes of heap, allowed are 49152",
    ),
    "robs": (
        "def read(node):\n    for name in ('samples', 'settings', 'state', 'outbox', 'modem',\n"
        "            'board', 'now', 'sample', 'keep'):\n        try:\n"
        "            delattr(node, name)\n        except (AttributeError, TypeError):\n"
        "            pass\n        try:\n            setattr(node, name, None)\n"
        "        except AttributeError:\n            pass\n"
        "    return [('robs', None, 1)]\n",
        None,
    ),
    "clears": (
        "def setup(node, given):\n    node.settings.clear()\n    given.clear()\n"
        "def read(node):\n    return [('clears', None, 1)]\n",
        None,
    ),
    "moves": (
        "import gc\nimport os\ndef read(node):\n    gc.disable()\n    os.chdir('sensors')\n"
        "    return [('moves', None, 1)]\n",
        None,
    ),
}  # fmt: skip
COUNT = """
import gc
import sys
from asyncio import core

def read(node):
    gc.collect()
    print("left", len(sys.modules), gc.mem_alloc(), len(core._task_queue._tasks))
    return [("zz", None, 1)]
"""


def raising() -> dict[str, tuple[str, str | None]]:
    """Sensors that raise, each wherever it can."""
    found: dict[str, tuple[str, str | None]] = {}
    for name, text in RAISES.items():
        told = text.partition("(")[0].rpartition(".")[2]
        setup = f"def setup(node, settings):\n    raise {text}\n{FINE.format(name='x')}"
        found[f"r_{name}"] = (f"{ODD}def read(node):\n    raise {text}\n", told)
        of_a_coroutine = "RuntimeError" if told == "StopIteration" else told
        found[f"a_{name}"] = (f"{ODD}async def read(node):\n    raise {text}\n", of_a_coroutine)
        found[f"s_{name}"] = (ODD + setup, told)
    return found


KINDS = {
    "returns": {
        name: (f"def read(node):\n    return {text}\n", told)
        for name, (text, told) in RETURNS.items()
    },
    "raises": raising(),
    "does": DOES,
}


def records(n) -> list[list[tuple[str, object]]]:
    """What has been sampled: names and values."""
    packs = [json.loads(text) for text in n.said("sampled")]
    return [[(f["n"], f.get("v", f.get("vs", f.get("vd")))) for f in pack] for pack in packs]


def live(n, wakes: int) -> None:
    """Until so many wakes have ended in sleep."""

    def lived() -> bool:
        is_asleep = n.bench.console and n.bench.console[-1][1].startswith("sleeping")
        return bool(is_asleep) and len(n.said("sleeping")) >= wakes

    n.bench.run(until=lived)


def values(n, name: str) -> list[object]:
    return [value for record in records(n) for known, value in record if known == name]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_sensor_does_costs_its_own_values_only_for_a_hundred_wakes(node, kind):
    files = KINDS[kind]
    n = node(
        sample={"period_s": 10}, report={"period_s": 600}, sleep={"module": "idle"},
        sensors={name: {"limit_s": 1} for name in ENDLESS if name in files},
        heap="512K",
    )  # fmt: skip
    folder = n.flash / "sensors"
    folder.mkdir()
    for name, (text, _) in files.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "fine.py").write_text(FINE.format(name="fine"))
    (folder / "zzz.py").write_text(COUNT)
    (folder / "gone.py").write_text(FINE.format(name="gone"))
    live(n, 5)
    (folder / "gone.py").unlink()
    live(n, WAKES)
    assert len(n.bench.wakes) == 1, "the board has restarted"
    wakes = len(n.said("left"))
    assert len(n.said("delivered")) >= 2
    for name in [
        "fine",
        "zz",
        *(name for name in DOES if name in files and files[name][1] is None),
    ]:
        assert values(n, name) == [1] * wakes, name
    assert 5 <= len(values(n, "gone")) <= 6
    told = values(n, "event")
    assert told.count("sensor gone is gone: no file sensors/gone.py") == 1
    for name, (_, why) in files.items():
        of_it = [str(text) for text in told if str(text).startswith(f"sensor {name} ")]
        assert len(of_it) == (why is not None), of_it
        if why is not None:
            assert of_it[0].startswith(f"sensor {name} failed: "), of_it
            assert why in of_it[0], name
    assert len(told) == 1 + sum(why is not None for _, why in files.values())
    left = [tuple(map(int, text.split())) for text in n.said("left")][10:]
    assert len({tasks for _, _, tasks in left}) == 1
    # Code that was loaded apart; a pool for names, which is made once one is full.
    grown = [b[1] - a[1] for a, b in pairwise(left[30:]) if a[0] == b[0]]
    assert len(grown) > 40
    assert sum(grown) <= DRIFT, [(at, n) for at, n in enumerate(grown) if n]


# What only the watchdog ends, or that ends the wake itself.
ENDS = {
    "at_import": "while True:\n    pass\ndef read(node): pass\n",
    "in_setup": "def setup(node, given):\n    while True:\n        pass\ndef read(node): pass\n",
    "in_read": "def read(node):\n    while True:\n        pass\n",
    "in_coroutine": "async def read(node):\n    while True:\n        pass\n",
    "resets": "import machine\ndef read(node):\n    machine.reset()\n",
    "sleeps": "import machine\ndef read(node):\n    machine.deepsleep(1000)\n",
    "interrupts": "def read(node):\n    raise KeyboardInterrupt\n",
}


# With settings of its own a file is loaded before the wake begins, too.
@pytest.mark.parametrize(
    ("name", "settings", "wakes"),
    [(name, {}, WAKES if name == "in_read" else 12) for name in ENDS]
    + [(name, {"limit_s": 5}, 12) for name in ("at_import", "in_coroutine", "interrupts")],
)
def test_a_sensor_that_ends_the_wake_is_found_and_left_out(node, name, settings, wakes):
    n = node(
        sample={"period_s": 10}, report={"period_s": 60}, sleep={"module": "idle"},
        sensors={name: settings} if settings else {}, stuck_s=0.3,
    )  # fmt: skip
    folder = n.flash / "sensors"
    folder.mkdir()
    (folder / f"{name}.py").write_text(ENDS[name])
    (folder / "a.py").write_text(FINE.format(name="a"))
    (folder / "zz.py").write_text(FINE.format(name="zz"))
    live(n, wakes)
    lives = 2 if settings and name == "at_import" else 3  # that one is known at once
    assert len(n.bench.wakes) == lives, [wake.end for wake in n.bench.wakes]
    assert values(n, "a") == values(n, "zz") == [1] * wakes
    assert len(n.said("delivered")) >= wakes // 10
    found = [text for text in values(n, "event") if name in str(text)]
    assert len(found) == 1, found
    assert "until the watchdog bit" in str(found[0])
