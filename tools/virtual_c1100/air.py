"""The radio link and the network's side of sleep, as data: a part of the module's profile.

Seconds and bits per second. Sources: nRF9160 product specification (events of 1.5 s and 2.7 s),
3GPP TS 36.306 (peak rates), TS 24.008 (codes), the project's page of power facts; else inferred.
"""

from dataclasses import dataclass, field

from tools.virtual_c1100 import timers

RELEASES = ("honoured", "ignored", "refused")


@dataclass
class Air:
    """One radio access technology at coverage level 0."""

    uplink_bps: int
    downlink_bps: int
    setup: float  # random access and RRC connection until the first byte can go
    attach: float  # from random access to attach complete
    tau: float  # a whole tracking-area update
    # Part of such signalling in which the transmitter is on: some 200 bytes at the uplink's rate,
    # and random access (inferred). With it the TAU event of an nRF9160 has its published energy.
    tx_share: float
    resync: float  # finding the known cell again after PSM
    cycle: float  # DRX cycle of idle mode


@dataclass
class Grants:
    """What the network answers to requests for PSM and eDRX."""

    psm: bool = True
    t3324: str = ""  # these 8 bits whatever is asked for; empty: as asked
    t3412: str = ""
    active_only: bool = False  # T3324 without a periodic TAU (ubxlib issue 201)
    least_t3412_s: int = 0  # some operators: 190 min = 11400
    usual_t3412_s: int = 3240  # periodic TAU where no extended one is granted: 54 min
    edrx: bool = True
    edrx_cycle: str = ""  # these 4 bits whatever is asked for
    window: str = "0001"  # paging time window
    # AT+CNMPSD: "honoured", "ignored" by module or network, or "refused": not in this module
    release: str = "honoured"

    def __post_init__(self) -> None:
        if self.release not in RELEASES:
            raise ValueError(f"release {self.release!r} is none of {', '.join(RELEASES)}")

    def timers(self, t3324: str, t3412: str) -> tuple[str, str]:
        """The T3324 and T3412 granted for those asked for; "" is none."""
        if not self.psm:
            return "", ""
        active, periodic = self.t3324 or t3324, self.t3412 or t3412
        seconds = timers.t3412_s(periodic)
        if seconds is not None and seconds < self.least_t3412_s:
            periodic = timers.t3412_bits(self.least_t3412_s)
        return active, "" if self.active_only else periodic


@dataclass
class RadioLink:
    """Cell and core network around the module."""

    coverage: int = 0  # coverage enhancement level 0, 1 or 2
    # How much longer every transmission takes by level: the ratio of the energies per report at
    # 144, 154 and 164 dB coupling loss in the TR 45.820 model (50 bytes: 20.6, 73.5, 424 uWh).
    repetition: tuple[float, ...] = (1.0, 3.6, 20.6)
    slower: tuple[float, ...] = (1.0, 1.0, 1.0)  # so much longer still takes what is sent
    inactivity: float = 15.0  # RRC connection without data until its release
    overhead: int = 60  # bytes of headers and acknowledgement with each packet (inferred)
    loss: float = 0.0  # probability that a packet of data has to be sent again
    retry: float = 1.0  # until it is: TCP's first time-out (RFC 6298 clause 2.1)
    detach: float = 0.5  # inferred
    # From the word that no more data comes to the release: one small message each way (inferred;
    # 24.301 clause 9.9.4.25, 36.321 clause 5.4.5 name the message)
    last_word: float = 0.1
    search_time: float = 20.0  # without a cell: one scan, then a pause that doubles (inferred)
    first_pause: float = 30.0
    longest_pause: float = 600.0
    lte_m: Air = field(default_factory=lambda: Air(
        375_000, 300_000, setup=0.2, attach=1.5, tau=1.5, tx_share=0.02, resync=0.3, cycle=1.28,
    ))  # fmt: skip
    nb_iot: Air = field(default_factory=lambda: Air(
        16_900, 26_000, setup=0.5, attach=2.0, tau=2.7, tx_share=0.04, resync=0.6, cycle=2.56,
    ))  # fmt: skip
    gsm: Air = field(default_factory=lambda: Air(
        80_000, 80_000, setup=0.3, attach=1.5, tau=1.5, tx_share=0.3, resync=0.5, cycle=1.88,
    ))  # fmt: skip

    def __post_init__(self) -> None:
        if not 0 <= self.loss < 1:
            raise ValueError(f"loss {self.loss} is no probability below 1")
        if self.coverage not in range(min(len(self.repetition), len(self.slower))):
            raise ValueError(f"there is no coverage level {self.coverage}")

    @property
    def factor(self) -> float:
        """How much longer everything on the air takes at this coverage level."""
        return self.repetition[self.coverage]

    @property
    def uplink_factor(self) -> float:
        """Likewise of the bytes that are sent."""
        return self.factor * self.slower[self.coverage]
