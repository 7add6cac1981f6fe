"""AT+LSCELLINFO: every form of its answer that may come, and what is taken from it."""

from c1100 import CommandError
from c1100.cell import Cell, parse
from host_tests.support import fails, raises
from host_tests.support.driver import Table, start

NONE = Cell(None, None, None, None)
SEEN = ["EARFCN:3738", "GCELLID:19088743", "TAC:6699", "MCC:460", "MNC:00", "DLBW:1", "CAT:NB1",
        "BAND:8", "PCI:21", "RSRP:-89", "RSRQ:-8", "RSSI:-69", "SINR:12"]  # fmt: skip
FULL = Cell(-89, -8, 12, -69)

ANSWERS = (
    # What a module may print: lines, what is known then
    (SEEN, FULL),
    (list(reversed(SEEN)), FULL),
    ([" ".join(SEEN)], FULL),
    ([",".join(SEEN)], FULL),
    (["+LSCELLINFO: " + ";".join(SEEN)], FULL),
    ([line.replace(":", ": ") for line in SEEN], FULL),
    ([line.replace(":", "=") for line in SEEN], FULL),
    ([line.lower() for line in SEEN], FULL),
    (["RSRP:-89dBm", "RSRQ:-8dB", "SINR:12 dB", "RSSI:-69 dBm"], FULL),
    (["RSRP:-89.4", "RSRQ:-8.0", "SINR:11.5", "RSSI:-69.2"], FULL),
    (['"RSRP","-89"', '"RSRQ","-8"', '"SINR","12"', '"RSSI","-69"'], FULL),
    (["RSRP:-89 RSRQ:-8", "SINR:+12 RSSI:-69"], FULL),
    # Neighbours behind it
    (SEEN + ["RSRP:-70", "RSRQ:-3", "SINR:30", "RSSI:-50"], FULL),
    # EGPRS has no reference signal
    (["BAND:8", "CAT:GSM", "RSSI:-77"], Cell(None, None, None, -77)),
    (["CAT:GSM", "RSRP:", "RSRQ:", "SINR:", "RSSI:-77"], Cell(None, None, None, -77)),
    # Fields that are missing
    (["RSRP:-120"], Cell(-120, None, None, None)),
    (["RSRQ:-19"], Cell(None, -19, None, None)),
    (["SINR:-12"], Cell(None, None, -12, None)),
    ([], NONE),
    ([""], NONE),
    # What stands for "not known" in one place or another
    (["RSRP:255", "RSRQ:255", "SINR:255", "RSSI:99"], NONE),
    (["RSRP:99", "RSRQ:99", "SINR:99", "RSSI:99"], NONE),
    (["RSRP:32767", "RSRQ:-32768", "SINR:32767", "RSSI:-32768"], NONE),
    (["RSRP:0", "RSRQ:127", "SINR:127", "RSSI:0"], NONE),
    (["RSRP:-", "RSRQ:--", "SINR:-", "RSSI:-"], NONE),
    (["RSRP:N/A", "RSRQ:NA", "SINR:unknown", "RSSI:?"], NONE),
    # The ends of what can be measured
    (["RSRP:-156", "RSRQ:-46", "SINR:-30", "RSSI:-140"], Cell(-156, -46, -30, -140)),
    (["RSRP:-157", "RSRQ:-47", "SINR:-31", "RSSI:-141"], NONE),
    (["RSRP:-31", "RSRQ:20", "SINR:50", "RSSI:-10"], Cell(-31, 20, 50, -10)),
    (["RSRP:-30", "RSRQ:21", "SINR:51", "RSSI:-9"], NONE),
    # Garbage
    (["RSRP:-8x9", "RSRQ:8-", "SINR:1.2.3", "RSSI:-69-"], NONE),
    (["RSRP:-89." , "RSRQ:.", "SINR:.5", "RSSI:-"], NONE),
    (["RSRP:--89", "RSRQ:+-8", "SINR:", "RSSI"], NONE),
    (["RSRP:-0000000000000000089"], NONE),
    (["XRSRP:-89", "RSRPX:-89", "-89", ":", "::::", "RSRP"], NONE),
    (["\x00\xff", "RSRP\x00:-89"], NONE),
    (["RSRP:RSRQ:-8"], Cell(None, -8, None, None)),
)  # fmt: skip


def test_every_form_of_the_answer():
    for lines, wanted in ANSWERS:
        assert parse(lines) == wanted, lines


def test_a_piece_of_an_answer_tells_nothing_that_it_does_not_have():
    for cut in range(len(SEEN)):
        found = parse(SEEN[:cut])
        for name, value in zip(("RSRP", "RSRQ", "SINR", "RSSI"), found):
            there = [line for line in SEEN[:cut] if line.startswith(name)]
            assert value == (int(there[0].split(":")[1]) if there else None)


