"""Asking ahead for what may be taken offline, behind the scene, and telling what may be (GC10, OA2).

Nobody waits for it: a thread asks now and then while head office is in reach. What was used, or is old, is
returned first, and asked for anew once head office knows.
"""

import threading
from collections.abc import Callable, Mapping

import structlog

from holdfast.core.basket import Basket
from holdfast.core.central.accounts import WORDS, Kind
from holdfast.core.central.allowed import EXPIRED, REPLACED, WITHDRAWN, Allowed
from holdfast.core.central.grants import Granted
from holdfast.core.faults import Fault
from holdfast.core.operations.conditions import (
    CREDIT_ALLOWANCE,
    CREDIT_MEMO_ALLOWANCE,
    GIFT_CARD_ALLOWANCE,
    TAKEN_OF_ALLOWANCE,
)
from holdfast.core.parameters.known import (
    ALLOWANCE_CREDIT_MEMOS,
    ALLOWANCE_GIFT_CARDS,
    ALLOWANCE_ON_ACCOUNT,
)
from holdfast.infra.clock import Clock
from holdfast.register.realtime.client import Denied, RealTime
from holdfast.register.till.allowances import Kept
from holdfast.register.web.desk import Desk
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.watch import Watch

ALLOWANCE = "/v1/services/allowance"
AMOUNTS: Mapping[Kind, str] = {
    Kind.GIFT_CARD: ALLOWANCE_GIFT_CARDS,
    Kind.CREDIT_MEMO: ALLOWANCE_CREDIT_MEMOS,
    Kind.ON_ACCOUNT: ALLOWANCE_ON_ACCOUNT,
}
AT_HAND: Mapping[Kind, str] = {
    Kind.GIFT_CARD: GIFT_CARD_ALLOWANCE,
    Kind.CREDIT_MEMO: CREDIT_MEMO_ALLOWANCE,
    Kind.ON_ACCOUNT: CREDIT_ALLOWANCE,
}
LOOK_EVERY_MS = 15_000
SPREAD_MS = 1_000
"""So far behind the line's return it may be asked: a store's tills come back at once."""
AGAIN_AFTER_MS = 60_000
"""So long a kind is left alone after it was asked for and not granted."""
NONE_FOR_MS = 3_600_000
"""And where head office allows none, unless its parameter changes."""
RENEW_AFTER_MS = 300_000
"""One that was used is not renewed before it is so old."""
CLOSE_S = 3.0
_SPENT = frozenset({"allowance.ended", "allowance.key-used"})


