"""Locks at head office: listed with their owners, released by a person or by policy, never silently (GC9)."""

import json
import time

import pytest
from typer.testing import CliRunner, Result

from holdfast.core.central.accounts import Act, Kind
from holdfast.core.central.holds import Declined, Held
from holdfast.core.central.settle import TAKEN_BACK_THEN_USED, Place
from holdfast.core.central.stale import WORN_MS, Verdict
from holdfast.core.parameters import Scope
from holdfast.core.refusals import Refusal
from holdfast.hq.central.audit import acts
from holdfast.hq.central.desk import take_back
from holdfast.hq.central.differences import Asked, csv_of
from holdfast.hq.central.keeper import AfterLossKeeper, LockKeeper, ProofKeeper
from holdfast.hq.cli import app
from holdfast.hq.parameters.book import Draft
from holdfast.hq.store.postgres import PostgresStore
from tests.central_shop import DAY_MS, NUMBER, Shop
from tests.hq_web_fixtures import TIMEOUT_S, ServedHeadOffice

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]


@pytest.fixture
def shop(office: ServedHeadOffice) -> Shop:
    return Shop(office)


def test_a_stale_lock_is_released_by_itself_once_its_owner_can_owe_nothing(shop: Shop) -> None:
    standing = shop.hold()
    lock = standing.lock
    assert (lock.register, lock.store, lock.words) == ("Till R01", "S1", f"gift card …{NUMBER[-4:]}")
    assert standing.verdict is Verdict.SILENT
    assert shop.locks.release_stale() == (0, False)
    shop.speaks()
    assert shop.standing().verdict is Verdict.RELEASE
    assert shop.locks.release_stale() == (1, False)
    assert shop.locks.locks() == []
    [act] = acts(shop.office.services.pool)
    assert (act.by, act.act, act.store, act.key) == ("policy", "lock-released", "S1", lock.key)
    assert "held by Till R01 for 25 h" in act.detail
    assert isinstance(shop.tills[1].ask(Kind.GIFT_CARD, Act.REDEEM, number=NUMBER), Held)


def test_a_lock_that_was_asked_for_again_stands_until_a_later_word(shop: Shop) -> None:
    """What its till concluded right after, online, as the line dropped, no word from before tells."""
    lock = shop.hold().lock
    shop.speaks()
    assert shop.standing().verdict is Verdict.RELEASE
    shop.tills[0].call(lock.key)
    assert shop.standing().verdict is Verdict.ASKED
    assert shop.locks.release_stale() == (0, False)
    with PostgresStore(shop.office.services.pool).transaction(None) as transaction:
        told = take_back(transaction.central, lock.key, "policy", "", 0, lock.told_ms)
    assert isinstance(told, Refusal)
    assert told.code == "hold.told", "nor where the policy looked before it asked"
    with shop.office.services.pool.connection() as conn:
        conn.execute("update value_hold set told_ms = told_ms - %s", (WORN_MS + 60_000,))
    shop.speaks()
    assert shop.locks.release_stale() == (1, False)


def test_never_while_its_owner_may_conclude_offline_and_may_owe(shop: Shop) -> None:
    """Also where the parameter is off by now: the transaction may have begun before."""
    book = shop.office.services.head_office.parameters
    draft = Draft(name="offline.gift-cards", scope=Scope("store", "S1"), value=True)
    book.make(draft, by="nia", reason="Pilot")
    shop.hold()
    shop.speaks()
    assert shop.standing().verdict is Verdict.MAY_OWE
    ended = Draft(name="offline.gift-cards", scope=Scope("store", "S1"), value=None)
    book.make(ended, by="nia", reason="Pilot ends")
    shop.speaks()
    assert shop.standing().verdict is Verdict.MAY_OWE
    assert "may have concluded" in shop.standing().warning
    assert shop.locks.release_stale() == (0, False)
    with shop.office.services.pool.connection() as conn:
        conn.execute("update parameter_change set made_at_ms = made_at_ms - %s", (3 * DAY_MS,))
    assert shop.standing().verdict is Verdict.RELEASE, "it began long after"


