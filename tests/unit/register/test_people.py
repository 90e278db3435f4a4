"""Who is at the till: number and PIN, what wrong ones cost, and who may approve (PO6)."""

from pathlib import Path

import pytest
from argon2 import PasswordHasher

from holdfast.core.ids import StaffId
from holdfast.core.operations import DEFAULT_ROLES, Permission, Role, role_in
from holdfast.core.refusals import Refusal
from holdfast.core.tries import BY_STAFF, BY_TILL
from holdfast.infra.clock import ManualClock
from holdfast.register.kept_tries import AllTries, KeptTries
from holdfast.register.sync.catalogue import StaffMember
from holdfast.register.web.people import NUMBERS_MAX, People, Person, Throttle, wait_text

_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def member(number: str, role: str, pin: str, *, active: bool = True) -> StaffMember:
    return StaffMember(
        id=StaffId(number), name=f"No {number}", role=role, pin_hash=_HASHER.hash(pin), active=active
    )


class Book:
    """A staff feed that can change."""

    def __init__(self) -> None:
        self.members = {
            "1": member("1", "cashier", "1111"),
            "2": member("2", "manager", "2222", active=False),
            "3": StaffMember(id=StaffId("3"), name="Odd", role="cashier", pin_hash="not a hash"),
            "5": member("5", "supervisor", "5555"),
            "7": member("7", "astronaut", "7777"),
            "9": member("9", "manager", "9999"),
        }

    def staff(self, number: StaffId) -> StaffMember | None:
        return self.members.get(number)

    def has_staff(self) -> bool:
        return bool(self.members)

    def role(self, name: str) -> Role:
        return role_in(name, None)


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def people(book: Book, clock: ManualClock) -> People:
    return People(book, clock)


def person(answer: Person | Refusal) -> Person:
    assert isinstance(answer, Person), answer
    return answer


def code(answer: Person | Refusal) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def test_number_and_pin_belong_together(people: People) -> None:
    found = person(people.identify(" 1 ", "1111"))
    assert (found.id, found.name, found.role) == ("1", "No 1", DEFAULT_ROLES["cashier"])


@pytest.mark.parametrize(
    ("number", "pin"), [("1", "2222"), ("2", "1111"), ("3", "x"), ("4", "1111"), ("", "")]
)
def test_whoever_is_not_known_gets_one_answer(people: People, number: str, pin: str) -> None:
    assert code(people.identify(number, pin)) == "staff.wrong"


def test_who_is_no_longer_active_is_told_so_and_only_with_the_right_pin(people: People) -> None:
    assert code(people.identify("2", "1111")) == "staff.wrong"
    refused = people.identify("2", "2222")
    assert code(refused) == "staff.inactive"
    assert isinstance(refused, Refusal)
    assert "no longer active" in refused.sentence


def test_an_unknown_role_is_the_least_of_all(people: People) -> None:
    assert person(people.identify("7", "7777")).role == DEFAULT_ROLES["trainee"]


def test_whoever_approves_may_do_it_himself(people: People) -> None:
    assert code(people.identify_approver("1", "1111", Permission.SELL)) == "staff.no-manager"
    assert person(people.identify_approver("5", "5555", Permission.DRAWER)).id == "5"
    refused = people.identify_approver("5", "5555", Permission.DOUBTFUL_DATE)
    assert isinstance(refused, Refusal)
    assert refused.sentence == "No 5 may not approve this. Ask a manager."
    assert person(people.identify_approver("9", "9999", Permission.DOUBTFUL_DATE)).id == "9"


def test_a_new_role_counts_at_once_and_who_left_works_no_longer(people: People, book: Book) -> None:
    manager = person(people.identify("9", "9999"))
    book.members["9"] = member("9", "cashier", "9999")
    assert person(people.now(manager)).role == DEFAULT_ROLES["cashier"]
    book.members["9"] = member("9", "manager", "9999", active=False)
    assert code(people.now(manager)) == "staff.inactive"
    del book.members["9"]
    assert code(people.now(manager)) == "staff.inactive"


