"""Allowances at the till, over a line to the head office that ships (GC10, OA2)."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from holdfast.core.central.accounts import AccountId, HoldKey, Kind
from holdfast.core.central.allowed import BY_CARD
from holdfast.core.central.sentences import BEGUN_OFFLINE, balance_later
from holdfast.core.ids import IncarnationId
from holdfast.core.operations.conditions import ON_ACCOUNT_OFFLINE
from holdfast.core.parameters import ParameterRow
from holdfast.core.sale import Tender
from holdfast.infra.keys import DatabaseKey
from holdfast.register.sync.status import FeedAge
from holdfast.register.till.database import read_till
from tests.integration.test_gift_cards import MUG_MINOR, card, text_of
from tests.realtime_till import RealTimeTill, realtime_till
from tests.register_fixture import CASHIER, ORIGIN
from tests.unit.core.shop import MUG, refused

GIFT = Kind.GIFT_CARD


@pytest.fixture
def till(tmp_path: Path) -> Iterator[RealTimeTill]:
    with realtime_till(tmp_path / "r1") as till:
        till.office.grants_at_ms = lambda: till.till.clock.now_ms()
        yield till


def parameters(till: RealTimeTill, **rows: Any) -> None:
    names = {"cards": "allowance.gift-cards", "memos": "allowance.credit-memos",
             "account": "allowance.on-account", "on": ON_ACCOUNT_OFFLINE}  # fmt: skip
    till.till.feed("parameters", {names[name]: ParameterRow(value=value) for name, value in rows.items()})


def ask(till: RealTimeTill) -> None:
    """What the thread of the till does now and then, with what head office applied by then."""
    watch = till.till.services.watch
    applied = dict.fromkeys(till.office.heads(), 10**6)
    watch.link = msgspec.structs.replace(watch.link, applied=applied)
    till.till.services.central.allowances.ask_ahead()


def granted(till: RealTimeTill, amount_minor: int = 1_200, *, per_card_minor: int = 0) -> None:
    till.sync()
    till.office.allow(GIFT, amount_minor, per_card_minor=per_card_minor)
    parameters(till, cards=amount_minor // 100)
    ask(till)


def told_of(till: RealTimeTill, n: int, balance: int, *, pin: str = "") -> str:
    digits = card(till, n, balance, pin=pin)
    till.post("/gift-cards/balance", number=digits, pin=pin)
    return digits


def redeem(till: RealTimeTill, digits: str, *, goods: int = 1, pin: str = "") -> str:
    for _ in range(goods):
        till.post("/scan", text=MUG.sku)
    return till.post("/pay/held", kind="gift_card", number=digits, pin=pin)


def allowance(till: RealTimeTill, kind: Kind = GIFT) -> Any:
    kept = till.checkout.allowances().get(kind)
    return kept and kept.allowed


def spent_elsewhere(till: RealTimeTill, account: str, left: int) -> None:
    accounts, place = till.office.store.tables.central.accounts, (GIFT, AccountId(account))
    less = msgspec.structs.replace(accounts[place].account, balance=left)
    accounts[place] = msgspec.structs.replace(accounts[place], account=less)


def grant(till: RealTimeTill) -> Any:
    return list(till.office.store.tables.central.grants.values())[-1]


def remarks(till: RealTimeTill) -> list[str]:
    return [row.remark for row in settled(till) if row.remark]


def settled(till: RealTimeTill) -> list[Any]:
    return list(till.office.store.tables.central.movements.values())


def test_a_card_is_redeemed_begun_offline_up_to_what_was_granted(till: RealTimeTill) -> None:
    """GC10: taken ahead, used within its limits, then the sentence as it always was; synced once."""
    first, second = told_of(till, 1, 5_000), told_of(till, 2, 5_000)
    granted(till, 1_200)
    [taken] = till.till.journalled("allowance_taken")
    assert (taken.amount, taken.grant) == (1_200, grant(till).grant)
    till.cut()
    assert "€12.00 of €12.00" in text_of(till.get("/status"))
    held = text_of(redeem(till, first))
    assert "Take €4.99" in held
    assert till.keys() == [], "nobody was asked, and nothing is journalled as asked"
    done = text_of(till.on_hold("pay"))
    assert balance_later("gift card") in done
    [movement] = till.documents()[-1].values
    assert (movement.grant, movement.key, movement.amount) == (taken.grant, "", MUG_MINOR)

    held = text_of(redeem(till, second, goods=2))
    assert "Take €7.01" in held
    assert "€2.97 stays due" in held
    till.on_hold("pay")
    till.post("/pay", amount="exact")
    assert allowance(till).used_minor == 1_200
    assert BEGUN_OFFLINE[GIFT] in text_of(redeem(till, first))
    till.post("/pay", amount="exact")

    till.heal()
    till.sync()
    assert till.balance("account1") == 5_000 - MUG_MINOR
    assert till.balance("account2") == 5_000 - 701
    assert grant(till).used == 1_200
    assert remarks(till) == []


def test_what_the_card_does_not_have_is_reported_and_never_more_than_the_grant(till: RealTimeTill) -> None:
    """GC10: another register took it meanwhile."""
    digits = told_of(till, 1, 5_000)
    granted(till, 1_000)
    till.cut()
    spent_elsewhere(till, "account1", left=100)
    redeem(till, digits, goods=3)
    till.on_hold("pay")
    till.post("/pay", amount="exact")
    till.heal()
    till.sync()
    [row] = [row for row in settled(till) if row.moved.movement.grant]
    assert (row.booked, row.difference) == (-100, -900)
    assert till.balance("account1") == 0
    assert grant(till).used == 1_000


def test_only_what_is_known_here_and_within_the_limits_of_one_card(till: RealTimeTill) -> None:
    digits = told_of(till, 1, 5_000, pin="4711")
    empty, stranger = told_of(till, 2, 100), card(till, 3, 5_000)
    granted(till, 2_000, per_card_minor=600)
    till.cut()
    assert BEGUN_OFFLINE[GIFT] in text_of(redeem(till, stranger))
    assert BEGUN_OFFLINE[GIFT] in text_of(redeem(till, digits, goods=0)), "without its PIN it is unknown"
    assert "Take €4.99" in text_of(redeem(till, digits, goods=0, pin="4711"))
    till.on_hold("pay")
    assert "Take €1.00" in text_of(redeem(till, empty))
    till.on_hold("off")
    assert "Take €1.01" in text_of(redeem(till, digits, goods=0, pin="4711"))
    till.on_hold("pay")
    till.post("/pay", amount="exact")
    assert "No more of this gift card can be taken" in text_of(redeem(till, digits, pin="4711"))
    assert till.till.journalled("hold_ended") == [], "what nobody was asked for needs no word"


def test_no_number_lies_in_the_records(till: RealTimeTill) -> None:
    digits = told_of(till, 1, 5_000, pin="4711")
    with closing(read_till(till.home, DatabaseKey.load(till.home.database_key), ORIGIN)) as connection:
        rows = connection.execute("select * from known_account").fetchall()
    [row] = rows
    assert all(digits not in str(value) and "4711" not in str(value) for value in row)


def test_records_are_bounded_and_the_newest_stay(till: RealTimeTill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.register.till.allowances.ACCOUNTS_MAX", 2)
    oldest, *newer = [_later(till, told_of(till, n, 5_000)) for n in (1, 2, 3)]
    granted(till, 1_000)
    till.cut()
    assert BEGUN_OFFLINE[GIFT] in text_of(redeem(till, oldest))
    for digits in newer:
        assert "Take €4.99" in text_of(redeem(till, digits, goods=0))
        till.on_hold("off")


def _later(till: RealTimeTill, digits: str) -> str:
    till.till.clock.advance(1_000)
    return digits


def test_one_that_expired_meanwhile_lets_nothing_through_and_the_card_comes_off(till: RealTimeTill) -> None:
    """Asked again in the commit: a sale may have been suspended over night."""
    digits = told_of(till, 1, 5_000)
    till.office.grants_at_ms = lambda: till.till.clock.now_ms() - 24 * 3_600_000 + 30_000
    granted(till, 1_000)
    till.cut()
    redeem(till, digits)
    till.till.clock.advance(30_000)
    assert BEGUN_OFFLINE[GIFT] in text_of(till.on_hold("pay"))
    till.on_hold("off")
    till.post("/pay", amount="exact")
    assert till.documents()[-1].values == ()


def test_a_restored_till_takes_nothing_of_it(till: RealTimeTill) -> None:
    """P4: what its disk holds may have been used up since; head office grants the new epoch what is left."""
    digits = told_of(till, 1, 5_000)
    granted(till, 1_000)
    till.running.close()
    kept = till.home.till.read_bytes()
    till.crash()
    till.cut()
    redeem(till, digits)
    till.on_hold("pay")
    till.heal()
    till.sync()
    till.running.close()
    till.home.till.write_bytes(kept)
    till.crash()
    assert till.checkout.allowances() == {}
    till.cut()
    assert BEGUN_OFFLINE[GIFT] in text_of(redeem(till, digits))
    till.post("/pay", amount="exact")
    till.heal()
    till.sync()
    assert grant(till).used == MUG_MINOR
    assert remarks(till) == []


def test_an_answer_that_a_crash_swallowed_is_asked_for_under_its_key(till: RealTimeTill) -> None:
    """P2: granted once; and what was taken is there after a crash, with what was used of it."""
    till.sync()
    till.office.allow(GIFT, 1_000)
    parameters(till, cards=10)
    request = till.checkout.ask_allowance(GIFT)
    till.office.grant(ORIGIN, request)
    till.crash()
    digits = told_of(till, 1, 5_000)
    ask(till)
    assert list(till.office.store.tables.central.grants) == [request.grant]
    till.cut()
    redeem(till, digits, goods=1)
    till.crash()
    till.cut()
    assert allowance(till).used_minor == 0, "nothing is taken before the document is"
    till.on_hold("pay")
    till.crash()
    assert allowance(till).used_minor == MUG_MINOR
    assert len(till.till.journalled("allowance_taken")) == 1


def test_it_is_returned_when_used_old_or_withdrawn_and_when_the_register_retires(till: RealTimeTill) -> None:
    digits = told_of(till, 1, 9_000)
    granted(till, 800)
    till.cut()
    redeem(till, digits)
    till.on_hold("pay")
    till.heal()
    till.till.clock.advance(400_000)
    till.sync()
    ask(till)
    till.sync()
    assert grant(till).returned
    ask(till)
    assert allowance(till).granted.amount_minor == 800, "granted anew in full"
    till.till.clock.advance(25 * 3_600_000)
    ask(till)
    assert till.checkout.allowances()[GIFT].allowed is None
    till.sync()
    ask(till)
    till.till.feed("parameters", {})
    ask(till)
    till.sync()
    parameters(till, cards=8)
    ask(till)
    till.checkout.close_day(by=CASHIER)
    assert till.checkout.retire(by=CASHIER) is None
    told = till.till.journalled("allowance_returned")
    assert [body.cause for body in told] == ["replaced", "expired", "withdrawn", "retired"]
    assert [body.unused for body in told] == [800 - MUG_MINOR, 800, 800, 800]
    till.sync()
    assert all(one.returned for one in till.office.store.tables.central.grants.values())


def test_where_head_office_allows_none_it_is_not_asked_again(till: RealTimeTill) -> None:
    till.sync()
    ask(till)
    assert till.office.asked["/v1/services/allowance"] == 0, "the parameter is 0 here"
    parameters(till, cards=5)
    for _ in range(3):
        ask(till)
    assert till.office.asked["/v1/services/allowance"] == 1
    till.office.allow(GIFT, 600)
    parameters(till, cards=6)
    ask(till)
    assert allowance(till).granted.amount_minor == 600


def test_a_line_that_returns_before_the_document_changes_nothing(till: RealTimeTill) -> None:
    digits = told_of(till, 1, 5_000)
    granted(till, 1_000)
    till.cut()
    redeem(till, digits)
    till.heal()
    ask(till)
    till.on_hold("pay")
    till.sync()
    assert till.balance("account1") == 5_000 - MUG_MINOR
    assert (grant(till).used, remarks(till)) == (MUG_MINOR, [])


def test_on_account_begun_offline_for_a_customer_who_was_told_of_here(till: RealTimeTill) -> None:
    """OA2: with its parameter, within the allowance; else OA1's sentence."""
    till.office.prepare(Kind.ON_ACCOUNT, "C1", limit=100_000)
    sale_for(till, "C1")
    till.post("/pay/account")
    till.sync()
    till.office.allow(Kind.ON_ACCOUNT, 700)
    parameters(till, account=7, on=True)
    ask(till)
    watch = till.till.services.watch
    now_ms = till.till.clock.now_ms()
    ages = {"customers": FeedAge(incarnation=IncarnationId("i"), n=1, checked_ms=now_ms, made_ms=now_ms)}
    watch.link = msgspec.structs.replace(watch.link, feeds=ages)
    till.cut()
    sale_for(till, "C2")
    assert BEGUN_OFFLINE[Kind.ON_ACCOUNT] in text_of(till.post("/pay/account"))
    till.post("/pay", amount="exact")
    sale_for(till, "C1")
    till.post("/scan", text=MUG.sku)
    till.post("/pay/account")
    assert [tender.amount_minor for tender in till.checkout.basket().tenders] == [700]
    said = text_of(till.post("/pay", amount="exact"))
    assert said.count(balance_later("customer account")) == 2  # on the screen and on the receipt
    [movement] = till.documents()[-1].values
    assert (movement.account, movement.key, movement.amount) == ("C1", "", 700)
    till.heal()
    till.sync()
    assert till.balance("C1", Kind.ON_ACCOUNT) == -700 - MUG_MINOR
    assert (grant(till).used, remarks(till)) == (700, [])

    parameters(till, account=7)
    till.cut()
    sale_for(till, "C1")
    assert BEGUN_OFFLINE[Kind.ON_ACCOUNT] in text_of(till.post("/pay/account"))