def test_a_person_releases_it_and_the_owner_who_concluded_all_the_same_is_told(shop: Shop) -> None:
    shop.tills[0].allowed = frozenset(Kind)
    lock = shop.hold().lock
    shop.tills[0].conclude(400)  # offline: head office knows nothing of it yet
    assert isinstance(shop.locks.release(lock.key, by="mia", reason=""), Refusal)
    assert isinstance(shop.locks.release(lock.key, by="mia", reason="Away", store="S2"), Refusal), (
        "not theirs"
    )
    assert not isinstance(shop.locks.release(lock.key, by="mia", reason="R01 burnt", store="S1"), Refusal)
    assert isinstance(shop.locks.release(lock.key, by="mia", reason="Again"), Refusal)
    assert isinstance(shop.tills[1].ask(Kind.GIFT_CARD, Act.REDEEM, number=NUMBER), Held)
    shop.tills[1].conclude(300)
    shop.tills[0].online = True
    shop.tills[0].sync()
    book = shop.office.services.head_office.differences
    [found] = book.listed(Asked(kind="gift_card", store="S1", open=True))
    assert (found.remark, found.booked, found.difference) == (TAKEN_BACK_THEN_USED, -200, -200)
    assert (found.released_by, found.released_reason) == ("mia", "R01 burnt")
    place = Place(found.chain, found.seq, found.ordinal)
    assert isinstance(book.look(place, by="ann", note=" "), Refusal)
    assert book.look(place, by="ann", note="=Loss, booked to 6200") is None
    assert book.listed(Asked(open=True)) == []
    [seen] = book.listed(Asked(remark=TAKEN_BACK_THEN_USED))
    assert (seen.looked_by, seen.note) == ("ann", "=Loss, booked to 6200")
    assert "'=Loss" in csv_of([seen]), "no cell is a formula"
    [loss] = book.sums(Asked())
    assert (loss.kind, loss.movements, loss.difference) == ("gift_card", 1, -200)


def test_what_was_asked_and_is_known_nowhere_is_told(shop: Shop) -> None:
    lock = shop.hold().lock
    shop.speaks()
    assert shop.locks.unfinished() == []
    with shop.office.services.pool.connection() as conn:
        conn.execute("delete from value_hold")  # head office was put back
    [found] = shop.locks.unfinished(store="S1")
    assert (found.key, found.register, found.number_end) == (lock.key, "Till R01", NUMBER[-4:])
    assert shop.locks.unfinished(store="S2") == []
    shop.tills[0].remove()
    assert shop.locks.unfinished() == [], "its end is known"
    assert not shop.locks.forget_asks()
    with shop.office.services.pool.connection() as conn:
        assert conn.execute("select count(*) from value_ask").fetchone() == (0,)


def test_the_proof_goes_on_in_pieces_and_notices_what_does_not_add_up(shop: Shop) -> None:
    proof = shop.office.services.head_office.proof
    done: list[int] = []
    run = proof.run(done.append, limit=1)
    assert run is not None
    assert (run.accounts, run.movements, run.faults, done) == (2, 1, 0, [1, 2])
    assert {(each.kind, each.balance, each.holds) for each in proof.sums(run.id)} == {
        ("gift_card", 500, True),
        ("on_account", 0, True),
    }
    shop.tills[0].ask(Kind.GIFT_CARD, Act.REDEEM, number=NUMBER)
    shop.tills[0].conclude(100)
    with shop.office.services.pool.connection() as conn:
        conn.execute("update value_movement set balance = balance + 1 where number = 2")
    broken = proof.run(done.append)
    assert broken is not None
    assert broken.faults == 1
    assert "its balance is not the sum of what was booked" in broken.first_faults
    assert not next(each for each in proof.sums(broken.id) if each.kind == "gift_card").holds
    assert any(alert.kind == "central-proof" for alert in shop.office.services.alerts.open())


def test_the_service_does_so_by_itself(shop: Shop) -> None:
    shop.hold()
    shop.speaks()
    head_office = shop.office.services.head_office
    keepers = (
        LockKeeper(shop.locks, every_s=0.01),
        ProofKeeper(head_office.proof, head_office.clock, every_s=0.01),
        AfterLossKeeper(head_office.after_loss, every_s=0.01),
    )
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while shop.locks.locks() or head_office.proof.last() is None:
            assert time.monotonic() < deadline, "released, and proved"
            time.sleep(0.01)
    finally:
        for keeper in keepers:
            keeper.stop()
    assert not head_office.after_loss.state().is_waiting


def hq(shop: Shop, *arguments: str) -> Result:
    home = ["--home", str(shop.office.services.head_office.home.path)]
    return CliRunner().invoke(app, [*arguments, *home])


def test_locks_are_listed_and_released_by_hand_on_the_command_line(shop: Shop) -> None:
    lock = shop.hold().lock
    assert isinstance(shop.tills[1].ask(Kind.GIFT_CARD, Act.REDEEM, number=NUMBER), Declined)
    listed = hq(shop, "locks", "list", "--store", "S1").output
    assert f"{lock.key}  gift card …{NUMBER[-4:]}, Till R01 (S1), 1500 min" in listed
    assert "has not been in touch since" in listed
    assert json.loads(hq(shop, "locks", "list", "--json").output)["locks"][0]["verdict"] == "silent"
    looked = hq(shop, "locks", "release", lock.key, "--reason", "Stolen")
    assert "Nothing was changed. To release it, add --yes." in looked.output
    done = hq(shop, "locks", "release", lock.key, "--reason", "Stolen", "--yes")
    assert "Released: gift card" in done.output
    assert "Nothing is locked." in hq(shop, "locks", "list").output
    again = hq(shop, "locks", "release", lock.key, "--reason", "Stolen", "--yes")
    assert again.exit_code == 9
    checked = hq(shop, "central", "check")
    assert (checked.exit_code, "Everything adds up." in checked.output) == (0, True)