def test_a_lost_staff_feed_sends_nobody_away(people: People, book: Book) -> None:
    """SW9: a damaged file must not stop the till."""
    cashier = person(people.identify("1", "1111"))
    book.members.clear()
    assert people.now(cashier) == cashier


def test_a_restart_ends_no_wait_and_forgets_no_try(book: Book, clock: ManualClock, tmp_path: Path) -> None:
    """By number and of the whole till; the right PIN ends it for good."""
    kept = KeptTries(tmp_path / "tries.json")
    for place in range(BY_STAFF.free):
        assert code(People(book, clock, kept).identify("1", "0000")) == "staff.wrong", (
            f"after {place} restarts"
        )
    again = People(book, clock, kept)
    assert code(again.identify("1", "1111")) == "staff.throttled"
    clock.advance(4_000)
    again = People(book, ManualClock(), kept)
    assert code(again.identify("1", "1111")) == "staff.throttled", "another boot, another monotonic clock"
    person(again.identify("9", "9999"))
    clock.advance(BY_STAFF.first_ms)
    person(People(book, clock, kept).identify("9", "9999"))
    later = ManualClock()
    last = People(book, later, kept)
    later.advance(BY_STAFF.first_ms)
    person(last.identify("1", "1111"))
    assert kept.load(0) == AllTries()
    for number in range(BY_TILL.free):
        People(book, clock, kept).identify(f"x{number}", "0000")
    assert code(People(book, clock, kept).identify("9", "9999")) == "staff.throttled"
    (tmp_path / "tries.json").write_bytes(b"{torn")
    person(People(book, clock, kept).identify("9", "9999"))


def test_one_staff_number_is_slowed_down_alone_and_longer_each_time(
    people: People, clock: ManualClock
) -> None:
    for _ in range(BY_STAFF.free):
        assert code(people.identify("1", "0000")) == "staff.wrong"
    waiting = people.identify("1", "1111")
    assert isinstance(waiting, Refusal)
    assert waiting.sentence == (
        "Too many wrong PINs for this staff number. Wait 5 seconds, then try again; "
        "meanwhile somebody else can sign in."
    )
    person(people.identify("9", "9999"))
    assert code(people.identify("1", "1111")) == "staff.throttled", "another's PIN ends nothing for this one"
    clock.advance(5_000)
    assert code(people.identify("1", "0000")) == "staff.wrong"
    clock.advance(5_000)
    assert code(people.identify("1", "1111")) == "staff.throttled"
    clock.advance(5_000)
    person(people.identify("1", "1111"))
    assert code(people.identify("1", "0000")) == "staff.wrong", "the right PIN began anew"


def test_numbers_tried_one_after_the_other_slow_the_till_down(people: People, clock: ManualClock) -> None:
    for number in range(100, 100 + BY_TILL.free):
        people.identify(str(number), "0000")
    waiting = people.identify("1", "1111")
    assert isinstance(waiting, Refusal)
    assert waiting.sentence == "Too many wrong PINs. Wait 1 second, then try again."
    clock.advance(1_000)
    person(people.identify("1", "1111"))


def test_a_wrong_approval_costs_the_same(people: People) -> None:
    """PO6: a dialog on top of a sale is no way round the wait."""
    for _ in range(BY_STAFF.free):
        people.identify_approver("9", "0000", Permission.SELL)
    assert code(people.identify("9", "9999")) == "staff.throttled"


def test_what_is_remembered_is_bounded(clock: ManualClock) -> None:
    throttle = Throttle(clock)
    for number in range(NUMBERS_MAX + 50):
        throttle.wrong(str(number))
    assert len(throttle._numbers) == NUMBERS_MAX


@pytest.mark.parametrize(
    ("wait_ms", "words"),
    [
        (1, "1 second"),
        (1_001, "2 seconds"),
        (60_000, "60 seconds"),
        (60_001, "2 minutes"),
        (300_000, "5 minutes"),
    ],
)
def test_a_wait_is_told_in_words(wait_ms: int, words: str) -> None:
    assert wait_text(wait_ms) == words
