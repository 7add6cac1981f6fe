"""modem.mqtts() against mosquitto."""

from host_tests.certificates import authority
from host_tests.plug.test_tls import HOST
from tools.broker import mosquitto
from tools.virtual_c1100 import Profile


def test_every_qos_each_way_and_how_sessions_end(program):
    identity = authority().issue(HOST)
    tls = {"certfile": identity.pem, "keyfile": identity.key_pem}
    with mosquitto({"node": "right"}, tls) as broker:
        profile = Profile(routes={(HOST, 8883): tuple(broker)})
        p = program("mqtts", {"ca.pem": authority().pem}, profile)
        p.run()
    assert p.printed == [
        "login Refused True",
        "early NotConnected",
        r"heard t/0 b'\x00\r\nOK 0' 0 False",
        r"heard t/1 b'\x00\r\nOK 1' 1 False",
        r"heard t/2 b'\x00\r\nOK 2' 2 False",
        "long True 0",
        "too long b'next' 1",
        "retained True",
        "queue None",
        "alive b'still there'",
        *["topic BadArgument"] * 3,
        "thrown out NotConnected False",
        "again True",
        "over False",
    ]
