"""NMEA sentences with right checksums and whatever content; positions to 1e-7 degrees."""

import json

from c1100 import nmea
from firmware import telemetry

GGA = "GNGGA,{clock},{lat},{ns},{lon},{ew},{quality},08,1.01,499.6,M,48.0,M,,"
RMC = "GNRMC,{clock},A,{lat},{ns},{lon},{ew},10.0,77.52,{date},,,{mode},V"
GOOD = {
    "clock": "092725.00", "lat": "3114.1904", "ns": "N", "lon": "12128.4200", "ew": "E",
    "quality": "1", "date": "091226", "mode": "A",
}  # fmt: skip


def line(text):
    total = 0
    for c in text:
        total ^= ord(c)
    return "$%s*%02X" % (text, total)


def filled(form, changes):
    values = dict(GOOD)
    values.update(changes)
    for name, value in values.items():
        form = form.replace("{%s}" % name, value)
    return nmea.sentence(line(form))


def fix(gga=None, rmc=None, **both):
    return nmea.combine(
        filled(GGA, both if gga is None else gga), filled(RMC, both if rmc is None else rmc)
    )


# name of a field, what stands there, 1e-7 degrees or None where it is no place
PLACES = (
    ("lat", "3114.1904", 312365067),
    ("lat", "0000.0001", 17),
    ("lat", "4717.11399", 472852332),
    ("lat", "4717.113990001", 472852332),
    ("lat", "4717", 472833333),
    ("lat", "4717.", 472833333),
    ("lat", "8959.9999999", 900000000),
    ("lat", "9000.0000", 900000000),
    ("lat", "9000.0001", None),
    ("lat", "9100.0000", None),
    ("lat", "381.4808", None),  # a digit is missing
    ("lat", "38141.4808", None),
    ("lat", "1.4808", None),
    ("lat", "4760.0000", None),
    ("lat", "4775.1000", None),
    ("lat", "47a7.1000", None),
    ("lat", "4717.1x", None),
    ("lat", "-717.1000", None),
    ("lat", "+717.1000", None),
    ("lat", " 717.1000", None),
    ("lat", "", None),
    ("lat", ".", None),
    ("lat", "nan", None),
    ("lat", "4717.nan", None),
    ("lat", "4717.1.1", None),
    ("lat", "4717.1e1", None),
    ("lon", "12128.4200", 1214736667),
    ("lon", "00833.91590", 85652650),
    ("lon", "17959.99999", 1799999998),
    ("lon", "18000.0000", 1800000000),
    ("lon", "18000.0001", None),
    ("lon", "18100.0000", None),
    ("lon", "2128.4200", None),
    ("lon", "012128.4200", None),
    ("lon", "12160.0000", None),
    ("lon", "", None),
    ("lon", "inf", None),
    ("ns", "S", None),
    ("ns", "", None),
    ("ns", "n", None),
    ("ns", "E", None),
    ("ns", "NS", None),
    ("ns", "X", None),
    ("ew", "N", None),
    ("ew", "", None),
    ("ew", "EW", None),
)  # fmt: skip


def test_places():
    for field, text, want in PLACES:
        if field in ("ns", "ew"):
            continue
        found = fix(**{field: text})
        if want is None:
            assert found is None, (field, text)
        else:
            got = found.latitude_e7 if field == "lat" else found.longitude_e7
            assert got == want, (field, text, got)


def test_halves():
    assert fix(ns="S").latitude_e7 == -312365067
    assert fix(ew="W").longitude_e7 == -1214736667
    for field, text, _ in PLACES:
        if field in ("ns", "ew") and text not in ("S",):
            assert fix(**{field: text}) is None, (field, text)


def test_nowhere():
    assert fix(lat="0000.0000", lon="00000.0000") is None
    assert fix(lat="0000.0000").latitude_e7 == 0
    assert fix(lon="00000.0000").longitude_e7 == 0


def test_only_satellites_count():
    for mode in ("A", "D", "F", "P", "R"):
        assert fix(mode=mode) is not None, mode
    for mode in ("N", "S", "E", "M", "V", "", "a", "AA"):
        assert fix(mode=mode) is None, mode
    for quality in ("1", "2", "3", "4", "5", "9"):
        assert fix(quality=quality) is not None, quality
    for quality in ("0", "6", "7", "8", "", "A", "-1", "10", "01"):
        assert fix(quality=quality) is None, quality


def test_receivers_of_old_tell_no_mode():
    old = nmea.sentence(line("GPRMC,092725,A,3114.1904,N,12128.4200,E,,,091226,,"))
    assert nmea.combine(filled(GGA, {}), old).latitude_e7 == 312365067
    void = nmea.sentence(line("GPRMC,092725,V,3114.1904,N,12128.4200,E,,,091226,,"))
    assert nmea.combine(filled(GGA, {}), void) is None


def test_one_moment_in_different_words():
    for clock in ("092725", "092725.0", "092725.00", "092725.000", "092725.0000"):
        assert fix(gga={"clock": clock}, rmc={}).time == (2026, 12, 9, 9, 27, 25), clock
    for clock in ("092726.00", "092725.50", "92725.00", "", "09272", "0927255", "09:27:25"):
        assert fix(gga={"clock": clock}, rmc={}) is None, clock


