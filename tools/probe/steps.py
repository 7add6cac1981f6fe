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
    needs -- forms without which it says nothing: where one failed, or was not tried although it is
             of the same group, this one is not tried either
    leaves -- what it leaves in the module, in words; undoes -- of which step, in the same words
    """

    form: str
    group: str
    args: tuple = ()
    risk: str = SAFE
    payload: str = ""
    ends: bytes = b""
    after_s: float = 0.0
    needs: tuple[str, ...] = ()
    leaves: str = ""
    undoes: str = ""


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
    Step("IMSI", "sim", needs=("PIN_STATE",)),
    Step("RADIO", "network", (1,)),
    Step("RADIO_STATE", "network"),
    Step("SIGNAL", "network"),
    Step("EPS_REPORT", "network", (1,)),
    Step("EPS_STATE", "network"),
    Step("GPRS_REPORT", "network", (1,)),
    Step("GPRS_STATE", "network"),
    Step("OPERATOR", "network"),
    Step("OPERATOR_ANY", "network", (), KEEPS, leaves="operator chosen by the module"),
    Step("ATTACHED", "network"),
    Step("ATTACH", "network", (), COSTS),
    Step("PSM_STATE", "sleep"),
    Step("PSM_ON", "sleep", ("00100001", "00000101"), KEEPS),
    Step("PSM_OFF", "sleep", (), KEEPS),
    Step("EDRX_ON", "sleep", (4, "0101"), KEEPS, leaves="eDRX, asked for"),
    Step("EDRX_STATE", "sleep"),
    Step("EDRX_GRANTED", "sleep"),
    Step("RELEASE_TEST", "sleep"),
    Step("RELEASE", "sleep", needs=("RELEASE_TEST",)),
    Step("EDRX_OFF", "sleep", (), KEEPS, undoes="eDRX, asked for"),
    Step("GNSS_MODE", "gnss", (1,)),
    Step("GNSS_CONFIG", "gnss", (20, 180, 9999999, 1)),
    Step("GNSS_START", "gnss", needs=("GNSS_MODE", "GNSS_CONFIG"), leaves="the GNSS receiver, on"),
    Step("GNSS_FLOW", "gnss", (0,), needs=("GNSS_START",)),
    Step("GNSS_LAST", "gnss", after_s=2.5, needs=("GNSS_START",)),  # until there is a sentence
    Step("GNSS_FLOW", "gnss", (1,), needs=("GNSS_START",)),
    Step("GNSS_STOP", "gnss", needs=("GNSS_START",), undoes="the GNSS receiver, on"),
    Step("MQTT_CLIENT_ID", "mqtt", ("probe",)),
    Step("MQTT_USER", "mqtt", ("probe",)),
    Step(
        "MQTT_PASSWORD",
        "mqtt",
        ("probe",),
        leaves="the probe's MQTT user",
    ),
    Step("MQTT_SESSION", "mqtt", (1,)),
    Step("MQTT_TOPIC", "mqtt", ("probe",)),
    Step("MQTT_HEX", "mqtt", ("hex",)),
    Step("MQTT_TEXT", "mqtt", ("text",)),
    Step("MQTT_QOS", "mqtt", (1,)),
    Step("MQTT_RETAINED", "mqtt", (0,)),
    Step("MQTT_CALL", "mqtt", (), COSTS, needs=("ATTACH",), leaves="a PDP context for MQTT"),
    Step(
        "MQTT_OPEN",
        "mqtt",
        ("{mqtt_host}", "{mqtt_port}", 60),
        COSTS,
        needs=("MQTT_CLIENT_ID", "MQTT_CALL"),
        leaves="an open MQTT session",
    ),
    Step("MQTT_SUBSCRIBE", "mqtt", (1,), COSTS, needs=("MQTT_OPEN", "MQTT_TOPIC")),
    Step("MQTT_PUBLISH", "mqtt", (), COSTS, needs=("MQTT_OPEN", "MQTT_TOPIC")),
    Step("MQTT_SHOW", "mqtt"),
    Step("MQTT_CLOSE", "mqtt", (), COSTS, needs=("MQTT_OPEN",), undoes="an open MQTT session"),
    Step("MQTT_HANG_UP", "mqtt", (), COSTS, needs=("MQTT_CALL",), undoes="a PDP context for MQTT"),
    Step(
        "MQTT_CALL_APN",
        "mqtt",
        ("{apn}",),
        COSTS,
        needs=("ATTACH",),
        leaves="a PDP context for MQTT",
    ),
    Step(
        "MQTT_HANG_UP",
        "mqtt",
        (),
        COSTS,
        needs=("MQTT_CALL_APN",),
        undoes="a PDP context for MQTT",
    ),
    Step("HTTP_URL", "http", ("{url_length}",), SAFE, "{url}"),
    Step("HTTP_HEADER", "http", ("X-Probe", "1"), leaves="the HTTP header X-Probe"),
    Step("HTTP_TYPE", "http", (2,)),
    Step("HTTP_GET", "http", (), COSTS, needs=("ATTACH", "HTTP_URL")),
    Step("HTTP_POST", "http", (5,), COSTS, "hello", needs=("ATTACH", "HTTP_URL")),
    Step("IP_PROFILE", "sockets", ("{apn}",)),
    Step("IP_STATE", "sockets"),
    Step("IP_CALL", "sockets", (), COSTS, needs=("ATTACH", "IP_PROFILE")),
    Step("IP_FREE", "sockets", (), COSTS, needs=("IP_CALL",)),
    Step(
        "IP_OPEN",
        "sockets",
        (1, 0, "{tcp_host}", "{tcp_port}", 0),
        COSTS,
        needs=("IP_CALL",),
        leaves="socket 1, open",
    ),
    Step("IP_HEX", "sockets", (1,), COSTS, needs=("IP_OPEN",)),
    Step("IP_HEX_STATE", "sockets"),
    Step("IP_SEND", "sockets", (1, b"hello"), COSTS, needs=("IP_OPEN", "IP_HEX")),
    Step("IP_PUSH", "sockets", (1,), COSTS, needs=("IP_SEND",)),
    Step("IP_TRANSPARENT", "sockets", (1, 1, 200, 1024), COSTS, "", b"+++", needs=("IP_OPEN",)),
    Step("IP_READ", "sockets", (1,), COSTS, needs=("IP_OPEN",)),
    Step("IP_CLOSE", "sockets", (1,), COSTS, needs=("IP_OPEN",), undoes="socket 1, open"),
    Step("IP_HANG_UP", "sockets", (), COSTS, needs=("IP_CALL",)),
    Step("LWM2M_SERVER", "lwm2m", (3, "{lwm2m}"), KEEPS, leaves="LwM2M server 3"),
    Step("LWM2M_AUTO", "lwm2m", (0,), KEEPS, leaves="LwM2M does not start by itself"),
    Step("NETWORK_MODE", "ppp", (2,), KEEPS, leaves="network mode automatic"),
    Step("PDP_CONTEXT", "ppp", (1, "{apn}"), KEEPS, leaves="PDP context 1 with the APN given"),
    Step("DIAL", "ppp", (), COSTS, "", b"+++", needs=("ATTACH", "PDP_CONTEXT")),
    Step("HANG_UP", "ppp", (), COSTS, needs=("DIAL",)),
    Step("RESTART", "power", (), STOPS),
    Step("POWER_OFF", "power", (), STOPS),
)
GROUPS = tuple(dict.fromkeys(step.group for step in STEPS))

# Questions whose answer may have no line, because nothing is set: that is no difference.
MAY_BE_EMPTY = ("EDRX_STATE", "IP_FREE")

# Behind the line of the answer come so many raw bytes as its last parameter says.
COUNTED = ("HTTP_GET", "HTTP_POST")