def sale_for(till: RealTimeTill, customer: str) -> None:
    till.post("/scan", text=MUG.sku)
    till.checkout.change(lambda basket: msgspec.structs.replace(basket, customer=customer))


def test_a_card_of_another_currency_is_neither_shown_nor_noted(till: RealTimeTill) -> None:
    """Its 5,000 yen are not fifty euros, online or off."""
    digits = card(till, 1, 5_000)
    accounts, place = till.office.store.tables.central.accounts, (GIFT, AccountId("account1"))
    foreign = msgspec.structs.replace(accounts[place].account, currency="JPY")
    accounts[place] = msgspec.structs.replace(accounts[place], account=foreign)
    looked = text_of(till.post("/gift-cards/balance", number=digits))
    assert "JPY" in looked
    assert "Balance €" not in looked
    granted(till, 10_000)
    till.cut()
    assert BEGUN_OFFLINE[GIFT] in redeem(till, digits)


def test_two_transactions_take_no_more_of_a_card_than_is_known_of_it(till: RealTimeTill) -> None:
    """GC10: the second is looked at again as it concludes."""
    digits = told_of(till, 1, 600)
    granted(till, 10_000)
    till.cut()
    redeem(till, digits)
    till.post("/suspend", note="x")
    redeem(till, digits)
    till.on_hold("pay")
    [waiting] = till.checkout.suspended()
    till.checkout.recall(waiting.basket.transaction)
    assert "No more of this gift card can be taken while offline" in text_of(till.on_hold("pay"))
    till.post("/pay", amount="exact")
    till.heal()
    till.sync()
    assert (till.balance("account1"), remarks(till)) == (600 - MUG_MINOR, [])


