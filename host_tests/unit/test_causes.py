"""Why a network refuses, over the whole table: what the driver reads, and what comes of it."""

import time

from c1100 import CmeError, CmsError, CommandError, RegistrationDenied, Timeout, causes
from host_tests.support.answering import ERROR
from host_tests.unit.test_attach import Net, into

ROWS = [
    causes.find(cells[0], int(cell.split(" ")[0]))
    for cells in [row.split("|") for row in causes._CAUSES.strip().split("\n")]
    for cell in cells[4:]
]
EMM = [row for row in ROWS if row.domain == "EMM"]


class Refusing(Net):
    """A network that refuses. eps, gprs -- what stands behind <stat> once AT+CEREG=5, AT+CGREG=3
    were heard; None: they are refused.
    """

    def __init__(self, eps, gprs=None, denied=(3, 3)):
        Net.__init__(self, ((0,) + denied,), True)
        self._tell(b"+CEREG", b"5", eps, denied[0])
        self._tell(b"+CGREG", b"3", gprs, denied[1])

    def _tell(self, name, mode, said, stat):
        if said is None:
            return
        command = "AT%s" % name.decode()
        plain = self.answers[command + "?"]
        tells = []

        def more(_line):
            tells.append(1)
            return b"0\r"

        def ask(line):
            if not tells:
                return plain(line)
            return name + b": " + mode + b",%d" % stat + said + b"\r\n0\r"

        self.answers["%s=%s" % (command, mode.decode())] = more
        self.answers[command + "?"] = ask


async def refused(*args, **options):
    got, took = await into(Refusing(*args, **options), timeout_s=60)
    assert isinstance(got, RegistrationDenied), (args, got)
    return got, took


def test_each_row_has_its_clause_and_its_time():
    assert len(ROWS) == len({(row.domain, row.number) for row in ROWS}) == 34
    for row in ROWS:
        assert row.clause[:9] in ("24.301 5.", "24.301 6.") and row.words
        assert row.help in (causes.WAIT, causes.FINAL, causes.ELSEWHERE)
        assert (row.help == causes.WAIT) == (720 <= row.wait_s <= 1800)
        assert (row.help == causes.FINAL) == bool(row.do)
    helps = {(row.domain, row.number): row.help for row in ROWS}
    for number in (3, 6, 8):
        assert helps["EMM", number] == causes.FINAL
    for number in (11, 12, 13, 15):
        assert helps["EMM", number] == causes.ELSEWHERE
    for key in (("EMM", 22), ("ESM", 26), ("ESM", 27), ("ESM", 29), ("ESM", 33)):
        assert helps[key] == causes.WAIT


async def test_each_cause_of_a_registration_is_told():
    for row in EMM:
        got, took = await refused(b",,,,0,%d" % row.number)
        assert got.cause == row.number
        assert causes.of(got) == row
        assert "(EMM cause %d, %s)" % (row.number, row.words) in str(got)
        assert 10000 <= took < 13000


async def test_each_cause_of_a_numbered_error_is_told():
    for row in ROWS:
        for code in range(700):
            if causes.of(CmeError(code, "x")) == row:
                break
        else:
            assert row.domain == "EMM" and row.number > 25, row  # no number tells of it
    for code, domain, number in (
        (103, "EMM", 3), (111, "EMM", 11), (122, "EMM", 22), (126, "ESM", 26), (127, "ESM", 27),
        (129, "ESM", 29), (149, "ESM", 29), (133, "ESM", 33), (177, "ESM", 8), (190, "ESM", 38),
    ):  # fmt: skip
        assert causes.of(CmeError(code, "x")) == causes.find(domain, number)


# What stands behind <stat> of +CEREG, and the cause
FIELDS = (
    (b',"1A2B","01234567",9,0,22', 22),
    (b",,,,0,22,,", 22),
    (b',,,,0,22,"00100010","00111001"', 22),
    (b",,,,,22", 22),
    (b',,,,"0","22"', 22),
    (b",,,,0,022", 22),
    (b",,,,0,77", 77),  # in no table
    (b",,,,0,255", 255),
    (b",,,,0,0", 0),
    (b",,,,0,4294967296", 4294967296),
    (b",,,,1,22", None),  # of the manufacturer's own
    (b",,,,7,22", None),
    (b"", None),
    (b",,,,0", None),
    (b",,,,0,", None),
    (b",,,,0,x", None),
    (b",,,,x,22", None),
    (b",,,,\xff,\xfe", None),
    (b",,,,,", None),
)


async def test_causes_that_are_not_told_not_known_or_garbled():
    for said, want in FIELDS:
        got, took = await refused(said)
        assert got.cause == want, (said, got.cause)
        assert 10000 <= took < 24000, (said, took)
        known = want == 22
        assert (causes.of(got) is not None) == known
    for said in (b",,,,0,-1", b",,,,0,2.2", b',,,,0,"22'):
        got, _ = await refused(said)
        assert causes.of(got) is None or got.cause == 22
    got, _ = await refused(None)
    assert got.cause is None
    assert str(got) == "the network refuses this SIM: check subscription, roaming and APN"


async def test_the_other_domain_tells_where_eps_does_not():
    for eps in (None, b"", b",,,,1,9"):
        got, _ = await refused(eps, b",,,,,0,8")
        assert got.cause == 8
        got, _ = await refused(eps, b',"1A2B","4567",0,"01",0,13')
        assert got.cause == 13
    got, _ = await refused(b",,,,0,22", b",,,,,0,8")
    assert got.cause == 22
    got, _ = await refused(b",,,,0,22", b",,,,,0,8", denied=(0, 3))  # that was an earlier try
    assert got.cause == 8
    got, _ = await refused(b",,,,0,22", b",,,,,0,8", denied=(3, 0))
    assert got.cause == 22


async def test_one_domain_that_refuses_is_enough_where_no_other_would_take_the_module():
    """Else, and where the cause is not told, the other one has its time."""
    for row in EMM:
        _, took = await refused(b",,,,0,%d" % row.number, denied=(3, 0))
        least = 60000 if row.help == causes.ELSEWHERE else 10000
        assert least <= took < least + 13000, (row, took)
        _, took = await refused(b",,,,0,%d" % row.number, denied=(3, 2))  # it searches
        assert 60000 <= took < 63000, (row, took)
    for said in (None, b"", b",,,,0,77", b",,,,1,3"):
        _, took = await refused(said, denied=(3, 0))
        assert 60000 <= took < 80000, (said, took)


async def test_a_module_that_goes_silent_when_it_is_asked_why():
    module = Refusing(None)
    module.answers["AT+CEREG=5"] = module.answers["AT+CGREG=3"] = b""
    begin = time.ticks_ms()
    got, _ = await into(module, timeout_s=60)
    assert isinstance(got, RegistrationDenied) and got.cause is None
    assert time.ticks_diff(time.ticks_ms(), begin) < 40000
    module = Refusing(None)
    module.answers["AT+CEREG=5"] = module.answers["AT+CGREG=3"] = ERROR
    got, _ = await into(module, timeout_s=60)
    assert got.cause is None


def test_other_errors_have_no_cause():
    for code in (None, 0, 3, 10, 30, 50, 100, 101, 148, 150, 200, 999, 4294967295):
        assert causes.of(CmeError(code, "x")) is None, code
    for error in (Timeout("x"), CommandError("x"), CmsError(122, "x"), RegistrationDenied("x")):
        assert causes.of(error) is None
    for number in (None, 0, -1, 1, 4, 21, 255, 4294967296):
        assert causes.find("EMM", number) is None
