"""What is told at a start and on the page Status, of any state of the line (SW7, SW9, SW12)."""

import msgspec
import pytest

from holdfast.core.connection import Mode
from holdfast.core.ids import IncarnationId, Sku
from holdfast.core.money import CURRENCIES
from holdfast.core.reach import Reach, Where
from holdfast.core.work_mode import WorkMode
from holdfast.register.checkout import Owed
from holdfast.register.sync.status import UNKNOWN, FeedAge, LinkStatus, PastTrouble, Tried, Trouble
from holdfast.register.till.search import Query
from holdfast.register.web.formats import Formats
from holdfast.register.web.journal import query_of
from holdfast.register.web.overview import overview, prices_age_ms
from holdfast.register.web.start import CAUSES, Start, start_of

EURO = Formats("EUR", "Europe/Dublin")
NOW_MS = 1_795_348_800_000  # 22 November 2026, 12:00 UTC
HOUR_MS = 3_600_000
REFUSED = Reach(where=Where.HEAD_OFFICE, detail="refused")


def link(**changes: object) -> LinkStatus:
    """Offline for an hour, the last exchange just before."""
    ages = {
        feed: FeedAge(incarnation=IncarnationId("i"), n=1, made_ms=0, checked_ms=NOW_MS - HOUR_MS)
        for feed in ("prices", "staff")
    }
    base = msgspec.structs.replace(UNKNOWN, since_ms=NOW_MS - HOUR_MS, cause="cut", feeds=ages)
    return msgspec.structs.replace(base, **changes)


def told(state: LinkStatus, owed: Owed | None = None, **more: object) -> Start | None:
    fields: dict[str, object] = {"sync_lost_ms": None, "work": WorkMode(), "warn_after_h": 24} | more
    return start_of(state, owed or Owed(), EURO, NOW_MS, **fields)  # pyright: ignore[reportArgumentType]


def test_nothing_is_told_while_all_is_well() -> None:
    assert told(link(mode=Mode.ONLINE)) is None
    assert told(link(mode=Mode.DEGRADED)) is None


@pytest.mark.parametrize("detail", [*CAUSES, "something newer"])
def test_every_finding_has_a_sentence(detail: str) -> None:
    start = told(link(reach=Reach(where=Where.INTERNET, detail=detail)))
    assert start is not None
    assert start.cause
    assert not start.late


def test_a_certificate_that_is_not_trusted_says_so_itself() -> None:
    why = "Head office's certificate is not trusted (expired). Check this machine's clock."
    start = told(link(cause=why, reach=Reach(where=Where.HEAD_OFFICE, detail="mute")))
    assert start is not None
    assert start.cause == why


def test_the_way_to_head_office_shows_where_it_ends() -> None:
    def states(where: Where, *, is_near: bool = False) -> list[str]:
        start = told(link(reach=Reach(where=where, is_near=is_near)))
        assert start is not None
        return [layer.state for layer in start.layers]

    assert states(Where.STORE_NETWORK) == ["works", "broken", "unknown", "unknown"]
    assert states(Where.INTERNET) == ["works", "works", "broken", "unknown"]
    assert states(Where.HEAD_OFFICE) == ["works", "works", "works", "broken"]
    assert states(Where.HEAD_OFFICE, is_near=True) == ["works", "works", "broken"], "no internet in between"
    assert states(Where.BEYOND) == ["works", "works", "unknown", "unknown"]
    assert states(Where.UNKNOWN) == ["works", "unknown", "unknown", "unknown"]
    looking = told(link())
    assert looking is not None
    assert (looking.layers, looking.cause) == ((), "What is broken is being looked for.")


def test_a_day_without_an_exchange_is_said_with_what_to_do() -> None:
    ages = {
        "prices": FeedAge(incarnation=IncarnationId("i"), n=1, made_ms=0, checked_ms=NOW_MS - 25 * HOUR_MS)
    }
    start = told(link(feeds=ages))
    assert start is not None
    assert "1 d ago. Until this is solved, sales do not reach head office." in start.late
    assert start.advice[0] == "Restart this computer."
    down = told(link(feeds=ages, reach=REFUSED))
    assert down is not None
    assert down.advice == ("Head office is down: nothing has to be done here. Tell head office if you can.",)
    relaxed = told(link(feeds=ages), warn_after_h=48)
    assert relaxed is not None
    assert not relaxed.late
    never = told(link(feeds={}))
    assert never is not None
    assert "Nothing was ever exchanged" in never.late