def test_a_tender_of_a_hold_that_is_gone_is_refused(till: RealTimeTill) -> None:
    """Also where the transaction holds nothing any more."""
    till.post("/scan", text=MUG.sku)
    gone = Tender(kind=GIFT.value, amount_minor=MUG_MINOR, hold=HoldKey("0123456789abcdef"))
    assert refused(till.checkout.take(gone)) == "hold.gone"
    assert till.documents() == []


def test_a_pin_is_not_found_by_trying_offline(till: RealTimeTill) -> None:
    """GC11: the right one does not help once too many were wrong; another card goes."""
    digits, other = told_of(till, 1, 5_000, pin="4711"), told_of(till, 2, 5_000)
    granted(till, 10_000)
    till.cut()
    for n in range(BY_CARD.tries):
        assert BEGUN_OFFLINE[GIFT] in redeem(till, digits, pin=str(n), goods=1 if n == 0 else 0)
    assert "Too many wrong tries with this gift card" in redeem(till, digits, pin="4711", goods=0)
    till.crash()
    till.cut()
    assert "Too many wrong tries with this gift card" in redeem(till, digits, pin="4711", goods=0)
    till.till.clock.advance(BY_CARD.refill_ms)
    assert "Take €4.99" in redeem(till, digits, pin="4711", goods=0)
    till.on_hold("off")
    assert "Take €4.99" in redeem(till, other, goods=0)
    till.post("/void", reason="left")
    (voided,) = till.till.journalled("transaction_voided")
    assert voided.held == (), "an allowance is no lock that head office would have to end"
