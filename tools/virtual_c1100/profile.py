"""What one virtual module is: variant, identity, SIM, network, timing, seed. All data.

Times are in seconds here, because people edit them. Sources of the defaults: `reference` pages of
the project; where none gives a figure the value is inferred and says so.
"""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.virtual_c1100.air import Grants, RadioLink

GSM, LTE_M, NB_IOT = 0, 7, 9  # <AcT>, 3GPP TS 27.007 clause 7.3
NO_RSSI = 99  # of +CSQ: not known (27.007 clause 8.5)
NETWORKS = ("", "assumed", "measured")
LTE_BANDS = (1, 2, 3, 4, 5, 8, 12, 13, 17, 18, 19, 20, 26, 28)
EGPRS_BANDS = (2, 3, 5, 8)


@dataclass(frozen=True)
class Variant:
    """One row of the manual's cover table, with the bands of its tables 3 and 4."""

    rats: tuple[int, ...]  # <AcT> in the order in which they are searched (order: inferred)
    bands: dict[int, tuple[int, ...]]
    gnss: bool
    taf: bool


_MULTI: dict[int, tuple[int, ...]] = {LTE_M: (*LTE_BANDS, 39), NB_IOT: LTE_BANDS, GSM: EGPRS_BANDS}
_NB: dict[int, tuple[int, ...]] = {NB_IOT: LTE_BANDS}
VARIANTS = {
    "MGGT": Variant((LTE_M, NB_IOT, GSM), _MULTI, gnss=True, taf=True),
    "NGGT": Variant((NB_IOT,), _NB, gnss=True, taf=True),
    "MGCX": Variant((LTE_M, NB_IOT, GSM), _MULTI, gnss=True, taf=False),
    "NGCX": Variant((NB_IOT,), _NB, gnss=True, taf=False),
}


@dataclass
class Latency:
    """How long things take, in seconds. Orders of magnitude from field firmware, else inferred."""

    pwrkey_on: float = 0.7  # field firmware presses for 1.0 s; the least that works: inferred
    pwrkey_off: float = 1.2  # SIM7000, same chip class
    boot: float = 3.0  # field: UART answers within 5 s of the key
    boot_psm: float = 3.0  # after PSM (Qualcomm's PSM daemon expects 3 s)
    psm_entry: float = 0.3  # from ^ENTERPSMMODE until the UART is dead: inferred
    at_idle: float = 6.0  # without AT commands before PSM (SARA-R4, same chip)
    power_off: float = 2.0  # SIM7000: 1.8 to 6.9 s until the UART is dead
    command: float = 0.005
    sim_ready: float = 1.0
    registration: float = 4.0
    pdp: float = 1.2
    mqtt_open: float = 0.8
    mqtt_packet: float = 0.3
    mqtt_timeout: float = 20.0  # without an answer of the broker (inferred)
    cops_scan: float = 40.0
    connect: float = 0.6
    connect_timeout: float = 20.0  # of AT+LSIPOPEN (field firmware waits up to 30 s)
    packet: float = 0.2
    send_timeout: float = 20.0  # inferred
    http_timeout: float = 60.0  # inferred
    fix_cold: float = 32.0  # receivers of this class: about 30 s, 25 s, 1 s (inferred)
    fix_warm: float = 25.0
    fix_hot: float = 2.0


@dataclass
class SimCard:
    """The card in the holder. `present=False`: none."""

    present: bool = True
    pin: str = ""  # empty: the PIN is not asked for
    puk: str = "12345678"
    imsi: str = "460001234567890"
    iccid: str = "89860012345678901234"


@dataclass
class Cell:
    """The network around the module."""

    acts: tuple[int, ...] = (LTE_M, NB_IOT, GSM)
    plmn: str = "46000"
    operator: str = "CHINA MOBILE"
    tac: str = "1A2B"
    cell_id: str = "01234567"
    rssi: int = 22  # <rssi> of +CSQ, 0..31 or 99
    rsrp: int | None = None  # dBm; None: as follows from <rssi>
    roaming: bool = False
    denied_cause: int | None = None  # EMM cause with which it rejects the module
    denied_context: int | None = None  # ESM cause with which it rejects a context
    backoff_s: float = 0.0  # it rejects until it was not tried for so long; 0: for ever
    covered: bool = True

    @property
    def rsrp_dbm(self) -> int | None:
        """RSRP. Where only <rssi> is known, what the usual width of 12 subcarriers leaves of it
        (inferred).
        """
        if self.rsrp is not None or self.rssi == NO_RSSI:
            return self.rsrp
        return 2 * self.rssi - 113 - 20


@dataclass
class Track:
    """Where the receiver is at virtual time 0, and how it moves; `sky=False`: under a roof.

    cn0 -- what its strongest satellite has: from that virtual second on so many dB-Hz (GSV
           sentences; outdoors 35 to 50). Below 25 its data cannot be read, so nothing is found.
    """

    latitude: float = 31.2304  # degrees
    longitude: float = 121.4737
    altitude: float = 12.0  # metres above sea level
    speed: float = 0.0  # metres per second
    course: float = 0.0  # degrees from north
    turn: float = 0.0  # degrees per second
    climb: float = 0.0  # metres per second
    sky: bool = True
    cn0: tuple[tuple[float, float], ...] = ((0.0, 40.0),)


