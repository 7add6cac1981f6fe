"""Methods that most wakes never call: functions of other modules, loaded when first called.

Their first argument is the object. A class has them by

    def __getattr__(self, name):
        return apart.find(self, Class, _APART, name)

where _APART names functions and then their module, each with a blank around it:

    " pdp tcp udp http() =features  operator imei =asking "

One with () is no method but tells an attribute: it is called each time, until it has made an
attribute of that name.
"""

import sys


def find(owner, kind, places: str, name: str):
    """What an object has by this name. Raises AttributeError when no module has it.

    kind -- the class that is to have the method
    """
    i = places.find(" %s " % name)
    told = i < 0
    if told:
        i = places.find(" %s() " % name)
        if i < 0:
            raise AttributeError(name)
    i = places.find("=", i) + 1
    module = _path(places[i : places.find(" ", i)])
    found = getattr(__import__(module, None, None, (name,)), name)
    if told:
        return found(owner)
    setattr(kind, name, found)
    return getattr(owner, name)


def forget(kind, places: str, *names: str) -> None:
    """Modules that are done with leave the heap to others: the next call loads them again.

    kind  -- the class that has methods in them, as places tells
    names -- of modules of the driver, loaded or not; nobody else may hold what is in them
    """
    for name in names:
        if sys.modules.pop(_path(name), None) is not None:
            delattr(sys.modules[_path("")[:-1]], name)
    found = []
    for word in places.split():
        if word[0] != "=":
            found.append(word)
            continue
        for method in found if word[1:] in names else ():
            if hasattr(kind, method):
                delattr(kind, method)
        found = []


def _path(name: str) -> str:
    return "%s.%s" % (__name__.rsplit(".", 1)[0], name)
