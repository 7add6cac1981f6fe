"""AT+LSCELLINFO: every form of its answer that may come, and what is taken from it."""

from c1100.cell import Cell, parse

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
