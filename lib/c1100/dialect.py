"""Every command form of the module, in one table. A user whose module differs edits this file.

Source letters, as the last column: M the manual (with its chapter), F seen in firmware that drives
modules of this family, S a standard (3GPP TS 27.007, ITU-T V.250), I inferred, because a figure of
the manual is lost.
"""

from collections import namedtuple

from micropython import const

# send    what follows AT. The command may have another name, fields other limits and other text
#         around them, but they keep their order: {name:kind} is filled in by at.render
# answer  prefix of its information response; "" none, "#14" a line of 14 digits at least, "*" any
#         lines; these two with or without the command's own name, but with no other. LS may be
#         missing in it, as in then and in URCs
# shape   of the answer's parameters, a letter each (at.read): what does not fit is no answer to
#         this command. Longer where your module tells more, capitals where it may tell less. Of a
#         form without an answer: of the outcome, which stands where the last letter does
# then    prefix of the line that tells the outcome, before or after the result code: SUCCEEDED or
#         not in its last parameter, or where shape ends. With ? behind the prefix it may be
#         missing, as VERDICT may: then the result code is the outcome. "" if your module has none
# prompt  whether the module asks for a payload with ">"; else it gets it unasked
# wait    seconds until the command counts as unanswered
# again   whether it may be sent again after a time-out
# source  see above
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

_S = const(1)  # a question that the module answers at once
_NET = const(75)  # a command that needs the network


def _ask(send: str, answer: str, shape: str, source: str, wait: int = 5) -> Form:
    return Form(send, answer, shape, "", False, wait, True, source)


def _set(send: str, source: str, wait: int = 5, again: bool = True) -> Form:
    return Form(send, "", "", "", False, wait, again, source)


def _net(send: str, then: str, source: str, wait: int = _NET, shape: str = "") -> Form:
    return Form(send, "", shape, then, False, wait, False, source)


# Framing and session settings
ATTENTION = _set("", "S V.250", wait=_S)
NUMERIC = _set("V0", "M 3.1")
ECHO_OFF = _set("E0", "S V.250, F")
ERROR_NUMBERS = _set("+CMEE=1", "S 27.007 9.1")
POWER_OFF = _set("$QCPWRDN", "F", again=False)
RESTART = _set("+CFUN=1,1", "M 3.5.1", again=False)
RADIO = _set("+CFUN={level:d4}", "S 27.007 8.2", wait=15)
RADIO_STATE = _ask("+CFUN?", "+CFUN", "d", "S 27.007 8.2")

# Identity
IMEI = _ask("+CGSN", "#14", "r", "S 27.007 5.4")
IMSI = _ask("+CIMI", "#14", "r", "S 27.007 5.6")
MODEL = _ask("+CGMM", "*", "r", "S 27.007 5.2")
REVISION = _ask("+CGMR", "*", "r", "S 27.007 5.3")
CLOCK = _ask("+CCLK?", "+CCLK", "r", "S 27.007 8.15")

# SIM, manual 3.2
PIN_STATE = _ask("+CPIN?", "+CPIN", "s", "M 3.1")
PIN_ENTER = _set("+CPIN={pin:q8}", "M 3.2.1", again=False)

# Network, manual 3.1
SIGNAL = _ask("+CSQ", "+CSQ", "iI", "M 3.1")
EPS_REPORT = _set("+CEREG={n:d5}", "M 3.1")
EPS_STATE = _ask("+CEREG?", "+CEREG", "ddSSIIISS", "S 27.007 10.1.22")
GPRS_REPORT = _set("+CGREG={n:d2}", "M 3.1")
GPRS_STATE = _ask("+CGREG?", "+CGREG", "ddSSI", "S 27.007 10.1.20")
OPERATOR = _ask("+COPS?", "+COPS", "iISI", "M 3.1", wait=30)
OPERATOR_ANY = _set("+COPS=0", "S 27.007 7.3", wait=_NET)
ATTACHED = _ask("+CGATT?", "+CGATT", "d", "S 27.007 10.1.9")
ATTACH = _set("+CGATT=1", "S 27.007 10.1.9", wait=_NET)

# Sleep, manual 3.8
PSM_ON = _set("+CPSMS=1,,,{t3412:q8},{t3324:q8}", "M 3.8.1, S 27.007 7.38")
PSM_OFF = _set("+CPSMS=0", "S 27.007 7.38, F")
PSM_STATE = _ask("+CPSMS?", "+CPSMS", "iSSSS", "M 3.8.1, S 27.007 7.38")
EDRX_ON = _set("+CEDRXS=1,{act:d5},{cycle:q4}", "M 3.8.2, S 27.007 7.40")
EDRX_OFF = _set("+CEDRXS=3", "S 27.007 7.40")
EDRX_STATE = _ask("+CEDRXS?", "+CEDRXS", "iS", "M 3.8.2, S 27.007 7.40")
EDRX_GRANTED = _ask("+CEDRXRDP", "+CEDRXRDP", "iSSS", "M 3.8.2, S 27.007 7.41")

