"""Verify finds each way in which a till's journal and its projections can part."""

from pathlib import Path

import pytest

from holdfast.core.customers import Details
from holdfast.core.journal.bodies import CommandDone
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import open_database
from holdfast.register.verify import verify_register
from tests.register_fixture import CASHIER, make_register, sell_one, selling
from tests.unit.core.shop import APPLES, act, done


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    """Two epochs, two days, sales, a void and another entry."""
    made = make_register(tmp_path / "register")
    with selling(made) as checkout:
        sell_one(checkout, APPLES, count=2)
        done(checkout.close_day(by=CASHIER))
        done(checkout.open_day(by=CASHIER))
        checkout.open_new_epoch(OpenEpoch("forked", 0, "a twin"))
        sell_one(checkout)
        checkout.append("command_done", 1, CommandDone(command="1", kind="report", outcome="done"))
        sell_one(checkout)
    return made


def tampered(home: RegisterHome, *statements: str) -> list[str]:
    """Codes of what verify finds after these statements."""
    connection = open_database(home.till, DatabaseKey.load(home.database_key))
    connection.execute("pragma foreign_keys=off")
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return [difference.code for difference in verify_register(home).differences]


def test_a_till_in_order_has_no_differences(home: RegisterHome) -> None:
    verified = verify_register(home)
    assert (verified.epochs, verified.documents, verified.purged) == (2, 3, 0)
    assert verified.entries == 10
    assert verified.differences == ()


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("update entry set data = cast(replace(data, 'Mug', 'Jug') as blob)", "chain"),
        ("update chain set hash = zeroblob(32) where id = (select max(id) from chain)", "chain"),
        ("delete from chain where id = (select max(id) - 1 from chain)", "chain"),
        ("update document set total_minor = total_minor + 1 where number = 2", "document"),
        ("update document set business_date = '2020-01-01' where number = 2", "document"),
        ("delete from document where id = (select max(id) from document)", "document"),
        ("insert into document values ((2 << 40) + 9, 9, 'sale', '2025-10-09', 0, 0)", "document"),
        ("update chain set documents = documents + 1 where seq = 3", "document"),
        ("update chain set value_minor = value_minor + 1 where seq = 3", "document"),
        ("update stock set quantity_milli = quantity_milli + 1", "stock"),
        ("insert into stock values ('GHOST', 1000)", "stock"),
        ("update day_totals set totals = json_set(totals, '$.sales', 9)", "day"),
        ("delete from day_totals", "day"),
        ("update day set is_open = 0", "day"),
        ("insert into returned values ('R01-AAAAA-000001', 1, 1000, 499)", "returned"),
    ],
)
def test_each_way_to_part_is_found(home: RegisterHome, statement: str, code: str) -> None:
    assert code in tampered(home, statement)


def test_a_changed_drawer_is_found(home: RegisterHome) -> None:
    codes = tampered(home, "update day_totals set totals = json_set(totals, '$.drawer_minor', 1)")
    assert "drawer" in codes


def test_differences_are_listed_up_to_a_bound(home: RegisterHome) -> None:
    codes = tampered(
        home,
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) "
        "insert into stock select 'GHOST' || i, 1 from n",
    )
    assert len(codes) == 1_001
    assert codes[-1] == "more"


@pytest.mark.parametrize(
    "statement",
    [
        "update customer set revision = 7",
        "update customer set sealed = zeroblob(40) where number like '%1'",
        "delete from customer where number like '%2'",
        "insert into customer select 'X-C-AAAAA-9', revision, person, nonce, sealed from customer limit 1",
        "delete from customer_number where number like '%1'",
        "insert into customer select number, 1, 'p', zeroblob(24), zeroblob(9) from forgotten_customer",
    ],
)
def test_customers_are_held_against_the_journal(tmp_path: Path, statement: str) -> None:
    """One as made, one that was changed, and one that was forgotten."""
    made = make_register(tmp_path / "register")
    with selling(made) as checkout:
        one, other, gone = (
            done(checkout.create_customer(Details(name=name), act())) for name in ("Ada", "Bob", "Cy")
        )
        done(checkout.change_customer(other, Details(name="Bo"), act()))
        checkout.forget_customers((gone.number,))
        assert one.number.endswith("1")
    assert tampered(made) == []
    assert set(tampered(made, statement)) == {"customer"}
