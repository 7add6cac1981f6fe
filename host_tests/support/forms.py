"""Every form of the dialect with values to send, and what a module says to it: for tests that run
through the whole table.
"""

from c1100 import dialect

NUMBER = {"i": "1", "d": "1", "s": '"x"', "?": "1"}
FIELD = {"q": "a", "d": 1, "h": b"ab"}


def all_forms(module=dialect):
    """Name -> form, as a sorted list of pairs: MicroPython's dict has no order."""
    return sorted(module.forms().items())


def arguments(form):
    """A value for each field of a form, in order."""
    return [FIELD[piece.split("}")[0].split(":")[1][0]] for piece in form.send.split("{")[1:]]


def information(form):
    """The line of its information response; None when it has none."""
    if not form.answer:
        return None
    if form.answer[0] == "#":
        return "866207050000001"
    if form.answer[0] == "*":
        return "C1100 MGGT"
    values = [NUMBER[letter.lower()] for letter in form.shape if letter != "r"]
    if form.shape == "r":
        values = ['"24/05/13,10:00:00+08"']
    if form.answer.startswith("+LSHTTP"):  # no body behind it
        values = ["0", "200", "0"]
    return form.answer + ": " + ",".join(values)


def outcome(form):
    """The line that tells how it ended; None when there is none."""
    if not form.then:
        return None
    if form.then == dialect.VERDICT:
        return "+LSIP:OK"
    return form.then.rstrip("?") + ":" + ",".join(["1"] * max(1, len(form.shape)))


def code(form):
    """The result code of success, as a digit."""
    return ends(form)[0]


def ends(form):
    """The result codes that can end it."""
    return dialect.ENDS.get(form.send[:1]) or dialect.ENDS[""]


def said(form):
    """All that a module says to it, in order: lines as text, ``>`` for the prompt."""
    parts = [">"] if form.prompt else []
    parts += [information(form), outcome(form)]
    return [part for part in parts if part is not None] + [code(form)]


def result(form):
    """What run() returns for it."""
    return [line for line in (information(form), outcome(form)) if line is not None]
