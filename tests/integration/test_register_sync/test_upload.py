"""Everything that a register sells reaches head office exactly once, whatever the line does."""

import copy
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from holdfast.core.connection import Mode as Link
from holdfast.core.journal.chain import Position
from holdfast.core.sync.messages import Ack, decode, encode, sign_receipt
from holdfast.core.sync.receiver import Refused
from holdfast.infra.clock import SystemClock, SystemRandomness
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.register.sync import board, uploader
from holdfast.register.sync.reference import Reference
from holdfast.register.sync.requests import Inbox, OpenEpochRequest
from holdfast.register.till import mending
from holdfast.register.till.handed import handed_seq
from tests import damaged_pages
from tests.integration.test_register_sync.conftest import Till, eventually
from tests.integration.test_register_sync.head_office import HeadOffice
from tests.integration.test_register_sync.line_proxy import LineProxy, Mode
from tests.register_fixture import HEAD_OFFICE, clone, sell_one, selling

Opens = Callable[[RegisterHome, int], Till]


def numbers_of(till: Till) -> list[str]:
    return sorted(row.document for row in till.checkout.documents(1000))


def all_arrived(till: Till, office: HeadOffice) -> bool:
    head = till.checkout.head()
    return office.heads().get(head.epoch) == head.seq and office.documents() == numbers_of(till)


def modes(office: HeadOffice) -> list[str]:
    """What the line became, change by change, as head office was told."""
    return [body["after"] for body in office.journalled("connection_changed")]


def nothing_owed(till: Till) -> bool:
    head = till.checkout.head()
    return (
        till.status().applied.get(head.epoch) == head.seq
        and not till.checkout.owed(till.status().applied).count
    )


@pytest.mark.usefixtures("patient")
def test_sales_arrive_and_are_receipted(till: Till, office: HeadOffice) -> None:
    for _ in range(5):
        sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    eventually(lambda: till.status().mode is Link.ONLINE)
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert till.status().incarnation == "inc1"
    eventually(lambda: not till.status().problems)


def test_a_cut_line_loses_nothing_and_the_first_owed_sale_follows_its_return(
    till: Till, office: HeadOffice, line: LineProxy
) -> None:
    till.start_sync()
    eventually(lambda: till.status().mode is Link.ONLINE)
    line.mode = Mode.CUT
    eventually(lambda: till.status().mode is Link.OFFLINE)
    head, connections = till.checkout.head(), line.connections
    for _ in range(3):
        sell_one(till.checkout)
        till.sold()
    assert till.checkout.owed(till.status().applied).count == 3
    eventually(lambda: line.connections > connections)
    handed = handed_seq(till.home.handed, head.epoch)
    assert handed is not None, "it was noted before the line was cut"
    assert handed <= head.seq, "nobody answered, so nothing left (GC6)"
    line.mode = Mode.OPEN
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    eventually(lambda: handed_seq(till.home.handed, head.epoch) == till.checkout.head().seq)
    eventually(lambda: till.status().mode is Link.ONLINE)


def test_dropped_packets_are_noticed_and_survived(till: Till, office: HeadOffice, line: LineProxy) -> None:
    till.start_sync()
    eventually(lambda: till.status().mode is Link.ONLINE)
    line.mode = Mode.DROP
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: till.status().mode is Link.OFFLINE)
    assert "no answer" in till.status().cause
    assert not till.status().problems, "an outage is the line's matter alone"
    line.mode = Mode.OPEN
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    eventually(lambda: till.status().mode is Link.ONLINE)


@pytest.mark.usefixtures("patient")
def test_every_change_of_mode_is_journalled(till: Till, office: HeadOffice, line: LineProxy) -> None:
    till.start_sync()
    eventually(lambda: till.status().mode is Link.ONLINE)
    line.mode = Mode.CUT
    eventually(lambda: till.status().mode is Link.OFFLINE)
    line.mode = Mode.OPEN
    eventually(lambda: till.status().mode is Link.ONLINE)

    eventually(lambda: modes(office) == ["online", "offline", "online"])


def test_lost_answers_and_repeated_requests_have_one_effect(
    till: Till, office: HeadOffice, line: LineProxy
) -> None:
    line.repeat = True
    till.start_sync()
    for round in range(4):
        line.mode = Mode.LOSE_ANSWER if round % 2 == 0 else Mode.OPEN
        lost = line.lost_answers
        sell_one(till.checkout)
        till.sold()
        if line.mode is Mode.LOSE_ANSWER:
            eventually(lambda lost=lost: line.lost_answers > lost)
    line.mode = Mode.OPEN
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    head = till.checkout.head()
    assert len(office.entries()) == head.seq, "each entry is stored once"
    assert not office.store.tables.appended["alert"]