DATES = (
    ("091226", (2026, 12, 9)),
    ("290228", (2028, 2, 29)),
    ("310179", (2079, 1, 31)),
    ("060180", (1980, 1, 6)),  # GPS time's beginning: the receiver does not know
    ("311299", (1999, 12, 31)),
    ("290226", None),
    ("300228", None),
    ("310426", None),
    ("001226", None),
    ("320126", None),
    ("091326", None),
    ("090026", None),
    ("91226", None),
    ("0912026", None),
    ("", None),
    ("09122x", None),
    ("-91226", None),
)


def test_dates_and_clocks():
    for text, want in DATES:
        found = fix(date=text)
        assert (None if found is None else found.time[:3]) == want, text
    for text, want in (
        ("235960.00", (23, 59, 60)), ("000000", (0, 0, 0)), ("240000.00", None),
        ("126000.00", None), ("120061.00", None), ("ab0000.00", None), ("12000-.00", None),
    ):  # fmt: skip
        found = fix(clock=text)
        assert (None if found is None else found.time[3:]) == want, text


def test_sentences_that_are_cut_short():
    for form in (GGA, RMC):
        whole = filled(form, {})
        other = filled(RMC if form is GGA else GGA, {})
        for n in range(len(whole)):
            pair = (whole[:n], other) if form is GGA else (other, whole[:n])
            assert n >= 10 or nmea.combine(*pair) is None, n


def test_every_field_of_every_sentence_may_hold_anything():
    junk = ("", "x", "-1", "nan", "inf", "1e9", "99999999999999999999", "\xff", " ", "0x10", "1,2")
    tried = 0
    for form in (GGA, RMC):
        for n in range(1, 15):
            for text in junk:
                fields = filled(form, {})
                if n >= len(fields):
                    continue
                fields[n] = text
                pair = (fields, filled(RMC, {})) if form is GGA else (filled(GGA, {}), fields)
                found = nmea.combine(*pair)
                tried += 1
                if found is None:
                    continue
                assert (found.latitude_e7, found.longitude_e7) == (312365067, 1214736667)
                for value in (found.altitude_mm, found.speed_um_s, found.course_cdeg):
                    assert value is None or isinstance(value, int)
                json.loads(telemetry.senml("n", [("alt", "m", found.altitude)]))
    assert tried == 297, tried


def test_checksums():
    good = line("GPTXT,01")
    assert nmea.sentence(good) == ["GPTXT", "01"]
    assert nmea.sentence(good.replace("*", "* ")) == ["GPTXT", "01"]
    star = good.index("*")
    for bad in (
        good[:-1], good + "0", good[: star + 1], good[:star], good[: star + 1] + "+7",
        good[: star + 1] + "0x", good[: star + 1] + " 7", good[1:], "$*00x", "*00", "",
    ):  # fmt: skip
        assert nmea.sentence(bad) is None, bad


NUMBERS = (
    ("12.345", 2, 1235),
    ("12.344", 2, 1234),
    ("-48.05", 1, -481),
    ("0", 3, 0),
    ("007", 0, 7),
    ("5.", 1, 50),
    ("", 1, None),
    ("-", 1, None),
    (".5", 1, None),
    ("--5", 1, None),
    ("1-", 1, None),
    ("1 ", 1, None),
    ("nan", 1, None),
    ("1" * 13, 1, None),
    ("\u0661", 1, None),  # a digit of another script
)


def test_scaled():
    for text, places, want in NUMBERS:
        assert nmea.scaled(text, places) == want, (text, places)


def test_a_fix_is_a_tuple_too():
    found = fix()
    assert len(found) == 8
    assert found[0] == found.time
    assert tuple(found) == tuple([found[i] for i in range(8)])
    assert found[5:] == (77.52, 8, 1.01)
    assert abs(found.latitude - 31.2365067) < 1e-5  # a float of 32 bits keeps no more
    assert found.altitude == 499.6
    try:
        found.longitud  # noqa: B018
    except AttributeError as error:
        assert "longitud" in str(error)
    else:
        raise AssertionError("no such attribute")


def test_numbers_of_records():
    fixed = telemetry.Fixed
    for value, want in (
        (fixed(1214736670, 7), "121.473667"),
        (fixed(-1214736671, 7), "-121.4736671"),
        (fixed(-5, 7), "-0.0000005"),
        (fixed(0, 7), "0"),
        (fixed(1800000000, 7), "180"),
        (fixed(499600, 3), "499.6"),
        (fixed(12, 0), "12"),
        (3, "3"),
        (-3, "-3"),
        (True, None),
        (2.5, "2.5"),
        (float("nan"), None),
        (float("inf"), None),
        (-float("inf"), None),
        (None, None),
        ("x", None),
        ([1], None),
        ({}, None),
        (b"1", None),
    ):
        assert telemetry.number(value) == want, (value, want)


def test_flat_objects():
    text = telemetry.flat({"lat": telemetry.Fixed(-12345678, 7), "id": 'a"b', "lines": ["x"]})
    assert json.loads(text) == {"lat": -1.2345678, "id": 'a"b', "lines": ["x"]}


def test_what_json_cannot_say_is_left_out():
    samples = [
        ("a", None, float("nan")),
        ("b", None, [1]),
        ("c", "m", float("inf")),
        ("d", None, True),
    ]
    payload = telemetry.senml("n", samples)
    assert json.loads(payload) == [{"bn": "n:", "n": "d", "vb": True}]
