"""Points and credit of a customer on head office's pages and by command (LY, OA1)."""

import html

import msgspec
from typer.testing import CliRunner, Result

from holdfast.core.central.accounts import AccountId, Act, Kind
from holdfast.core.central.entries import ValueMovement
from holdfast.core.customers import CustomerRow, Details
from holdfast.core.ids import CustomerNumber
from holdfast.core.loyalty.parameters import TIERS
from holdfast.core.parameters import Scope
from holdfast.hq.cli import app
from holdfast.hq.parameters.book import Draft
from tests.hq_web_fixtures import ServedHeadOffice, csrf_of
from tests.journal_samples import SampleJournal, sale, signing_key
from tests.unit.core.shop import done

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

ADA, BEN = CustomerNumber("C1"), CustomerNumber("C2")


def run(office: ServedHeadOffice, *arguments: str) -> Result:
    home = ["--home", str(office.services.head_office.home.path)]
    return CliRunner().invoke(app, ["credit", *arguments, *home])


def test_a_customers_page_shows_points_and_credit_and_sets_the_limit(office: ServedHeadOffice) -> None:
    head_office = office.services.head_office
    rows = {
        str(each): CustomerRow(number=each, revision=1, details=Details(name=each)) for each in (ADA, BEN)
    }
    head_office.customers.load(rows)
    journal = office.enrol(SampleJournal(key=signing_key(1)).open(1))
    move = ValueMovement(kind=Kind.POINTS, act=Act.EARN, account=AccountId(ADA), amount=120)
    body = msgspec.structs.replace(sale("R01-00001-000001"), customer=ADA, values=(move,))
    journal.append("sale", 1, body)
    head_office.ingest.receive_batch(journal.origin, journal.batch(1, 100))
    tiers = Draft(name=TIERS, scope=Scope("chain"), value=["Silver 100"])
    done(head_office.parameters.make(tiers, by="a", reason="r"))
    till = office.session(journal)
    for _ in range(15):  # no number that somebody guesses: nothing is held up
        unknown = till.post("/v1/services/balance", json={"kind": "points", "account": BEN})
        assert (unknown.status_code, unknown.json()["code"]) == (409, "account.unknown")
    told = till.post("/v1/services/balance", json={"kind": "points", "account": ADA}).json()
    assert (told["balance"], told["tier"]) == (120, "Silver")
    client = office.signed_in()
    page = client.get(f"/customers/{ADA}").text
    assert "<dt>Balance</dt><dd>120</dd>" in page
    assert "With a limit this customer may buy on account" in page

    form = {"csrf": csrf_of(page), "limit": "250.00", "currency": "GBP"}
    refused = client.post(f"/customers/{ADA}/credit", data=form)
    assert refused.status_code == 409, "without a reason nothing is set"
    put = client.post(f"/customers/{ADA}/credit", data={**form, "limit_reason": "Contract"})
    assert put.status_code == 303, put.text
    assert "<dt>Limit</dt><dd>250.00 GBP</dd>" in client.get(f"/customers/{ADA}").text
    account = html.unescape(client.get(f"/cards/on_account/{ADA}").text)
    assert "Limit set by admin: “Contract”" in account

    assert head_office.customers.merge(ADA, BEN, (1, 1), "admin") is None
    head_office.points.follow_merges()  # the service does so by itself; doing it again books nothing
    page = client.get(f"/customers/{BEN}").text
    assert "<dt>Balance</dt><dd>120</dd>" in page
    moved = html.unescape(client.get(f"/cards/points/{BEN}").text)
    assert "Booked over" in moved
    assert "Head office's own" in moved


def test_the_command_says_what_is_owed_and_why_not(office: ServedHeadOffice) -> None:
    number = CustomerNumber("C9")
    rows = {str(number): CustomerRow(number=number, revision=1, details=Details(name="Zoe"))}
    office.services.head_office.customers.load(rows)
    assert "does not buy on account" in run(office, "show", number).output
    assert "C9 may owe 500.00 GBP." in run(office, "set", number, "500", "--reason", "Contract").output
    shown = run(office, "show", number)
    assert (shown.exit_code, "Left:  500.00 GBP" in shown.output) == (0, True)
    refused = run(office, "set", "nobody", "5", "--reason", "r")
    assert (refused.exit_code, "is no customer" in refused.output) == (9, True)
