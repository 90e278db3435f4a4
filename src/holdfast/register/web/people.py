"""Who is at the till: staff number and PIN against the staff feed, offline too (SW4, PO6).

The hashes are argon2, made at head office. A wrong PIN costs time, also across staff numbers: whoever tries
numbers at a till is slowed down as a whole.
"""

import threading
from collections.abc import Callable
from typing import Protocol

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.core.basket import UNLIMITED, Act, Limits
from holdfast.core.ids import StaffId
from holdfast.core.refusals import Refusal
from holdfast.infra.clock import Clock
from holdfast.register.web.messages import say

MANAGER_ROLES = frozenset({"manager", "admin"})
CASHIER_LIMITS = Limits(
    line_discount_e2_max=1_000,
    total_discount_e2_max=1_000,
    override_e2_max=1_000,
    return_without_receipt_minor_max=5_000,
)
"""What a cashier does alone; head office's parameters take the place of these figures."""

FREE_TRIES = 4
WAIT_MS_MAX = 60_000
PIN_CHARS_MAX = 32


class StaffRow(Protocol):
    """A row of the staff feed."""

    @property
    def id(self) -> StaffId: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def pin_hash(self) -> str: ...
    @property
    def active(self) -> bool: ...


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has shown who he is."""

    id: StaffId
    name: str
    role: str

    @property
    def is_manager(self) -> bool:
        return self.role in MANAGER_ROLES


class Throttle:
    """A few tries are free; then each wrong one doubles the wait, and a right one ends it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._free_at_ms = 0

    def wait_ms(self) -> int:
        """Milliseconds until the next try is looked at; 0: now."""
        return max(0, self._free_at_ms - self._clock.monotonic_ms())

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= FREE_TRIES:
            wait_ms = min(WAIT_MS_MAX, 1_000 << min(self._failures - FREE_TRIES, 10))
            self._free_at_ms = self._clock.monotonic_ms() + wait_ms

    def succeeded(self) -> None:
        self._failures = 0
        self._free_at_ms = 0


class People:
    """Answers who somebody is; thread-safe."""

    def __init__(self, staff: Callable[[StaffId], StaffRow | None], clock: Clock) -> None:
        self._staff = staff
        self._hasher = PasswordHasher()
        # Verified where a number is unknown, so that the answer takes as long as for a wrong PIN.
        self._nobody_hash = self._hasher.hash("no such person")
        self._throttle = Throttle(clock)
        self._lock = threading.Lock()

    def identify(self, number: str, pin: str) -> Person | Refusal:
        """The person with this number and PIN."""
        with self._lock:
            if wait_ms := self._throttle.wait_ms():
                return Refusal("staff.throttled", say("sign-in.throttled", seconds=-(-wait_ms // 1_000)))
            row = self._staff(StaffId(number.strip()))
            if not self._matches(row, pin) or row is None:
                self._throttle.failed()
                return Refusal("staff.wrong", say("sign-in.wrong"))
            self._throttle.succeeded()
            return Person(id=row.id, name=row.name, role=row.role)

    def identify_manager(self, number: str, pin: str) -> Person | Refusal:
        """As `identify`, for somebody who may approve."""
        found = self.identify(number, pin)
        if isinstance(found, Person) and not found.is_manager:
            return Refusal("staff.no-manager", say("sign-in.unknown-manager"))
        return found

    def _matches(self, row: StaffRow | None, pin: str) -> bool:
        known = row is not None and row.active
        pin_hash = row.pin_hash if row is not None and known else self._nobody_hash
        try:
            return self._hasher.verify(pin_hash, pin[:PIN_CHARS_MAX]) and known
        except (VerificationError, InvalidHashError):
            return False


def act_of(person: Person, at_ms: int, approver: Person | None, limits: Limits = CASHIER_LIMITS) -> Act:
    """What this person does now, within what he may do alone."""
    return Act(
        by=person.id,
        at_ms=at_ms,
        limits=UNLIMITED if person.is_manager else limits,
        approved_by=approver.id if approver else StaffId(""),
    )