# TCP/UDP, manual 3.3.1.1, 3.5.1.2 and 3.3.2
IP_PROFILE = _set("+LSIPPROFILE=1,{apn:q64}", "M 3.3.1.1")
IP_CALL = Form("+LSIPCALL=1", "+LSIPCALL", "iS", "", False, _NET, False, "M 3.3.1.1")
IP_STATE = _ask("+LSIPCALL?", "+LSIPCALL", "iS", "M 3.3.1.1")
IP_HANG_UP = _set("+LSIPCALL=0", "M 3.5.1.2", wait=20)
IP_HEX = _set("+LSIPHEX={on:d1}", "M 3.3.1.1")
IP_HEX_STATE = _ask("+LSIPHEX?", "+LSIPHEX", "i", "I")
IP_FREE = _ask("+LSIPOPEN?", "+LSIPOPEN", "IIII", "M 3.3.1.1")
IP_OPEN = _net(
    "+LSIPOPEN={id:d4},{local_port:d65535},{host:q100},{port:d65535},{kind:d1}",
    "+LSIPOPEN",
    "M 3.3.1.1; UDP F",
    shape="i?",
)
IP_SEND = Form(
    "+LSIPSEND={id:d4},{data:h700}", "+LSIPSEND", "iI", "", False, 10, False, "M 3.3.1.1"
)
IP_ROOM = const(1500)  # bytes that it can have waiting (M 3.3.1.1); others are learned (room.py)
IP_PUSH = _net("+LSIPPUSH={id:d4}", VERDICT, "M 3.3.1.1")
IP_READ = _set("+LSIPREAD={id:d4}", "F; form I")
IP_READ_DATA = "+LSIPREAD"  # its answer, like data that comes by itself (I)
IP_CLOSE = Form("+LSIPCLOSE={id:d4}", "+LSIPCLOSE", "iIII", "", False, 20, False, "M 3.5.1.2")
IP_TRANSPARENT = Form(
    "+LSIPTPS={mode:d3},{id:d4},{timeout:d65535},{longest:d1498}",
    "",
    "",
    VERDICT,
    True,
    30,
    False,
    "M 3.3.2; most bytes F",
)

# PPP, manual 3.3.3 (which misprints CGDCONT)
NETWORK_MODE = _set("+MODODREX={mode:d8}", "M 3.3.3")
PDP_CONTEXT = _set('+CGDCONT={cid:d16},"IP",{apn:q64}', "M 3.3.3, S 27.007 10.1.1")
DIAL = _set("D*99#", "M 3.3.3; CONNECT S V.250", wait=60, again=False)
HANG_UP = _set("H", "M 3.3.3", wait=20)

# GNSS, manual 3.4; meaning of the configuration's fields: I
GNSS_MODE = _set("+GPSMODE={mode:d4}", "M 3.4")
GNSS_CONFIG = _set(
    "+GPSCONFIG={accuracy_m:d10000},{timeout_s:d3600},{fixes:d9999999},{interval_s:d3600},2,1",
    "M 3.4",
)
GNSS_START = _set("+GPSSTART", "M 3.4, F", again=False)
GNSS_STOP = _set("+GPSEND", "M 3.4", again=False)
GNSS_FLOW = _set("+NMEAS={on:d1}", "F")
GNSS_LAST = Form("+GPSNMEA", "+GPSNMEA", "", "", False, 5, True, "F")

# LwM2M, manual 3.5
LWM2M_SERVER = _set("+LWMTM={slot:d5},{server:q64}", "M 3.5.1, 3.5.2")
LWM2M_AUTO = _set("+LWMTM={on:d1}", "M 3.5.1; off: I")

# HTTP, manual 3.7; the figures are lost, so the forms are inferred
HTTP_URL = Form("+LSHTTPURL={length:d512}", "", "", "", True, 10, False, "M 3.7.1; prompt I")
HTTP_HEADER = _set("+LSHTTPHEADERINFO={name:q64},{value:q256}", "M 3.7.2; form I")
HTTP_TYPE = _set('+LSHTTPCFG="contenttype",{kind:d5}', "M 3.7.2; = for the printed colon")
HTTP_GET = Form("+LSHTTPGET", "+LSHTTPGET", "iiI", "", False, 120, False, "M 3.7.3; form I")
HTTP_POST = Form(
    "+LSHTTPPOST={length:d4096}",
    "+LSHTTPPOST",
    "iiI",
    "",
    True,
    120,
    False,
    "M 3.7.4; form I",
)

