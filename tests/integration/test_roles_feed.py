"""What head office says of a role, from its file to the next act at a register (PO6)."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from holdfast.core.ids import KeyId
from holdfast.core.operations import DEFAULT_ROLES, Permission
from holdfast.core.sync import feed as protocol
from holdfast.core.sync.feed import FeedPage
from holdfast.hq.catalogue import Catalogue, LoadReport
from holdfast.hq.feeds import Feeds
from holdfast.infra.clock import ManualClock
from holdfast.infra.keys import DatabaseKey, verify
from holdfast.infra.postgres.connect import Pool
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.reference_file import ReferenceFile, open_reference
from holdfast.register.web.shelf import Shelf
from tests.hq_fixtures import HEAD_OFFICE_KEY
from tests.register_fixture import make_register

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

KEYS = {KeyId(HEAD_OFFICE_KEY.key_id): HEAD_OFFICE_KEY.public_bytes}
HEADER = "role,currency,also_may,may_not,line_discount,refund\n"


@contextlib.contextmanager
def shelves(folder: Path, *currencies: str) -> Iterator[tuple[FeedStore, list[Shelf]]]:
    """A register's feeds, and what a till of each currency reads of them."""
    home = make_register(folder)
    open_reference(home, DatabaseKey.load(home.database_key)).close()
    file = ReferenceFile(home, DatabaseKey.load(home.database_key))
    yield FeedStore(file.connection()), [Shelf(file, currency) for currency in currencies]
    file.close()


def load(catalogue: Catalogue, text: str) -> None:
    report = catalogue.load("roles", (HEADER + text).encode())
    assert isinstance(report, LoadReport), report
    assert report.taken, report.bad


def pull(feeds: Feeds, store: FeedStore, since_n: int) -> int:
    """One page, as the line brings it."""
    have = store.current("roles")
    packed = feeds.page("roles", have.incarnation if have else None, since_n)
    page = protocol.unpack(packed, "feed", FeedPage, KEYS, verify)
    assert store.take(page, made_ms=1, now_ms=1) is None
    return page.to_n


def test_a_file_at_head_office_changes_a_role_at_registers_of_its_currency(
    hq_pool: Pool, tmp_path: Path
) -> None:
    feeds = Feeds(hq_pool, HEAD_OFFICE_KEY, ManualClock())
    catalogue = Catalogue(feeds)
    with shelves(tmp_path / "register", "EUR", "GBP") as (store, (euro, pound)):
        assert pull(feeds, store, 0) == 0
        assert euro.role("cashier") == DEFAULT_ROLES["cashier"], "no file says anything yet"
        load(catalogue, "cashier,EUR,drawer,close-day,15,99.50\nmanager,EUR,,,,\n")
        newest = pull(feeds, store, 0)
        cashier = euro.role("cashier")
        assert cashier.may(Permission.DRAWER)
        assert not cashier.may(Permission.CLOSE_DAY)
        assert (cashier.limits.line_discount_e2_max, cashier.limits.refund_minor_max) == (1_500, 9_950)
        assert cashier.limits.override_e2_max == 1_000, "what the file leaves empty is as it ships"
        assert euro.role("manager") == DEFAULT_ROLES["manager"]
        assert pound.role("cashier") == DEFAULT_ROLES["cashier"], "another currency's row"
        load(catalogue, "cashier,EUR,,,,\n")
        pull(feeds, store, newest)
        assert euro.role("cashier") == DEFAULT_ROLES["cashier"]


def test_a_preview_tells_what_a_role_may_do_now(hq_pool: Pool) -> None:
    catalogue = Catalogue(Feeds(hq_pool, HEAD_OFFICE_KEY, ManualClock()))
    load(catalogue, "cashier,EUR,,,10,200\n")
    report = catalogue.preview("roles", (HEADER + "cashier,EUR,,,12.5,150\n").encode())
    assert isinstance(report, LoadReport)
    assert report.effects is not None
    (row,) = report.effects.sample
    assert (row.effect, row.was) == ("changed", ("line discount was 10", "refund was 200.00"))


def test_staff_may_have_any_role_that_ships(hq_pool: Pool) -> None:
    catalogue = Catalogue(Feeds(hq_pool, HEAD_OFFICE_KEY, ManualClock()))
    rows = "".join(f"{role},N,{role},1234\n" for role in DEFAULT_ROLES)
    report = catalogue.preview("staff", f"id,name,role,pin\n{rows}".encode())
    assert isinstance(report, LoadReport)
    assert report.good == len(DEFAULT_ROLES)
