"""`holdfast hq` as people type it: real processes on the embedded PostgreSQL."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from holdfast.cli import EXIT_CODES, exit_code_of
from holdfast.core.faults import ConfigurationFault, KeyFault
from holdfast.core.ids import OriginId, StoreId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.sync.enrolment import read_code
from holdfast.hq.cli import DIFFERENT, REFUSED, app
from holdfast.hq.service import HeadOffice
from holdfast.hq.store.port import OriginRecord
from holdfast.hq.store.postgres import PostgresStore
from holdfast.hq.web.auth.accounts import Accounts
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome, load_config
from holdfast.infra.process import end_child, spawn_child
from holdfast.infra.tls import certificate_sha256
from holdfast.infra.web import free_port
from tests.journal_samples import SampleJournal, signing_key

TIMEOUT_S = 120
COMMAND = [sys.executable, "-m", "holdfast", "hq"]


def hq(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


def serve(home: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """Start it; the URL that it prints once it answers."""
    child = spawn_child(
        [*COMMAND, "serve", "--home", home], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None
    said = child.stdout.readline().decode()
    assert said.startswith("Head office is open at "), said
    return child, said.split()[-1]


@pytest.fixture
def open_office(home: Path) -> Iterator[HeadOffice]:
    """It is open in this process, as it is while it serves: commands start no database."""
    with HeadOffice.open(HeadOfficeHome(home)) as office:
        yield office


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head office with one store."""
    folder = tmp_path_factory.mktemp("cli") / "hq"
    done = hq("init", "--home", folder, "--store", "S1", "--currency", "GBP", "--port", str(free_port()))
    assert done.returncode == 0, done.stderr
    assert f"holdfast hq serve --home {folder}" in done.stdout
    assert "/welcome/" in done.stdout
    return folder


def test_a_head_office_is_made_once(home: Path) -> None:
    keys = (home / "secrets" / "signing.key").read_bytes()
    again = hq("init", "--home", home)
    assert again.returncode == exit_code_of(ConfigurationFault(""))
    assert "head office already" in again.stderr
    assert (home / "secrets" / "signing.key").read_bytes() == keys
    assert (home / "secrets" / "signing.key").stat().st_mode & 0o077 == 0


def test_a_served_head_office_takes_commands_beside_it_and_ends_in_order(home: Path) -> None:
    child, url = serve(home)
    try:
        link = hq("admin", "link", "--home", home, "ann").stdout.strip()
        assert link.startswith(url)
        assert httpx.get(link, trust_env=False, timeout=TIMEOUT_S).status_code == 200
        code = hq("register", "add", "--home", home, "--store", "S1", "--series", "R01")
        assert read_code(code.stdout).certificate_sha256 is None
        assert "holdfast register init" in code.stderr
        second = hq("serve", "--home", home)
        assert second.returncode == exit_code_of(ConfigurationFault(""))
        assert str(child.pid) in second.stderr
        assert json.loads(hq("totals", "--home", home, "--json").stdout)["documents"] == 0
        assert "nothing differs" in hq("verify", "--home", home).stdout
    finally:
        assert end_child(child, grace_s=TIMEOUT_S, ask=signal.SIGTERM) == 0


def test_a_port_in_use_is_said_before_anything_starts(home: Path) -> None:
    port = load_config(HeadOfficeHome(home).config, HeadOfficeConfig).listen_port
    with socket.create_server(("127.0.0.1", port)):
        done = hq("serve", "--home", home)
    assert done.returncode == exit_code_of(ConfigurationFault(""))
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Stop the program" in done.stderr


