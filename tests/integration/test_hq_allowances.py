"""Allowances at head office: asked ahead, bounded, bound to their epoch, given back, seen (GC10, OA2)."""

import re
import time

import pytest

from holdfast.core.central.accounts import AccountId, Act, Kind
from holdfast.core.central.entries import AllowanceReturned, AllowanceTaken, ValueMovement
from holdfast.core.central.grants import GRANT_OF_ANOTHER, GRANT_RETURNED, OWED_FOR_MS, Granted
from holdfast.core.parameters import Scope
from holdfast.core.sync.messages import decode
from holdfast.hq.central.differences import Asked
from holdfast.hq.parameters.book import Draft
from tests.central_shop import DAY_MS, Shop
from tests.hq_web_fixtures import ServedHeadOffice

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]


@pytest.fixture
def shop(office: ServedHeadOffice) -> Shop:
    return Shop(office)


def allow(shop: Shop, name: str, value: int, scope: Scope) -> None:
    book = shop.office.services.head_office.parameters
    book.make(Draft(name=name, scope=scope, value=value), by="nia", reason="Pilot")


def ask(shop: Shop, key: str, till: int = 0, **fields: str) -> Granted | str:
    """What is granted, or the code of why not."""
    acting = shop.tills[till].journal
    request = {"grant": key.ljust(16, "x"), "epoch": acting.epoch, "kind": "gift_card"} | fields
    answer = shop.office.session(acting).post("/v1/services/allowance", json=request)
    if answer.status_code == 200:
        return decode(answer.content, Granted)
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["code"]


def take(shop: Shop, granted: Granted, amount: int) -> None:
    """Begun offline: no hold, the allowance stands for it."""
    shop.tills[0].write(
        [
            ValueMovement(
                kind=Kind.GIFT_CARD, act=Act.REDEEM, account=AccountId("card1"), amount=amount,
                grant=granted.grant,
            )
        ]
    )  # fmt: skip


def test_a_register_is_granted_what_parameters_say_and_never_more_at_once(shop: Shop) -> None:
    assert ask(shop, "one") == "allowance.none", "off by default"
    allow(shop, "allowance.gift-cards", 5, Scope("store", "S1"))
    allow(shop, "allowance.per-card", 2, Scope("chain"))
    assert ask(shop, "one", kind="points") == "allowance.none", "points wait (LY4)"
    granted = ask(shop, "one")
    assert isinstance(granted, Granted)
    assert (granted.amount_minor, granted.per_card_minor, granted.currency) == (500, 200, "GBP")
    assert ask(shop, "one") == granted, "asked again under its key, it is the same one (P2)"
    assert ask(shop, "one", kind="credit_memo") == "allowance.key-used"
    assert ask(shop, "two") == "allowance.full"
    assert ask(shop, "three", epoch="an-epoch-of-nobody") == "allowance.epoch"
    allow(shop, "allowance.chain-total", 7, Scope("chain"))
    shop.tills[1].sync()
    second = ask(shop, "four", till=1)
    assert isinstance(second, Granted)
    assert second.amount_minor == 200, "the chain is exposed to 7.00 at the most"


def test_what_is_used_is_granted_anew_and_what_is_given_back_is_nobodys(shop: Shop) -> None:
    allow(shop, "allowance.gift-cards", 5, Scope("register", "R01"))
    granted, journal = ask(shop, "one"), shop.tills[0].journal
    assert isinstance(granted, Granted)
    taken = AllowanceTaken(
        grant=granted.grant, kind=granted.kind, amount=granted.amount_minor, currency="GBP",
        expires_at_ms=granted.expires_at_ms,
    )  # fmt: skip
    journal.append("allowance_taken", 1, taken)
    take(shop, granted, 120)
    client = shop.office.signed_in("nia")
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get("/exposure").text))
    assert "At stake now 3.80 GBP of 10,000.00 GBP at the most, at 1 register" in said
    assert "Gift card 5.00 GBP 1.20 GBP 3.80 GBP" in said
    assert "The register has it" in said
    more = ask(shop, "two")
    assert isinstance(more, Granted)
    assert more.amount_minor == 120, "replenished by what was used"
    journal.append("allowance_returned", 1, AllowanceReturned(grant=granted.grant, kind=Kind.GIFT_CARD))
    shop.tills[0].sync()
    assert ask(shop, "one") == "allowance.ended"
    take(shop, granted, 10)
    [found] = shop.office.services.head_office.differences.listed(Asked())
    assert (found.remark, found.booked, found.difference) == (GRANT_RETURNED, -10, 0)


def test_a_restored_register_revives_none(shop: Shop) -> None:
    """Its database still has the grant; its journal goes on in another epoch, and head office knows."""
    allow(shop, "allowance.gift-cards", 5, Scope("chain"))
    granted = ask(shop, "one")
    assert isinstance(granted, Granted)
    shop.tills[0].journal.open(77, cause="restored")
    shop.tills[0].sync()
    assert ask(shop, "one") == "allowance.key-used"
    take(shop, granted, 50)
    [found] = shop.office.services.head_office.differences.listed(Asked())
    assert found.remark == GRANT_OF_ANOTHER
    assert ask(shop, "two") == "allowance.full", "what the lost epoch may have taken is still at stake"


def test_what_expired_is_at_stake_until_its_register_was_heard(shop: Shop) -> None:
    """A till that is away may owe a sale that was paid by it before it expired."""
    allow(shop, "allowance.gift-cards", 5, Scope("chain"))
    granted, journal = ask(shop, "one"), shop.tills[0].journal
    assert isinstance(granted, Granted)
    with shop.office.services.pool.connection() as conn:
        conn.execute("update value_allowance set expires_at_ms = expires_at_ms - %s", (DAY_MS * 7,))
    assert ask(shop, "one") == "allowance.ended"
    assert ask(shop, "two") == "allowance.full"
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shop.office.signed_in("nia").get("/exposure").text))
    assert "At stake now 5.00 GBP" in said
    assert "Expired; what was taken of it may be owed until its register was heard" in said
    now_ms, book = int(time.time() * 1_000), shop.office.services.head_office.allowances
    for ago_ms, at_stake in ((OWED_FOR_MS - 600_000, [500]), (OWED_FOR_MS + 1, [])):
        with shop.office.services.pool.connection() as conn:
            conn.execute("update value_allowance set expires_at_ms = %s", (now_ms - ago_ms,))
        assert [total.left for total in book.totals()] == at_stake, "then its journal is a matter for support"
        assert bool(book.listed()) == bool(at_stake)
    with shop.office.services.pool.connection() as conn:
        conn.execute("update value_allowance set expires_at_ms = %s", (granted.expires_at_ms - DAY_MS * 7,))
    head = "select head_seq from chain c where c.chain = e.chain and origin = %s"
    with shop.office.services.pool.connection() as conn:
        heard = f"update entry e set at_ms = %s where seq = ({head})"
        conn.execute(heard.encode(), (granted.expires_at_ms, journal.origin))
    more = ask(shop, "two")
    assert isinstance(more, Granted)
    assert more.amount_minor == 500, "it wrote something after the expiry, and owes nothing from before"
