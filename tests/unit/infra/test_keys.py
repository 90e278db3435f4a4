"""Keys: files that others cannot read, signatures, and a recovery copy that only head office opens."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.faults import KeyFault
from holdfast.infra.keys import (
    DatabaseKey,
    RecoveryKey,
    SigningKey,
    key_id_path,
    read_secret,
    record_key_id,
    recorded_key_id,
    recovery_path,
    seal_recovery,
    unwrap_recovery,
    verify,
    write_file,
    write_recovery_copy,
)

KINDS = [SigningKey, DatabaseKey, RecoveryKey]
Kind = type[SigningKey] | type[DatabaseKey] | type[RecoveryKey]


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_found_again(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / "some.key"
    key = kind.generate()
    key.save(path)
    assert kind.load(path).key_id == key.key_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_size == 32
    assert [file.name for file in tmp_path.iterdir()] == ["some.key"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_key_shows_itself(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / "some.key"
    key = kind.generate()
    key.save(path)
    for shown in (repr(key), str(key), f"{key}", f"{[key]}"):
        assert path.read_bytes().hex() not in shown
        assert repr(path.read_bytes()) not in shown
    assert not hasattr(key, "__dict__"), "what walks attributes would find the key"


@pytest.mark.parametrize("kind", KINDS)
def test_an_existing_key_is_kept_unless_replaced(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / "some.key"
    first, second = kind.generate(), kind.generate()
    first.save(path)
    with pytest.raises(KeyFault, match="already there"):
        second.save(path)
    assert kind.load(path).key_id == first.key_id
    second.save(path, replace=True)
    assert kind.load(path).key_id == second.key_id


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_could_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "signing.key"
    SigningKey.generate().save(path)
    path.chmod(mode)
    with pytest.raises(KeyFault, match=f"chmod 600 {path}"):
        SigningKey.load(path)


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33, b"x" * 10_000])
def test_a_damaged_key_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "database.key"
    write_file(path, content)
    with pytest.raises(KeyFault, match="damaged"):
        DatabaseKey.load(path)


def test_a_missing_key_names_file_and_cure(tmp_path: Path) -> None:
    path = tmp_path / "database.key"
    with pytest.raises(KeyFault, match="recover it") as caught:
        DatabaseKey.load(path)
    assert str(path) in caught.value.sentence


def test_a_folder_in_its_place_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match="cannot be read"):
        read_secret(tmp_path, "signing key", "")


def test_a_file_left_half_written_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    (tmp_path / ".signing.key.new").write_bytes(b"half")
    SigningKey.generate().save(path)
    assert SigningKey.load(path)
    assert [file.name for file in tmp_path.iterdir()] == ["signing.key"]


# ---- signatures --------------------------------------------------------------------------------

SIGNER = SigningKey(bytes(range(32)))


def test_the_signature_of_the_standard() -> None:
    """RFC 8032, 7.1, test 2."""
    key = SigningKey(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert key.public_bytes.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72").hex().startswith("92a009a9f0d4cab8720e820b5f642540")


def test_a_key_id_is_the_fingerprint_of_the_public_key() -> None:
    assert SIGNER.key_id == "56475aa75463474c"


@given(st.binary(max_size=200), st.integers(0, 511))
def test_one_bit_more_or_less_does_not_verify(message: bytes, bit: int) -> None:
    signature = SIGNER.sign(message)
    assert verify(SIGNER.public_bytes, signature, message)
    assert not verify(SIGNER.public_bytes, signature, message + b"\0")
    turned = bytearray(signature)
    turned[bit // 8] ^= 1 << bit % 8
    assert not verify(SIGNER.public_bytes, bytes(turned), message)


@given(st.binary(max_size=70), st.binary(max_size=70), st.binary(max_size=20))
def test_any_bytes_are_answered_with_no(public: bytes, signature: bytes, message: bytes) -> None:
    assert not verify(public, signature, message)
    assert not verify(SIGNER.public_bytes, signature, message)


# ---- what lies beside a database ---------------------------------------------------------------


def test_the_key_id_beside_a_database(tmp_path: Path) -> None:
    database, key = tmp_path / "till.db", DatabaseKey.generate()
    assert recorded_key_id(database) is None
    record_key_id(database, key)
    assert recorded_key_id(database) == key.key_id
    for noise in (b"", b"\xff" * 16, b"0123", b"0123456789ABCDEF", os.urandom(5000)):
        key_id_path(database).write_bytes(noise)
        assert recorded_key_id(database) is None


RECOVERY = RecoveryKey(bytes(range(32)))


def test_head_office_recovers_a_database_key(tmp_path: Path) -> None:
    database, key = tmp_path / "till.db", DatabaseKey.generate()
    write_recovery_copy(database, RECOVERY.public_bytes, key)
    blob = recovery_path(database).read_bytes()
    assert unwrap_recovery(RECOVERY, blob) == key
    assert key.reveal() not in blob


def test_the_same_key_is_never_sealed_alike() -> None:
    key = DatabaseKey.generate()
    assert seal_recovery(RECOVERY.public_bytes, key) != seal_recovery(RECOVERY.public_bytes, key)


def test_another_recovery_key_is_told_which_one_it_needs() -> None:
    blob = seal_recovery(RECOVERY.public_bytes, DatabaseKey.generate())
    with pytest.raises(KeyFault, match=f"sealed to the recovery key {RECOVERY.key_id}"):
        unwrap_recovery(RecoveryKey.generate(), blob)


BLOB = seal_recovery(RECOVERY.public_bytes, DatabaseKey(bytes(32)))


@given(st.integers(0, len(BLOB) * 8 - 1))
def test_a_recovery_copy_with_one_bit_turned_is_refused(bit: int) -> None:
    turned = bytearray(BLOB)
    turned[bit // 8] ^= 1 << bit % 8
    with pytest.raises(KeyFault):
        unwrap_recovery(RECOVERY, bytes(turned))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_a_recovery_copy(blob: bytes) -> None:
    with pytest.raises(KeyFault):
        unwrap_recovery(RECOVERY, blob)
    with pytest.raises(KeyFault):
        unwrap_recovery(RECOVERY, BLOB[: len(blob)])
