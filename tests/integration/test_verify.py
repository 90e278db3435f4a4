"""`holdfast verify` on a register: its own signed heads, head office's receipts, and what it prints."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from holdfast.core.ids import IncarnationId, OriginId
from holdfast.core.journal.chain import Position, SignedHead, Signer, sign_head
from holdfast.core.sync.messages import Receipt, sign_receipt
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey, SigningKey
from holdfast.register.sync.reference import Reference
from holdfast.register.sync.reference_file import open_reference
from holdfast.verify.homes import verify_home
from tests.register_fixture import HEAD_OFFICE, ORIGIN, make_register, sell_one, selling

INCARNATION = IncarnationId("i1")


def sold(folder: Path) -> tuple[RegisterHome, Position]:
    """A register that sold twice, and its head."""
    home = make_register(folder)
    with selling(home) as checkout:
        sell_one(checkout)
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


def test_the_command_prints_what_differs_and_ends_with_1(tmp_path: Path) -> None:
    good, _ = sold(tmp_path / "good")
    bad, at = sold(tmp_path / "bad")
    keep(bad, FORGERIES["another chain's"](at))
    command = [sys.executable, "-m", "holdfast", "verify", "--home", good.path, "--home", bad.path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "in order" in done.stdout
    assert "receipt: Head office's applied receipt" in done.stdout
