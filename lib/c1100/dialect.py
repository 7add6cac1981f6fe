"""Every command form of the module, in one table. A user whose module differs edits this file.

A form becomes an object when it is first asked for, by its name: ``dialect.SIGNAL``.

Source letters: M the manual (with its chapter), F seen in firmware that drives modules of this
family, S a standard (3GPP TS 27.007, ITU-T V.250), I inferred, because a figure of the manual is
lost.
"""

from collections import namedtuple

from micropython import const

TYPE_CHECKING = const(0)  # those who check types take it for true

# The columns of the table, which may be left out from the right:
# name    of the form
# send    what follows AT. The command may have another name, fields other limits and other text
#         around them, but they keep their order: {name:kind} is filled in by at.render
# source  see above
# answer  prefix of its information response; nothing: none; #14 a line of 14 digits or more; * any
#         lines; these two with or without the command's own name, but with no other. LS may be
#         missing in it, as in then and in URCs
# shape   of the answer's parameters, a letter each (at.read): what does not fit is no answer to
#         this command. Longer where your module tells more, capitals where it may tell less. Of a
#         form without an answer: of the outcome, which stands where the last letter does
# then    prefix of the line that tells the outcome, before or after the result code: SUCCEEDED or
#         not in its last parameter, or where shape ends. With ? behind the prefix it may be
#         missing, as VERDICT may: then the result code is the outcome. Nothing if yours has none
# wait    seconds until the command counts as unanswered, 5 if not given. Behind them: once, if it
#         must not be sent again after a time-out; >, if the module asks with that for a payload,
#         which else it gets unasked
_FORMS = """
# name | send | source | answer | shape | then | wait
# Framing and session settings
ATTENTION |  | S V.250 |  |  |  | 1
NUMERIC | V0 | M 3.1
ECHO_OFF | E0 | S V.250, F
ERROR_NUMBERS | +CMEE=1 | S 27.007 9.1
POWER_OFF | $QCPWRDN | F |  |  |  | 5 once
RESTART | +CFUN=1,1 | M 3.5.1 |  |  |  | 5 once
RADIO | +CFUN={level:d4} | S 27.007 8.2 |  |  |  | 15
RADIO_STATE | +CFUN? | S 27.007 8.2 | +CFUN | d
# Identity
IMEI | +CGSN | S 27.007 5.4 | #14 | r
IMSI | +CIMI | S 27.007 5.6 | #14 | r
MODEL | +CGMM | S 27.007 5.2 | * | r
REVISION | +CGMR | S 27.007 5.3 | * | r
CLOCK | +CCLK? | S 27.007 8.15 | +CCLK | r
# SIM, manual 3.2
PIN_STATE | +CPIN? | M 3.1 | +CPIN | s
PIN_ENTER | +CPIN={pin:q8} | M 3.2.1 |  |  |  | 5 once
# Network, manual 3.1
SIGNAL | +CSQ | M 3.1 | +CSQ | iI
EPS_REPORT | +CEREG={n:d5} | M 3.1
EPS_STATE | +CEREG? | S 27.007 10.1.22 | +CEREG | ddSSIIISS
GPRS_REPORT | +CGREG={n:d3} | M 3.1
GPRS_STATE | +CGREG? | S 27.007 10.1.20 | +CGREG | ddSSISII
OPERATOR | +COPS? | M 3.1 | +COPS | iISI |  | 30
OPERATOR_ANY | +COPS=0 | S 27.007 7.3 |  |  |  | 75
ATTACHED | +CGATT? | S 27.007 10.1.9 | +CGATT | d
ATTACH | +CGATT=1 | S 27.007 10.1.9 |  |  |  | 75
# Sleep, manual 3.8
PSM_ON | +CPSMS=1,,,{t3412:q8},{t3324:q8} | M 3.8.1, S 27.007 7.38
PSM_OFF | +CPSMS=0 | S 27.007 7.38, F
PSM_STATE | +CPSMS? | M 3.8.1, S 27.007 7.38 | +CPSMS | iSSSS
EDRX_ON | +CEDRXS=1,{act:d5},{cycle:q4} | M 3.8.2, S 27.007 7.40
EDRX_OFF | +CEDRXS=3 | S 27.007 7.40
EDRX_STATE | +CEDRXS? | M 3.8.2, S 27.007 7.40 | +CEDRXS | iS
EDRX_GRANTED | +CEDRXRDP | M 3.8.2, S 27.007 7.41 | +CEDRXRDP | iSSS
RELEASE | +CNMPSD | S 27.007; on a C1100 to be tried
RELEASE_TEST | +CNMPSD=? | S 27.007; likewise
# TCP/UDP, manual 3.3.1.1, 3.5.1.2 and 3.3.2
IP_PROFILE | +LSIPPROFILE=1,{apn:q64} | M 3.3.1.1
IP_CALL | +LSIPCALL=1 | M 3.3.1.1 | +LSIPCALL | iS |  | 75 once
IP_STATE | +LSIPCALL? | M 3.3.1.1 | +LSIPCALL | iS
IP_HANG_UP | +LSIPCALL=0 | M 3.5.1.2 |  |  |  | 20
IP_HEX | +LSIPHEX={on:d1} | M 3.3.1.1
IP_HEX_STATE | +LSIPHEX? | I | +LSIPHEX | i
IP_FREE | +LSIPOPEN? | M 3.3.1.1 | +LSIPOPEN | IIII
IP_OPEN | +LSIPOPEN={id:d4},{local_port:d65535},{host:q100},{port:d65535},{kind:d1} | M 3.3.1.1; UDP F |  | i? | +LSIPOPEN | 75 once
IP_SEND | +LSIPSEND={id:d4},{data:h700} | M 3.3.1.1 | +LSIPSEND | iI |  | 10 once
IP_PUSH | +LSIPPUSH={id:d4} | M 3.3.1.1 |  |  | VERDICT | 75 once
IP_READ | +LSIPREAD={id:d4} | F; form I
IP_CLOSE | +LSIPCLOSE={id:d4} | M 3.5.1.2 | +LSIPCLOSE | iIII |  | 20 once
IP_TRANSPARENT | +LSIPTPS={mode:d3},{id:d4},{timeout:d65535},{longest:d1498} | M 3.3.2; most bytes F |  |  | VERDICT | 30 once >
# PPP, manual 3.3.3 (which misprints CGDCONT)
NETWORK_MODE | +MODODREX={mode:d8} | M 3.3.3
PDP_CONTEXT | +CGDCONT={cid:d16},"IP",{apn:q64} | M 3.3.3, S 27.007 10.1.1
DIAL | D*99# | M 3.3.3; CONNECT S V.250 |  |  |  | 60 once
HANG_UP | H | M 3.3.3 |  |  |  | 20
# GNSS, manual 3.4; meaning of the configuration's fields: I
GNSS_MODE | +GPSMODE={mode:d4} | M 3.4
GNSS_CONFIG | +GPSCONFIG={accuracy_m:d10000},{timeout_s:d3600},{fixes:d9999999},{interval_s:d3600},2,1 | M 3.4
GNSS_START | +GPSSTART | M 3.4, F |  |  |  | 5 once
GNSS_STOP | +GPSEND | M 3.4 |  |  |  | 5 once
GNSS_FLOW | +NMEAS={on:d1} | F
GNSS_LAST | +GPSNMEA | F | +GPSNMEA
# LwM2M, manual 3.5
LWM2M_SERVER | +LWMTM={slot:d5},{server:q64} | M 3.5.1, 3.5.2
LWM2M_AUTO | +LWMTM={on:d1} | M 3.5.1; off: I
# HTTP, manual 3.7; the figures are lost, so the forms are inferred
HTTP_URL | +LSHTTPURL={length:d512} | M 3.7.1; prompt I |  |  |  | 10 once >
HTTP_HEADER | +LSHTTPHEADERINFO={name:q64},{value:q256} | M 3.7.2; form I
HTTP_TYPE | +LSHTTPCFG="contenttype",{kind:d5} | M 3.7.2; = for the printed colon
HTTP_GET | +LSHTTPGET | M 3.7.3; form I | +LSHTTPGET | iiI |  | 120 once
HTTP_POST | +LSHTTPPOST={length:d4096} | M 3.7.4; form I | +LSHTTPPOST | iiI |  | 120 once >
# MQTT, manual 3.6. The keys are the manual's, the forms F.
MQTT_CLIENT_ID | +LSMQTTCFG="clientid",{client_id:q64} | M 3.6.1, F
MQTT_USER | +LSMQTTCFG="username",{user:q64} | M 3.6.1, F
MQTT_PASSWORD | +LSMQTTCFG="password",{password:q64} | M 3.6.1, F
MQTT_TOPIC | +LSMQTTCFG="topic",{topic:q128} | M 3.6.1, F; limit I
MQTT_TEXT | +LSMQTTCFG="message",0,{message:q1024} | M 3.6.1, F; limit I
MQTT_HEX | +LSMQTTCFG="message",1,{message:h512} | M 3.6.1, F; which number is hex: I
MQTT_QOS | +LSMQTTCFG="qos",{qos:d2} | M 3.6.1, F
MQTT_RETAINED | +LSMQTTCFG="retained",{retained:d1} | M 3.6.1, F
MQTT_SESSION | +LSMQTTCFG="session",{clean:d1} | F; which way round: I
MQTT_CALL | +LSMQTTCALL=1 | M 3.6.1; URC F |  |  | +MQTTCALL | 75 once
MQTT_CALL_APN | +LSMQTTCALL=1,{apn:q64} | F |  |  | +MQTTCALL | 75 once
MQTT_HANG_UP | +LSMQTTCALL=0 | I |  |  |  | 20
MQTT_OPEN | +LSMQTTOPEN={host:q100},{port:d65535},{keepalive:d65535} | M, F |  |  | +MQTTOPEN | 75 once
MQTT_PUBLISH | +LSMQTTPUB=1 | M 3.6.4; URC F |  |  | +MQTTPUB | 75 once
MQTT_SHOW | +LSMQTTPUB? | M 3.6.4; what it shows: I | +LSMQTTPUB
MQTT_SUBSCRIBE | +LSMQTTSUB={on:d1} | M 3.6.2, 3.6.3; URC I |  |  | +MQTTSUB? | 75 once
MQTT_CLOSE | +LSMQTTCLOSE=1 | M 3.6.5; URC I |  |  | +MQTTCLOSE? | 20 once
"""  # noqa: E501 -- a form is a line

