"""Head office's pages of day closings: each Z report beside head office's own totals (PO5)."""

import re

from holdfast.core.ids import OriginId
from holdfast.hq.closings import check_due
from tests.closed_days import close_day
from tests.hq_web_fixtures import ServedHeadOffice
from tests.journal_samples import STAMP, SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]


def sent(office: ServedHeadOffice, n: int, *, short_minor: int = 0, wrong_minor: int = 0) -> SampleJournal:
    """The whole closed day of register Rn."""
    journal = SampleJournal(signing_key(n), OriginId(f"reg0{n}")).open(n).sell(2)
    close_day(journal, short_minor=short_minor, wrong_minor=wrong_minor)
    office.enrol(journal, f"R0{n}")
    office.session(journal).post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    return journal


def compare(office: ServedHeadOffice) -> None:
    head_office = office.services.head_office
    check_due(head_office.services_pool, head_office.clock)


def rows_of(html: str) -> list[str]:
    """The table's rows as text."""
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in body.split("</tr>")[:-1]]


def test_closings_of_a_date_say_equal_or_which_figures_are_not(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    assert "Nothing is known of that day" in client.get("/closings").text
    sent(office, 1, short_minor=5)
    sent(office, 2, wrong_minor=100)
    lone = office.enrol(SampleJournal(signing_key(3), OriginId("reg03")).open(3).sell(1), "R03")
    office.session(lone).post("/v1/sync/entries", content=lone.batch()).raise_for_status()
    compare(office)
    page = client.get("/closings").text
    assert f'value="{STAMP.date}"' in page, "the last business date that is known"
    assert "2 of 3 registers closed, 1 equal" in re.sub(r"\s+", " ", page)
    assert "1 not equal" in page
    wrong, lacking, right = rows_of(page)
    assert wrong.startswith("Till R02 S1 Z 1 ")
    assert "Not equal Total: Z says 6.00, head office has 5.00" in wrong
    assert "Not closed 1 document, 2.50 GBP" in lacking
    assert "−0.05 GBP Equal" in right
    assert "5.00 GBP" in right
    alerts = client.get("/alerts").text
    assert "A Z report and the sales do not agree" in alerts
    assert "total: Z says 6.00, head office has 5.00" in alerts


def test_a_z_report_is_shown_whole_with_its_shifts_and_moves(office: ServedHeadOffice) -> None:
    journal = sent(office, 1, short_minor=5)
    compare(office)
    client = office.signed_in()
    link = re.search(r'href="(/closings/\d+/\d+)"', client.get("/closings").text)
    assert link is not None
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(link[1]).text))
    for expected in (
        "Z report 1 of Till R01",
        "Every figure is that of head office's own totals",
        "Sales (2) 5.00 GBP",
        "Returns (0) 0.00 GBP",
        "To the safe 1 −50.00 GBP",
        "Over or short 1 −0.05 GBP",
        "Drawer opened without a sale 1 –",
        "bag 7",
        "S 4.18 GBP 0.82 GBP",
        journal.epochs[journal.epoch][-1].hash.hex(),
    ):
        assert expected in text, expected
    assert client.get("/closings/1/999").status_code == 404
    assert client.get("/closings/999999/1").status_code == 404


def test_what_is_no_date_is_said(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    assert "A date is written as" in client.get("/closings?date=tomorrow").text
    assert client.get("/closings?date=0001-01-01&store=%00x").status_code == 200
    assert client.get("/closings?date=9999-12-31").status_code == 200
