"""Stock at head office over HTTP: what tills ask, the pages, setting to zero, and the proof (ST1 to ST4)."""

import re
from collections.abc import Iterator

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from holdfast.core.ids import Sku
from holdfast.core.refusals import Refusal
from holdfast.core.stock.services import Availability, Statement, StockPage, StockRequest, stock_digest
from holdfast.core.stock.transfers import Became
from holdfast.core.sync.messages import decode, encode
from holdfast.hq.cli import app
from holdfast.hq.stock import views
from holdfast.hq.stock.keeper import fold
from holdfast.hq.stock.reconcile import Proof, reconcile
from holdfast.hq.stock.zero import Zeroed
from holdfast.hq.totals import read_totals
from holdfast.hq.verify import verify_head_office
from holdfast.hq.web.auth.accounts import Accounts
from holdfast.infra.keys import verify
from tests.hq_web_fixtures import PASSWORD, ServedHeadOffice, csrf_of
from tests.journal_samples import SampleJournal, sale
from tests.stock_samples import NOON_MS, adjusted, counted, next_number, register, sold, transferred

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]


def _bring(office: ServedHeadOffice, journal: SampleJournal, first: int = 1) -> None:
    office.services.head_office.ingest.receive_batch(journal.origin, journal.batch(first))


@pytest.fixture
def tills(office: ServedHeadOffice) -> tuple[SampleJournal, SampleJournal, httpx.Client]:
    """A register in each store, and a session of the first."""
    one = office.enrol(adjusted(register(1), 1, "A", 12), series="R01")
    two = office.enrol(sold(register(2), 2, "A", 3), series="R02", store="S2")
    _bring(office, one)
    _bring(office, two)
    return one, two, office.session(one)


@pytest.fixture
def three(office: ServedHeadOffice) -> Iterator[SampleJournal]:
    """A register in a third store."""
    with office.services.pool.connection() as conn:
        conn.execute("insert into store values ('S3', 'Harbour', 'GBP', 'Europe/London')")
    three = office.enrol(register(3), series="R03", store="S3")
    _bring(office, three)
    yield three
    office.empty()
    with office.services.pool.connection() as conn:
        conn.execute("delete from store where store = 'S3'")


