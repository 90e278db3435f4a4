"""Opening the day on the page: whoever decides on a date that nobody else speaks for has read why."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher
from litestar.testing import TestClient

from holdfast.core.ids import IncarnationId, StaffId
from holdfast.core.sync.feed import FeedPage, FeedRow
from holdfast.infra.clock import SystemClock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.web import Wakeups
from holdfast.register.checkout import Checkout
from holdfast.register.keeper import SyncKeeper
from holdfast.register.serve import _services
from holdfast.register.sync.catalogue import StaffMember
from holdfast.register.sync.feed_store import FeedStore
from holdfast.register.sync.reference_file import ReferenceFile, open_reference
from holdfast.register.web.app import create_app
from holdfast.register.web.shelf import Shelf
from holdfast.register.web.watch import Watch
from tests.register_fixture import make_outbox, make_register, open_checkout


def register_with_staff(folder: Path) -> RegisterHome:
    """A register with staff from a snapshot, that was never in contact: its clock alone speaks for a date."""
    home = make_register(folder)
    connection = open_reference(home, DatabaseKey.load(home.database_key))
    pins = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    staff = [
        StaffMember(id=StaffId("1"), name="Ann", role="cashier", pin_hash=pins.hash("1111")),
        StaffMember(id=StaffId("2"), name="Bea", role="manager", pin_hash=pins.hash("2222")),
    ]
    rows = tuple(FeedRow(person.id, msgspec.Raw(msgspec.json.encode(person))) for person in staff)
    page = FeedPage(feed="staff", incarnation=IncarnationId("i1"), since_n=0, to_n=1, more=False, rows=rows)
    assert FeedStore(connection).take(page, made_ms=1, now_ms=1) is None
    connection.close()
    return home


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return register_with_staff(tmp_path / "register")


@contextlib.contextmanager
def page_of(home: RegisterHome, checkout: Checkout) -> Iterator[TestClient[Any]]:
    config, clock, wakeups = load_config(home.config, RegisterConfig), SystemClock("UTC"), Wakeups()
    file = ReferenceFile(home, DatabaseKey.load(home.database_key))
    watch = Watch(file, checkout, clock, wakeups, lambda: None)
    shelf, keeper = Shelf(file, "EUR"), SyncKeeper(home, clock, ["none"])
    outbox = make_outbox(home, clock)
    app = create_app(_services(home, config, checkout, shelf, clock, watch, wakeups, keeper, outbox))
    with TestClient(app, base_url=f"http://{config.listen_host}:{config.listen_port}") as client:
        yield client
    file.close()


def post(client: TestClient[Any], path: str, **fields: str) -> str:
    return client.post(path, data=fields).text


def test_a_manager_too_is_told_first_and_decides_then(home: RegisterHome) -> None:
    checkout = open_checkout(home)
    with page_of(home, checkout) as client:
        post(client, "/sign-in", staff="2", pin="2222")
        date = checkout.offered_date()
        told = post(client, "/day/open", float="0", date=date)
        assert "head office was not heard yet" in told
        assert not checkout.day().open
        assert f'name="sure" value="{date}"' in told
        told = post(client, "/day/open", float="0", date="2031-05-01", sure=date)
        assert "head office was not heard yet" in told
        assert not checkout.day().open, "another date is another decision"
        post(client, "/day/open", float="0", date=date, sure=date)
        assert (checkout.day().open, checkout.day().business_date) == (True, date)
    checkout.close()


def test_a_cashier_needs_a_managers_pin(home: RegisterHome) -> None:
    checkout = open_checkout(home)
    with page_of(home, checkout) as client:
        post(client, "/sign-in", staff="1", pin="1111")
        date = checkout.offered_date()
        told = post(client, "/day/open", float="0", date=date, sure=date)
        assert "ask a manager" in told
        assert 'name="manager_pin"' in told
        assert not checkout.day().open, "a cashier is not sure enough"
        post(client, "/day/open", float="0", date=date, manager="2", manager_pin="2222")
        assert checkout.day().open
    checkout.close()
