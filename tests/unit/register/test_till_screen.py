"""What the till's page computes by itself: figures, quick amounts, the status line."""

import re
from pathlib import Path

import msgspec
import pytest

from holdfast.core.connection import Mode
from holdfast.core.foreign_cash import CurrencyRate, foreign_tender
from holdfast.core.money import CURRENCIES
from holdfast.core.receipt.tenders import Given, given
from holdfast.core.receipt.texts import TEXTS
from holdfast.core.sale import Tender
from holdfast.core.tender import Due
from holdfast.core.work_mode import WorkMode
from holdfast.register.sync.status import LinkStatus, Trouble
from holdfast.register.till.history import Owed
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import SENTENCES, say
from holdfast.register.web.status import status_of
from holdfast.register.web.tendering import quick_amounts, to_give_back, ways_to_pay
from tests.conftest import ROOT

EURO = Formats("EUR", "Europe/Dublin")
NOON_MS = 1_795_348_800_000  # 22 November 2026, 12:00 UTC
MINUTE_MS = 60_000


# ---- figures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (EURO.money(123_456), "€1,234.56"),
        (EURO.money(-50), "-€0.50"),
        (Formats("JPY", "Asia/Tokyo").money(1_500), "JP¥1,500"),
        (Formats("KWD", "Asia/Kuwait").money(1_250), "KWD1.250"),
        (Formats("CHF", "Europe/Zurich", "de_CH").money(123_450), "CHF\xa01\u2019234.50"),
        (EURO.foreign(1_250, CURRENCIES["USD"]), "US$12.50"),
        (EURO.foreign(1_500, CURRENCIES["JPY"]), "JP¥1,500"),
        (EURO.foreign(1_234_550, CURRENCIES["LBP"]), "LBP 12,345.50"),
        (EURO.foreign_of(7, "XQQ"), "XQQ 7"),
        (EURO.exchange_rate(91_500_000), "0.915"),
        (EURO.exchange_rate(612_345), "0.00612345"),
        (EURO.exchange_rate(100_000_000), "1.0"),
        (EURO.unit_price(12_500), "€1.25"),
        (EURO.unit_price(125), "EUR 0.0125"),
        (EURO.quantity(3_000), "3"),
        (EURO.quantity(450, "kg"), "0.450 kg"),
        (EURO.percent(1_250), "12.5 %"),
        (EURO.rate(88_750), "8.875 %"),
        (EURO.date("2026-11-22"), "Sun 22 Nov 2026"),
        (EURO.clock(NOON_MS), "12:00"),
        (EURO.moment(NOON_MS - 86_400_000, NOON_MS), "21 Nov 12:00"),
        (EURO.age(59_000), "under 1 min"),
        (EURO.age(3 * 3_600_000 + 1), "3 h"),
        (EURO.age(2 * 86_400_000), "2 d"),
    ],
)
def test_figures_are_written_as_the_store_writes_them(shown: str, text: str) -> None:
    assert shown == text


def test_a_clock_that_no_calendar_holds_stops_no_page() -> None:
    assert EURO.stamped(10**17, 60)
    assert EURO.stamped(-(10**17), -90)


@pytest.mark.parametrize(
    ("due", "currency", "amounts"),
    [
        (1_575, "EUR", [2_000, 5_000, 10_000, 20_000]),
        (2_486, "EUR", [2_500, 3_000, 4_000, 5_000, 10_000]),
        (500, "EUR", [1_000, 2_000, 5_000, 10_000, 20_000]),
        (1_234, "JPY", [2_000, 5_000, 10_000]),
        (0, "EUR", []),
        (-300, "EUR", []),
    ],
)
def test_quick_amounts_are_what_customers_hand_over(due: int, currency: str, amounts: list[int]) -> None:
    assert quick_amounts(due, CURRENCIES[currency]) == amounts


