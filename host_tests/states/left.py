"""How an earlier life, of this firmware or of another one, may have left the module. Data: a new
state is one line.

Each is a name, what a DTE says to bring it about, one entry each, and what is needed for the next
life to find its way out. `{tcp}` and the like stand for the far side's host and port. An entry is
sent as a command line, with CR, and a second passes; bytes are sent as they are; a number is
seconds that pass.
"""

from typing import NamedTuple

from host_tests.states.world import Wiring

CALL = ('AT+LSIPPROFILE=1,"CMNET"', "AT+LSIPCALL=1", 2)
OPEN = (*CALL, 'AT+LSIPOPEN=1,0,"{tcp.host}",{tcp.port},0', 2)
MQTT = ('AT+LSMQTTCFG="clientid","other"', "AT+LSMQTTCALL=1", 2)
CONNECTED = (*MQTT, 'AT+LSMQTTOPEN="{mqtt.host}",{mqtt.port},600', 2)
SUBSCRIBED = (*CONNECTED, 'AT+LSMQTTCFG="topic","node/in"', "AT+LSMQTTSUB=1", 1)
GNSS = ("AT+GPSMODE=1", "AT+GPSCONFIG=20,180,9999999,1,2,1", "AT+GPSSTART")
PPP = ('AT+CGDCONT=1,"IP","3GNET"', "ATD*99#", 2)

ANY = ""
WAKE = "wake"  # the wake pin or the power key
KEY = "key"  # the power key


class Left(NamedTuple):
    """One state. `but` -- features that cannot be had in it."""

    name: str
    said: tuple = ()
    needs: str = ANY
    but: tuple[str, ...] = ()

    def helped_by(self, wiring: Wiring) -> bool:
        """Whether a board that is wired so can get the module out of it."""
        return self.needs == ANY or wiring.pwrkey or (self.needs == WAKE and wiring.wake)