# signal(cell=True), over a scripted module -------------------------------------------------------

CELL = "AT+LSCELLINFO"
CSQ = ("AT+CSQ", b"+CSQ: 22,99\r\n0\r")
TOLD = "\r\n".join(SEEN).encode() + b"\r\n0\r"

# What is said to AT+LSCELLINFO; what signal() then is: (rssi, rsrp, rsrq, sinr, band), what tells;
# and how often it is asked for in five calls
SAID = (
    (TOLD, (-69, -89, -8, 12, 8), "RSRP", 5),
    (TOLD.replace(b"RSSI:-69\r\n", b""), (-69, -89, -8, 12, 8), "RSRP", 5),
    (TOLD.replace(b"BAND:8", b"BAND:EUTRAN").replace(b"SINR:12", b"SINR:255"),
     (-69, -89, -8, None, None), "RSRP", 5),
    # EGPRS: what it tells is RSSI, and the next cell may be another
    (b"CAT:GSM\r\nBAND:8\r\nRSSI:-77\r\n0\r", (-77, None, None, None, 8), "RSSI", 5),
    (b"+CME ERROR: 30\r\n", (-69, None, None, None, None), "RSSI", 5),
    # It has none
    (b"4\r", (-69, None, None, None, None), "RSSI", 1),
    (b"ERROR\r\n", (-69, None, None, None, None), "RSSI", 1),
    (b"+CME ERROR: 4\r\n", (-69, None, None, None, None), "RSSI", 1),
    (b"+CME ERROR: 100\r\n", (-69, None, None, None, None), "RSSI", 1),
    # Nothing of use
    (b"0\r", (-69, None, None, None, None), "RSSI", 3),
    (b"RSRP:0\r\nRSSI:99\r\n0\r", (-69, None, None, None, None), "RSSI", 3),
    (b"RSRP:-157\r\nRSRQ:-8\r\n0\r", (-69, None, None, None, None), "RSSI", 3),
    (b"R\xffRP:-\x0089\r\n\x01\x02\r\n0\r", (-69, None, None, None, None), "RSSI", 3),
    (b"", (-69, None, None, None, None), "RSSI", 3),
)  # fmt: skip


async def test_signal_says_what_it_is_and_asks_no_more_than_it_has_to():
    for said, values, what, times in SAID:
        module, modem = start(Table({CELL: (said,), CSQ[0]: (CSQ[1],)}))
        for _ in range(5):
            signal = await modem.signal(cell=True)
            found = (signal.rssi, signal.rsrp, signal.rsrq, signal.sinr, signal.band)
            assert found == values, said
            assert signal.what == what, said
            assert signal.dbm == (values[1] if what == "RSRP" else values[0])
        assert module.heard.count(CELL) == times, said
        modem.close()


async def test_what_comes_and_goes_is_asked_for_again():
    module, modem = start(Table({CELL: (b"0\r",), CSQ[0]: (CSQ[1],)}))
    await modem.signal(cell=True)
    await modem.signal(cell=True)
    module.answers[CELL] = (TOLD,)
    assert (await modem.signal(cell=True)).what == "RSRP"
    module.answers[CELL] = (b"0\r",)
    for _ in range(5):
        assert (await modem.signal(cell=True)).what == "RSSI"
    assert module.heard.count(CELL) == 6
    modem.close()


async def test_signal_is_the_pair_that_it_was():
    module, modem = start(CSQ)
    signal = await modem.signal()
    assert tuple(signal) == (-69, None) == (signal[0], signal.ber)
    rssi, ber = signal
    assert (rssi, ber) == (-69, None)
    assert (signal.what, signal.dbm, signal.rsrp) == ("RSSI", -69, None)
    with raises(AttributeError):
        signal.volume  # noqa: B018
    module.check()
    modem.close()


async def test_signal_where_nothing_is_known():
    module, modem = start(Table({CELL: (b"4\r",), CSQ[0]: (b"+CSQ: 99,99\r\n0\r",)}))
    signal = await modem.signal(cell=True)
    assert (signal.what, signal.dbm, tuple(signal)) == (None, None, (None, None))
    # RSRP is worth more than an error of AT+CSQ, which without it is one
    module.answers[CSQ[0]] = (b"4\r",)
    await fails(CommandError, modem.signal(cell=True))
    modem.silent_cell = 0
    module.answers[CELL] = (b"RSRP:-120\r\n0\r",)
    signal = await modem.signal(cell=True)
    assert (signal.what, signal.dbm, signal.rssi) == ("RSRP", -120, None)
    modem.close()
