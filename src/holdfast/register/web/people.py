"""Who is at the till: staff number and PIN against the staff feed, offline too (SW4, PO6).

The hashes are argon2, made at head office. A wrong PIN costs time, for the staff number and for the till:
whoever tries numbers one after the other is slowed down as a whole. What somebody may do is his role's row,
read anew for each act: who left or was demoted works so no longer, from when the register knows.
"""

import threading
from typing import Protocol

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.core import tries
from holdfast.core.ids import StaffId
from holdfast.core.operations import Permission, Role
from holdfast.core.refusals import Refusal
from holdfast.core.tries import BY_STAFF, BY_TILL, NONE, Tries
from holdfast.infra.clock import Clock
from holdfast.register.kept_tries import AllTries, KeptTries
from holdfast.register.web.messages import say

PIN_CHARS_MAX = 32
NUMBER_CHARS_MAX = 64
NUMBERS_MAX = 1_000
"""Staff numbers with wrong PINs that are remembered; the longest unused goes."""


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


class StaffBook(Protocol):
    """Where people and roles are looked up; the shelf."""

    def staff(self, number: StaffId) -> StaffRow | None: ...
    def has_staff(self) -> bool: ...
    def role(self, name: str) -> Role: ...


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has shown who he is."""

    id: StaffId
    name: str
    role: Role


class Throttle:
    """Wrong PINs by staff number and of the whole till; with `kept` they outlive the program."""

    def __init__(self, clock: Clock, kept: KeptTries | None = None) -> None:
        self._clock = clock
        self._kept = kept
        found = kept.load(clock.monotonic_ms()) if kept else AllTries()
        self._till = found.till
        self._numbers: dict[str, Tries] = dict(found.numbers)

    def refusal(self, number: str) -> Refusal | None:
        """Why a try is not looked at yet; None: it is. Known numbers and others are told the same."""
        now_ms = self._clock.monotonic_ms()
        staff_ms = tries.wait_ms(self._numbers.get(number, NONE), now_ms)
        till_ms = tries.wait_ms(self._till, now_ms)
        if not staff_ms and not till_ms:
            return None
        key = "sign-in.throttled.staff" if staff_ms > till_ms else "sign-in.throttled"
        return Refusal("staff.throttled", say(key, wait=wait_text(max(staff_ms, till_ms))))

    def wrong(self, number: str) -> None:
        now_ms = self._clock.monotonic_ms()
        before = self._numbers.pop(number, NONE)
        while len(self._numbers) >= NUMBERS_MAX:
            self._numbers.pop(next(iter(self._numbers)))
        self._numbers[number] = tries.after_wrong(before, now_ms, BY_STAFF)
        self._till = tries.after_wrong(self._till, now_ms, BY_TILL)
        self._keep(now_ms)

    def right(self, number: str) -> None:
        if self._numbers.pop(number, None) is None and self._till == NONE:
            return  # nothing was counted, so nothing is written
        self._till = NONE
        self._keep(self._clock.monotonic_ms())

    def _keep(self, now_ms: int) -> None:
        if self._kept is not None:
            self._kept.save(AllTries(self._till, self._numbers), now_ms)


class People:
    """Answers who somebody is; thread-safe."""

    def __init__(self, book: StaffBook, clock: Clock, kept: KeptTries | None = None) -> None:
        self._book = book
        self._hasher = PasswordHasher()
        # Verified where a number is unknown, so that the answer takes as long as for a wrong PIN.
        self._nobody_hash = self._hasher.hash("no such person")
        self._throttle = Throttle(clock, kept)
        self._lock = threading.Lock()

    def identify(self, number: str, pin: str) -> Person | Refusal:
        """The person with this number and PIN."""
        number = number.strip()[:NUMBER_CHARS_MAX]
        with self._lock:
            if refusal := self._throttle.refusal(number):
                return refusal
            row = self._book.staff(StaffId(number))
            if not self._matches(row, pin) or row is None:
                self._throttle.wrong(number)
                return Refusal("staff.wrong", say("sign-in.wrong"))
            self._throttle.right(number)
        return self._person(row) if row.active else _inactive()

    def identify_approver(self, number: str, pin: str, permission: Permission | None) -> Person | Refusal:
        """As `identify`, for somebody who approves what needs this permission."""
        found = self.identify(number, pin)
        if isinstance(found, Refusal) or found.role.may_approve(permission):
            return found
        may_approve = Permission.APPROVE in found.role.permissions
        key = "approve.not-his" if may_approve else "sign-in.unknown-manager"
        return Refusal("staff.no-manager", say(key, name=found.name))

    def now(self, person: Person) -> Person | Refusal:
        """The same person as the feed has him by now; whoever is signed in stays so while there is no staff
        at all, for a lost database must not stop the till."""
        row = self._book.staff(person.id)
        if row is None:
            return _inactive() if self._book.has_staff() else person
        return self._person(row) if row.active else _inactive()

    def _person(self, row: StaffRow) -> Person:
        return Person(id=row.id, name=row.name, role=self._book.role(row.role))

    def _matches(self, row: StaffRow | None, pin: str) -> bool:
        try:
            pin_hash = row.pin_hash if row is not None else self._nobody_hash
            return self._hasher.verify(pin_hash, pin[:PIN_CHARS_MAX]) and row is not None
        except (VerificationError, InvalidHashError):
            return False


def wait_text(wait_ms: int) -> str:
    """`5 seconds`, `2 minutes`: rounded up, so that nobody comes back too early."""
    seconds = -(-wait_ms // 1_000)
    if seconds <= 60:
        return say("wait.second" if seconds == 1 else "wait.seconds", count=seconds)
    return say("wait.minutes", count=-(-seconds // 60))


def _inactive() -> Refusal:
    return Refusal("staff.inactive", say("sign-in.inactive"))