def test_of_a_foreign_currency_only_notes_that_are_taken_are_offered() -> None:
    assert quick_amounts(300, CURRENCIES["USD"], 500) == [500, 1_000, 2_000, 5_000, 10_000]
    assert quick_amounts(5_000, CURRENCIES["JPY"], 2_000) == [6_000, 10_000]


POUND = CurrencyRate(
    currency="GBP", home="EUR", rate_e8=115_240_000, smallest_minor=100, valid_from="2026-11-01"
)


def test_the_ways_to_pay_are_home_cash_and_what_is_taken_today() -> None:
    home, pound = ways_to_pay(Due(1_575, 1_575), (POUND,), EURO)
    assert (home.code, home.due, home.is_home) == ("EUR", "€15.75", True)
    assert (pound.code, pound.due, pound.rate, pound.is_home) == ("GBP", "£14.00", "1.1524", False)
    assert [amount.shown for amount in pound.quick] == ["£15.00", "£20.00", "£50.00"]
    assert pound.since == "2026-11-01"
    of_old = msgspec.structs.replace(POUND, valid_from="0001-01-01")
    assert ways_to_pay(Due(1_575, 1_575), (of_old,), EURO)[1].since == ""
    assert len(ways_to_pay(Due(0, 0), (POUND,), EURO)) == 1
    assert len(ways_to_pay(Due(-500, -500), (POUND,), EURO)) == 1


def test_what_was_given_is_said_with_its_rate_and_given_back_as_it_was() -> None:
    notes = foreign_tender(2_000, POUND, "half-up")
    assert isinstance(notes, Tender)
    cash = Tender(kind="cash", amount_minor=500)
    assert given(notes, EURO) == Given("£20.00 at 1.1524", "€23.05", "£20.00")
    assert given(cash, EURO) == Given("Cash", "€5.00", "€5.00")
    assert to_give_back((cash, notes), EURO) == "€5.00, £20.00"
    refund = Tender(kind="cash", amount_minor=-145)
    assert given(refund, EURO) == Given("Refunded in cash", "€1.45", "€1.45")


# ---- the status line ---------------------------------------------------------------------------


def link(mode: Mode = Mode.ONLINE, since_ms: int = NOON_MS, **changes: object) -> LinkStatus:
    fields: dict[str, object] = {
        "mode": mode,
        "since_ms": since_ms,
        "cause": "",
        "forced": False,
        "last_contact_ms": None,
        "head_office_ms": None,
        "skew_ms": None,
        "incarnation": None,
        "blocked_code": "",
        "blocked_detail": "",
        "blocked_since_ms": None,
        "problems": {},
        "feeds": {},
        "applied": {},
        "safe": {},
    }
    return LinkStatus(**(fields | changes))  # pyright: ignore[reportArgumentType]


TWELVE = Owed(count=12, value_minor=43_120, oldest_at_ms=NOON_MS - 180 * MINUTE_MS)


@pytest.mark.parametrize(
    ("state", "owed", "mode", "said"),
    [
        (link(), Owed(), "Online", "Nothing owed to head office"),
        (link(Mode.DEGRADED), Owed(), "Degraded since 12:00", "Nothing owed to head office"),
        (link(Mode.OFFLINE), TWELVE, "Offline since 12:00", "Owed: 12 sales, €431.20, oldest 3 h"),
        (
            link(Mode.OFFLINE, forced=True),
            Owed(),
            "Going online: what is owed goes first",
            "Nothing owed to head office",
        ),
        (
            link(Mode.OFFLINE, since_ms=0),
            Owed(count=1, value_minor=145, oldest_at_ms=NOON_MS),
            "Offline",
            "Owed: 1 sale, €1.45, oldest under 1 min",
        ),
    ],
)
def test_the_status_line_says_mode_and_owed(state: LinkStatus, owed: Owed, mode: str, said: str) -> None:
    status = status_of(state, owed, EURO, NOON_MS, sync_lost_ms=None)
    assert (status.mode_text, status.owed_text) == (mode, said)


