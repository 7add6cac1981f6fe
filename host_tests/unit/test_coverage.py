"""What the network costs by its signal: classes, what is learned, and when waiting pays."""

import struct
from binascii import crc32

from firmware import coverage, energy, jobs, state
from firmware.sensors import link
from host_tests.support import scratch
from host_tests.support.driver import Table, start
from host_tests.unit.test_clock import SETTINGS
from host_tests.unit.test_telemetry import Board

RSRP = 157  # see firmware/state.py
GOOD, POOR, WORST = -100 + RSRP, -125 + RSRP, -135 + RSRP
WAITS = dict(SETTINGS)
WAITS["report.deadline_s"] = 1800


def learn(remembered, *took):
    """took -- (signal, seconds of an attach at it)"""
    for signal, seconds in took:
        remembered.signal = signal
        remembered.connects = 0
        coverage.learned(remembered, SETTINGS, seconds)
    return remembered


def waits(signal, *took, **settings):
    given = dict(SETTINGS)
    given.update(settings)
    remembered = learn(state.State(), *took)
    remembered.signal = signal
    return coverage.poor(remembered, given)


def test_a_report_waits_below_minus_120_dbm_of_rsrp_as_long_as_nothing_was_measured():
    for dbm in range(-156, -30):
        assert waits(dbm + RSRP) is (dbm < -120), dbm


def test_of_rssi_the_setting_decides_as_long_as_nothing_was_measured():
    for poor_dbm in (-113, -109, -90, -50):
        for dbm in range(-128, 0):
            assert waits(dbm, **{"report.poor_dbm": poor_dbm}) is (dbm < poor_dbm), dbm
    assert not waits(0)  # nothing told


def test_the_setting_bounds_rsrp_as_well():
    for poor_dbm, waits_from in ((-50, -121), (-109, -121), (-121, -122), (-130, -131)):
        found = [d for d in range(-156, -30) if waits(d + RSRP, **{"report.poor_dbm": poor_dbm})]
        assert max(found) == waits_from, poor_dbm
    assert not waits(WORST, **{"report.poor_dbm": -140})


# (attach in seconds at a good signal, at a poor one, at the worst; 0: not measured), then whether
# a report waits at the poor one, at the worst
MEASURED = (
    ((0, 0, 0), True, True),
    ((11, 0, 0), True, True),  # the others as in other networks, by what is known of this one
    ((0, 16, 0), True, True),
    ((0, 0, 23), True, True),
    ((11, 16, 23), True, True),  # as in the network that was measured
    ((11, 11, 11), False, False),  # it costs the same everywhere
    ((40, 40, 40), False, False),
    ((8, 8, 40), False, True),
    ((11, 12, 13), False, False),
    ((11, 20, 20), True, True),
    ((40, 50, 200), False, True),
    ((100, 20, 20), False, False),  # the poor one is the best that is known
    ((7, 7, 7), False, False),
    ((0, 16, 17), True, False),  # nothing better was measured than what is hardly better
    ((255, 255, 255), False, False),
    ((500, 500, 500), False, False),  # more than is kept
)


def test_a_report_waits_only_where_the_measured_costs_say_that_it_pays():
    for took, at_poor, at_worst in MEASURED:
        measured = [(s, t) for s, t in zip((GOOD, POOR, WORST), took) if t]
        assert waits(POOR, *measured) is at_poor, took
        assert waits(WORST, *measured) is at_worst, took
        assert not waits(GOOD, *measured), took


def test_the_same_by_rssi():
    for good, poor, expected in ((0, 0, True), (8, 0, True), (0, 16, True), (11, 16, True),
                                 (11, 11, False), (40, 42, False), (100, 20, False)):  # fmt: skip
        measured = [(s, t) for s, t in ((-70, good), (-111, poor)) if t]
        assert waits(-111, *measured) is expected, (good, poor)
        assert not waits(-70, *measured)


def test_waiting_in_vain_ends_and_begins_again_once_the_signal_was_better():
    remembered = learn(state.State(), (GOOD, 11))
    remembered.signal = POOR
    for times in range(3):
        assert coverage.poor(remembered, SETTINGS), times
        coverage.told(remembered, SETTINGS, False)  # not waited for: that shows nothing
        assert coverage.poor(remembered, SETTINGS), times
        coverage.told(remembered, SETTINGS, True)
    for waited in (False, True, False, True, False):
        assert not coverage.poor(remembered, SETTINGS)
        coverage.told(remembered, SETTINGS, waited)
        remembered = state.unpack(remembered.pack())
    remembered.signal = GOOD
    coverage.told(remembered, SETTINGS, False)
    remembered.signal = WORST
    assert coverage.poor(remembered, SETTINGS)
    assert coverage.attach(remembered, SETTINGS) == 11  # it is another thing


