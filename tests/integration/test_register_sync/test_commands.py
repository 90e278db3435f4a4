"""Commands: carried out once, journalled, and told until head office heard."""

import msgspec

from holdfast.core.ids import IncarnationId, OriginId
from holdfast.core.journal.chain import Position
from holdfast.core.sync.commands import CommandBatch
from holdfast.core.sync.feed import pack
from holdfast.core.sync.messages import sign_receipt
from holdfast.core.sync.receiver import Refused
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import SigningKey
from holdfast.register.sync.reference import Reference
from tests.integration.test_register_sync.conftest import Till, eventually
from tests.integration.test_register_sync.head_office import HeadOffice, signing_key
from tests.integration.test_register_sync.line_proxy import LineProxy, Mode
from tests.integration.test_register_sync.test_upload import all_arrived, nothing_owed
from tests.register_fixture import HEAD_OFFICE, ORIGIN, sell_one


def journalled(office: HeadOffice, type: str) -> list[dict[str, str]]:
    return office.journalled(type)


def test_simple_commands_are_done_journalled_and_told(till: Till, office: HeadOffice) -> None:
    kinds = ("sync_now", "report", "resend_from", "make_coffee")
    for kind in kinds:
        office.command(kind)
    till.start_sync()
    eventually(lambda: len(office.outcomes) == 4)
    assert [office.outcomes[n].outcome for n in (1, 2, 3, 4)] == ["done", "done", "done", "failed"]
    eventually(lambda: len(journalled(office, "command_done")) == 4)
    # One that takes a while keeps no other waiting.
    assert {body["kind"] for body in journalled(office, "command_done")} == set(kinds)


def test_what_head_office_holds_is_sent_once_more_and_has_no_second_effect(
    till: Till, office: HeadOffice
) -> None:
    for _ in range(12):
        sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    head, before = till.checkout.head(), office.store.tables.entries.copy()
    batches = office.asked["/v1/sync/entries"]
    office.command("resend_from", epoch=head.epoch, seq="4")
    eventually(lambda: 1 in office.outcomes)
    assert office.outcomes[1].outcome == "done"
    assert f"entries 4 to {head.seq} sent again: {head.seq - 3}" in office.outcomes[1].detail
    assert f"held {head.seq - 3} before and 0 were new" in office.outcomes[1].detail
    assert office.asked["/v1/sync/entries"] > batches
    assert before.items() <= office.store.tables.entries.items()
    assert len(journalled(office, "sale")) == 12

    for number, name, typed in ((2, "seq", "99999"), (3, "epoch", "none"), (4, "seq", "0")):
        office.command("resend_from", ORIGIN, **{name: typed})
        eventually(lambda: number in office.outcomes)  # noqa: B023
    assert "nothing: the epoch's last entry is" in office.outcomes[2].detail
    assert [office.outcomes[n].outcome for n in (2, 3, 4)] == ["done", "failed", "failed"]


def test_sending_once_more_survives_lost_answers_and_sales_in_between(
    till: Till, office: HeadOffice, line: LineProxy
) -> None:
    for _ in range(30):
        sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    office.command("resend_from")
    eventually(lambda: till.reference.execute("select count(*) from command").fetchall() == [(1,)])
    line.mode, lost = Mode.LOSE_ANSWER, line.lost_answers
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: line.lost_answers > lost + 2)
    line.mode = Mode.OPEN
    eventually(lambda: 1 in office.outcomes)
    assert "entries 1 to" in office.outcomes[1].detail
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert len(journalled(office, "sale")) == 31


def test_what_was_purged_is_not_sent_once_more(till: Till, office: HeadOffice) -> None:
    for _ in range(4):
        sell_one(till.checkout)
    till.checkout.close_day(by=till.checkout.config.origin)  # pyright: ignore[reportArgumentType]
    till.checkout.open_day("2025-11-30", by="c1", approved_by="m1")  # pyright: ignore[reportArgumentType]
    sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    head = till.checkout.head()
    assert till.checkout.purge({head.epoch: 5}) == 5
    office.command("resend_from", seq="2")
    eventually(lambda: 1 in office.outcomes)
    assert "entries 6 to" in office.outcomes[1].detail
    assert "4 before them were purged here" in office.outcomes[1].detail