STATES = (
    Left("nothing"),
    # Settings
    Left("words and echo", ("ATV1", "ATE1")),
    Left("digits, no echo", ("ATV0", "ATE0")),
    Left("errors as words", ("AT+CMEE=2",)),
    Left("errors without a number", ("AT+CMEE=0",)),
    Left("stored settings", ("ATV0", "ATE0", "AT+CMEE=2", "AT&W")),
    Left("no result codes", ("ATQ1",)),
    Left("no result codes, no echo", ("ATQ1", "ATE0")),
    Left("no registration told", ("AT+CEREG=0", "AT+CGREG=0")),
    Left("all of registration told", ("AT+CEREG=5", "AT+CGREG=2")),
    Left("operator as text", ("AT+COPS=3,0",)),
    # A line that was cut off
    Left("half a command", (b"AT+LSIPSE",)),
    Left("half a command in quotes", (b'AT+LSIPPROFILE=1,"CM',)),
    Left("A", (b"A",)),
    Left("AT", (b"AT",)),
    Left("a command without its end", (b"AT+CFUN=0",)),
    Left("noise", (b"\x00\xff\x7e\x80noise",)),
    Left("a line that is too long", (b"AT" + b"x" * 5000,)),
    # Radio
    Left("flight mode", ("AT+CFUN=4",)),
    Left("radio off", ("AT+CFUN=0",)),
    Left("deregistered", ("AT+COPS=2",)),
    Left("detached", ("AT+CGATT=0",)),
    Left("GSM only", ("AT+MODODR=3", 5), but=("psm",)),  # GSM has none
    Left("LTE only", ("AT+MODODREX=5", 5)),
    Left("scanning for operators", ("AT+COPS=?",), KEY),
    # Sockets
    Left("PDP context", CALL),
    Left("PDP context closed", (*CALL, "AT+LSIPCALL=0")),
    Left("PDP context coming", ('AT+LSIPPROFILE=1,"CMNET"', b"AT+LSIPCALL=1\r")),
    Left("other APN", ('AT+LSIPPROFILE=1,"OTHER"', "AT+LSIPCALL=1", 2)),
    Left("socket", OPEN),
    Left("socket, hex digits", (*OPEN, "AT+LSIPHEX=1")),
    Left("socket, text", (*OPEN, "AT+LSIPHEX=0")),
    Left("socket closed", (*OPEN, "AT+LSIPCLOSE=1", 1)),
    Left("socket opening", (*CALL, b'AT+LSIPOPEN=1,0,"{tcp.host}",{tcp.port},0\r')),
    Left("unsent bytes", (*OPEN, 'AT+LSIPSEND=1,"left over"')),
    Left("bytes on their way", (*OPEN, 'AT+LSIPSEND=1,"left over"', b"AT+LSIPPUSH=1\r")),
    Left("data kept", (*OPEN, "AT+LSIPRS=0", 'AT+LSIPSEND=1,"echo"', "AT+LSIPPUSH=1", 1)),
    Left("four sockets", (*CALL, *[f'AT+LSIPOPEN={n},0,"{{tcp.host}}",{{tcp.port}},0'
                                   for n in (1, 2, 3, 4)], 4)),
    Left("four UDP sockets", (*CALL, *[f'AT+LSIPOPEN={n},0,"{{udp.host}}",{{udp.port}},1'
                                       for n in (1, 2, 3, 4)], 4)),
    # Prompts
    Left("transparent mode", (*OPEN, "AT+LSIPTPS=1,1,5000,600")),
    Left("transparent mode, half", (*OPEN, "AT+LSIPTPS=1,1,5000,600", b"some of it")),
    Left("counted mode", (*OPEN, "AT+LSIPTPS=3,1,5000,1400")),
    Left("counted mode, half", (*OPEN, "AT+LSIPTPS=3,1,5000,1400", b"x" * 700)),
    Left("counted mode, one short", (*OPEN, "AT+LSIPTPS=3,1,5000,1400", b"x" * 1399)),
    Left("URL wanted", ("AT+LSHTTPURL=512",)),
    Left("URL wanted, half", ("AT+LSHTTPURL=512", b"http://a.exa")),
    Left("body wanted", ("AT+LSHTTPURL=17", b"http://a.example/", "AT+LSHTTPPOST=4096")),
    Left("body wanted, half", ("AT+LSHTTPURL=17", b"http://a.example/", "AT+LSHTTPPOST=4096",
                               b"{" * 2000)),
    # HTTP
    Left("headers", ('AT+LSHTTPHEADERINFO="X-Old","1"', 'AT+LSHTTPCFG="contenttype",4')),
    Left("request under way", ("AT+LSHTTPURL=17", b"http://a.example/", b"AT+LSHTTPGET\r")),
    # MQTT
    Left("MQTT settings", ('AT+LSMQTTCFG="clientid","other"', 'AT+LSMQTTCFG="username","u"',
                           'AT+LSMQTTCFG="topic","t"', 'AT+LSMQTTCFG="message",0,"old"',
                           'AT+LSMQTTCFG="qos",2', 'AT+LSMQTTCFG="retained",1',
                           'AT+LSMQTTCFG="session",0')),
    Left("MQTT called", MQTT),
    Left("MQTT calling", ('AT+LSMQTTCFG="clientid","other"', b"AT+LSMQTTCALL=1\r")),
    Left("MQTT session", CONNECTED),
    Left("MQTT session opening", (*MQTT, b'AT+LSMQTTOPEN="{mqtt.host}",{mqtt.port},600\r')),
    Left("MQTT subscription", SUBSCRIBED),
    Left("MQTT subscribing", (*CONNECTED, 'AT+LSMQTTCFG="topic","node/in"',
                              b"AT+LSMQTTSUB=1\r")),
    Left("MQTT publishing", (*CONNECTED, 'AT+LSMQTTCFG="topic","t"',
                             'AT+LSMQTTCFG="message",0,"x"', b"AT+LSMQTTPUB=1\r")),
    Left("MQTT session closed", (*CONNECTED, "AT+LSMQTTCLOSE=1", 1)),
    Left("MQTT and a socket", (*OPEN, *CONNECTED)),
    # GNSS
    Left("GNSS set up", GNSS[:-1]),
    Left("GNSS running", GNSS),
    Left("GNSS running, with a fix", (*GNSS, 40)),
    Left("GNSS running, silent", (*GNSS, "AT+NMEAS=0")),
    Left("GNSS silent", ("AT+NMEAS=0",)),
    Left("GNSS running in flight mode", ("AT+CFUN=4", *GNSS)),
    Left("GNSS running in MQTT", (*SUBSCRIBED, *GNSS)),
    # PPP
    Left("PPP", PPP),
    Left("PPP, a frame cut off", (*PPP, b"\x7e\xff\x7d\x23\xc0")),
    Left("PPP, the call kept", (*PPP, 2, b"+++", 2)),
    Left("PPP, hung up", (*PPP, 2, b"+++", 2, "ATH")),
    Left("PPP dialling", (b"ATD*99#\r",)),
    # Sleep
    Left("PSM asked for", ('AT+CPSMS=1,,,"00000110","00000101"', 3)),
    Left("PSM", ('AT+CPSMS=1,,,"00000110","00000101"', 60), WAKE),
    Left("PSM with a socket", (*OPEN, 'AT+CPSMS=1,,,"00000110","00000101"', 60), WAKE),
    Left("PSM with MQTT", (*SUBSCRIBED, 'AT+CPSMS=1,,,"00000110","00000101"', 90), WAKE),
    Left("eDRX", ('AT+CEDRXS=1,4,"0101"', 3)),
    # LwM2M
    Left("LwM2M set", ('AT+LWMTM=3,"198.51.100.1:5683"', "AT+LWMTM=1")),
    Left("LwM2M running", ('AT+LWMTM=3,"198.51.100.1:5683"', "AT+LWMTM=1", "AT+CFUN=1,1", 10)),
    # Power
    Left("restarting", (b"AT+CFUN=1,1\r",)),
    Left("restarted", ("AT+CFUN=1,1", 4)),
    Left("going off", (b"AT$QCPWRDN\r",), KEY),
    Left("off", ("AT$QCPWRDN", 10), KEY),
)  # fmt: skip