@pytest.mark.usefixtures("patient")
def test_a_flapping_line_does_not_flicker_and_everything_arrives(
    till: Till, office: HeadOffice, line: LineProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each break fails whatever is under way, and is one failure: how long one takes here says nothing."""
    monkeypatch.setattr(board, "APART_MS", 3_600_000)
    till.start_sync()
    eventually(lambda: till.status().mode is Link.ONLINE)
    assert till.process is not None
    seen = till.process.board
    for _ in range(10):
        line.mode = Mode.CUT
        eventually(lambda: seen.connection.failures)
        line.mode = Mode.OPEN
        sell_one(till.checkout)
        till.sold()
        eventually(lambda: not seen.connection.failures)
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert till.status().mode is Link.ONLINE
    assert modes(office) == ["online"], "ten short breaks are no outage"


def test_a_slow_line_is_degraded_not_dead(till: Till, office: HeadOffice, line: LineProxy) -> None:
    line.delay_s = 0.9
    till.start_sync()
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: till.status().mode is Link.DEGRADED)
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    line.delay_s = 0.0
    eventually(lambda: till.status().mode is Link.ONLINE)


def test_a_session_that_is_gone_is_opened_again(till: Till, office: HeadOffice) -> None:
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    office.restart()
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    eventually(lambda: not till.status().problems, "a part still troubles")


@pytest.mark.usefixtures("patient")
def test_a_refused_key_is_shown_and_cured(till: Till, office: HeadOffice) -> None:
    keys = office.store.tables.origin_keys
    kept = dict(keys)
    keys.clear()
    other = SigningKey.generate()
    keys[(till.checkout.origin, other.key_id)] = other.public_bytes
    sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: till.status().blocked_code == "key.unknown")
    assert till.checkout.owed(till.status().applied).count == 1
    eventually(lambda: till.status().mode is Link.ONLINE, "head office answers; it refuses")
    keys.update(kept)
    assert till.process is not None
    till.process.wake("n")
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    eventually(lambda: not till.status().is_blocked)


def test_a_forged_receipt_is_refused(till: Till, office: HeadOffice) -> None:
    office.signer = SigningKey.generate()
    office.restart()
    sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: all_arrived(till, office))
    eventually(lambda: "receipts" in till.status().problems)
    assert not till.status().applied
    assert till.checkout.owed(till.status().applied).count == 1
    office.signer = HEAD_OFFICE
    office.restart()
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: nothing_owed(till))
    eventually(lambda: "receipts" not in till.status().problems)


def test_a_receipt_over_another_chain_is_refused(till: Till, office: HeadOffice) -> None:
    def lie(path: str, body: bytes) -> bytes:
        """Head office's real signature, over a hash that this register does not have."""
        if path != "/v1/sync/entries":
            return body
        ack = decode(body, Ack)
        assert ack.applied is not None
        place = Position(ack.applied.epoch, ack.applied.seq, bytes(32))
        wrong = sign_receipt("applied", ack.incarnation, ack.applied.origin, place, HEAD_OFFICE)
        return encode(msgspec.structs.replace(ack, applied=wrong))

    office.replay = lie
    sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: "receipts" in till.status().problems or nothing_owed(till))
    for receipt in Reference(till.reference, till.checkout.origin).receipts():
        assert receipt.hash != bytes(32)


def test_a_head_office_restored_from_a_backup_is_sent_what_it_lacks(
    till: Till, office: HeadOffice, line: LineProxy
) -> None:
    till.start_sync()
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: nothing_owed(till))
    backup = copy.deepcopy(office.store.tables)
    for _ in range(4):
        sell_one(till.checkout)
        till.sold()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    line.mode = Mode.CUT
    eventually(lambda: till.status().mode is Link.OFFLINE)
    office.store.tables = backup
    office.restart()
    line.mode = Mode.OPEN
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert till.status().incarnation != "inc1", "a receipt beyond its cursor told it that it lost state"
    assert {
        receipt.incarnation for receipt in Reference(till.reference, till.checkout.origin).receipts()
    } == {till.status().incarnation}


