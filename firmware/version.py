"""Which firmware this is, and with which driver. Loaded at a start, and when somebody asks."""

VERSION = "0.1.0"  # as pyproject.toml says; a test holds all others to it, too


def versions() -> list:
    """[("version", None, text)], and the driver's as "driver" where that is another one."""
    found = [("version", None, VERSION)]
    driver = _driver()
    if driver != VERSION:
        found.append(("driver", None, driver))
    return found


def start(cause: str) -> list:
    """What the first record after a start tells of it; waking from deep sleep is no reset."""
    return ([] if cause == "deepsleep" else [("reset", None, cause)]) + versions()


def text() -> str:
    """For the log."""
    driver = _driver()
    return "firmware %s" % VERSION + ("" if driver == VERSION else " with driver %s" % driver)


def _driver() -> str:
    try:
        from c1100 import __version__

        return __version__
    except Exception:  # one of before it had a version, or damaged: the node starts all the same
        return "unknown"