def test_each_class_has_a_mean_of_its_own_that_forgets():
    remembered = learn(state.State(), (GOOD, 8), (POOR, 16.25), (WORST, 1000))
    for signal, seconds in ((GOOD, 8), (POOR, 16.25), (WORST, 255.75)):
        remembered.signal = signal
        assert coverage.attach(remembered, SETTINGS) == seconds
        assert coverage.attach(state.unpack(remembered.pack()), SETTINGS) == seconds
    remembered.signal = POOR
    remembered.connects = 3
    coverage.learned(remembered, SETTINGS, 20.25)
    assert coverage.attach(remembered, SETTINGS) == 17.25
    for _ in range(3000):
        coverage.learned(remembered, SETTINGS, None)
    assert coverage.attach(remembered, SETTINGS) == 8  # of it nothing is known, of a better one
    remembered.signal = WORST
    assert coverage.attach(remembered, SETTINGS) == 255.75
    remembered.signal = GOOD
    assert coverage.attach(remembered, SETTINGS) == 8


def test_every_remembered_number_is_taken():
    for kept in (0, 1, 1023, 1 << 10, 0x3FFFFFFF, 0x40000000, 0xFFFFFFFF):
        for signal in (-128, -1, 0, 1, 27, 37, 126, 127):
            remembered = state.unpack(state.State(attach=kept, signal=signal).pack())
            assert (remembered.attach, remembered.signal) == (kept, signal)
            made = jobs.scheduler(WAITS, remembered)
            assert made.poor in (True, False)
            assert 0 < made.network.start_s < 256
            for _ in range(3):
                coverage.told(remembered, SETTINGS, True)
                coverage.learned(remembered, SETTINGS, 300)
                coverage.learned(remembered, SETTINGS, None)
            assert 0 <= remembered.attach <= 0xFFFFFFFF


def test_a_block_of_an_older_firmware_begins_a_start():
    """Its attach times were in other places."""
    block = bytearray(state.State(starts=3, wakes=9, reported=77, attach=5).pack())
    for version in (0, 1, 5, 6, 8, 255):
        block[0] = version
        block[-3:] = struct.pack("<I", crc32(bytes(block[:-3])) & 0xFFFFFF)[:3]
        assert state.unpack(bytes(block)) is None, version
        board = Board()
        board.store(bytes(block))
        with scratch.Inside():
            begun = state.begin(board)
        assert (begun.wakes, begun.reported, begun.attach, begun.signal) == (1, 0, 0, 0)
    block[0] = 7
    block[-3:] = struct.pack("<I", crc32(bytes(block[:-3])) & 0xFFFFFF)[:3]
    assert state.unpack(bytes(block)).attach == 5


def test_the_plan_waits_from_the_next_report_on_and_until_the_signal_is_good():
    """At each signal: when the next report is planned; it is due at the whole hour."""
    remembered = state.State(sampled=3600, reported=3600)
    offset = jobs.scheduler(WAITS, remembered).offset_s
    usual = jobs.scheduler(WAITS, remembered).plan(3600).module_s
    for signal, put_off in ((GOOD, 0), (POOR, 1), (-120 + RSRP, 0), (-121 + RSRP, 1), (WORST, 1),
                            (-70, 0), (-111, 1), (GOOD, 0), (-109, 0), (-110, 1)):  # fmt: skip
        remembered.signal = signal
        made = jobs.scheduler(WAITS, remembered)
        assert made.offset_s == offset
        waits_s = made.plan(3600).module_s - usual
        assert waits_s == 1800 if put_off else waits_s == 0, signal
        without = jobs.scheduler(SETTINGS, remembered).plan(3600).module_s
        assert without == usual, signal


def test_what_is_known_of_a_class_chooses_how_the_module_sleeps():
    remembered = learn(state.State(psm_active=11, psm_tau=86400), (GOOD, 8), (WORST, 40))
    remembered.sampled = remembered.reported = 3600
    for signal, way in ((GOOD, energy.OFF), (POOR, energy.OFF), (WORST, energy.PSM)):
        remembered.signal = signal
        made = jobs.scheduler(SETTINGS, remembered)
        made.allowed = (energy.OFF, energy.PSM)
        assert made.plan(3600).module == way, signal


class Sleeper:
    """What jobs.sleep() uses of a node; the next report is due in an hour."""

    def __init__(self, remembered, tail_s):
        self.settings = SETTINGS
        self.state = remembered
        self.scheduler = jobs.scheduler(SETTINGS, remembered)
        self.scheduler.network = jobs.network(remembered, SETTINGS, tail_s)
        self.scheduler.allowed = (energy.OFF, energy.PSM)

    def plan(self):
        return self.scheduler.plan(3600)