@dataclass
class Quirks:
    """Forms that the manual leaves open; the first reading of the wire contract is the default."""

    cmee: int = 1  # errors as +CME ERROR: <n> after power-on, as the contract's CPIN row shows
    urc_lead: str = ""  # "\r\r\n" as seen in the field before +MQTT URCs
    lost_link_urc: str = "+MQTTOPEN:0"
    unsubscribed_urc: str = "+MQTTSUB:1"  # 1 = done as asked, like +MQTTCLOSE:1 (inferred)
    call_query: str = "+LSIPCALL: 1, {ip}"  # 3.3.1.1; "+LSIPCALL:1,{ip}" in 3.3.2
    remote_close: int = 0  # <cause> of +LSIPCLOSE when the other end closed (field: 0)
    receive_size: int = 750  # most bytes of one +LSIPRTCP (field: 750 bytes as hex)
    lsip_error: bool = False  # "+LSIP:ERROR" in front of ERROR
    gsv: bool = (
        True  # satellites in view are among the sentences (tables 3 and 4 name no sentence)
    )
    cell_info: bool = True  # it has AT+LSCELLINFO (seen in the field; the manual has none)
    psm_stored: bool = True  # AT+CPSMS outlasts power-off (inferred; F43)


Address = tuple[str, int]


@dataclass
class Profile:
    """Everything that distinguishes one virtual module from another."""

    variant: str = "MGGT"
    imei: str = "866207050000001"
    manufacturer: str = "LONGSUNG"
    revision: str = "C1100_V1.5.0"
    baud: int = 115200
    seed: int = 1
    local_ip: str = "10.32.226.112"
    peer_grace_s: float = 0.03  # real seconds for which more of what a peer says is awaited
    peer_answer_s: float = 3.0  # real seconds for which a socket's likely answer is awaited
    patience_s: float = 5.0  # real seconds for which a request's answer is awaited
    ppp_login: tuple[str, str] | None = None  # user and password that PPP asks for by PAP
    lwm2m_lifetime_s: int = 86400
    battery_percent: int = 80  # what object 3 of LwM2M tells
    network: str = ""  # "assumed" or "measured"; "": whatever fits the power profile, else assumed
    start_s: int = 1_700_000_000  # Unix time at which the virtual clock stands at 0
    sim: SimCard = field(default_factory=SimCard)
    cell: Cell = field(default_factory=Cell)
    latency: Latency = field(default_factory=Latency)
    track: Track = field(default_factory=Track)
    quirks: Quirks = field(default_factory=Quirks)
    radio: RadioLink = field(default_factory=RadioLink)
    grants: Grants = field(default_factory=Grants)
    # Where the module's network traffic really goes. What has no route must be loopback.
    routes: dict[Address, Address] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)  # "NAME" or "NAME:PARAMETER", see faults.py

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise ValueError(f"variant {self.variant!r} is none of {', '.join(VARIANTS)}")
        if self.network not in NETWORKS:
            raise ValueError(f"network {self.network!r} is none of {', '.join(NETWORKS[1:])}")

    @property
    def hardware(self) -> Variant:
        """RATs, bands and features of the variant (manual, cover table, tables 3 and 4)."""
        return VARIANTS[self.variant]


def parse_address(text: str) -> Address:
    """`host:port` as a pair. Raises ValueError that says what is wrong."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def load(path: Path) -> Profile:
    """A profile from a TOML file with the field names of `Profile`; routes as "h:p" = "h:p".

    Raises ValueError naming the key that does not exist.
    """
    return parse(tomllib.loads(path.read_text()), str(path))


def parse(values: dict[str, Any], where: str) -> Profile:
    """The usual profile with these values in place of its own. Raises ValueError."""
    return _changed(Profile(), values, where)


def _changed(part: Any, values: dict[str, Any], where: str) -> Any:
    """`part`, a dataclass, with these values; tables are those of its parts."""
    known = [f.name for f in dataclasses.fields(part)]
    made = {}
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{where}: no setting {key!r}; there are {', '.join(known)}")
        if key == "routes":
            if not isinstance(value, dict) or not all(isinstance(a, str) for a in value.values()):
                raise ValueError(f'{where}: routes is a table of "HOST:PORT" = "HOST:PORT"')
            value = {parse_address(a): parse_address(b) for a, b in value.items()}
        elif dataclasses.is_dataclass(getattr(part, key)):
            if not isinstance(value, dict):
                raise ValueError(f"{where}: {key} is a table, [{key}]")
            value = _changed(getattr(part, key), value, f"{where}, [{key}]")
        elif not _alike(value, getattr(part, key)):
            raise ValueError(f"{where}: {key} is like {getattr(part, key)!r}, not {value!r}")
        elif isinstance(value, list) and key != "faults":
            value = tuple(value)
        made[key] = value
    return dataclasses.replace(part, **made)


def _alike(value: Any, usual: Any) -> bool:
    """Whether a value is of the kind that the setting has; what is None as yet may be anything."""
    if isinstance(usual, bool) or isinstance(value, bool):
        return usual is None or (isinstance(value, bool) and isinstance(usual, bool))
    if isinstance(usual, int | float):
        return isinstance(value, int | float)
    if isinstance(usual, tuple | list):
        like = usual[0] if usual else ""
        return isinstance(value, list) and all(_alike(each, like) for each in value)
    return usual is None or isinstance(value, type(usual))
