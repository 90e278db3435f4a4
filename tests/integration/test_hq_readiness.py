"""Head office: which registers would survive an outage, and what was sold in a drill (SW11)."""

import re

from holdfast.core.drill import DrillEnded, DrillStarted, Refused
from holdfast.core.ids import OriginId, StaffId
from holdfast.core.readiness import Readiness
from holdfast.core.sync.messages import encode
from tests.hq_web_fixtures import ServedHeadOffice
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def rows_of(html: str) -> list[str]:
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    return [text_of(row).strip() for row in body.split("</tr>")[:-1]]


def said(office: ServedHeadOffice, n: int, readiness: Readiness | None) -> SampleJournal:
    """Register Rn, which said so."""
    journal = office.enrol(SampleJournal(signing_key(n), OriginId(f"reg0{n}")).open(n).sell(1), f"R0{n}")
    client = office.session(journal)
    client.post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    fields = {} if readiness is None else {"readiness": readiness}
    statement = encode(office.beat(journal, **fields))
    client.post("/v1/sync/heartbeat", content=statement).raise_for_status()
    return journal


def test_the_fleet_by_what_would_fail_the_worst_first(office: ServedHeadOffice) -> None:
    """A register of an older version says nothing of it, one of a later version more than is known here."""
    said(office, 1, Readiness(score=100))
    said(office, 2, Readiness(score=25, findings=("staff.nobody", "prices.old")))
    said(office, 3, None)
    said(office, 4, Readiness(score=75, findings=("terminal.away", "prices.old")))
    office.services.head_office.fleet.forget()
    client = office.signed_in()
    page = client.get("/readiness").text
    fails, weak, unknown, ready = rows_of(page)
    assert fails.startswith("Till R02 S1 Would not survive 25 Nobody could sign in to sell; Goods would be")
    assert weak.startswith("Till R04 S1 With flaws 75 Something that a later version looks at; Goods")
    assert unknown.startswith("Till R03 S1 not known – not known")
    assert ready.startswith("Till R01 S1 Ready 100 nothing")
    assert "Would not survive 1 could not sell" in text_of(page)
    listed = client.get("/registers?state=fails").text
    assert "Till R02" in listed
    assert "Till R01" not in listed
    one = text_of(client.get("/registers/reg02").text)
    assert "25 of 100" in one
    assert "Load staff with PINs and roles at head office." in one


def test_what_was_sold_in_a_drill_is_shown_as_such(office: ServedHeadOffice) -> None:
    """By its place between the two entries; a drill whose end has not come yet goes on."""
    journal = SampleJournal().open().sell(1)
    begun = DrillStarted(reason="Training", length_ms=900_000, by=StaffId("c1"), approved_by=StaffId("m1"))
    journal.append("drill_started", 1, begun)
    at = journal.position
    journal.sell(1)
    ended = DrillEnded(
        epoch=at.epoch,
        seq=at.seq,
        cause="outage",
        lasted_ms=60_000,
        documents=1,
        value_minor=250,
        longest_wait_ms=12,
        refused=(Refused(operation="drill.start", sentence="No."),),
    )
    journal.append("drill_ended", 1, ended)
    journal.sell(1).append("drill_started", 1, begun).sell(1)
    office.enrol(journal)
    office.session(journal).post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    client = office.signed_in()
    last, after, within, before = rows_of(client.get("/sales").text)
    assert ["in a drill" in row for row in (last, after, within, before)] == [True, False, True, False]
    chain = re.search(r'href="/sales/(\d+)/4"', client.get("/sales").text)
    assert chain is not None
    assert "in a drill: the register practised" in client.get(f"/sales/{chain[1]}/4").text
    assert "in a drill" not in client.get(f"/sales/{chain[1]}/6").text
    page = text_of(client.get(f"/registers/{journal.origin}").text)
    assert "Training c1 approved by m1 1 min a real outage began refused: No. 1 2.50 GBP 12 ms" in page
    assert "Training c1 approved by m1 – goes on" in page