def sold_by_a_twin(home: RegisterHome, office: HeadOffice, register: Opens, folder: Path) -> RegisterHome:
    """Head office holds what another copy of this register sold. Cloned whole, mark included, so that
    only head office can tell (P4). Returns the home that knows nothing of it."""
    with selling(home, seed=11) as checkout:
        sell_one(checkout)
    twin = clone(home, folder / "twin")
    first = register(home, 12)
    sell_one(first.checkout)
    sell_one(first.checkout)
    first.start_sync()
    eventually(lambda: all_arrived(first, office))
    first.close()
    return twin


def test_a_cloned_register_opens_an_epoch_before_it_sends(
    home: RegisterHome, office: HeadOffice, register: Opens, tmp_path: Path
) -> None:
    till = register(sold_by_a_twin(home, office, register, tmp_path), 13)
    old = till.checkout.head().epoch
    till.does_requests = False
    sell_one(till.checkout)
    till.start_sync()

    def asked() -> bool:
        requests = Inbox(till.reference).open()
        return any(isinstance(request.payload(), OpenEpochRequest) for request in requests)

    eventually(asked)
    assert len(office.store.tables.chains) == 1, "nothing of the fork goes out before the new epoch is open"
    till.does_requests = True
    eventually(lambda: till.checkout.head().epoch != old)
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: office.heads().get(till.checkout.head().epoch) == till.checkout.head().seq)
    eventually(lambda: nothing_owed(till))
    assert len(office.documents()) == 5, "both branches count: 1 common, 2 of the one, 2 of the other"


def test_an_epoch_that_checkout_never_opens_does_not_stop_the_line(
    home: RegisterHome,
    office: HeadOffice,
    register: Opens,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploader, "EPOCH_WAIT_S", 0.5)
    till = register(sold_by_a_twin(home, office, register, tmp_path), 13)
    till.does_requests = False
    sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: len(office.documents()) == 4)
    assert any(row[0] == "fork" for row in office.store.tables.appended["alert"])
    eventually(lambda: "epoch" in till.status().problems)


def test_what_a_bad_disk_holds_back_is_told_and_new_sales_flow_in_a_new_epoch(
    home: RegisterHome, office: HeadOffice, line: LineProxy, register: Opens
) -> None:
    with selling(home) as checkout:
        for _ in range(200):
            sell_one(checkout)
        old = checkout.head()
    key = DatabaseKey.load(home.database_key)
    for table, page in (("chain", 0), ("entry", 3)):
        damaged_pages.damage(home.till, damaged_pages.leaf_pages(home.till, key, table)[page])
    till = register(home, 2)
    till.start_sync()
    eventually(lambda: till.checkout.head().epoch != old.epoch)
    sell_one(till.checkout)
    till.sold()
    new = till.checkout.head()
    eventually(lambda: office.heads().get(new.epoch) == new.seq)
    assert 0 < office.heads()[old.epoch] < old.seq, "what the disk still proves was sent"
    eventually(lambda: "journal" in till.status().problems)
    told = till.status().problems["journal"]
    assert told.code == "journal.damaged"
    assert str(office.heads()[old.epoch] + 1) in told.sentence


def test_a_mended_till_owes_what_the_damaged_one_owed_and_sends_it(
    home: RegisterHome, office: HeadOffice, line: LineProxy, register: Opens
) -> None:
    with selling(home) as checkout:
        sold = {sell_one(checkout).document for _ in range(120)}
    damaged_pages.damage(
        home.till, damaged_pages.leaf_pages(home.till, DatabaseKey.load(home.database_key), "chain")[-1]
    )
    mending.mend(home, clock=SystemClock("UTC"), randomness=SystemRandomness())
    till = register(home, 2)
    assert till.checkout.owed({}).count == 120
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    assert {row.document for row in till.checkout.documents(200)} == sold
    assert len(office.documents()) == 120
    assert "till.db.damaged" in till.status().problems["till"].sentence


@pytest.mark.usefixtures("patient")
def test_a_restarted_sync_goes_on_where_it_was(till: Till, office: HeadOffice) -> None:
    till.start_sync()
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: nothing_owed(till))
    till.stop_sync()
    sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert modes(office) == ["online"], "a restart of sync is no change of the line"


def test_a_refusal_that_passes_is_tried_again(till: Till, office: HeadOffice) -> None:
    office.refuse["/v1/sync/entries"] = Refused(503, "busy", "too much waits already")
    sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: office.asked["/v1/sync/entries"] >= 2)
    assert not till.status().is_blocked
    office.refuse.clear()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
