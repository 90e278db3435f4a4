"""Real-time services over HTTP: a hold, who has it, what is refused, who guesses (GC1, GC2, GC11)."""

import httpx
import msgspec
import pytest

from holdfast.core.central.accounts import Account, AccountId, Kind
from holdfast.core.central.holds import Held
from holdfast.core.central.numbers import NUMBER_KEY, new_number, number_end, number_mac
from holdfast.core.sync.messages import decode
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.postgres import PostgresStore
from tests.hq_web_fixtures import ServedHeadOffice
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

MEMO = new_number(Kind.CREDIT_MEMO, b"\x05" * 16)
REFUNDED = 700


@pytest.fixture
def tills(office: ServedHeadOffice) -> tuple[httpx.Client, httpx.Client]:
    """Two registers in a session each, and an account that both know the number of."""
    head_office = office.services.head_office
    mac = number_mac(head_office.signer.derive(NUMBER_KEY), Kind.CREDIT_MEMO, MEMO)
    memo = Account(
        kind=Kind.CREDIT_MEMO, account=AccountId("memo1"), currency="GBP", number_end=number_end(MEMO)
    )
    buyer = Account(kind=Kind.ON_ACCOUNT, account=AccountId("C-1"), currency="GBP", limit=500)
    with PostgresStore(head_office.ingest_pool).transaction(None) as transaction:
        transaction.central.open([Numbered(account=memo, number_mac=mac), Numbered(account=buyer)], 0)
    journals = [
        office.enrol(
            SampleJournal(key=signing_key(n), origin=f"reg{n:02}").open(n),  # type: ignore[arg-type]
            series=f"R{n:02}",
        )
        for n in (1, 2)
    ]
    first, second = (office.session(journal) for journal in journals)
    return first, second


def _ask(client: httpx.Client, key: str, amount: int, **fields: object) -> httpx.Response:
    request = {
        "key": key.ljust(16, "x"), "kind": "on_account", "act": "charge", "transaction": f"t-{key}",
        "currency": "GBP", "account": "C-1", "amount": amount,
    }  # fmt: skip
    return client.post("/v1/services/hold", json=request | fields)


def test_a_hold_is_given_once_and_others_get_what_is_left(tills: tuple[httpx.Client, httpx.Client]) -> None:
    first, second = tills
    held = _ask(first, "one", 400)
    assert held.status_code == 200, held.text
    assert decode(held.content, Held).available == 400, "no more than is kept for it"
    assert _ask(first, "one", 400).json()["since_ms"] == held.json()["since_ms"], "asked again, held once"
    too_much = _ask(second, "two", 101)
    assert (too_much.status_code, too_much.json()["code"]) == (409, "hold.limit")
    assert too_much.headers["content-type"] == "application/problem+json"
    assert _ask(second, "three", 100).status_code == 200
    released = first.post("/v1/services/release", json={"key": "one".ljust(16, "x"), "cause": "removed"})
    assert released.status_code == 204
    assert _ask(second, "four", 400).status_code == 200
    assert _ask(first, "one", 400).json()["code"] == "hold.ended", "a key ends once (P2)"


def test_who_holds_it_is_said_by_name(tills: tuple[httpx.Client, httpx.Client]) -> None:
    first, second = tills
    memo = {"kind": "credit_memo", "act": "redeem", "number": MEMO, "account": ""}
    empty = _ask(first, "one", 0, **memo)
    assert (empty.status_code, empty.json()["code"]) == (409, "hold.empty"), "nothing was paid in yet"
    points = {"kind": "on_account", "act": "pay"}
    assert _ask(first, "pay", 0, **points).status_code == 200, "a payment needs no credit"
    told = second.post("/v1/services/balance", json={"kind": "credit_memo", "number": MEMO})
    assert (told.json()["balance"], told.json()["number_end"]) == (0, MEMO[-4:])
    assert MEMO not in told.text, "a number is not said again in full"


def test_wrong_numbers_are_limited_and_a_right_one_gives_nothing_back(
    tills: tuple[httpx.Client, httpx.Client],
) -> None:
    client, _ = tills
    answers: list[int] = []
    for n in range(14):
        number = new_number(Kind.GIFT_CARD, bytes([100 + n]) * 16)
        answer = client.post("/v1/services/balance", json={"kind": "gift_card", "number": number})
        client.post("/v1/services/balance", json={"kind": "credit_memo", "number": MEMO})
        answers.append(answer.status_code)
    assert answers == [409] * 10 + [429] * 4
    waits = client.post("/v1/services/balance", json={"kind": "credit_memo", "number": MEMO})
    assert waits.status_code == 429, "not even a right one, until some time passed"
    assert int(waits.headers["retry-after"]) >= 1


def test_without_a_session_nothing_is_told(office: ServedHeadOffice) -> None:
    answer = office.client().post("/v1/services/balance", json={"kind": "gift_card", "number": "1"})
    assert (answer.status_code, answer.json()["code"]) == (401, "session.missing")
    assert msgspec.json.decode(answer.content)["type"] == "urn:holdfast:problem:session.missing"
