"""GNSS: sentences that an independent parser accepts, a moving track, times to first fix."""

import pynmea2
import pytest

from host_tests.virtual_c1100.rig import Rig, profile_with


def started(*settings: str) -> Rig:
    rig = Rig(profile_with(list(settings)), form="V0E0")
    assert rig.ask(b"AT+GPSMODE=1\r") == b"0\r"
    assert rig.ask(b"AT+GPSCONFIG=20,180,9999999,1,2,1\r") == b"0\r"
    assert rig.ask(b"AT+ GPSSTART\r") == b"0\r"
    return rig


def sentences(data: bytes, kind: str = "") -> list[pynmea2.NMEASentence]:
    """The sentences in `data`, each with its checksum proved."""
    lines = [line for line in data.decode("ascii").split("\r\n") if line.startswith("$")]
    parsed = [pynmea2.parse(line, check=True) for line in lines]
    return [s for s in parsed if kind in ("", s.sentence_type)]


def test_cold_start_gives_void_sentences_and_then_a_fix() -> None:
    rig = started()
    rig.wait(10)
    void = rig.take()
    assert {s.status for s in sentences(void, "RMC")} == {"V"}
    assert {s.gps_qual for s in sentences(void, "GGA")} == {0}
    rig.wait(25)
    rig.take()
    rig.wait(3)
    fix = rig.take()
    rmc, gga = sentences(fix, "RMC")[-1], sentences(fix, "GGA")[-1]
    assert rmc.status == "A"
    assert (rmc.latitude, rmc.longitude) == pytest.approx((31.2304, 121.4737), abs=1e-6)
    assert (gga.altitude, int(gga.num_sats), float(gga.horizontal_dil)) == (12.0, 11, 1.03)
    assert str(rmc.datetime)[:10] == "2023-11-14"


def test_three_systems_are_seen() -> None:
    rig = started()
    rig.wait(40)
    got = rig.take()
    assert {s.talker for s in sentences(got, "GSV")} == {"GP", "GL", "GB"}
    assert {s.talker for s in sentences(got, "RMC")} == {"GN"}
    assert len(sentences(got, "RMC")) == 40


def test_second_start_is_hot_an_old_one_warm_and_after_power_loss_cold() -> None:
    rig = started()
    rig.wait(40)
    for pause, limit, early in ((60, 5, 0), (4 * 3600, 28, 20)):
        rig.ask(b"AT+GPSEND\r")
        rig.wait(pause)
        rig.ask(b"AT+GPSSTART\r")
        rig.take()
        rig.wait(early)
        assert all(s.status == "V" for s in sentences(rig.take(), "RMC"))
        rig.wait(limit - early)
        assert sentences(rig.take(), "RMC")[-1].status == "A"
    rig.module.power_cycle()
    rig.press(1)
    rig.wait(10)
    rig.ask(b"AT+GPSSTART\r")
    rig.take()
    rig.wait(28)
    assert {s.status for s in sentences(rig.take(), "RMC")} == {"V"}


@pytest.mark.parametrize(
    ("settings", "latitude", "longitude"),
    [
        (["track.speed=10.0", "track.course=0.0"], 0.000090, 0.0),
        (["track.speed=10.0", "track.course=90.0"], 0.0, 0.000105),
        (["track.speed=10.0", "track.course=180.0"], -0.000090, 0.0),
    ],
)
def test_moving_track(settings: list[str], latitude: float, longitude: float) -> None:
    rig = started(*settings)
    rig.wait(60)
    rows = sentences(rig.take(), "RMC")[-11:]
    assert (rows[-1].latitude - rows[0].latitude) / 10 == pytest.approx(latitude, abs=2e-6)
    assert (rows[-1].longitude - rows[0].longitude) / 10 == pytest.approx(longitude, abs=2e-6)
    assert rows[-1].spd_over_grnd == pytest.approx(19.438, abs=0.01)


def test_southern_and_western_hemisphere_and_a_circle() -> None:
    rig = started("track.latitude=-33.5", "track.longitude=-70.25", "track.speed=5.0",
                  "track.turn=6.0", "track.climb=0.5")  # fmt: skip
    rig.wait(100)
    rows = sentences(rig.take(), "RMC")
    assert rows[-1].latitude == pytest.approx(rows[-61].latitude, abs=1e-6)
    assert (rows[-1].lat_dir, rows[-1].lon_dir) == ("S", "W")
    assert rows[-1].latitude == pytest.approx(-33.5, abs=0.001)