def test_sales_that_are_stuck_are_told_though_head_office_answers() -> None:
    owed = Owed(count=1, value_minor=100, oldest_at_ms=NOW_MS - 25 * HOUR_MS)
    stuck = told(link(mode=Mode.ONLINE), owed)
    assert stuck is not None
    assert stuck.title == "Sales are not reaching head office"
    assert stuck.layers == ()
    trouble = {"upload": Trouble(code="x", sentence="The batch is refused.", since_ms=0)}
    refused = told(link(mode=Mode.ONLINE, problems=trouble), owed)
    assert refused is not None
    assert refused.cause == "The batch is refused."
    blocked = told(link(blocked_code="key.unknown", blocked_detail="The key is not known."), owed)
    assert blocked is not None
    assert "The key is not known." in blocked.cause
    assert blocked.advice == ()


def test_a_choice_and_a_process_that_is_gone_are_causes_too() -> None:
    by_hand = told(link(mode=Mode.ONLINE), work=WorkMode(work="offline", since_ms=NOW_MS, reason="works"))
    assert by_hand is not None
    assert by_hand.cause == "Offline by hand since 12:00: works"
    gone = told(link(mode=Mode.ONLINE), sync_lost_ms=NOW_MS)
    assert gone is not None
    assert gone.cause.startswith("This register itself")


# ---- the page Status -----------------------------------------------------------------------------


def test_the_status_page_counts_dates_and_remembers() -> None:
    owed = Owed(count=2, value_minor=435, oldest_at_ms=NOW_MS - 3 * HOUR_MS, dates=("2026-11-22",))
    past = (PastTrouble(part="line", code="line.lost", sentence="The connection was cut.", at_ms=NOW_MS),)
    view = overview(link(past=past, reach=REFUSED), owed, EURO, NOW_MS, asked_ms=0)
    assert view["queue"] == {
        "count": "2", "value": "€4.35", "oldest": "09:00", "age": "3 h", "dates": "Sun 22 Nov 2026"
    }  # fmt: skip
    ages = {age.name: age.age for age in view["ages"]}
    assert (ages["Prices"], ages["Customers"]) == ("1 h", "never")
    assert [said.sentence for said in view["past"]] == ["The connection was cut."]
    assert view["outcome"] is None
    assert prices_age_ms(link(), NOW_MS) == HOUR_MS
    assert prices_age_ms(link(feeds={}), NOW_MS) is None


def test_sync_now_tells_how_it_went_once_that_is_known() -> None:
    def outcome(tried: Tried | None, count: int = 0) -> str:
        view = overview(link(tried=tried), Owed(count=count), EURO, NOW_MS, asked_ms=NOW_MS - 10)
        return view["outcome"].state + ": " + view["outcome"].sentence

    assert outcome(None).startswith("trying")
    assert outcome(Tried(at_ms=NOW_MS - 11, sentence="")).startswith("trying"), "of an earlier one"
    assert (
        outcome(Tried(at_ms=NOW_MS, sentence=""))
        == "done: Done at 12:00: head office answered, and has everything."
    )
    assert "on its way" in outcome(Tried(at_ms=NOW_MS, sentence=""), 2)
    assert outcome(Tried(at_ms=NOW_MS, sentence="It was refused.")).startswith("failed")


# ---- the journal on screen -----------------------------------------------------------------------


class Shelf:
    """Knows one product."""

    def by_code(self, code: str) -> object | None:
        class Product:
            sku = Sku("MILK1")

        return Product() if code in ("MILK1", "2000000010076") else None


@pytest.mark.parametrize(
    ("text", "date", "query"),
    [
        ("", "", Query()),
        ("", "2026-11-22", Query(business_date="2026-11-22")),
        ("", "yesterday", Query()),
        ("000123", "", Query(number="000123")),
        ("r01-abcde-000123", "", Query(number="R01-ABCDE-000123")),
        ("12.50", "", Query(amount_minor=1_250)),
        ("12,5", "2026-11-22", Query(amount_minor=1_250, business_date="2026-11-22")),
        ("2000000010076", "", Query(sku=Sku("MILK1"))),
        ("MILK1", "", Query(sku=Sku("MILK1"))),
        ("Oat  milk", "", Query(words=("oat", "milk"))),
        ("12345678901234", "", Query(words=("12345678901234",))),
    ],
)
def test_what_is_typed_is_a_number_an_amount_or_a_product(text: str, date: str, query: Query) -> None:
    assert query_of(text, date, CURRENCIES["EUR"], Shelf()) == query  # pyright: ignore[reportArgumentType]
