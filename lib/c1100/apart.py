"""Methods that most wakes never call: functions of other modules, loaded when first called.

Their first argument is the object. A class has them by

    def __getattr__(self, name):
        return apart.find(self, Class, _APART, name)

where _APART names functions and then their module, each with a blank around it:

    " pdp tcp udp http() =features  operator imei =asking "

One with () is no method but tells an attribute: it is called each time, until it has made an
attribute of that name.
"""


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
    module = "%s.%s" % (__name__.rsplit(".", 1)[0], places[i : places.find(" ", i)])
    found = getattr(__import__(module, None, None, (name,)), name)
    if told:
        return found(owner)
    setattr(kind, name, found)
    return getattr(owner, name)
