"""Whom a register believes, and what it says when that cannot be read."""

import ssl
from pathlib import Path

import pytest

from holdfast.core.faults import ConfigurationFault, KeyFault
from holdfast.core.ids import EpochId, KeyId, OriginId, StoreId
from holdfast.infra.config import RegisterConfig, RegisterHome
from holdfast.infra.keys import SigningKey
from holdfast.infra.tls import make_certificate
from holdfast.register.sync.rotation import FORMER_MAX, KeyRing
from holdfast.register.sync.trust import Trust, load_trust, save_trust, tls_context

OFFICE = SigningKey.generate()
EPOCH = EpochId("e" * 26)


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return RegisterHome(tmp_path / "r").create()


def config(ca: str = "") -> RegisterConfig:
    return RegisterConfig(
        origin=OriginId("reg01"),
        register="R01",
        series="R01",
        store=StoreId("S1"),
        head_office_url="https://hq.example",
        head_office_ca=ca,
        currency="EUR",
        timezone="UTC",
    )


def test_pinned_keys_are_kept_and_closed_to_others(home: RegisterHome) -> None:
    trust = Trust(head_office_keys={OFFICE.key_id: OFFICE.public_bytes}, recovery_public_key=bytes(32))
    save_trust(home, trust)
    assert load_trust(home) == trust
    assert home.trust.stat().st_mode & 0o077 == 0


def test_a_key_under_another_keys_name_is_refused(home: RegisterHome) -> None:
    with pytest.raises(KeyFault):
        save_trust(home, Trust(head_office_keys={KeyId("0" * 16): OFFICE.public_bytes}))
    with pytest.raises(KeyFault):
        save_trust(home, Trust(head_office_keys={}))


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b'{"head_office_keys": {"a": "AAAA"}}'])
def test_missing_or_damaged_keys_name_the_cure(home: RegisterHome, content: bytes | None) -> None:
    if content is not None:
        home.trust.write_bytes(content)
    with pytest.raises(KeyFault, match=r"trust\.json"):
        load_trust(home)


def test_tls_goes_by_the_pinned_certificate_then_your_authority_then_the_system(home: RegisterHome) -> None:
    assert tls_context(home, config()).check_hostname
    with pytest.raises(ConfigurationFault, match=r"ca\.pem"):
        tls_context(home, config("ca.pem"))
    make_certificate(home.path / "ca.pem", home.path / "ca.key", ["hq.example"])
    own = tls_context(home, config("ca.pem"))
    assert own.check_hostname
    assert len(own.get_ca_certs()) == 1
    home.head_office_certificate.write_bytes((home.path / "ca.pem").read_bytes())
    pinned = tls_context(home, config())
    assert pinned.verify_mode is ssl.CERT_REQUIRED
    home.head_office_certificate.write_text("no certificate")
    with pytest.raises(ConfigurationFault, match=r"head_office\.pem"):
        tls_context(home, config())


def test_a_rotation_that_was_cut_short_goes_on(home: RegisterHome) -> None:
    SigningKey.generate().save(home.signing_key)
    keys = KeyRing(home)
    old = keys.key_id
    announced = keys.prepare()
    assert keys.key_id == old, "nothing is signed with it before head office knows it"
    again = KeyRing(home)
    assert again.prepare() == announced, "a second attempt announces the same key"
    again.complete(KeyId(announced.key_id), EPOCH, 7)
    again.complete(KeyId(announced.key_id), EPOCH, 7)
    assert again.key_id == announced.key_id == SigningKey.load(home.signing_key).key_id
    later = again.prepare()
    assert later.key_id != announced.key_id
    with pytest.raises(KeyFault):
        again.complete(KeyId("0" * 16), EPOCH, 9)


def test_a_former_key_waits_until_a_backup_knows_the_next_one(home: RegisterHome) -> None:
    SigningKey.generate().save(home.signing_key)
    keys = KeyRing(home)
    first = keys.key_id
    second = KeyId(keys.prepare().key_id)
    assert keys.prepare().replaces == first
    keys.complete(second, EPOCH, 7)
    assert not keys.newer(), "the newest one signs"
    again = KeyRing(home)
    again.forget({EPOCH: 6})
    assert (again.key_id, again.has_former) == (second, True)
    assert again.older(), "a head office that was restored does not know the new one"
    assert again.key_id == first
    assert not again.older()
    assert again.newer(), "and then it does"
    assert again.key_id == second
    again.forget({EPOCH: 7})
    assert (again.key_id, again.has_former, again.older()) == (second, False, False)
    assert not KeyRing(home).has_former


def test_a_key_that_head_office_knows_first_is_taken_up(home: RegisterHome) -> None:
    """The answer to the batch that announced it was lost, or another thread was quicker."""
    SigningKey.generate().save(home.signing_key)
    keys = KeyRing(home)
    first, second = keys.key_id, KeyId(keys.prepare().key_id)
    assert keys.newer()
    assert keys.key_id == second
    keys.forget({EPOCH: 100})
    assert keys.has_former, "where it was announced is not known yet"
    keys.complete(second, EPOCH, 7)
    keys.forget({EPOCH: 7})
    assert not keys.has_former
    assert first != second


def test_so_many_former_keys_are_kept_and_no_more(home: RegisterHome) -> None:
    SigningKey.generate().save(home.signing_key)
    keys = KeyRing(home)
    for seq in range(2, FORMER_MAX + 5):
        keys.complete(KeyId(keys.prepare().key_id), EPOCH, seq)
    assert sum(keys.older() for _ in range(100)) == FORMER_MAX
    again = KeyRing(home)
    assert sum(again.older() for _ in range(100)) == FORMER_MAX
