"""The SIM: readiness after boot, PIN and PUK with their counters (3GPP TS 27.007 8.3, 11.11)."""

from collections.abc import Callable

from tools.virtual_c1100.commandline import Text
from tools.virtual_c1100.commands import Call, CmeFailure, Command
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.faults import Faults

PIN_TRIES, PUK_TRIES = 3, 10
NOT_ALLOWED, ABSENT, PIN_NEEDED, PUK_NEEDED, FAILED, BUSY, WRONG = 3, 10, 11, 12, 13, 14, 16


class Sim:
    """The card and the module's access to it.

    The counters live on the card: they survive reboot and power-off. `on_ready` is called when
    the card is usable.
    """

    def __init__(self, core: Core, faults: Faults) -> None:
        self._core = core
        self._faults = faults
        self.pin = core.profile.sim.pin
        self.pin_tries = PIN_TRIES
        self.puk_tries = PUK_TRIES
        self.on_ready: Callable[[], None] = lambda: None
        self._found = False
        self._unlocked = False
        self.commands = (
            Command("+CPIN", "M 3.1, 3.2.1", self._enter,
                    (Text(8, 4, bare=True), Text(8, 4, optional=True, bare=True)), self._state),
            Command("+CPINR", "S", run=self._tries),
        )  # fmt: skip

    @property
    def ready(self) -> bool:
        """The module can use the card."""
        return self._found and self._unlocked

    def boot(self) -> None:
        """The module looks for its card and asks for its PIN again."""
        self._found = False
        self._unlocked = not self.pin
        delay = self._core.profile.latency.sim_ready + self._faults.active.sim_extra_s
        self._core.later(delay, self._find)

    def require_card(self) -> None:
        """Raises CmeFailure while no card can be read."""
        if not self._core.profile.sim.present:
            raise CmeFailure(ABSENT)
        if not self._found:
            raise CmeFailure(BUSY)

    def require_ready(self) -> None:
        """Raises CmeFailure that names why the card cannot be used."""
        self.require_card()
        if not self.ready:
            raise CmeFailure(self._lock() or BUSY)

    def _find(self) -> None:
        self._found = self._core.profile.sim.present
        if self.ready:
            self.on_ready()

    def _lock(self) -> int | None:
        if not self.pin_tries:
            return PUK_NEEDED if self.puk_tries else FAILED
        return None if self._unlocked else PIN_NEEDED

    def _state(self, call: Call) -> None:
        self.require_card()
        lock = self._lock()
        if lock == FAILED:
            raise CmeFailure(FAILED)
        # The blanks are the manual's: "+CPIN: READY" in 3.1, "+CPIN:SIM PIN " in 3.2.1.
        call.info({None: "+CPIN: READY", PIN_NEEDED: "+CPIN:SIM PIN ",
                   PUK_NEEDED: "+CPIN:SIM PUK "}[lock])  # fmt: skip

    def _enter(self, call: Call) -> None:
        self.require_card()
        first, new_pin = call.args
        lock = self._lock()
        if lock is None:
            raise CmeFailure(NOT_ALLOWED)
        if lock == FAILED:
            raise CmeFailure(FAILED)
        if lock == PUK_NEEDED:
            self._unblock(first, new_pin)
        elif first == self.pin:
            self.pin_tries = PIN_TRIES
        else:
            self.pin_tries -= 1
            # The third wrong one is answered like the first two: inferred.
            raise CmeFailure(WRONG)
        self._unlocked = True
        self.on_ready()

    def _unblock(self, puk: str, new_pin: str | None) -> None:
        if new_pin is None:
            raise CmeFailure(PUK_NEEDED)
        if puk != self._core.profile.sim.puk:
            self.puk_tries -= 1
            raise CmeFailure(WRONG)
        self.pin, self.pin_tries, self.puk_tries = new_pin, PIN_TRIES, PUK_TRIES

    def _tries(self, call: Call) -> None:
        self.require_card()
        call.info(f"+CPINR: SIM PIN,{self.pin_tries},{PIN_TRIES}")
        call.info(f"+CPINR: SIM PUK,{self.puk_tries},{PUK_TRIES}")