# As an object. prompt: the module asks for a payload; again: it may be sent again
Form = namedtuple("Form", ("send", "answer", "shape", "then", "prompt", "wait", "again", "source"))

# Result codes (at.py) that can end a command: well, the usual one first, and behind a slash badly.
# By what is sent, by its first letter, "" for all the others. Any other code belongs to nobody.
# +CME ERROR and +CMS ERROR end every command.
ENDS = {"": "0/4", "A": "1/34", "D": "1/34", "O": "1/34", "H": "03/4"}

# Commands whose names begin with this may tell how they ended in a line of their own, with OK or
# ERROR, before their result code, behind it or not at all (M 3.3.1.1; ERROR F).
VERDICT = "+LSIP"
VERDICT_MS = const(3000)  # behind a result code, until no verdict comes any more (I)
OUTCOME_MS = const(5000)  # and no other outcome that may be missing (I)

IP_ROOM = const(1500)  # bytes that it can have waiting (M 3.3.1.1); others are learned (room.py)
IP_READ_DATA = "+LSIPREAD"  # the answer to IP_READ, like data that comes by itself (I)

# An incoming message: its prefix, and what stands in front of the payload, in that order. Seen
# nowhere (I): if your module prints it otherwise, this is the place. Of these four names topic is
# needed; without length the payload ends with its line.
MQTT_MESSAGE = "+MQTTMSG"
MQTT_MESSAGE_FIELDS = ("topic", "qos", "retained", "length")

