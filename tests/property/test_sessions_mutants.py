"""Mistakes planted in the till: random sessions find each one, by the drawer, the Z report or the stock."""

import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from holdfast.core import pricing, totals
from holdfast.core.basket import suspended as suspending
from holdfast.core.pricing import price
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, TransactionVoided
from holdfast.core.totals import DayTotals
from holdfast.hq.customers import book
from holdfast.infra.postgres.connect import Pool
from holdfast.register.checkout import Checkout
from holdfast.register.checkout import drill as checkout_drill
from holdfast.register.till import cash, closing
from holdfast.register.till import customers as till_customers
from holdfast.register.till import drill as till_drill
from holdfast.register.till.suspended import all_suspended
from holdfast.register.web import known_customers
from holdfast.register.web.desk import Desk
from holdfast.register.web.drills import Drills
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.sessions.session import SessionFailed, live

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

SEEDS_MAX = 60
Plant = Callable[[pytest.MonkeyPatch], None]


def everywhere(patch: pytest.MonkeyPatch, name: str, changed: Callable[[Any], Any]) -> None:
    """In place of a fold of `core.totals`, also where it was imported by its name."""
    right = getattr(totals, name)
    for module in [module for key, module in sys.modules.items() if key.startswith("holdfast.")]:
        if getattr(module, name, None) is right:
            patch.setattr(module, name, changed(right))


def rounding_left_out_of_the_drawer(patch: pytest.MonkeyPatch) -> None:
    def changed(right: Any) -> Any:
        return lambda body: right(body) - (body.rounding_minor if isinstance(body, Sale) else 0)

    everywhere(patch, "drawer_minor", changed)


def a_void_counted_twice(patch: pytest.MonkeyPatch) -> None:
    def changed(right: Any) -> Any:
        return lambda body: DayTotals(voids=2) if isinstance(body, TransactionVoided) else right(body)

    everywhere(patch, "day_deltas", changed)


def change_not_subtracted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(totals, "_DRAWER_KINDS", frozenset({"cash"}))


def last_number_off_by_one(patch: pytest.MonkeyPatch) -> None:
    figures = closing.figures

    def wrong(*arguments: Any) -> Any:
        found = figures(*arguments)
        last = found.last_document
        number = last and f"{last[:-6]}{int(last[-6:]) + 1:06}"
        return msgspec.structs.replace(found, last_document=number)

    patch.setattr(closing, "figures", wrong)


def a_suspended_basket_kept_in_the_drawer(patch: pytest.MonkeyPatch) -> None:
    drawer = cash.drawer

    def wrong(connection: Any, home: str) -> dict[str, int]:
        kept = sum(price(kept.basket).total_minor for kept in all_suspended(connection))
        held = drawer(connection, home)
        return {**held, home: held[home] + kept}

    patch.setattr(cash, "drawer", wrong)


def a_refund_that_takes_stock_off(patch: pytest.MonkeyPatch) -> None:
    def changed(right: Any) -> Any:
        return lambda body: {sku: -abs(milli) for sku, milli in right(body).items()}

    everywhere(patch, "stock_deltas", changed)


def handed_back_and_still_counted(patch: pytest.MonkeyPatch) -> None:
    hand_back = Checkout.hand_back

    def wrong(checkout: Checkout) -> Any:
        basket = checkout.basket()
        return basket.tenders if basket else hand_back(checkout)

    patch.setattr(Checkout, "hand_back", wrong)


def a_return_that_goes_on_after_it_was_suspended(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Desk, "suspend", lambda desk, note, act: desk.checkout.suspend(act, note))


def recalled_without_its_customer(patch: pytest.MonkeyPatch) -> None:
    recall = suspending.recall

    def wrong(*arguments: Any) -> Any:
        found = recall(*arguments)
        return found if isinstance(found, Refusal) else msgspec.structs.replace(found, customer=None)

    patch.setattr(suspending, "recall", wrong)


def a_document_without_its_customer(patch: pytest.MonkeyPatch) -> None:
    conclude = pricing.conclude

    def wrong(*arguments: Any, **named: Any) -> Any:
        found = conclude(*arguments, **named)
        return found if isinstance(found, Refusal) else msgspec.structs.replace(found, customer=None)

    patch.setattr(pricing, "conclude", wrong)


def a_search_that_does_not_hear_of_changes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(till_customers, "mark", lambda _: (0,))


def a_drill_that_counts_what_was_made_before(patch: pytest.MonkeyPatch) -> None:
    made_in = till_drill.made_in

    def wrong(connection: Any, drill: Any) -> Any:
        return made_in(connection, msgspec.structs.replace(drill, seq=1))

    patch.setattr(checkout_drill, "made_in", wrong)


