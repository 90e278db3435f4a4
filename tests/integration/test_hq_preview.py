"""Before a file is taken: its first good rows, and what each would change."""

import msgspec
import pytest
from argon2 import PasswordHasher

from holdfast.hq.catalogue import Catalogue, LoadReport
from holdfast.hq.effects import SAMPLE_ROWS, Effects
from holdfast.hq.feeds import Feeds
from holdfast.infra.clock import ManualClock
from holdfast.infra.postgres.connect import Pool
from tests.hq_fixtures import HEAD_OFFICE_KEY

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]


@pytest.fixture
def catalogue(hq_pool: Pool) -> Catalogue:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return Catalogue(Feeds(hq_pool, HEAD_OFFICE_KEY, ManualClock()), quick)


def effects(catalogue: Catalogue, kind: str, text: str) -> Effects:
    found = catalogue.preview(kind, text.encode())
    assert isinstance(found, LoadReport), found
    assert not found.taken
    assert found.effects is not None
    return found.effects


def test_prices_are_new_changed_or_unchanged_as_taking_them_shows(catalogue: Catalogue) -> None:
    catalogue.load("prices", b"sku,price,currency\nA1,1.50,GBP\nA2,2.00,GBP\nA3,3.005,GBP\n")
    file = "sku,price,currency\nA1,1.50,GBP\nA2,2.25,GBP\nA4,4.00,GBP\nA5,much,GBP\nA3,3,GBP\n"
    found = effects(catalogue, "prices", file)
    assert (found.new, found.changed, found.unchanged) == (1, 2, 1)
    assert found.columns == ("sku", "price", "currency")
    assert [(row.line, row.values[0], row.effect, row.was) for row in found.sample] == [
        (2, "A1", "unchanged", ()),
        (3, "A2", "changed", ("price was 2.00",)),
        (4, "A4", "new", ()),
        (6, "A3", "changed", ("price was 3.005",)),
    ]
    taken = catalogue.load("prices", file.encode(), take_good=True)
    assert isinstance(taken, LoadReport)
    assert taken.changed == found.new + found.changed
    again = effects(catalogue, "prices", file)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 4)


def test_of_many_rows_the_first_are_shown_and_all_are_counted(catalogue: Catalogue) -> None:
    lines = "".join(f"P{n},Tea {n},S\n" for n in range(3_000))
    catalogue.load("products", f"sku,description,tax_code\n{lines}".encode())
    more = lines.replace("Tea 2999,", "Coffee,") + "P3000,Cake,S\n"
    found = effects(catalogue, "products", f"sku,description,tax_code\n{more}")
    assert (found.new, found.changed, found.unchanged) == (1, 1, 2_999)
    assert len(found.sample) == SAMPLE_ROWS
    changed = effects(
        catalogue, "products", "sku,description,tax_code,barcodes\nP1,Milk,S,4006381333931\nP2,,S,\n"
    )
    assert [row.was for row in changed.sample] == [
        ("description was Tea 1", "barcodes was empty"),
        ("description was Tea 2",),
    ]


def test_other_kinds_say_what_was_in_the_words_of_their_columns(catalogue: Catalogue) -> None:
    catalogue.load("taxes", b"code,percent,inclusive\nS,20,yes\n")
    tax = effects(catalogue, "taxes", "code,percent,inclusive\nS,8.875,no\n")
    assert set(tax.sample[0].was) == {"percent was 20", "inclusive was yes"}
    catalogue.load("currencies", b"currency,home,rate,smallest\nJPY,GBP,0.0051,500\n")
    rate = effects(catalogue, "currencies", "currency,home,rate,smallest\nJPY,GBP,0.0055,1000\n")
    assert set(rate.sample[0].was) == {"rate was 0.0051", "smallest was 500"}


def test_a_pin_is_compared_and_never_shown(catalogue: Catalogue) -> None:
    catalogue.load("staff", b"id,name,role,pin\nc1,Ann,cashier,4711\nc2,Bob,cashier,4712\n")
    found = effects(catalogue, "staff", "id,name,role,pin\nc1,Ann,cashier,4711\nc2,Bob,manager,9999\n")
    assert found.columns == ("id", "name", "role")
    assert found.secrets
    assert [(row.effect, row.was) for row in found.sample] == [
        ("unchanged", ()),
        ("changed", ("role was cashier", "another PIN")),
    ]
    assert b"9999" not in msgspec.json.encode(found)