# Questions whose answers prove that everything before them has been answered: never settings,
# allowed in any state, and two at least, of different prefixes.
SYNC = ("SIGNAL", "GPRS_STATE", "EPS_STATE")

# Data that has come for a socket: prefixes of TCP's lines and of UDP's, with the socket's number,
# the number of bytes, and the bytes as hex digits behind them.
IP_DATA = ("+LSIPRTCP", "+LSIPRUDP")  # M 3.3.1.1; UDP I

# URCs of the sleep's states (M 3.8.1): the connection was released, PSM was entered, and was left.
RELEASED = "^DATADISCONN"
ENTERED_PSM = "^ENTERPSMMODE"
LEFT_PSM = "^EXITPSMMODE"

# URCs that are known: prefixes, and forms whose answer or outcome may come unasked. True: it tells
# a state, so that only its latest value matters.
URCS = {
    "EPS_STATE": True,  # M 3.1
    "GPRS_STATE": True,  # M 3.1
    "PIN_STATE": True,  # S
    VERDICT: False,  # M 3.3.1.1: +LSIP:OK beside result codes
    "IP_STATE": True,  # M 3.3.1.1, F
    "IP_CLOSE": False,  # M 3.5.1.2, F
    "MQTT_CALL": True,  # F
    "MQTT_OPEN": True,  # F, I
    "MQTT_PUBLISH": False,  # F
    "MQTT_SUBSCRIBE": False,  # I
    "MQTT_CLOSE": True,  # I
    RELEASED: False,
    ENTERED_PSM: False,  # events, because their order tells the state
    LEFT_PSM: False,
}

# Last parameter of an outcome line (then). Other numbers tell of failure, other text of nothing.
SUCCEEDED = (1, "OK")
FAILED = (0, "ERROR")

# Lines that a module prints when it starts; seen while a command waits, they mean that it
# restarted. The manual names none; these are the ones that modules of its class use (I).
BANNERS = ("RDY", "START", "APP RDY", "SIM READY")