def test_the_status_line_says_who_works_offline_by_hand_and_why() -> None:
    """SW3."""
    work = WorkMode(work="offline", since_ms=NOON_MS, reason="printer works")
    for state in (link(), link(Mode.OFFLINE, forced=True), link(Mode.OFFLINE)):
        status = status_of(state, Owed(), EURO, NOON_MS, sync_lost_ms=None, work=work)
        assert (status.mode, status.by_hand) == ("offline", True)
        assert status.mode_text == "Offline by hand since 12:00: printer works"
    long = msgspec.structs.replace(work, reason="x" * 200)
    text = status_of(link(), Owed(), EURO, NOON_MS, sync_lost_ms=None, work=long).mode_text
    assert text.endswith("xx…"), "the bar has room for one line"
    assert len(text) < 80


def test_a_sync_process_that_is_gone_is_offline_whatever_it_wrote() -> None:
    status = status_of(link(), Owed(), EURO, NOON_MS, sync_lost_ms=NOON_MS - MINUTE_MS)
    assert (status.mode, status.mode_text) == ("offline", "Offline since 11:59")


def test_a_blocked_register_says_so_and_that_sales_are_kept() -> None:
    state = link(Mode.OFFLINE, blocked_code="key.unknown", blocked_detail="The key is not known.")
    problem = status_of(state, Owed(), EURO, NOON_MS, sync_lost_ms=None).problem
    assert "Go on selling: everything is kept here." in problem
    assert problem.endswith("The key is not known.")
    trouble = {"storage": Trouble(code="storage.full", sentence="The disk is full.", since_ms=0)}
    assert (
        status_of(link(problems=trouble), Owed(), EURO, NOON_MS, sync_lost_ms=None).problem
        == "The disk is full."
    )


def test_a_clock_that_was_set_back_makes_no_negative_age() -> None:
    owed = Owed(count=1, value_minor=1, oldest_at_ms=NOON_MS + MINUTE_MS)
    assert "oldest under 1 min" in status_of(link(), owed, EURO, NOON_MS, sync_lost_ms=None).owed_text


# ---- sentences ---------------------------------------------------------------------------------


@pytest.mark.parametrize("key", SENTENCES)
def test_every_sentence_can_be_said(key: str) -> None:
    class Anything(dict[str, str]):
        def __missing__(self, name: str) -> str:
            return f"<{name}>"

    assert SENTENCES[key].format_map(Anything()).strip()


def test_blanks_are_filled() -> None:
    assert say("basket.unknown", text="7") == "No product has the code or name “7”."


_WEB = ROOT / "src" / "holdfast" / "register" / "web"
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]{2}")
_KEY_NAME = re.compile(r"<kbd>.*?</kbd>")


def templates() -> list[Path]:
    return sorted((_WEB / "templates").rglob("*.html"))


@pytest.mark.parametrize("template", templates(), ids=lambda path: path.name)
def test_a_template_holds_no_sentence_of_its_own(template: Path) -> None:
    """Another language is another table, and nothing else."""
    text = _KEY_NAME.sub("", _JINJA.sub("", template.read_text()))
    words = re.findall(r">([^<>]+)<", text) + re.findall(r'(?:aria-label|placeholder|alt)="([^"]*)"', text)
    allowed = {"Holdfast"}
    assert not [
        word.strip(" ·\n") for word in words if _WORD.search(word) and word.strip(" ·\n") not in allowed
    ]


def test_every_sentence_is_used_and_every_used_one_is_there() -> None:
    sources = [*templates(), *(path for path in _WEB.rglob("*.py") if not path.name.startswith("messages"))]
    text = "\n".join(path.read_text() for path in sources)
    named = set(re.findall(r'"([a-z]+(?:[.-][a-z-]+)*)"', text))
    unused = {key for key in SENTENCES if key not in named and not key.startswith("link.")}
    assert not unused
    called = set(re.findall(r'\b(?:t|say)\(\s*"([\w.-]+)"', text))
    assert not called - set(SENTENCES) - set(TEXTS)