class Allowances:
    """One till's; thread-safe."""

    def __init__(
        self,
        desk: Desk,
        real_time: RealTime,
        watch: Watch,
        clock: Clock,
        *,
        changed: Callable[[], None],
        jitter: Callable[[], float],
    ) -> None:
        """`changed`: what may be taken is another by now. `jitter`: 0 up to 1."""
        self._jitter = jitter
        self._changed = changed
        self._desk = desk
        self._real_time = real_time
        self._watch = watch
        self._clock = clock
        self._asking = threading.Lock()
        self._due_ms = 0
        self._seen = (False, 0)
        self._left_alone: dict[Kind, tuple[int, int]] = {}
        """Kind → the parameter as it was, and until when (monotonic) it is not asked for."""

    # ---- what may be taken -------------------------------------------------------------------

    def usable(self) -> dict[Kind, Allowed]:
        """Those of which something may be taken now."""
        now_ms = self._clock.now_ms()
        return {
            kind: kept.allowed
            for kind, kept in self._desk.checkout.allowances().items()
            if kept.allowed is not None and kept.allowed.left_minor(now_ms) > 0
        }

    def at_hand(self, basket: Basket | None) -> frozenset[str]:
        """What conditions of the operations table ask for; on account only for a customer who is known."""
        customer = "" if basket is None else basket.customer or ""
        known = bool(customer) and self._desk.checkout.is_account_known(Kind.ON_ACCOUNT, customer)
        found = {AT_HAND[kind] for kind in self.usable() if kind is not Kind.ON_ACCOUNT or known}
        if basket is not None and any(hold.grant for hold in basket.holds):
            found.add(TAKEN_OF_ALLOWANCE)
        return frozenset(found)

    def told(self, fmt: Formats) -> tuple[tuple[str, str, str], ...]:
        """For the page *Status*: of what, how much, until when."""
        now_ms = self._clock.now_ms()
        return tuple(
            (
                WORDS[kind][0].upper() + WORDS[kind][1:],
                say(
                    "allowance.left",
                    left=fmt.money(allowed.left_minor(now_ms)),
                    of=fmt.money(allowed.granted.amount_minor),
                ),
                say("allowance.until", until=fmt.moment(allowed.granted.expires_at_ms, now_ms)),
            )
            for kind, allowed in self.usable().items()
        )

    # ---- asking ahead ------------------------------------------------------------------------

    def heard(self) -> None:
        """At each look at the line: now and then, and at once when it is back or parameters are others; in
        another thread."""
        is_there, now_ms = self._real_time.is_there(), self._clock.monotonic_ms()
        parameters = self._watch.link.feeds.get("parameters")
        seen = (is_there, 0 if parameters is None else parameters.n)
        is_new, is_back = seen != self._seen, is_there and not self._seen[0]
        self._seen = seen
        if is_new:
            self._due_ms = now_ms + (round(SPREAD_MS * self._jitter()) if is_back else 0)
        if not is_there or now_ms < self._due_ms or not self._asking.acquire(blocking=False):
            return
        self._due_ms = now_ms + LOOK_EVERY_MS
        threading.Thread(target=self._ask_in_thread, name="holdfast-allowances", daemon=True).start()

    def close(self) -> None:
        """Before the till closes: no round begins any more, and one that goes on is awaited."""
        self._asking.acquire(timeout=CLOSE_S)

    def _ask_in_thread(self) -> None:
        try:
            self.ask_ahead()
        except Fault as fault:
            _log.warning("allowance.ask", code=fault.code, fault=fault.sentence)
        finally:
            self._asking.release()

    def ask_ahead(self) -> None:
        """Return what is over, and ask for what is missing. Takes a call's deadline for each kind at most."""
        kept = self._desk.checkout.allowances()
        settings = self._desk.shelf.settings(AMOUNTS.values())
        for kind, name in AMOUNTS.items():
            value = settings.get(name)
            units = value if isinstance(value, int) else 0
            here = kept.get(kind)
            if here is not None and here.allowed is not None:
                self._return(kind, here, here.allowed, units)
            elif units > 0 and self._may_ask(kind, here, units):
                self._ask(kind, units)

    def _return(self, kind: Kind, kept: Kept, allowed: Allowed, units: int) -> None:
        checkout, granted = self._desk.checkout, allowed.granted
        now_ms = self._clock.now_ms()
        age_ms, lasts_ms = now_ms - kept.taken_at_ms, granted.expires_at_ms - kept.taken_at_ms
        is_worn = 2 * allowed.used_minor > granted.amount_minor and age_ms >= RENEW_AFTER_MS
        if now_ms >= granted.expires_at_ms:
            done = checkout.return_allowance(kind, EXPIRED)
        elif units <= 0:
            done = checkout.return_allowance(kind, WITHDRAWN, unless_in_use=True)
        elif is_worn or 4 * age_ms > 3 * lasts_ms:
            done = checkout.return_allowance(kind, REPLACED, unless_in_use=True)
        else:
            return
        if done:
            self._told()

    def _may_ask(self, kind: Kind, kept: Kept | None, units: int) -> bool:
        if kept is not None and kept.ended_seq > self._watch.link.applied.get(kept.epoch, 0):
            return False
        was, until_ms = self._left_alone.get(kind, (units, 0))
        return was != units or self._clock.monotonic_ms() >= until_ms

    def _ask(self, kind: Kind, units: int) -> None:
        checkout = self._desk.checkout
        request = checkout.ask_allowance(kind)
        answer = self._real_time.ask(ALLOWANCE, request, Granted, is_behind=True)
        if isinstance(answer, Granted):
            if checkout.allowance_granted(request, answer):
                self._told()
                return
            checkout.allowance_key_spent(request)
        elif isinstance(answer, Denied) and answer.code in _SPENT:
            checkout.allowance_key_spent(request)
        is_none = isinstance(answer, Denied) and answer.code == "allowance.none"
        quiet_ms = NONE_FOR_MS if is_none else AGAIN_AFTER_MS
        self._left_alone[kind] = (units, self._clock.monotonic_ms() + quiet_ms)

    def _told(self) -> None:
        """The journal has a word on it: sync sends it, and pages show it."""
        self._desk.committed(None)
        self._changed()


_log = structlog.get_logger(__name__)