# Power key and start-up, in ms (F: field firmware; the manual gives no figures)
KEY_ON_MS = const(1000)
KEY_OFF_MS = const(2000)  # 1.2 s at least on a module of the same chip
STATUS_MS = const(5000)  # by then the status pin shows that the key was heard
BOOT_MS = const(15000)
RESTART_MS = const(2000)  # until the module that was told to restart has gone
PSM_ENTRY_MS = const(1000)  # from ^ENTERPSMMODE until it is deaf (I)
PSM_SLACK_MS = const(3000)  # after the active time, before PSM is assumed (I)
SIM_READY_MS = const(20000)
OFF_MS = const(10000)


def _form(row: str) -> Form:
    """The form of a line of the table."""
    cells = [cell.strip() for cell in row.split("|")] + [""] * 4
    _, send, source, answer, shape, then, wait = cells[:7]
    if then == "VERDICT":
        then = VERDICT
    words = wait.split() or ("5",)
    return Form(
        send, answer, shape, then, ">" in words, int(words[0]), "once" not in words, source
    )


def _find(name: str) -> Form | None:
    """The form of this name, None where there is none."""
    form = globals().get(name)
    if form is None and name != "#":
        begin = _FORMS.find("\n%s " % name) + 1
        form = _form(_FORMS[begin : _FORMS.find("\n", begin)]) if begin else None
    return form


def find(send: str) -> Form | None:
    """The form that sends exactly this, or None."""
    begin = _FORMS.find(send)
    while begin >= 0:
        end = _FORMS.find("\n", begin)
        name = _FORMS[_FORMS.rfind("\n", 0, begin) + 1 : end].split(" ")[0]
        form = _find(name)
        if form is not None and form.send == send:
            return form
        begin = _FORMS.find(send, end + 1)
    return None


def forms() -> dict:
    """Name -> form, of all of them, in the order of the table where a dict keeps one."""
    names = [row.split(" ")[0] for row in _FORMS.split("\n")]
    return {name: _find(name) for name in names if name not in ("", "#")}


def prefix(name: str) -> str:
    """What the answer or the outcome of the form of this name begins with; the name itself where
    there is no such form. The form does not become an object for that.
    """
    form = _find(name)
    return name if form is None else form.answer or form.then.rstrip("?")


def urcs() -> dict:
    """URCS by their prefixes."""
    return {prefix(name): state for name, state in URCS.items()}


if TYPE_CHECKING:  # the names of the table; a board compiles none of this
    ATTENTION = NUMERIC = ECHO_OFF = ERROR_NUMBERS = POWER_OFF = RESTART = RADIO = _form("")
    RADIO_STATE = _form("")
    IMEI = IMSI = MODEL = REVISION = CLOCK = _form("")
    PIN_STATE = PIN_ENTER = _form("")
    SIGNAL = EPS_REPORT = EPS_STATE = GPRS_REPORT = GPRS_STATE = OPERATOR = _form("")
    OPERATOR_ANY = ATTACHED = ATTACH = _form("")
    PSM_ON = PSM_OFF = PSM_STATE = EDRX_ON = EDRX_OFF = EDRX_STATE = EDRX_GRANTED = _form("")
    RELEASE = RELEASE_TEST = _form("")
    IP_PROFILE = IP_CALL = IP_STATE = IP_HANG_UP = IP_HEX = IP_HEX_STATE = IP_FREE = _form("")
    IP_OPEN = IP_SEND = IP_PUSH = IP_READ = IP_CLOSE = IP_TRANSPARENT = _form("")
    NETWORK_MODE = PDP_CONTEXT = DIAL = HANG_UP = _form("")
    GNSS_MODE = GNSS_CONFIG = GNSS_START = GNSS_STOP = GNSS_FLOW = GNSS_LAST = _form("")
    LWM2M_SERVER = LWM2M_AUTO = _form("")
    HTTP_URL = HTTP_HEADER = HTTP_TYPE = HTTP_GET = HTTP_POST = _form("")
    MQTT_CLIENT_ID = MQTT_USER = MQTT_PASSWORD = MQTT_TOPIC = MQTT_TEXT = MQTT_HEX = _form("")
    MQTT_QOS = MQTT_RETAINED = MQTT_SESSION = MQTT_CALL = MQTT_CALL_APN = MQTT_HANG_UP = _form("")
    MQTT_OPEN = MQTT_PUBLISH = MQTT_SHOW = MQTT_SUBSCRIBE = MQTT_CLOSE = _form("")
else:

    def __getattr__(name: str) -> Form:
        form = _find(name)
        if form is None:
            raise AttributeError(name)
        globals()[name] = form
        return form
