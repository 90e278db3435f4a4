"""A card beside cash and foreign cash in one sale, and back to it, at till and head office (CP17, PO3)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from holdfast.core.foreign_cash import CurrencyRate
from holdfast.core.sale import OriginalTender, Sale, Tender
from holdfast.hq.totals import read_totals
from holdfast.infra.config import RegisterHome
from holdfast.infra.postgres.connect import Pool
from holdfast.register.verify import verify_register
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.integration.test_foreign_cash import send
from tests.register_fixture import CASHIER, DATE, MANAGER, scan
from tests.staffed_till import PIN, StaffedTill, staffed_till
from tests.unit.core.shop import done

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

HEADERS = {"hx-request": "true", "hx-target": "work"}
DOLLAR = CurrencyRate(
    currency="USD", home="EUR", rate_e8=91_500_000, smallest_minor=1, valid_from="2020-01-01"
)
MUG_MINOR = 499


class Counter:
    """A cashier at the till's page."""

    def __init__(self, till: StaffedTill, browser: TestClient[Any]) -> None:
        self.till = till
        self.browser = browser

    def post(self, path: str, **fields: str) -> str:
        answer = self.browser.post(path, data=fields, headers=HEADERS)
        assert answer.status_code == 200, answer.text
        return answer.text

    def approved(self, path: str, by: str, **fields: str) -> str:
        return self.post(path, manager=by, manager_pin=PIN, **fields)

    def ring_up(self, mugs: int) -> None:
        done(self.till.checkout.begin(by=CASHIER))
        scan(self.till.checkout, quantity_milli=1_000 * mugs)

    def bring_back(self, sale: Sale, count: int) -> str:
        fields = {"document": sale.document, "line": "1", "quantity-1": str(count)}
        self.post("/returns", **fields)
        return self.browser.get("/pay", headers=HEADERS).text

    def newest(self) -> Sale:
        found = self.till.checkout.document(self.till.checkout.documents(1)[0].document)
        assert isinstance(found, Sale)
        return found


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with staffed_till(tmp_path / "till") as till:
        till.feed("currencies", {"USD|EUR|2020-01-01": DOLLAR})
        done(till.checkout.open_day(by=CASHIER, approved_by=MANAGER))
        with till.browser("cashier") as browser:
            yield Counter(till, browser)


def refused(html: str) -> str:
    found = re.search(r'<p class="notice notice--bad" role="alert">([^<]*)', html)
    assert found is not None, html
    return found[1]


def sell_by_card(counter: Counter, mugs: int, reference: str = "4711") -> Sale:
    counter.ring_up(mugs)
    counter.post("/pay/card", amount="exact", reference=reference)
    return counter.newest()


def test_a_sale_in_three_ways_is_the_same_everywhere(
    counter: Counter,
    tmp_path: Path,
    postgres_hq: HeadOfficeUnderTest,
    memory_hq: HeadOfficeUnderTest,
    hq_pool: Pool,
) -> None:
    """PO2: cash, a card and dollars pay one sale, a mug goes back to the card; Z and head office agree."""
    counter.ring_up(3)  # 14.97
    counter.post("/pay", amount="2.00")
    asks = counter.post("/pay", amount="5.00", currency="USD", rate=str(DOLLAR.rate_e8))
    assert "8.39" in asks, "2.00 and 4.58 of 14.97 are given"
    assert "no change" in refused(counter.post("/pay/card", amount="8.40", reference="4711"))
    assert "never kept" in refused(counter.post("/pay/card", amount="8.39", reference="4111 1111 1111 1111"))
    receipt = counter.post("/pay/card", amount="8.39", reference="4711")
    assert "Card, slip 4711" in receipt
    sale = counter.newest()
    assert [(tender.kind, tender.amount_minor, tender.reference) for tender in sale.tenders] == [
        ("cash", 200, ""),
        ("foreign_cash", 458, ""),
        ("card_standalone", 839, "4711"),
    ]
    counter.bring_back(sale, 1)
    which = f"{sale.document}|3"
    counter.post("/pay/card/back", which=which, reference="4712")
    assert [(tender.kind, tender.amount_minor) for tender in counter.newest().tenders] == [
        ("card_standalone", -MUG_MINOR)
    ]
    checkout = counter.till.checkout
    tenders = checkout.totals(DATE).tenders_minor
    assert tenders == {"cash": 200, "foreign_cash": 458, "card_standalone": 340}
    done(checkout.close_day(by=CASHIER))
    [z] = checkout.z_reports(1)
    assert z.report.totals.tenders_minor == tenders
    assert z.report.drawer_minor == {"EUR": 200, "USD": 500}, "a card leaves nothing in the drawer"
    home = RegisterHome(tmp_path / "till")
    for office in (postgres_hq, memory_hq):
        send(home, office)
    assert postgres_hq.dump() == memory_hq.dump()
    assert postgres_hq.verify().differences == ()
    assert verify_register(home).differences == ()
    found = {(row.kind, row.foreign_currency): row.amount_minor for row in read_totals(hq_pool).tenders}
    assert found == {("cash", ""): 200, ("foreign_cash", "USD"): 458, ("card_standalone", ""): 340}


