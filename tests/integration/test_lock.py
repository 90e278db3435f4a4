"""A till that nobody uses is locked, and so is one that is left: the basket stays, the PIN goes on (PO6)."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from litestar.response import ServerSentEventMessage

from holdfast.register.web.routes import live
from holdfast.register.web.sessions import COOKIE, LOCK_AFTER, LOCK_AFTER_MIN, MINUTE_MS
from holdfast.register.web.watch import CHANGED
from tests.staffed_till import PIN, STAFF, StaffedTill, staffed_till

IDLE_MS = LOCK_AFTER_MIN * MINUTE_MS
PART = {"hx-request": "true"}


class Parameter(msgspec.Struct, frozen=True):
    """A row of the parameters feed."""

    value: int
    valid_from: str = "2025-01-01"


@pytest.fixture
def till(tmp_path: Path) -> Iterator[StaffedTill]:
    """One line in the basket."""
    with staffed_till(tmp_path / "register") as till:
        till.ready()
        yield till


def test_an_idle_till_is_locked_and_the_pin_goes_on_with_the_same_basket(till: StaffedTill) -> None:
    basket = till.checkout.basket()
    with till.browser("cashier") as client:
        till.clock.advance(IDLE_MS - 1)
        assert "hx-redirect" not in client.post("/scan", data={"text": "MUG"}, headers=PART).headers
        till.clock.advance(IDLE_MS - 1)
        assert "hx-redirect" not in client.get("/receipts", headers=PART).headers, "used: not idle"
        till.clock.advance(IDLE_MS)
        kept = till.checkout.basket()
        refused = client.post("/scan", data={"text": "MUG"}, headers=PART)
        assert refused.headers["hx-redirect"] == "/"
        page = client.get("/").text
        assert "<h1>Locked</h1>" in page
        assert "Ms cashier is signed in." in page
        assert "The open transaction is kept." in page
        assert f'name="staff" value="{STAFF["cashier"]}"' in page
        wrong = client.post("/sign-in", data={"staff": STAFF["cashier"], "pin": "0000"})
        assert "<h1>Locked</h1>" in wrong.text
        client.post("/sign-in", data={"staff": STAFF["cashier"], "pin": PIN})
        assert "Locked" not in client.get("/").text
        assert "hx-redirect" not in client.get("/receipts", headers=PART).headers
    assert till.checkout.basket() == kept
    assert basket is not None
    assert kept is not None
    assert len(kept.lines) == len(basket.lines) + 1


def test_whoever_leaves_the_till_locks_it_and_another_may_take_over(till: StaffedTill) -> None:
    with till.browser("cashier") as client:
        assert "<h1>Locked</h1>" in client.post("/lock").text
        client.post("/sign-in", data={"staff": STAFF["supervisor"], "pin": PIN})
        page = client.get("/").text
    assert "Ms supervisor" in page
    assert "Locked" not in page
    assert till.checkout.basket() is not None


def test_nothing_can_be_done_or_seen_at_a_locked_till(till: StaffedTill) -> None:
    with till.browser("manager") as client:
        client.post("/lock")
        for path in ("/receipts", "/pay", "/operations", "/dialog/void"):
            assert client.get(path, headers=PART).headers["hx-redirect"] == "/"
        client.post("/void", data={"reason": "x"}, headers=PART)
        assert "€4.99" not in client.get("/").text
    assert till.checkout.basket() is not None


@pytest.mark.parametrize(("minutes", "idle_ms", "locked"), [(0, 10 * IDLE_MS, False), (1, MINUTE_MS, True)])
def test_head_office_says_after_how_long(till: StaffedTill, minutes: int, idle_ms: int, locked: bool) -> None:
    till.feed("parameters", {LOCK_AFTER: Parameter(minutes)})
    with till.browser("cashier") as client:
        till.clock.advance(idle_ms)
        assert ("<h1>Locked</h1>" in client.get("/").text) is locked


async def test_the_page_is_told_that_it_is_locked(till: StaffedTill) -> None:
    """Without a touch: what was on the screen goes from it."""
    person = till.services.people.identify(STAFF["cashier"], PIN)
    token = till.services.sessions.open(person)  # pyright: ignore[reportArgumentType]
    stream = live._stream(till.services, token)

    async def events(until: str) -> list[str | None]:
        names: list[str | None] = []
        while until not in names:
            till.services.wakeups.wake(CHANGED)
            event = await anext(stream)
            assert isinstance(event, ServerSentEventMessage)
            names.append(event.event)
        return names

    assert "locked" not in await events("status")
    till.clock.advance(IDLE_MS)
    assert "locked" in await events("locked")
    till.services.wakeups.wake(CHANGED)
    assert "locked" not in await events("status"), "once is enough"
    await stream.aclose()


def test_a_session_of_a_former_program_is_only_signed_in_anew(till: StaffedTill) -> None:
    """After a restart nobody is known: no name is shown for a cookie that means nothing."""
    with till.browser() as client:
        client.cookies.set(COOKIE, "of-before")
        page = client.get("/").text
    assert "<h1>Sign in</h1>" in page
    assert "is signed in" not in page