# MQTT, manual 3.6. The keys are the manual's, the forms F.
MQTT_CLIENT_ID = _set('+LSMQTTCFG="clientid",{client_id:q64}', "M 3.6.1, F")
MQTT_USER = _set('+LSMQTTCFG="username",{user:q64}', "M 3.6.1, F")
MQTT_PASSWORD = _set('+LSMQTTCFG="password",{password:q64}', "M 3.6.1, F")
MQTT_TOPIC = _set('+LSMQTTCFG="topic",{topic:q128}', "M 3.6.1, F; limit I")
MQTT_TEXT = _set('+LSMQTTCFG="message",0,{message:q1024}', "M 3.6.1, F; limit I")
MQTT_HEX = _set('+LSMQTTCFG="message",1,{message:h512}', "M 3.6.1, F; which number is hex: I")
MQTT_QOS = _set('+LSMQTTCFG="qos",{qos:d2}', "M 3.6.1, F")
MQTT_RETAINED = _set('+LSMQTTCFG="retained",{retained:d1}', "M 3.6.1, F")
MQTT_SESSION = _set('+LSMQTTCFG="session",{clean:d1}', "F; which way round: I")
MQTT_CALL = _net("+LSMQTTCALL=1", "+MQTTCALL", "M 3.6.1; URC F")
MQTT_CALL_APN = _net("+LSMQTTCALL=1,{apn:q64}", "+MQTTCALL", "F")
MQTT_HANG_UP = _set("+LSMQTTCALL=0", "I", wait=20)
MQTT_OPEN = _net("+LSMQTTOPEN={host:q100},{port:d65535},{keepalive:d65535}", "+MQTTOPEN", "M, F")
MQTT_PUBLISH = _net("+LSMQTTPUB=1", "+MQTTPUB", "M 3.6.4; URC F")
MQTT_SHOW = _ask("+LSMQTTPUB?", "+LSMQTTPUB", "", "M 3.6.4; what it shows: I")
MQTT_SUBSCRIBE = _net("+LSMQTTSUB={on:d1}", "+MQTTSUB?", "M 3.6.2, 3.6.3; URC I")
MQTT_CLOSE = _net("+LSMQTTCLOSE=1", "+MQTTCLOSE?", "M 3.6.5; URC I", wait=20)

# An incoming message: its prefix, and what stands in front of the payload, in that order. Seen
# nowhere (I): if your module prints it otherwise, this is the place. Of these four names topic is
# needed; without length the payload ends with its line.
MQTT_MESSAGE = "+MQTTMSG"
MQTT_MESSAGE_FIELDS = ("topic", "qos", "retained", "length")

# Questions whose answers prove that everything before them has been answered: never settings,
# allowed in any state, and two at least, of different prefixes.
SYNC = (SIGNAL, GPRS_STATE, EPS_STATE)

# Data that has come for a socket: prefixes of TCP's lines and of UDP's, with the socket's number,
# the number of bytes, and the bytes as hex digits behind them.
IP_DATA = ("+LSIPRTCP", "+LSIPRUDP")  # M 3.3.1.1; UDP I

# URCs of the sleep's states (M 3.8.1): the connection was released, PSM was entered, and was left.
RELEASED = "^DATADISCONN"
ENTERED_PSM = "^ENTERPSMMODE"
LEFT_PSM = "^EXITPSMMODE"

# URCs that are known. True: it tells a state, so that only its latest value matters.
URCS = {
    EPS_STATE.answer: True,  # M 3.1
    GPRS_STATE.answer: True,  # M 3.1
    PIN_STATE.answer: True,  # S
    VERDICT: False,  # M 3.3.1.1: +LSIP:OK beside result codes
    IP_STATE.answer: True,  # M 3.3.1.1, F
    IP_CLOSE.answer: False,  # M 3.5.1.2, F
    MQTT_CALL.then.rstrip("?"): True,  # F
    MQTT_OPEN.then.rstrip("?"): True,  # F, I
    MQTT_PUBLISH.then.rstrip("?"): False,  # F
    MQTT_SUBSCRIBE.then.rstrip("?"): False,  # I
    MQTT_CLOSE.then.rstrip("?"): True,  # I
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


def find(send: str) -> Form | None:
    """The form that sends exactly this, or None."""
    for form in globals().values():
        if isinstance(form, Form) and form.send == send:
            return form
    return None
