"""A register's key while it sells: rotated, and known or not known to a head office that was restored."""

import copy
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from holdfast.core.faults import KeyFault
from holdfast.core.ids import EpochId, IncarnationId, KeyId
from holdfast.core.journal.chain import sign_head
from holdfast.core.sync.enrolment import sign_certificate
from holdfast.core.sync.messages import EpochOffer, Offer, encode
from holdfast.hq.store.memory import Tables
from holdfast.infra.clock import SystemClock, SystemRandomness
from holdfast.infra.config import RegisterHome
from holdfast.infra.http import HttpClient, HttpRequest, Reply
from holdfast.infra.keys import SigningKey
from holdfast.register.identity import Papers, load_papers, save_papers
from holdfast.register.sync.board import Board, State
from holdfast.register.sync.credentials import Credentials
from holdfast.register.sync.line import Line
from holdfast.register.sync.process import begin
from holdfast.register.sync.rotation import KeyRing, former_keys_path
from tests.integration.test_register_sync.conftest import Till, eventually
from tests.integration.test_register_sync.head_office import HeadOffice, signing_key
from tests.integration.test_register_sync.line_proxy import LineProxy
from tests.integration.test_register_sync.test_upload import all_arrived, nothing_owed
from tests.register_fixture import HEAD_OFFICE, ORIGIN, sell_one

EPOCH = EpochId("e" * 26)


def sell(till: Till) -> None:
    sell_one(till.checkout)
    till.sold()


def backup_of(office: HeadOffice) -> Tables:
    with office.store.transaction(None):
        return copy.deepcopy(office.store.tables)


def restore(office: HeadOffice, backup: Tables) -> None:
    """A backup brought back: another incarnation, and no session any more."""
    incarnations = [*backup.incarnations, (IncarnationId(f"inc{len(office.outcomes) + 2}"), 0, "restored")]
    with office.store.transaction(None):
        for name, value in vars(backup).items():
            setattr(office.store.tables, name, value)
        office.store.tables.incarnations = incarnations
        office.commands.clear()
    office.restart()


def make_safe(office: HeadOffice) -> None:
    """As a verified backup does."""
    with office.store.transaction(None):
        chains = office.store.tables.chains
        for number, record in list(chains.items()):
            chains[number] = msgspec.structs.replace(record, safe=record.facts.head)


def current_keys(office: HeadOffice) -> set[str]:
    tables = office.store.tables
    return {key_id for named in tables.origin_keys if named not in tables.key_ends for key_id in named[1:]}


def rotate(till: Till, office: HeadOffice, home: RegisterHome) -> KeyId:
    before = signing_key(home).key_id
    number = office.command("rotate_key")
    eventually(lambda: number in office.outcomes)
    assert office.outcomes[number].outcome == "done"
    after = signing_key(home).key_id
    assert before != after
    return after


def test_the_till_sells_through_a_rotation(
    till: Till, office: HeadOffice, line: LineProxy, home: RegisterHome
) -> None:
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    number = office.command("rotate_key")
    while number not in office.outcomes:
        sell(till)
    sell(till)
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert current_keys(office) == {signing_key(home).key_id}
    eventually(lambda: not till.status().is_blocked and not till.status().problems)
    eventually(lambda: till.process is not None and load_papers(home).certificate is not None)


def test_a_head_office_restored_to_before_the_rotation_is_brought_back_to_it(
    till: Till, office: HeadOffice, line: LineProxy, home: RegisterHome
) -> None:
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    before = backup_of(office)
    new = rotate(till, office, home)
    sell(till)
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert KeyRing(home).has_former, "no backup knows the new key"
    restore(office, before)
    assert new not in current_keys(office)
    sell(till)
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert current_keys(office) == {new}
    sell(till)
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    eventually(lambda: not till.status().is_blocked)
    make_safe(office)
    office.command("report")
    eventually(lambda: not KeyRing(home).has_former, "a backup knows it now")
    assert not former_keys_path(home.signing_key).exists()


def test_a_register_restarted_meanwhile_does_the_same(
    till: Till, office: HeadOffice, line: LineProxy, home: RegisterHome
) -> None:
    till.start_sync()
    eventually(lambda: nothing_owed(till))
    before = backup_of(office)
    new = rotate(till, office, home)
    till.stop_sync()
    restore(office, before)
    sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert current_keys(office) == {new}