def test_a_refund_goes_to_the_card_first_and_never_more_than_it_paid(counter: Counter) -> None:
    """PO3: 9.98 by card and 4.99 in cash; three mugs come back one by one."""
    counter.ring_up(3)
    counter.post("/pay/card", amount="9.98", reference="4711")
    counter.post("/pay", amount="exact")
    sale = counter.newest()
    which = f"{sale.document}|1"
    page = counter.bring_back(sale, 2)
    assert "Refund €9.98 to the card" in page
    assert "Refund that to the card first" in refused(counter.post("/pay", amount="exact"))
    counter.post("/pay/card/back", which=which, reference="4712")
    page = counter.bring_back(sale, 1)
    assert "Pay out €4.99 in cash" in page, "all that the card paid is refunded"
    assert "goes back to that card" in refused(counter.post("/pay/card/back", which=which, reference="4713"))
    counter.post("/pay", amount="exact")
    assert [(tender.kind, tender.amount_minor) for tender in counter.newest().tenders] == [
        ("cash", -MUG_MINOR)
    ]
    other = sell_by_card(counter, 1)
    counter.bring_back(other, 1)
    forged = Tender(kind="card_standalone", amount_minor=-MUG_MINOR, reference="1")
    till = counter.till.checkout
    for tender in (forged, *_of(sale, other)):
        found = till.take(tender)
        assert not isinstance(found, Sale), "below the page too"
    assert till.documents(1)[0].document == other.document


def _of(sale: Sale, other: Sale) -> list[Tender]:
    """To another receipt's card, which has nothing left, and to a place where no card paid."""
    return [
        Tender(
            kind="card_standalone",
            amount_minor=-MUG_MINOR,
            reference="1",
            original=OriginalTender(document=document, tender=place),
        )
        for document, place in ((sale.document, 1), (other.document, 2))
    ]


def test_cash_in_place_of_the_card_needs_somebody_who_may_and_a_reason(counter: Counter) -> None:
    """PO3: by approval, on record with the reason; a part that went to the card already stays there."""
    sale = sell_by_card(counter, 2)
    counter.bring_back(sale, 2)
    asked = counter.post("/pay/instead", reason="card was closed")
    assert 'name="manager_pin"' in asked
    assert "may not" in asked or "needs" in asked
    counter.approved("/pay/instead", "supervisor", reason="card was closed")
    back = counter.newest()
    assert [(tender.kind, tender.amount_minor, tender.reference) for tender in back.tenders] == [
        ("cash", -2 * MUG_MINOR, "card was closed")
    ]
    assert back.approved_by == "supervisor"
    assert [body.operation for body in counter.till.journalled("operation_approved")] == [
        "refund.cash-instead"
    ]


def test_what_a_card_paid_in_part_is_undone_on_the_terminal(counter: Counter) -> None:
    counter.ring_up(2)
    counter.post("/pay/card", amount="5.00", reference="4711")
    said = counter.post("/pay/back")
    assert "€5.00 by card (undo it on the terminal)" in said
    assert counter.till.checkout.basket() is not None