# (signal, seconds of the attaches measured at a good signal, at a poor one, at the worst; 0: none,
# seconds until a connection is released, whether it is off after one attach). With a release at
# once no attach is fast enough to be off for an hour; with one after 15 s it is below 17 s.
TRIED = (
    (GOOD, (8, 0, 0), 0.1, False),
    (GOOD, (7, 0, 0), 0.1, False),
    (GOOD, (30, 0, 0), 0.1, False),
    (GOOD, (8, 0, 0), 15, True),
    (GOOD, (20, 0, 0), 15, True),  # by chance, perhaps
    (GOOD, (26, 0, 0), 15, True),
    (GOOD, (29, 0, 0), 15, False),  # half of it is too much as well
    (GOOD, (200, 0, 0), 15, False),
    (POOR, (8, 0, 0), 15, True),  # the least that it may take: it is measured
    (POOR, (20, 0, 0), 15, False),  # from a better signal: here it takes no less
    (POOR, (8, 20, 0), 15, True),
    (POOR, (8, 29, 0), 15, False),
    (WORST, (8, 20, 0), 15, False),
    (WORST, (0, 0, 20), 15, True),
    (WORST, (0, 0, 30), 15, False),
)


def test_a_dear_attach_is_tried_again_only_where_half_of_it_would_pay():
    for signal, took, tail_s, is_off in TRIED:
        measured = [(s, t) for s, t in zip((GOOD, POOR, WORST), took) if t]
        for connects in (1, 2, 3):
            remembered = learn(state.State(psm_active=11, psm_tau=86400), *measured)
            remembered.sampled = remembered.reported = 3600
            remembered.signal = signal
            remembered.connects = connects
            node = Sleeper(remembered, tail_s)
            believed = node.plan().module
            expected = believed if connects == 3 else energy.OFF if is_off else energy.PSM
            assert jobs.sleep(node, True) == expected, (signal, took, tail_s, connects)
            if believed == energy.OFF:
                assert remembered.connects == 1  # the next attach counts


# The sensor -------------------------------------------------------------------------------------

CELL = "AT+LSCELLINFO"
CSQ = "AT+CSQ"
TOLD = b"RSRP:-124\r\nRSRQ:-11\r\nSINR:2\r\nRSSI:-105\r\n0\r"
DAY_S = 86400


class Node:
    def __init__(self, modem):
        self.modem = modem
        self.state = state.State()
        self.clock = 5 * DAY_S

    def now(self):
        return self.clock


# What is said to AT+LSCELLINFO; what is sampled; what the state has; what is asked in a second
# session, and in one a day later
HEARD = (
    (TOLD,
     [("signal", "dBm", -105), ("rsrp", "dBm", -124), ("rsrq", "dB", -11), ("sinr", "dB", 2)],
     -124 + RSRP, [CELL], [CELL]),
    (b"RSRP:-156\r\n0\r", [("signal", "dBm", -69), ("rsrp", "dBm", -156)], 1, [CELL, CSQ],
     [CELL, CSQ]),
    (b"RSRP:-31\r\nRSSI:-30\r\n0\r", [("signal", "dBm", -30), ("rsrp", "dBm", -31)], 126, [CELL],
     [CELL]),
    (b"CAT:GSM\r\nRSSI:-77\r\n0\r", [("signal", "dBm", -77)], -77, [CSQ], [CELL]),
    (b"4\r", [("signal", "dBm", -69)], -69, [CSQ], [CELL, CSQ]),
    (b"+CME ERROR: 4\r\n", [("signal", "dBm", -69)], -69, [CSQ], [CELL, CSQ]),
    (b"0\r", [("signal", "dBm", -69)], -69, [CSQ], [CELL, CSQ]),
    (b"RSRP:0\r\nRSSI:99\r\n0\r", [("signal", "dBm", -69)], -69, [CSQ], [CELL, CSQ]),
    (b"R\xffRP:-1\r\n\x01\x02\r\n0\r", [("signal", "dBm", -69)], -69, [CSQ], [CELL, CSQ]),
    (b"", [("signal", "dBm", -69)], -69, [CSQ], [CELL, CSQ]),
)  # fmt: skip


async def test_a_session_asks_for_one_of_the_two():
    for said, samples, kept, again, next_day in HEARD:
        module, modem = start(Table({CELL: (said,), CSQ: (b"+CSQ: 22,99\r\n0\r",)}))
        node = Node(modem)
        assert await link.read(node) == samples, said
        assert node.state.signal == kept, said
        assert module.heard[0] == CELL
        node.state.reported = node.clock
        for clock, expected in ((node.clock + 900, again), (node.clock + DAY_S, next_day)):
            del module.heard[:]
            node.clock = clock
            node.state = state.unpack(node.state.pack())
            again_samples = await link.read(node)
            heard = [line for line in (CELL, CSQ) if line in module.heard]
            assert heard == expected, said
            if said == b"CAT:GSM\r\nRSSI:-77\r\n0\r" and CSQ in expected:
                again_samples = samples  # the same by the other command
            assert again_samples == samples, said
        modem.close()


async def test_what_is_not_known_leaves_the_state_as_it_is():
    _, modem = start(Table({CELL: (b"4\r",), CSQ: (b"+CSQ: 99,99\r\n0\r",)}))
    node = Node(modem)
    node.state.signal = POOR
    assert await link.read(node) == []
    assert node.state.signal == POOR
    modem.close()