def test_flow_off_and_sentences_on_demand() -> None:
    """Field: AT+NMEAS=0, AT+GPSNMEA"""
    rig = started()
    assert rig.ask(b"AT+NMEAS=0\r").endswith(b"0\r")
    rig.wait(40)
    assert rig.take() == b""
    got = rig.ask(b"AT+GPSNMEA\r")
    assert got.startswith(b"+GPSNMEA:$GNRMC,")
    assert got.endswith(b"\r\n0\r")
    assert len(sentences(got.removeprefix(b"+GPSNMEA:"))) >= 10
    rig.ask(b"AT+NMEAS=1\r")
    rig.wait(2)
    assert sentences(rig.take(), "RMC")


def test_under_a_roof_the_search_ends_by_its_time_out() -> None:
    rig = started("track.sky=false")
    rig.wait(170)
    assert {s.status for s in sentences(rig.take(), "RMC")} == {"V"}
    rig.wait(20)
    rig.take()
    rig.wait(10)
    assert rig.take() == b""
    assert not rig.module.gnss.running


def ratios(data: bytes) -> list[int]:
    """C/N0 of all satellites of which something is received."""
    told = [s.data[3:] for s in sentences(data, "GSV")]
    return [int(fields[n]) for fields in told for n in range(3, len(fields), 4) if fields[n]]


def test_satellites_are_as_strong_as_the_profile_says() -> None:
    for settings, most in (((), 40), (("track.cn0=[[0,22]]",), 22), (("track.sky=false",), 12)):
        rig = started(*settings)
        rig.wait(3)
        assert max(ratios(rig.take())) == most
    rig = started("track.cn0=[[0,7]]")
    rig.wait(3)
    assert ratios(rig.take()) == []
    rig = started("quirks.gsv=false")
    rig.wait(40)
    got = rig.take()
    assert not sentences(got, "GSV")
    assert sentences(got, "RMC")[-1].status == "A"


def test_weak_satellites_give_no_position_until_they_are_strong() -> None:
    rig = started("track.cn0=[[0,20],[100,40]]")
    rig.wait(110)
    got = rig.take()
    assert {s.status for s in sentences(got, "RMC")} == {"V"}
    assert {20, 40} <= set(ratios(got))
    rig.wait(25)
    assert sentences(rig.take(), "RMC")[-1].status == "A"


def test_number_of_fixes_and_their_interval() -> None:
    rig = Rig(form="V0E0")
    rig.ask(b"AT+GPSCONFIG=20,180,3,10,2\r")  # five arguments: field
    rig.ask(b"AT+GPSSTART\r")
    rig.wait(120)
    times = [s.timestamp for s in sentences(rig.take(), "RMC") if s.status == "A"]
    assert len(times) == 3
    assert (times[1].second - times[0].second) % 60 == 10
    assert not rig.module.gnss.running


def test_damaged_sentences_fail_their_checksum() -> None:
    rig = started()
    rig.module.faults.add("nmea-damage:0.5")
    rig.wait(10)
    lines = [line for line in rig.take().decode().split("\r\n") if line]
    bad = 0
    for line in lines:
        try:
            pynmea2.parse(line, check=True)
        except pynmea2.ParseError:
            bad += 1
    assert 0.3 < bad / len(lines) < 0.7


def test_start_twice_and_data_before_the_start_are_errors() -> None:
    rig = started()
    assert rig.ask(b"AT+GPSSTART\r").endswith(b"4\r")
    rig.ask(b"AT+GPSEND\r")
    assert rig.ask(b"AT+GPSNMEA\r") == b"4\r"
    assert rig.ask(b"AT+GPSEND\r") == b"0\r"


def test_answers_stay_whole_between_sentences() -> None:
    rig = started()
    for _ in range(50):
        rig.send(b"AT+CSQ\r", 0.33)
    rest = rig.take()
    assert rest.count(b"+CSQ: 22,99\r\n") == 50
    for line in rest.replace(b"0\r$", b"$").replace(b"0\r+CSQ", b"+CSQ").split(b"\r\n")[:-1]:
        assert line == b"+CSQ: 22,99" or pynmea2.parse(line.decode(), check=True), line
