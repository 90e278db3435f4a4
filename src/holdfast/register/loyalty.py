"""Real-time loyalty at one till: on, or disabled (LY3); and the points of whoever was chosen, asked behind
the scene.

Both lie in memory: a till that is started anew begins with it on, and asks again.
"""

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from holdfast.core.central.accounts import AccountId, Kind
from holdfast.core.central.services import BalanceRequest
from holdfast.register.realtime.client import Denied, Unanswered

A = TypeVar("A", bound=msgspec.Struct)

RETRY_S = 2.0
"""Between two tries for one customer; they end with the transaction."""
_NONE_YET = "account.unknown"
"""Head office never heard of points of this customer."""


class RealTimeLoyalty:
    """Whether head office is asked at all. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_off = False

    @property
    def is_off(self) -> bool:
        return self._is_off

    def switch(self, *, on: bool) -> bool:
        """Whether that changed anything."""
        with self._lock:
            changed = self._is_off == on
            self._is_off = not on
        return changed

    def reopened(self) -> None:
        """The business day ended: whoever opens the next one is asked anew."""
        self.switch(on=True)


class PointsTold(msgspec.Struct, frozen=True, kw_only=True):
    """What head office knows of them, as far as a till shows it."""

    balance: int
    tier: str = ""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is known by now of one customer's points."""

    customer: str = ""
    told: PointsTold | None = None
    is_missing: bool = False
    """Head office was asked, and did not answer."""


class _Line(Protocol):
    def is_there(self) -> bool: ...

    def ask(
        self, path: str, body: msgspec.Struct, answer: type[A], *, is_behind: bool
    ) -> A | Denied | Unanswered: ...


class PointsWatch:
    """Asks for the points of the customer of the open transaction until it has them, in a thread of its own,
    so that no choice waits for it (LY2, P5)."""

    def __init__(self, line: _Line, on_change: Callable[[], None]) -> None:
        self._line = line
        self._on_change = on_change
        self._changed = threading.Condition()
        self._seen = Seen()
        self._thread: threading.Thread | None = None

    @property
    def seen(self) -> Seen:
        return self._seen

    def follow(self, customer: str) -> Seen:
        """Whose transaction it is now; empty: nobody's, or nothing is to be asked. Never waits."""
        with self._changed:
            if customer != self._seen.customer:
                self._seen = Seen(customer=customer)
                self._changed.notify_all()
            if customer and self._seen.told is None and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="holdfast-points", daemon=True)
                self._thread.start()
            return self._seen

    def stop(self) -> None:
        self.follow("")

    def _run(self) -> None:
        while (customer := self._next()) is not None:
            answer = self._ask(customer)
            with self._changed:
                if self._seen.customer != customer:
                    continue
                before = self._seen
                self._seen = Seen(customer=customer, told=answer, is_missing=answer is None)
                is_new = self._seen != before
            if is_new:
                self._on_change()
            if answer is None:
                with self._changed:
                    if self._seen.customer == customer:
                        self._changed.wait(RETRY_S)

    def _next(self) -> str | None:
        """Who is still to be asked for; None: nobody, and the thread ends."""
        with self._changed:
            if self._seen.customer and self._seen.told is None:
                return self._seen.customer
            self._thread = None
            return None

    def _ask(self, customer: str) -> PointsTold | None:
        if not self._line.is_there():
            return None
        asked = BalanceRequest(kind=Kind.POINTS, account=AccountId(customer))
        answer = self._line.ask("/v1/services/balance", asked, PointsTold, is_behind=True)
        if isinstance(answer, Denied):
            return PointsTold(balance=0) if answer.code == _NONE_YET else None
        return None if isinstance(answer, Unanswered) else answer
