"""Which form is tried when, with what: in an order in which each finds what it needs.

Nothing here costs money, leaves a setting behind or can lock a SIM, unless its risk says so.
"""

from typing import NamedTuple

SAFE = ""
COSTS = "uses the network"
KEEPS = "leaves a setting in the module"
PIN = "a wrong PIN locks the SIM"
STOPS = "restarts or stops the module"


class Step(NamedTuple):
    """One form, tried once.

    args -- in the form's order; "{apn}" and the like stand for an option's value
    payload -- what goes behind its prompt
    ends -- bytes that end a data mode which the form enters, with silence before and after
    after_s -- seconds that the module needs before it
    """

    form: str
    group: str
    args: tuple = ()
    risk: str = SAFE
    payload: str = ""
    ends: bytes = b""
    after_s: float = 0.0


STEPS = (
    Step("ATTENTION", "session"),
    Step("ECHO_OFF", "session"),
    Step("NUMERIC", "session"),
    Step("ERROR_NUMBERS", "session"),
    Step("IMEI", "identity"),
    Step("MODEL", "identity"),
    Step("REVISION", "identity"),
    Step("CLOCK", "identity"),
    Step("PIN_ENTER", "sim", ("{pin}",), PIN),
    Step("PIN_STATE", "sim"),
    Step("IMSI", "sim"),
    Step("RADIO", "network", (1,)),
    Step("RADIO_STATE", "network"),
    Step("SIGNAL", "network"),
    Step("EPS_REPORT", "network", (1,)),
    Step("EPS_STATE", "network"),
    Step("GPRS_REPORT", "network", (1,)),
    Step("GPRS_STATE", "network"),
    Step("OPERATOR", "network"),
    Step("OPERATOR_ANY", "network", (), KEEPS),
    Step("ATTACHED", "network"),
    Step("ATTACH", "network", (), COSTS),
    Step("PSM_STATE", "sleep"),
    Step("PSM_ON", "sleep", ("00100001", "00000101"), KEEPS),
    Step("PSM_OFF", "sleep", (), KEEPS),
    Step("EDRX_ON", "sleep", (4, "0101"), KEEPS),
    Step("EDRX_STATE", "sleep"),
    Step("EDRX_GRANTED", "sleep"),
    Step("EDRX_OFF", "sleep", (), KEEPS),
    Step("GNSS_MODE", "gnss", (1,)),
    Step("GNSS_CONFIG", "gnss", (20, 180, 9999999, 1)),
    Step("GNSS_START", "gnss"),
    Step("GNSS_FLOW", "gnss", (0,)),
    Step("GNSS_LAST", "gnss", after_s=2.5),  # until there is a sentence
    Step("GNSS_FLOW", "gnss", (1,)),
    Step("GNSS_STOP", "gnss"),
    Step("MQTT_CLIENT_ID", "mqtt", ("probe",)),
    Step("MQTT_USER", "mqtt", ("probe",)),
    Step("MQTT_PASSWORD", "mqtt", ("probe",)),
    Step("MQTT_SESSION", "mqtt", (1,)),
    Step("MQTT_TOPIC", "mqtt", ("probe",)),
    Step("MQTT_HEX", "mqtt", ("hex",)),
    Step("MQTT_TEXT", "mqtt", ("text",)),
    Step("MQTT_QOS", "mqtt", (1,)),
    Step("MQTT_RETAINED", "mqtt", (0,)),
    Step("MQTT_CALL", "mqtt", (), COSTS),
    Step("MQTT_OPEN", "mqtt", ("{mqtt_host}", "{mqtt_port}", 60), COSTS),
    Step("MQTT_SUBSCRIBE", "mqtt", (1,), COSTS),
    Step("MQTT_PUBLISH", "mqtt", (), COSTS),
    Step("MQTT_SHOW", "mqtt"),
    Step("MQTT_CLOSE", "mqtt", (), COSTS),
    Step("MQTT_HANG_UP", "mqtt", (), COSTS),
    Step("MQTT_CALL_APN", "mqtt", ("{apn}",), COSTS),
    Step("MQTT_HANG_UP", "mqtt", (), COSTS),
    Step("HTTP_URL", "http", ("{url_length}",), SAFE, "{url}"),
    Step("HTTP_HEADER", "http", ("X-Probe", "1")),
    Step("HTTP_TYPE", "http", (2,)),
    Step("HTTP_GET", "http", (), COSTS),
    Step("HTTP_POST", "http", (5,), COSTS, "hello"),
    Step("IP_PROFILE", "sockets", ("{apn}",)),
    Step("IP_STATE", "sockets"),
    Step("IP_CALL", "sockets", (), COSTS),
    Step("IP_FREE", "sockets", (), COSTS),
    Step("IP_OPEN", "sockets", (1, 0, "{tcp_host}", "{tcp_port}", 0), COSTS),
    Step("IP_HEX", "sockets", (1,), COSTS),
    Step("IP_HEX_STATE", "sockets"),
    Step("IP_SEND", "sockets", (1, b"hello"), COSTS),
    Step("IP_PUSH", "sockets", (1,), COSTS),
    Step("IP_TRANSPARENT", "sockets", (1, 1, 200, 1024), COSTS, "", b"+++"),
    Step("IP_READ", "sockets", (1,), COSTS),
    Step("IP_CLOSE", "sockets", (1,), COSTS),
    Step("IP_HANG_UP", "sockets", (), COSTS),
    Step("LWM2M_SERVER", "lwm2m", (3, "{lwm2m}"), KEEPS),
    Step("LWM2M_AUTO", "lwm2m", (0,), KEEPS),
    Step("NETWORK_MODE", "ppp", (2,), KEEPS),
    Step("PDP_CONTEXT", "ppp", (1, "{apn}"), KEEPS),
    Step("DIAL", "ppp", (), COSTS, "", b"+++"),
    Step("HANG_UP", "ppp", (), COSTS),
    Step("RESTART", "power", (), STOPS),
    Step("POWER_OFF", "power", (), STOPS),
)
GROUPS = tuple(dict.fromkeys(step.group for step in STEPS))

# Questions whose answer may have no line, because nothing is set: that is no difference.
MAY_BE_EMPTY = ("EDRX_STATE", "IP_FREE")

# Behind the line of the answer come so many raw bytes as its last parameter says.
COUNTED = ("HTTP_GET", "HTTP_POST")
