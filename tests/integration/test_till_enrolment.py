"""Enrolment: a machine becomes a register, however often it is cut short on the way."""

import ssl
from pathlib import Path

import msgspec
import pytest

from holdfast.core.faults import ConfigurationFault, KeyFault, MalformedFault, UnavailableFault
from holdfast.core.ids import ID_RANDOM_BYTES, IncarnationId, OriginId, StoreId
from holdfast.core.sync.enrolment import EnrolReply, EnrolRequest, new_code
from holdfast.core.sync.messages import decode, encode
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import (
    DatabaseKey,
    RecoveryKey,
    SigningKey,
    recovery_path,
    unwrap_recovery,
)
from holdfast.register.enrolment import enrol
from holdfast.register.sync.trust import load_trust
from tests.register_fixture import HEAD_OFFICE, sell_one, selling

CODE = new_code(bytes(range(ID_RANDOM_BYTES)))
URL = "http://127.0.0.1:8460"


class HeadOffice:
    """Answers as head office does: the same code with the same key gives the same origin."""

    def __init__(self) -> None:
        self.recovery = RecoveryKey.generate()
        self.requests: list[EnrolRequest] = []
        self.lost = 0

    def __call__(self, url: str, body: bytes, tls: ssl.SSLContext | None) -> bytes:
        assert (url, tls) == (f"{URL}/v1/enrol", None)
        self.requests.append(decode(body, EnrolRequest))
        assert self.requests[-1].public_key == self.requests[0].public_key, "the same key each time"
        if self.lost:
            self.lost -= 1
            raise UnavailableFault("Head office did not answer. Try again.")
        return encode(
            EnrolReply(
                origin=OriginId("reg07"),
                series="R07",
                store=StoreId("S1"),
                currency="EUR",
                timezone="Europe/Zurich",
                incarnation=IncarnationId("i1"),
                head_office_keys={HEAD_OFFICE.key_id: HEAD_OFFICE.public_bytes},
                recovery_public_key=self.recovery.public_bytes,
            )
        )


def test_a_machine_becomes_a_register_that_sells(tmp_path: Path) -> None:
    head_office = HeadOffice()
    home = enrol(tmp_path / "r", URL + "/", f" {CODE.upper()} ", head_office, listen_port=8499)
    config = load_config(home.config, RegisterConfig)
    assert (config.origin, config.series, config.head_office_url) == ("reg07", "R07", URL)
    assert (config.currency, config.timezone, config.listen_port) == ("EUR", "Europe/Zurich", 8499)
    asked, request = head_office.requests
    assert asked == msgspec.structs.replace(request, recovery=b"")
    assert (request.code, request.public_key) == (CODE, SigningKey.load(home.signing_key).public_bytes)
    assert load_trust(home).head_office_keys == {HEAD_OFFICE.key_id: HEAD_OFFICE.public_bytes}
    key = DatabaseKey.load(home.database_key)
    assert unwrap_recovery(head_office.recovery, recovery_path(home.till).read_bytes()) == key
    assert unwrap_recovery(head_office.recovery, request.recovery) == key, "head office keeps one too"
    with selling(home) as checkout:
        assert sell_one(checkout).document.startswith("R07-")
    for secret in (home.signing_key, home.database_key, home.till):
        assert secret.stat().st_mode & 0o077 == 0


def test_a_lost_answer_is_asked_for_again_with_the_same_key(tmp_path: Path) -> None:
    head_office = HeadOffice()
    head_office.lost = 2
    for _ in range(2):
        with pytest.raises(UnavailableFault):
            enrol(tmp_path / "r", URL, CODE, head_office)
    assert not RegisterHome(tmp_path / "r").config.exists()
    enrol(tmp_path / "r", URL, CODE, head_office)
    assert len(head_office.requests) == 4


def test_a_crash_before_the_settings_were_written_is_made_good(tmp_path: Path) -> None:
    head_office = HeadOffice()
    home = enrol(tmp_path / "r", URL, CODE, head_office)
    home.config.unlink()
    assert enrol(tmp_path / "r", URL, CODE, head_office) == home
    with selling(home) as checkout:
        sell_one(checkout)


def test_a_register_is_not_enrolled_twice(tmp_path: Path) -> None:
    head_office = HeadOffice()
    enrol(tmp_path / "r", URL, CODE, head_office)
    with pytest.raises(ConfigurationFault, match="is a register already"):
        enrol(tmp_path / "r", URL, CODE, head_office)
    assert len(head_office.requests) == 2


def test_a_database_without_its_key_is_not_given_a_new_one(tmp_path: Path) -> None:
    head_office = HeadOffice()
    home = enrol(tmp_path / "r", URL, CODE, head_office)
    home.config.unlink()
    home.database_key.unlink()
    with pytest.raises(KeyFault, match=r"database\.key is missing"):
        enrol(tmp_path / "r", URL, CODE, head_office)


def test_what_is_no_code_or_no_answer_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(MalformedFault, match="not an enrolment code"):
        enrol(tmp_path / "r", URL, "12345", HeadOffice())
    with pytest.raises(MalformedFault, match="EnrolReply"):
        enrol(tmp_path / "r", URL, CODE, lambda url, body, tls: b"<html>")