def a_drill_that_goes_on_when_its_beginner_leaves(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Drills, "signed_out", lambda *_: None)


def a_drill_that_a_restart_does_not_end(patch: pytest.MonkeyPatch) -> None:
    end = Drills._end

    def wrong(drills: Any, cause: Any, by: Any = None) -> Any:
        return None if cause == "restart" else end(drills, cause, by)

    patch.setattr(Drills, "_end", wrong)


def a_change_that_head_office_talks_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(known_customers, "newer_of", lambda here, fed: fed or here)


def a_key_kept_at_the_till(patch: pytest.MonkeyPatch) -> None:
    def wrong(connection: Any, number: Any, at_ms: int) -> None:
        key = connection.execute("select person, key from person_key where customer = ?", (number,))
        kept = key.fetchall()
        forget(connection, number, at_ms)
        for person, bytes_of_it in kept:
            connection.execute("update person_key set key = ? where person = ?", (bytes_of_it, person))

    forget = till_customers.forget
    patch.setattr(till_customers, "forget", wrong)


class _Without:
    """Named queries of which one does nothing."""

    def __init__(self, queries: Any, name: str) -> None:
        self._queries, self._name = queries, name

    def __getattr__(self, name: str) -> Any:
        return (lambda *_, **__: None) if name == self._name else getattr(self._queries, name)


def a_key_kept_at_head_office(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(book, "_sql", _Without(book._sql, "destroy_keys"))


def words_kept_at_head_office(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(book, "_sql", _Without(book._sql, "drop_words"))


PLANTED: tuple[tuple[Plant, str, int], ...] = (
    (rounding_left_out_of_the_drawer, "the till has", 5),
    (a_void_counted_twice, "the till has", 1),
    (change_not_subtracted, "the till has", 2),
    (last_number_off_by_one, "first and last number", 1),
    (a_suspended_basket_kept_in_the_drawer, "basket.suspend was done", 1),
    (a_refund_that_takes_stock_off, "pay.cash was done", 1),
    (handed_back_and_still_counted, "pay.hand-back was done", 12),
    (a_return_that_goes_on_after_it_was_suspended, "basket.add was done", 27),
    (recalled_without_its_customer, "basket.recall was done", 41),
    (a_document_without_its_customer, "customers of documents", 1),
    (a_search_that_does_not_hear_of_changes, "a search for", 4),
    (a_drill_that_counts_what_was_made_before, "drills:", 18),
    (a_drill_that_goes_on_when_its_beginner_leaves, "staff.sign-(in|out) was done", 18),
    (a_drill_that_a_restart_does_not_end, "after (the program was started again|a power cut)", 26),
)
AT_BOTH_ENDS: tuple[tuple[Plant, str, int], ...] = (
    (a_change_that_head_office_talks_over, "customer.edit was done", 17),
    (a_key_kept_at_the_till, "keys of forgotten people at the till", 22),
    (a_key_kept_at_head_office, "keys of forgotten people at head office", 22),
    (words_kept_at_head_office, "words of forgotten people at head office", 22),
)
"""Found where a head office hears of the session, and tells of its own."""


def live_on(
    plant: Plant, seed: int, office: HeadOfficeUnderTest | None = None, pool: Pool | None = None
) -> None:
    """That session, and more of them where it finds nothing any more."""
    for each in (seed, *(other for other in range(1, SEEDS_MAX) if other != seed)):
        try:
            live(each, office, f"r{each}{_letter(plant)}", pool)
        except SessionFailed:
            print(f"{plant.__name__} FOUND by {each}")
            raise


def _letter(plant: Plant) -> str:
    """So that several may live the same session at one head office."""
    return chr(ord("a") + [each for each, *_ in (*PLANTED, *AT_BOTH_ENDS)].index(plant))


@pytest.mark.parametrize(("plant", "said", "seed"), PLANTED, ids=[plant.__name__ for plant, *_ in PLANTED])
def test_a_planted_mistake_is_found(
    plant: Plant, said: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(SessionFailed, match=said):
        live_on(plant, seed)


def test_a_mistake_with_customers_is_found_at_one_of_both_ends(
    postgres_hq: HeadOfficeUnderTest, hq_pool: Pool, subtests: pytest.Subtests
) -> None:
    for plant, said, seed in AT_BOTH_ENDS:
        with subtests.test(plant.__name__), pytest.MonkeyPatch.context() as patch:
            plant(patch)
            with pytest.raises(SessionFailed, match=said):
                live_on(plant, seed, postgres_hq, hq_pool)