def test_a_command_that_comes_again_is_not_done_again(till: Till, office: HeadOffice) -> None:
    office.command("report")
    till.start_sync()
    eventually(lambda: len(office.outcomes) == 1)
    first = office.outcomes.pop(1)  # head office lost it, and asks from the beginning
    again = pack("commands", CommandBatch(commands=tuple(office.commands)), HEAD_OFFICE)
    office.replay = lambda path, body: again if path == "/v1/sync/commands" else body
    eventually(lambda: office.outcomes.get(1) == first)
    office.replay = lambda path, body: body
    office.command("sync_now")
    eventually(lambda: 2 in office.outcomes)
    eventually(lambda: len(journalled(office, "command_done")) == 2)
    assert [body["command"] for body in journalled(office, "command_done")] == ["1", "2"]


def test_a_restored_head_office_counts_anew_and_its_former_life_commands_nothing(
    till: Till, office: HeadOffice
) -> None:
    for _ in range(3):
        office.command("report")
    till.start_sync()
    eventually(lambda: len(office.outcomes) == 3)
    former = tuple(office.commands)
    office.commands.clear()
    office.outcomes.clear()
    with office.store.transaction(None) as transaction:
        before = transaction.incarnation()
        transaction.begin_incarnation(before, IncarnationId("life2"), 0, "restored", "")
    office.command("sync_now")
    eventually(lambda: 1 in office.outcomes)
    assert office.outcomes[1].incarnation == "life2"
    eventually(lambda: len(journalled(office, "command_done")) == 4)

    late = msgspec.structs.replace(former[-1], number=9, kind="purge")
    signed = pack("commands", CommandBatch(commands=(late,)), HEAD_OFFICE)
    office.replay = lambda path, body: signed if path == "/v1/sync/commands" else body
    eventually(lambda: till.status().problems.get("commands"))
    assert "former head office" in till.status().problems["commands"].sentence
    assert len(journalled(office, "command_done")) == 4


def test_an_outcome_is_told_until_it_is_heard(till: Till, office: HeadOffice) -> None:
    office.refuse["/v1/sync/commands/outcome"] = Refused(503, "busy", "not now")
    office.command("report")
    till.start_sync()
    eventually(lambda: office.asked["/v1/sync/commands/outcome"] >= 2)
    till.stop_sync()
    office.refuse.clear()
    till.start_sync()
    eventually(lambda: 1 in office.outcomes)
    eventually(lambda: len(journalled(office, "command_done")) == 1)


def test_a_forged_command_or_one_for_another_register_is_not_done(till: Till, office: HeadOffice) -> None:
    office.command("purge", origin=OriginId("reg02"))
    till.start_sync()
    eventually(lambda: till.status().problems.get("commands"))
    assert till.status().problems["commands"].code == "signature.invalid"
    assert not office.outcomes
    office.commands.clear()
    office.signer = SigningKey.generate()
    office.command("report")
    till.stop_sync()
    till.start_sync()
    eventually(lambda: till.status().problems.get("commands"))
    assert not office.outcomes


def test_purge_waits_for_safe_and_leaves_the_chain(till: Till, office: HeadOffice) -> None:
    for _ in range(4):
        sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    office.command("purge", keep_days="0")
    eventually(lambda: 1 in office.outcomes)
    assert "nothing" in office.outcomes[1].detail, "applied is not safe (P1)"

    head = till.checkout.head()
    safe = sign_receipt("safe", IncarnationId("inc1"), till.checkout.origin, head.position, HEAD_OFFICE)
    Reference(till.reference, till.checkout.origin).keep([safe], None, 0)
    sold = till.checkout.documents(10)[-1].document
    office.command("purge", keep_days="3")
    eventually(lambda: 2 in office.outcomes)
    assert till.checkout.document(sold) is not None, "inside the days that stay"

    till.checkout.close_day(by=till.checkout.config.origin)  # pyright: ignore[reportArgumentType]
    till.checkout.open_day("2025-11-30", by="c1", approved_by="m1")  # pyright: ignore[reportArgumentType]
    office.command("purge", keep_days="30")
    eventually(lambda: 3 in office.outcomes)
    assert office.outcomes[3].outcome == "done"
    assert "entries purged" in office.outcomes[3].detail
    assert till.checkout.document(sold) is None
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    office.command("purge", keep_days="soon")
    eventually(lambda: 4 in office.outcomes)
    assert office.outcomes[4].outcome == "failed"