def test_a_file_with_bad_rows_is_taken_only_when_told_to(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("sku,price,currency\nA1,1.50,GBP\nA2,much,GBP\n")
    done = hq("load", "prices", file, "--home", home)
    assert done.returncode == REFUSED
    assert f"{file}, line 3, column price" in done.stderr
    assert "--take-good" in done.stderr
    done = hq("load", "prices", file, "--home", home, "--take-good")
    assert done.returncode == 0
    assert "1 of 1 rows are new or changed, 1 left out; version 1." in done.stdout
    assert hq("load", "magic", file, "--home", home).returncode == REFUSED
    assert hq("load", "prices", tmp_path / "nothing.csv", "--home", home).returncode == REFUSED
    stick = tmp_path / "data.holdfast"
    assert hq("snapshot", "--home", home, "--to", stick).returncode == 0
    assert stick.stat().st_size > 100


@pytest.mark.usefixtures("open_office")
def test_a_parameter_is_set_ended_and_undone_by_command(home: Path) -> None:
    """GC8: with the same refusals as on the page."""

    def parameter(*arguments: str, code: int = 0) -> str:
        done = hq("parameter", *arguments, "--home", home)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    window = "return.window_days"
    assert "is no whole number" in parameter("set", window, "a month", "--reason", "New terms", code=REFUSED)
    assert "There is no store 'S9'" in parameter(
        "set", window, "30", "--store", "S9", "--reason", "New terms", code=REFUSED
    )
    assert "version 1." in parameter("set", window, "30", "--store", "S1", "--reason", "New terms")
    parameter("unset", window, "--store", "S1", "--from", "2099-01-01", "--reason", "They end")
    said = parameter("list", window)
    assert "Store S1: 30\n" in said
    assert "Store S1: nothing set from 2099-01-01" in said
    assert "change 1, version 1: Store S1: 30, by command line: New terms" in said
    parameter("undo", "2", "--reason", "They do not")
    found = json.loads(parameter("list", "--json"))
    assert found["set"] == {f"{window}@S1": {"value": 30}}
    assert found["version"] == 3


def test_an_epoch_is_declared_lost_by_two_people_with_two_passwords(
    home: Path, open_office: HeadOffice
) -> None:
    journal = SampleJournal(origin=OriginId("regcli")).open().sell(1)
    facts = OriginFacts(origin=journal.origin, store=StoreId("S1"), series="R77", currency="GBP")
    with PostgresStore(open_office.services_pool).transaction(None) as transaction:
        transaction.enrol(OriginRecord(facts=facts), journal.key.key_id, journal.key.public_bytes)
    open_office.ingest.receive_batch(journal.origin, journal.batch())
    accounts = Accounts(open_office.services_pool, open_office.clock)
    for name in ("ann", "bob"):
        token = accounts.new_link(name)
        assert isinstance(token, str)
        assert accounts.set_password(token, f"a long password of {name}") == name

    def lost(command: str, by: str, *more: str, password: str = "") -> "subprocess.CompletedProcess[str]":
        typed = password or f"a long password of {by}"
        return subprocess.run(
            [*COMMAND, "register", command, journal.origin, journal.epoch, "--home", home, "--by", by, *more],
            input=f"{typed}\n", capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip

    wrong = lost("propose-lost", "ann", "--reason", "flood", password="a long guess at it")
    assert (wrong.returncode, "wrong" in wrong.stderr) == (REFUSED, True)
    assert lost("confirm-lost", "bob").returncode == REFUSED
    proposed = lost("propose-lost", "ann", "--reason", "flood")
    assert proposed.returncode == 0, proposed.stderr
    assert "confirm-lost" in proposed.stdout
    alone = lost("confirm-lost", "ann")
    assert (alone.returncode, "two people" in alone.stderr) == (REFUSED, True)
    assert lost("withdraw-lost", "bob").returncode == 0
    assert lost("propose-lost", "ann", "--reason", "flood").returncode == 0
    assert "is declared lost" in lost("confirm-lost", "bob").stdout


def test_codes_are_listed_and_withdrawn_and_a_register_is_declared_retired(
    home: Path, open_office: HeadOffice
) -> None:
    journal = SampleJournal(signing_key(5), OriginId("reggone")).open().sell(1)
    facts = OriginFacts(origin=journal.origin, store=StoreId("S1"), series="R88", currency="GBP")
    with PostgresStore(open_office.services_pool).transaction(None) as transaction:
        transaction.enrol(OriginRecord(facts=facts), journal.key.key_id, journal.key.public_bytes)
    accounts = Accounts(open_office.services_pool, open_office.clock)
    token = accounts.new_link("cleo")
    assert isinstance(token, str)
    accounts.set_password(token, "a long password of cleo")
    assert isinstance(open_office.enrolment.issue_code("S1", "R55", name="Garden", by="cleo"), str)

    def by_cleo(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*COMMAND, "register", *arguments, "--home", home, "--by", "cleo"],
            input="a long password of cleo\n", capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip

    [line] = [
        line for line in hq("register", "codes", "--home", home).stdout.splitlines() if "Garden" in line
    ]
    assert "by cleo" in line
    assert hq("register", "withdraw-code", "--home", home, line.split()[0]).returncode == 0
    assert "Garden" not in hq("register", "codes", "--home", home).stdout
    assert hq("register", "withdraw-code", "--home", home, line.split()[0]).returncode == REFUSED
    gone = by_cleo("retire", journal.origin, "--reason", "Flooded")
    assert gone.returncode == 0, gone.stderr
    assert "may owe all the same" in gone.stdout
    assert by_cleo("retire", journal.origin, "--reason", "Flooded").returncode == REFUSED
    assert "may owe" in hq("register", "list", "--home", home).stdout
    assert "in service again" in by_cleo("take-back", journal.origin).stdout


def test_what_is_wrong_is_said_with_its_cure(home: Path, tmp_path: Path) -> None:
    nowhere = hq("serve", "--home", tmp_path)
    assert nowhere.returncode == exit_code_of(ConfigurationFault(""))
    assert "holdfast hq init" in nowhere.stderr
    assert hq("register", "add", "--home", home, "--store", "S9", "--series", "R9").returncode == REFUSED
    assert hq("store", "add", "--home", home, "--store", "S2", "--currency", "XXX").returncode == REFUSED
    key = home / "secrets" / "signing.key"
    key.chmod(0o644)
    done = hq("totals", "--home", home)
    key.chmod(0o600)
    assert done.returncode == exit_code_of(KeyFault(""))
    assert "chmod 600" in done.stderr


def test_a_backup_is_taken_and_brought_back(home: Path, tmp_path: Path) -> None:
    done = hq("backup", "--home", home)
    assert done.returncode == 0, done.stderr
    assert "is verified" in done.stdout
    folder = Path(done.stdout.split(" is verified")[0])
    assert folder.parent == home / "backups"
    assert hq("store", "add", "--home", home, "--store", "LATE", "--currency", "GBP").returncode == 0
    done = hq("restore", folder, "--home", home)
    assert done.returncode == 0, done.stderr
    stores = json.loads(hq("store", "list", "--home", home, "--json").stdout)
    assert [store["store"] for store in stores] == ["S1"]
    assert hq("restore", tmp_path, "--home", home).returncode != 0


def test_off_this_machine_it_is_encrypted_and_the_code_names_the_certificate(tmp_path: Path) -> None:
    home = tmp_path / "hq"
    done = hq(
        "init", "--home", home, "--host", "0.0.0.0", "--name", "hq.example", "--port", str(free_port()),
        "--store", "S1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "https://hq.example:" in done.stdout
    code = hq("register", "add", "--home", home, "--store", "S1", "--series", "R01")
    assert read_code(code.stdout).certificate_sha256 == certificate_sha256(home / "tls" / "certificate.pem")


def test_exit_codes_are_told_apart() -> None:
    codes = [code for _, code in EXIT_CODES] + [REFUSED, DIFFERENT, 0, 1, 2]
    assert len(set(codes)) == len(codes)


def test_every_command_says_what_it_is_for() -> None:
    for command in [*app.registered_commands, *(c for g in app.registered_groups for c in _commands(g))]:
        assert command.callback is not None
        assert command.callback.__doc__, command.callback.__name__


def _commands(group):  # type: ignore[no-untyped-def]
    return group.typer_instance.registered_commands