def _page(till: httpx.Client, **fields: object) -> StockPage:
    request = StockRequest(**fields)  # type: ignore[arg-type]
    answer = till.post(
        "/v1/services/stock", content=encode(request), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200, answer.text
    return decode(answer.content, StockPage)


def test_a_product_is_told_in_every_store_with_what_is_on_its_way_and_who_owes(
    office: ServedHeadOffice, tills: tuple[SampleJournal, SampleJournal, httpx.Client]
) -> None:
    one, two, till = tills
    sent = next_number(one)
    _bring(office, transferred(one, 5, "sent", "S2", A=4), 3)
    office.services.head_office.fleet.forget()
    told = decode(till.post("/v1/services/availability", json={"sku": "A"}).content, Availability)
    assert [(each.store, each.on_hand_milli, each.in_transit_milli) for each in told.stores] == [
        ("S1", 8_000, 0),
        ("S2", -3_000, 4_000),
    ]
    assert [owing.name for each in told.stores for owing in each.owing] == ["Till R01", "Till R02"], (
        "neither spoke yet"
    )
    _bring(office, transferred(two, 6, "received", "S1", sent, A=4), 3)
    again = decode(till.post("/v1/services/availability", json={"sku": "A"}).content, Availability)
    assert [(each.on_hand_milli, each.in_transit_milli) for each in again.stores] == [(8_000, 0), (1_000, 0)]


def test_a_till_is_told_what_changed_in_its_store_and_how_far_it_is_itself(
    office: ServedHeadOffice, tills: tuple[SampleJournal, SampleJournal, httpx.Client]
) -> None:
    one, two, till = tills
    whole = _page(till, epochs=(one.epoch,))
    assert whole.is_whole
    assert (dict(whole.rows), whole.applied) == ({"A": 12_000}, {one.epoch: 2})
    pool = office.services.head_office.services_pool
    while fold(pool):
        pass
    _bring(office, sold(one, 3, "B", 2), 3)
    _bring(office, transferred(two, 4, "sent", "S1", C=5), 3)
    seen = _page(till, epochs=(one.epoch,))
    assert dict(seen.rows) == {"A": 12_000, "B": -2_000}
    assert [(each.origin, each.lines) for each in seen.incoming] == [("S2", (("C", "", 5_000),))]
    changed = _page(till, incarnation=seen.incarnation, version=seen.version)
    assert not changed.is_whole
    assert dict(changed.rows) == {"B": -2_000}, "what is not folded yet is told again"
    while fold(pool):
        pass
    folded = _page(till, incarnation=seen.incarnation, version=seen.version)
    assert dict(folded.rows) == {"B": -2_000}
    assert _page(till, incarnation=folded.incarnation, version=folded.version).rows == ()
    assert _page(till, incarnation="another", version=folded.version).is_whole


def test_what_was_received_in_part_is_offered_for_the_rest(
    office: ServedHeadOffice, tills: tuple[SampleJournal, SampleJournal, httpx.Client]
) -> None:
    one, two, _ = tills
    sent, second = next_number(one), office.session(two)
    _bring(office, transferred(one, 5, "sent", "S2", A=10, B=3), 3)
    _bring(office, transferred(two, 6, "received", "S1", sent, A=8), 3)
    (left,) = _page(second).incoming
    assert (left.transfer, left.lines) == (sent, (("A", "", 2_000), ("B", "", 3_000)))
    _bring(office, transferred(two, 7, "received", "S1", sent, A=2, B=3), 4)
    assert _page(second).incoming == ()


def test_what_became_of_a_transfer_has_a_name(
    office: ServedHeadOffice, tills: tuple[SampleJournal, SampleJournal, httpx.Client], three: SampleJournal
) -> None:
    one, two, _ = tills
    sent = next_number(one)
    _bring(office, transferred(one, 5, "sent", "S2", A=10, B=3, C=4, D=1), 3)
    _bring(office, transferred(two, 6, "received", "S1", sent, A=8, B=3, X=2), 3)
    _bring(office, transferred(three, 6, "received", "S1", sent, C=4), 2)
    _bring(office, transferred(three, 7, "received", "S2", "R02-never", A=1), 3)
    became = {
        (line.transfer, line.sku): (line.became, [(each.store, each.left_milli) for each in line.left])
        for line in views.transfers(office.services.pool, NOON_MS)
    }
    assert became == {
        (sent, "A"): (Became.SHORT, [("S2", 2_000)]),
        (sent, "B"): (Became.RECEIVED, []),
        (sent, "C"): (Became.ELSEWHERE, [("S2", 4_000), ("S3", -4_000)]),
        (sent, "D"): (Became.IN_TRANSIT, [("S2", 1_000)]),
        (sent, "X"): (Became.UNLISTED, [("S2", -2_000)]),
        ("R02-never", "A"): (Became.NEVER_SENT, [("S3", -1_000)]),
    }
    page = office.signed_in().get("/stock/transfers").text
    for said in (
        "Received at another store",
        "4 shown as on its way to S2",
        "4 received at S3, and not sent there",
    ):
        assert said in page


def test_what_is_on_its_way_for_good_is_ended_once_and_both_stores_are_right(
    office: ServedHeadOffice, tills: tuple[SampleJournal, SampleJournal, httpx.Client], three: SampleJournal
) -> None:
    one, two, till = tills
    sent = next_number(one)
    _bring(office, transferred(one, 5, "sent", "S2", A=10, C=4), 3)
    _bring(office, transferred(two, 6, "received", "S1", sent, A=8), 3)
    _bring(office, transferred(three, 6, "received", "S1", sent, C=4), 2)
    client = office.signed_in()
    assert f"/stock/transfers/end?transfer={sent}" in client.get("/stock/transfers").text
    page = client.get(f"/stock/transfers/end?transfer={sent}").text
    would = re.findall(r"\d (?:written off|put right)", page)
    assert would == ["2 written off", "4 written off", "4 put right"]
    assert "Till R02" in page, "it never said that it owes nothing"
    reference = page.split('name="reference" value="')[1].split('"')[0]
    form = {"csrf": csrf_of(page), "reference": reference, "reason": "Lost", "transfer": sent, "typed": "S2"}
    assert "Nothing was changed" in client.post("/stock/transfers/end", data=form).text
    form["typed"] = sent
    for _ in range(2):
        assert client.post("/stock/transfers/end", data=form).status_code == 303
    assert _coming(till, "A") == _coming(till, "C") == {"S1": 0, "S2": 0, "S3": 0}
    assert _page(office.session(two)).incoming == ()
    assert {line.became for line in views.transfers(office.services.pool, NOON_MS)} == {Became.ENDED}
    done = client.get(f"/stock/transfers/end?transfer={sent}&done={reference}").text
    assert "was ended" in done
    assert done.count("Lost") == 1
    assert "4 received at S3 put right" in done
    book = office.services.head_office.transfers
    nothing = book.end(sent, "again", sent, "Again", "admin")
    assert isinstance(nothing, Refusal)
    assert nothing.code == "stock.nothing-left"
    assert client.get("/stock/transfers/end?transfer=none").status_code == 404
    assert read_totals(office.services.pool).stock_differences == 0
    found = verify_head_office(office.services.pool, verify).differences
    assert not [each for each in found if each.code == "stock"]

    _bring(office, transferred(two, 8, "received", "S1", sent, A=2), 4)  # it comes after all
    assert _coming(till, "A")["S2"] == -2_000
    command = [
        "stock",
        "end-transfer",
        "--home",
        str(office.services.head_office.home.path),
        "--transfer",
        sent,
    ]
    told = CliRunner().invoke(app, command)
    assert "A to S2: 2 put right" in told.output
    assert _coming(till, "A")["S2"] == -2_000, "it only tells"
    ended = CliRunner().invoke(app, [*command, "--reason", "It came", "--confirm", sent])
    assert (ended.exit_code, f"{sent} was ended: 1 line," in ended.output) == (0, True), ended.output
    assert _coming(till, "A")["S2"] == 0


def _coming(till: httpx.Client, sku: str) -> dict[str, int]:
    """What is on its way to each store."""
    told = decode(till.post("/v1/services/availability", json={"sku": sku}).content, Availability)
    return {each.store: each.in_transit_milli for each in told.stores}


def test_a_store_is_set_to_zero_once_and_what_comes_late_leaves_zero(
    office: ServedHeadOffice, tills: tuple[SampleJournal, SampleJournal, httpx.Client]
) -> None:
    one, two, till = tills
    client = office.signed_in()
    office.services.head_office.fleet.forget()
    page = client.get("/stock/S1/zero").text
    assert "Till R01" in page, "it never said that it owes nothing"
    assert "Till R02" not in page, "that one is of another store"
    assert "Set 1 product to zero" in page
    reference = page.split('name="reference" value="')[1].split('"')[0]
    form = {"csrf": csrf_of(page), "reference": reference, "reason": "Moved out", "typed": "S2"}
    refused = client.post("/stock/S1/zero", data=form)
    assert refused.status_code == 409
    assert "Type S1" in refused.text
    form["typed"] = "S1"
    for _ in range(2):
        assert client.post("/stock/S1/zero", data=form).status_code == 303
    levels = _page(till)
    assert dict(levels.rows) == {}
    _bring(office, sold(one, 3, "A", 2), 3)  # its clock stands long before now
    assert dict(_page(till).rows) == {}
    done = client.get(f"/stock/S1/zero?done={reference}").text
    assert "1 product, 12 taken off and 0 added" in done
    assert done.count("Moved out") == 1
    product = client.get("/stock/S1/product/A").text
    assert "Set to zero" in product
    assert "which is dated before and came on" in product
    assert isinstance(office.services.head_office.zero.set("S1", reference, "S1", "Again", "admin"), Zeroed)
    assert dict(_page(office.session(two)).rows) == {"A": -3_000}, "the other store keeps its own"
    below = office.services.head_office.zero.set("S2", "other", "S2", "Below zero", "admin")
    assert isinstance(below, Zeroed)
    assert (below.products, below.added_milli, below.taken_milli) == (1, 3_000, 0)
    assert [owing.name for owing in below.owing] == ["Till R02"]
    assert dict(_page(office.session(two)).rows) == {}


def test_a_stores_own_people_set_nothing_to_zero(office: ServedHeadOffice) -> None:
    token = Accounts(office.services.pool, office.services.clock).new_link("mia", "S1")
    client = office.client(Accept="text/html")
    csrf = csrf_of(client.get(f"/welcome/{token}").text)
    client.post(f"/welcome/{token}", data={"csrf": csrf, "password": PASSWORD, "again": PASSWORD})
    assert client.get("/stock/S1/zero").status_code == 403
    csrf = csrf_of(client.get("/locks").text)
    form = {"csrf": csrf, "reference": "r", "reason": "Mine", "typed": "S1"}
    assert client.post("/stock/S1/zero", data=form).status_code == 403


def test_reconciliation_names_the_entry_behind_a_difference(
    office: ServedHeadOffice, tills: tuple[SampleJournal, SampleJournal, httpx.Client]
) -> None:
    one, _, till = tills
    pool, client = office.services.pool, office.signed_in()

    def say(seq: int, **pieces: int) -> None:
        digest = stock_digest((Sku(sku), count * 1_000) for sku, count in pieces.items())
        _page(till, statement=Statement(epoch=one.epoch, seq=seq, products=len(pieces), digest=digest))

    def proof() -> Proof:
        return reconcile(pool, "S1", ()).registers[0].proof

    assert proof() is Proof.SILENT
    say(2, A=12)
    assert proof() is Proof.AGREES
    say(3, A=11)
    assert proof() is Proof.OWES, "what it told of is not here: nothing differs yet"
    wrong = msgspec.structs.replace(sale(next_number(one)), total_minor=1)
    one.append("sale", 1, wrong)
    _bring(office, one, 3)
    say(3, A=11, B2=-2)
    assert proof() is Proof.DIFFERS
    say(3, A=12, A1=-1, B2=-2)
    found = reconcile(pool, "S1", ()).registers[0]
    assert (found.proof, [(entry.seq, entry.why) for entry in found.entries]) == (
        Proof.ENTRIES,
        [(3, "totals")],
    )
    said = client.get("/stock/S1/reconciliation").text
    assert "Differs by 1 entry" in said
    assert "Entry 3 took no effect (totals)" in said
    assert "figure is the sum of its movements" in said


def test_the_pages_of_stock(
    office: ServedHeadOffice, tills: tuple[SampleJournal, SampleJournal, httpx.Client]
) -> None:
    one, _, _ = tills
    _bring(office, counted(transferred(one, 5, "sent", "S2", A=4), 6, A=7), 3)
    client = office.signed_in()
    stock = client.get("/stock?store=S1").text
    assert "1 product above zero, 0 below" in stock
    assert client.get("/stock?store=S1&text=a").text.count("row-link") == 1
    assert client.get("/stock?store=S1&text=zzz", headers={"HX-Target": "levels"}).text.count("<html") == 0
    assert "In transit" in client.get("/stock/transfers").text
    product = client.get("/stock/S1/product/A").text
    assert "Difference −1" in product
    assert "the sum of all that is below" in product
    assert client.get("/stock/S9/product/A").status_code == 404
    assert client.get("/stock/S9/zero").status_code == 404
