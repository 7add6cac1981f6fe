"""Which sleep is the cheapest for how long."""

from firmware import energy
from firmware.energy import DEEP, EDRX, IDLE, LIGHT, OFF, PSM, Network

ALL = (OFF, PSM, EDRX, IDLE)
QUICK = Network(8, 10, 86400, None, 15)  # s: attach, active time, TAU, eDRX cycle, release
SLOW = Network(40, 10, 86400, None, 15)


def test_an_attach_that_takes_long_makes_psm_worth_it():
    assert energy.module_sleep(energy.MDM9206, 3600, QUICK, ALL) == OFF
    assert energy.module_sleep(energy.MDM9206, 3600, SLOW, ALL) == PSM
    # but not when it wakes for an update all the time
    often = Network(40, 10, 60, None, 15)
    assert energy.module_sleep(energy.MDM9206, 3600, often, ALL) == OFF


def test_a_network_that_keeps_connections_long_makes_being_off_worth_it():
    patient = Network(40, 10, 86400, None, 60)
    assert energy.module_sleep(energy.MDM9206, 3600, patient, ALL) == OFF


def test_what_is_not_granted_is_not_chosen():
    refused = Network(40, None, None, None, 15)
    assert energy.module_sleep(energy.MDM9206, 3600, refused, ALL) == OFF
    assert energy.module_sleep(energy.MDM9206, 3600, refused, (PSM, EDRX)) == OFF
    assert energy.module_sleep(energy.MDM9206, 3600, refused, (EDRX, IDLE)) == IDLE
    granted = Network(40, None, None, 81, 15)
    assert energy.module_sleep(energy.MDM9206, 3600, granted, (EDRX, IDLE)) == EDRX


def test_a_short_gap_is_spent_registered():
    assert energy.module_sleep(energy.MDM9206, 5, SLOW, ALL) == IDLE
    # PSM is not even reached
    assert energy.module_sleep(energy.MDM9206, 20, SLOW, (OFF, PSM)) == OFF


def test_break_even_is_where_the_charges_meet():
    # One hand-made module: off costs 100 mC, PSM 40 mC and 1 mA more.
    module = energy.Module(60, 4, 10000, 0, 0, 40, 0, 0, 0, 0, 1000, 0)
    network = Network(8, 0, None, None, 15)
    assert energy.module_sleep(module, 59, network, (OFF, PSM)) == PSM
    assert energy.module_sleep(module, 61, network, (OFF, PSM)) == OFF


def test_the_boards_sleep():
    board = energy.Board(30000, 1000, 0, 15)  # a boot costs 15 s of light sleep
    assert energy.board_sleep(board, 0) == IDLE
    assert energy.board_sleep(board, 14) == LIGHT
    assert energy.board_sleep(board, 16) == DEEP
