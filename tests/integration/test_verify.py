"""`holdfast verify` on a register: its own signed heads, head office's receipts, and what it prints."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from holdfast.core.faults import DamagedFault
from holdfast.core.ids import IncarnationId, OriginId
from holdfast.core.journal.chain import Position, SignedHead, Signer, sign_head
from holdfast.core.sync.messages import Receipt, sign_receipt
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.register.sync.reference import Reference
from holdfast.register.sync.reference_file import open_reference
from holdfast.verify.homes import verify_home
from tests.damaged_pages import PAGE_BYTES, damage, leaf_pages
from tests.register_fixture import HEAD_OFFICE, ORIGIN, make_register, sell_one, selling

INCARNATION = IncarnationId("i1")


def sold(folder: Path, times: int = 2) -> tuple[RegisterHome, Position]:
    """A register that sold, and its head."""
    home = make_register(folder)
    with selling(home) as checkout:
        for _ in range(times):
            sell_one(checkout)
        return home, checkout.head().position


def keep(home: RegisterHome, receipt: Receipt | None, head: SignedHead | None = None) -> None:
    connection = open_reference(home, DatabaseKey.load(home.database_key))
    try:
        reference = Reference(connection, ORIGIN)
        reference.see_incarnation(INCARNATION, 1)
        reference.keep([receipt] if receipt else [], head, 1)
    finally:
        connection.close()


def receipt_at(position: Position, signer: Signer = HEAD_OFFICE, origin: OriginId = ORIGIN) -> Receipt:
    return sign_receipt("applied", INCARNATION, origin, position, signer)


def test_a_register_in_order(tmp_path: Path) -> None:
    home, at = sold(tmp_path / "till")
    keep(
        home, receipt_at(at), sign_head(ORIGIN, at.epoch, at.seq, at.hash, SigningKey.load(home.signing_key))
    )
    report = verify_home(home.path)
    assert report.findings == ()
    assert "2 documents" in report.looked_at


Forge = Callable[[Position], Receipt]
FORGERIES: dict[str, Forge] = {
    "a key that nobody pinned": lambda at: receipt_at(at, SigningKey(bytes([9]) * 32)),
    "another register's": lambda at: receipt_at(at, origin=OriginId("reg02")),
    "another chain's": lambda at: receipt_at(msgspec.structs.replace(at, hash=bytes(32))),
    "beyond the open epoch's head": lambda at: receipt_at(msgspec.structs.replace(at, seq=at.seq + 9)),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_receipt_that_is_not_head_offices_word_is_found(tmp_path: Path, forge: Forge) -> None:
    home, at = sold(tmp_path / "till")
    keep(home, forge(at))
    assert [finding.code for finding in verify_home(home.path).findings] == ["receipt"]


def test_a_signed_head_of_another_chain_is_found(tmp_path: Path) -> None:
    home, at = sold(tmp_path / "till")
    own = SigningKey.load(home.signing_key)
    keep(home, receipt_at(at), sign_head(ORIGIN, at.epoch, at.seq, bytes(32), own))
    assert [finding.code for finding in verify_home(home.path).findings] == ["signature"]


def found_in(home: RegisterHome) -> list[str]:
    """The codes of what verify found; where the till cannot even be opened, the file that the fault names."""
    try:
        return sorted({finding.code for finding in verify_home(home.path).findings})
    except DamagedFault as fault:
        return [Path(fault.path).name]


@pytest.mark.parametrize("name", ["till", "reference"])
def test_whatever_page_is_bad_is_found(tmp_path: Path, name: str) -> None:
    home, at = sold(tmp_path / "till")
    keep(home, receipt_at(at))
    path: Path = getattr(home, name)
    whole = path.read_bytes()
    assert verify_home(home.path).findings == ()
    for page in range(1, len(whole) // PAGE_BYTES + 1):
        damage(path, page)
        assert found_in(home) in (["file"], [f"{name}.db"], ["database.damaged", "file"]), f"page {page}"
        path.write_bytes(whole)
    assert verify_home(home.path).findings == ()


def test_a_bad_page_keeps_no_other_epoch_and_no_signature_from_being_checked(tmp_path: Path) -> None:
    home, at = sold(tmp_path / "till", times=20)
    home.mark.unlink()
    with selling(home, seed=2) as checkout:
        sell_one(checkout)
        again = checkout.head().position
    keep(home, FORGERIES["another chain's"](again))
    damage(home.till, leaf_pages(home.till, DatabaseKey.load(home.database_key), "entry")[0])
    report = verify_home(home.path)
    said = " ".join(finding.sentence for finding in report.findings)
    assert f"Epoch {at.epoch} cannot be read on" in said
    assert f"Epoch {again.epoch} cannot" not in said
    assert "What follows from the journal was not compared" in said
    assert [finding.code for finding in report.findings][-1] == "receipt"


def test_a_key_that_is_not_there_is_said_with_what_was_found_before(tmp_path: Path) -> None:
    home, at = sold(tmp_path / "till")
    keep(home, receipt_at(at))
    home.signing_key.write_bytes(b"a bad sector")
    [finding] = verify_home(home.path).findings
    assert finding.code == "key"
    assert "holdfast hq register rekey" in finding.sentence


def verify_command(*homes: Path) -> "subprocess.CompletedProcess[str]":
    named = [argument for home in homes for argument in ("--home", str(home))]
    command = [sys.executable, "-m", "holdfast", "verify", *named]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_what_differs_and_ends_with_1(tmp_path: Path) -> None:
    good, _ = sold(tmp_path / "good")
    bad, at = sold(tmp_path / "bad")
    keep(bad, FORGERIES["another chain's"](at))
    done = verify_command(good.path, bad.path)
    assert done.returncode == 1
    assert "in order" in done.stdout
    assert "receipt: Head office's applied receipt" in done.stdout


def test_a_home_that_cannot_be_opened_keeps_no_other_from_being_verified(tmp_path: Path) -> None:
    closed, _ = sold(tmp_path / "closed")
    closed.database_key.unlink()
    good, _ = sold(tmp_path / "good")
    done = verify_command(closed.path, good.path)
    assert done.returncode == 4
    assert "not verified. The database key" in done.stdout
    assert "in order" in done.stdout