def test_a_forged_safe_receipt_frees_nothing(till: Till, office: HeadOffice) -> None:
    sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    head = till.checkout.head()
    elsewhere = Position(head.epoch, head.seq, bytes(32))
    forged = sign_receipt("safe", IncarnationId("inc1"), till.checkout.origin, elsewhere, HEAD_OFFICE)
    assert till.process is not None
    reference = Reference(till.reference, till.checkout.origin)

    def lie(path: str, body: bytes) -> bytes:
        if path != "/v1/sync/heartbeat":
            return body
        return msgspec.json.encode({**msgspec.json.decode(body), "safe": [forged]})

    office.replay = lie
    beats = len(office.heartbeats)
    till.process.wake("n")
    eventually(lambda: len(office.heartbeats) > beats)
    office.command("report")
    eventually(lambda: 1 in office.outcomes)
    assert not reference.safe_receipts()


def test_a_kept_receipt_that_is_not_over_this_till_frees_nothing(till: Till, office: HeadOffice) -> None:
    """The till came back from a backup since, or somebody wrote into the reference database."""
    for _ in range(3):
        sell_one(till.checkout)
    till.checkout.close_day(by=till.checkout.config.origin)  # pyright: ignore[reportArgumentType]
    till.checkout.open_day("2025-11-30", by="c1", approved_by="m1")  # pyright: ignore[reportArgumentType]
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    origin, head = till.checkout.origin, till.checkout.head()
    other_chain = Position(head.epoch, head.seq, bytes(32))
    reference = Reference(till.reference, origin)
    for signer, at in ((HEAD_OFFICE, other_chain), (SigningKey.generate(), head.position)):
        forged = sign_receipt("safe", IncarnationId("inc1"), origin, at, signer)
        reference.keep([forged], None, 0)
        assert reference.safe_receipts()
        number = len(office.outcomes) + 1
        office.command("purge", keep_days="0")
        eventually(lambda: number in office.outcomes)  # noqa: B023
        assert "nothing" in office.outcomes[number].detail
        till.reference.execute("delete from receipt where level = 'safe'")
    reference.keep([sign_receipt("safe", IncarnationId("inc1"), origin, head.position, HEAD_OFFICE)], None, 0)
    office.command("purge", keep_days="0")
    eventually(lambda: len(office.outcomes) == 3)
    assert "entries purged" in office.outcomes[3].detail


def test_the_key_is_rotated_without_a_gap(
    till: Till, office: HeadOffice, line: LineProxy, home: RegisterHome
) -> None:
    old = signing_key(home).key_id
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    office.command("rotate_key")
    eventually(lambda: 1 in office.outcomes)
    assert office.outcomes[1].outcome == "done"
    new = signing_key(home).key_id
    assert new != old
    assert {key_id for _, key_id in office.store.tables.origin_keys} == {old, new}
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    head = Reference(till.reference, till.checkout.origin).signed_heads()[-1]
    eventually(
        lambda: Reference(till.reference, till.checkout.origin).signed_heads()[-1].key_id == new,
        f"still signs with {head.key_id}",
    )
    line.mode = Mode.CUT
    till.stop_sync()
    line.mode = Mode.OPEN
    till.start_sync()
    sell_one(till.checkout)
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))


def test_diagnostics_hold_no_secret(till: Till, office: HeadOffice, home: RegisterHome) -> None:
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    office.command("collect_diagnostics")
    eventually(lambda: 1 in office.outcomes)
    detail = office.outcomes[1].detail
    assert msgspec.json.decode(detail)["software"]
    for secret in (home.signing_key, home.database_key):
        assert secret.read_bytes().hex() not in detail
    assert str(home.path) not in detail
    eventually(lambda: len(journalled(office, "command_done")) == 1)
    assert "detail" not in journalled(office, "command_done")[0]
