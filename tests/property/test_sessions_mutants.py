"""Mistakes planted in the till: random sessions find each one, by the drawer, the Z report or the stock."""

import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from holdfast.core import totals
from holdfast.core.pricing import price
from holdfast.core.sale import Sale, TransactionVoided
from holdfast.core.totals import DayTotals
from holdfast.register.checkout import Checkout
from holdfast.register.till import cash, closing
from holdfast.register.till.suspended import all_suspended
from holdfast.register.web.desk import Desk
from tests.sessions.session import SessionFailed, live

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


PLANTED: tuple[tuple[Plant, str, int], ...] = (
    (rounding_left_out_of_the_drawer, "the till has", 5),
    (a_void_counted_twice, "the till has", 1),
    (change_not_subtracted, "the till has", 1),
    (last_number_off_by_one, "first and last number", 1),
    (a_suspended_basket_kept_in_the_drawer, "basket.suspend was done", 1),
    (a_refund_that_takes_stock_off, "pay.cash was done", 6),
    (handed_back_and_still_counted, "pay.hand-back was done", 7),
    (a_return_that_goes_on_after_it_was_suspended, "basket.add was done", 1),
)


def live_on(seed: int) -> None:
    """That session, and more of them where it finds nothing any more."""
    for each in (seed, *range(1, SEEDS_MAX)):
        live(each, None, f"r{each}")


@pytest.mark.parametrize(("plant", "said", "seed"), PLANTED, ids=[plant.__name__ for plant, *_ in PLANTED])
def test_a_planted_mistake_is_found(
    plant: Plant, said: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(SessionFailed, match=said):
        live_on(seed)