def test_what_another_key_signed_than_the_session_s_is_signed_anew(
    home: RegisterHome, office: HeadOffice
) -> None:
    """Else the register would be shown as blocked, and wait a minute."""
    keys = KeyRing(home)
    known = keys.key_id
    keys.complete(KeyId(keys.prepare().key_id), EPOCH, 1)
    trusted = {HEAD_OFFICE.key_id: HEAD_OFFICE.public_bytes}
    board = Board(SystemClock("UTC"), State())
    with HttpClient(f"http://127.0.0.1:{office.port}") as client:
        to_office = Line(client, ORIGIN, Credentials(home, ORIGIN, keys, trusted), board)

        def offer() -> Reply:
            head = sign_head(ORIGIN, EPOCH, 1, bytes(32), keys)
            body = encode(Offer(origin=ORIGIN, epochs=(EpochOffer(head=head, samples=()),)))
            return to_office.call(
                HttpRequest(method="POST", path="/v1/sync/offer", body=body, deadline_s=20.0)
            )

        first = offer()
        assert (first.status, first.problem().code) == (401, "session.other-key")
        assert keys.key_id == known, "a restored head office does not know the other one"
        assert offer().is_success
        changes = board.changes(0.0)
        assert changes is not None
        assert changes.state.blocked is None


def test_a_register_enrolled_after_the_backup_comes_back_by_its_certificate(
    till: Till, office: HeadOffice, line: LineProxy, home: RegisterHome
) -> None:
    origin = till.checkout.origin
    with office.store.transaction(None) as transaction:
        identity = transaction.identity(origin, signing_key(home).key_id)
    assert identity is not None
    tables = Tables()
    tables.incarnations.append((IncarnationId("inc1"), 0, "created"))
    save_papers(home, Papers(certificate=sign_certificate(identity, HEAD_OFFICE)))
    till.start_sync()
    sell(till)
    eventually(lambda: nothing_owed(till))
    restore(office, tables)
    sell(till)
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert list(office.store.tables.origins) == [origin]
    assert ("readmitted", origin) in [row[:2] for row in office.store.tables.appended["alert"]]
    eventually(lambda: not till.status().is_blocked)


def test_without_a_certificate_it_is_shown_at_both_ends(
    till: Till, office: HeadOffice, line: LineProxy, home: RegisterHome
) -> None:
    tables = Tables()
    tables.incarnations.append((IncarnationId("inc1"), 0, "created"))
    with office.store.transaction(None):
        office.store.tables.origins.clear()
        office.store.tables.origin_keys.clear()
    save_papers(home, Papers())
    till.start_sync()
    eventually(lambda: till.status().blocked_code == "key.unknown-origin")
    alerts = [row[:2] for row in office.store.tables.appended["alert"]]
    assert alerts == [("unknown-register", till.checkout.origin)]


def _lost(path: Path) -> None:
    path.unlink()


def _damaged(path: Path) -> None:
    path.write_bytes(b"a bad sector")


def _open_to_others(path: Path) -> None:
    path.chmod(0o644)


@pytest.mark.parametrize(
    ("harm", "cure"),
    [
        (_lost, "holdfast register rekey here"),
        (_damaged, "holdfast register rekey here"),
        (_open_to_others, "chmod 600"),
    ],
)
def test_a_till_without_its_signing_key_sells_on_and_says_what_to_do(
    home: RegisterHome,
    office: HeadOffice,
    register: Callable[[RegisterHome, int], Till],
    harm: Callable[[Path], None],
    cure: str,
) -> None:
    seed = signing_key(home).reveal()
    harm(home.signing_key)
    till = register(home, 1)
    sell_one(till.checkout)
    with pytest.raises(KeyFault, match=cure):
        begin(home, SystemClock("UTC"), SystemRandomness())
    assert till.status().blocked_code == "key.missing"
    assert cure in till.status().blocked_detail
    SigningKey(seed).save(home.signing_key, replace=True)
    till.start_sync()
    eventually(lambda: nothing_owed(till) and not till.status().is_blocked)


def test_a_forged_certificate_is_not_kept(
    till: Till, office: HeadOffice, line: LineProxy, home: RegisterHome
) -> None:
    office.signer = SigningKey.generate()
    office.restart()
    till.start_sync()
    eventually(lambda: all_arrived(till, office))
    assert load_papers(home) == Papers()
