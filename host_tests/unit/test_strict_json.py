"""JSON by the letter: what is none is refused, with its place; what is some is read."""

from firmware.strict_json import loads
from host_tests.support.json_texts import BYTES, RIGHT, wrong_texts

AROUND = (
    ("%s", lambda value: value),
    (" \t\r\n%s\n", lambda value: value),
    ('{"k":%s,"l": null}', lambda value: {"k": value, "l": None}),
    ("[0, %s ]", lambda value: [0, value]),
)


def why(text):
    """What is wrong with it; None if nothing is."""
    try:
        loads(text)
    except ValueError as error:
        return str(error)
    return None


def test_what_is_no_json_is_refused():
    tried = 0
    for text in wrong_texts():
        tried += 1
        said = why(text)
        assert said is not None, text
        assert said.startswith("line "), said
        assert why(text.encode()) == said, text
    for data in BYTES:
        tried += 1
        assert why(data) is not None, data
    print("%d texts refused" % tried)
    assert tried > 600


def same(one, other):
    """Equal, and of the same types."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return sorted(one) == sorted(other) and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other))
    if isinstance(one, float):
        return abs(one - other) <= abs(one) * 1e-6
    return one == other


def test_json_is_read():
    tried = 0
    for text, value in RIGHT:
        for around, made in AROUND:
            if len(text) == 32 and around.strip() != "%s":  # a level too many
                continue
            whole = around % text
            for form in (whole, whole.encode()):
                got = loads(form)
                assert same(made(value), got), (whole, got)
            tried += 1
    print("%d texts read" % tried)
    assert tried > 250


def test_the_place_and_the_fault_are_told():
    for text, said in (
        ('{"report": {"period_s": }}', "line 1, column 25: a value is missing"),
        ('{"a": 1,\n "a": 2}', 'line 2, column 2: "a" is there twice'),
        ('{"a": 1\n "b": 2}', "line 2, column 2: a comma or } is missing"),
        ('{"a" 1}', "line 1, column 6: a colon is missing"),
        ('{"a": 1,}', "line 1, column 9: a name in double quotes is missing"),
        ('{\n"a": "b\n}', "line 2, column 6: a text that does not end on its line"),
        ('{"\xe4\u20ac": 01}', "line 1, column 8: a number with zeros in front"),
        ("[1.]", "line 1, column 4: a digit is missing"),
        ('["\\q"]', "line 1, column 3: a backslash with nothing that belongs to it"),
        ('["\\ud800"]', "line 1, column 3: half a surrogate pair"),
        ('["a\tb"]', "line 1, column 4: a control character in a text"),
        ("{}\n\n{}", "line 3, column 1: something follows behind the end"),
        ("[1", "line 1, column 3: a comma or ] is missing"),
        ("[" * 17, "line 1, column 17: more than 16 levels"),
        (b'\xef\xbb\xbf{"a":1}', "a byte order mark: save the text as UTF-8 without one"),
        (b'{"a": "\xff"}', "line 1, column 7: a text that is not UTF-8"),
    ):
        assert said in why(text), (text, why(text))


def test_no_text_of_a_kilobyte_costs_more_than_its_levels():
    for text in (
        "[" * 4000,
        '{"a":' * 1000,
        "[" * 4000 + "]" * 4000,
        "-" * 4000,
        '"' + "\\" * 4000,
    ):
        assert len(why(text)) < 100
