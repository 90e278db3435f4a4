"""Lost keys and forgotten registers with real processes: no unsent sale stays behind."""

import json
import shutil
from pathlib import Path

import pytest

from holdfast.core.ids import OriginId
from holdfast.core.journal.bodies import REGISTRY, EpochOpened
from holdfast.core.journal.entry import decode_entry
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.register.till.database import QUERIES, read_till
from holdfast.register.till.places import seq_of
from tests.office import Office, holdfast
from tests.register_fixture import open_checkout, sell_one, selling

pytest_plugins = ["tests.postgres_fixture"]


def origin_of(home: RegisterHome) -> str:
    return load_config(home.config, RegisterConfig).origin


def listed(office: Office) -> dict[str, dict[str, object]]:
    found = json.loads(holdfast("hq", "register", "list", "--home", office.home.path, "--json"))
    return {item["origin"]: item for item in found}


def sell(home: RegisterHome, seed: int, count: int = 2) -> None:
    with selling(home, seed=seed) as checkout:
        for _ in range(count):
            sell_one(checkout)


def retire(home: RegisterHome) -> str:
    return holdfast("register", "retire", "--home", home.path, "--wait", "1")


def word(said: str) -> str:
    return said.split()[0]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """One for all: each test has a register of its own there, and begins and ends its process."""
    return Office(tmp_path_factory.mktemp("chain") / "hq")


def test_a_register_enrolled_after_the_backup_brings_its_sales(office: Office, tmp_path: Path) -> None:
    with office:
        holdfast("hq", "backup", "--home", office.home.path)
        home = office.register("R01", tmp_path / "r1")
        sell(home, 1)
    (backup,) = [path for path in office.home.backups.iterdir() if path.is_dir()]
    holdfast("hq", "restore", backup, "--home", office.home.path)
    with office:
        assert not listed(office)
        retire(home)
        found = listed(office)[origin_of(home)]
        assert (found["owing"], found["series"], found["blocked_code"]) == ("complete", "R01", None)
        assert office.totals()["documents"] == 2


def test_lost_keys_lose_no_sale_and_a_replacement_goes_on(office: Office, tmp_path: Path) -> None:
    with office:
        home = office.register("R02", tmp_path / "r1")
        sell(home, 1)
        home.database_key.unlink()
        with pytest.raises(AssertionError, match="holdfast register recover"):
            retire(home)
        asked = word(holdfast("register", "recover", "--home", home.path))
        answer = word(holdfast("hq", "recover-key", asked, "--home", office.home.path))
        with pytest.raises(AssertionError, match="Copy it whole"):
            holdfast("register", "recover", "--home", home.path, "--answer", answer[:-3])
        holdfast("register", "recover", "--home", home.path, "--answer", answer)
        with pytest.raises(AssertionError, match="Nothing is to be recovered"):
            holdfast("register", "recover", "--home", home.path)

        home.signing_key.unlink()
        with pytest.raises(AssertionError, match="holdfast hq register rekey"):
            retire(home)
        origin = origin_of(home)
        code = word(holdfast("hq", "register", "rekey", origin, "--home", office.home.path))
        with pytest.raises(AssertionError, match="register's own machine"):
            holdfast("register", "init", "--home", tmp_path / "r9", "--hq", office.url, "--code", code)
        holdfast("register", "rekey", "--home", home.path, "--code", code)
        before = office.totals()["documents"]
        retire(home)
        assert listed(office)[origin]["owing"] == "complete"
        assert office.totals()["documents"] == before + 2

        said = holdfast(
            "hq", "register", "add", "--home", office.home.path, "--store", "S01", "--series", "R02",
            "--replaces", origin,
        )  # fmt: skip
        successor = tmp_path / "r2"
        holdfast("register", "init", "--home", successor, "--hq", office.url, "--code", word(said))
        check_goes_on(RegisterHome(successor), home)


def check_goes_on(successor: RegisterHome, former: RegisterHome) -> None:
    """Its first epoch names the register that it replaces."""
    checkout = open_checkout(successor, seed=9)
    try:
        [(data,)] = checkout._till.connection.execute("select data from entry").fetchall()
    finally:
        checkout.close()
    assert isinstance(data, bytes)
    body = REGISTRY.decode(decode_entry(data))
    assert isinstance(body, EpochOpened)
    assert body.cause == "replaced"
    assert body.parent is not None
    assert body.parent.seq == body.parent.claimed_seq == last_seq(former)


def last_seq(home: RegisterHome) -> int:
    """Of the only epoch that this register had."""
    till = read_till(home, DatabaseKey.load(home.database_key), OriginId(origin_of(home)))
    try:
        ((_, _, place, *_),) = QUERIES.epoch_heads(till)
    finally:
        till.close()
    return seq_of(place)


def test_the_copy_at_head_office_serves_where_the_one_beside_the_database_is_lost(
    office: Office, tmp_path: Path
) -> None:
    with office:
        home = office.register("R03", tmp_path / "r3")
        home.database_key.unlink()
        home.till.with_name("till.db.recovery").unlink()
        asked = word(holdfast("register", "recover", "--home", home.path))
        answer = word(holdfast("hq", "recover-key", asked, "--home", office.home.path))
        twin = tmp_path / "twin"
        shutil.copytree(home.path, twin)
        (twin / "secrets" / "recovery-request.key").unlink()
        with pytest.raises(AssertionError, match="asked for no key"):
            holdfast("register", "recover", "--home", twin, "--answer", answer)
        holdfast("register", "recover", "--home", home.path, "--answer", answer)
        before = office.totals()["documents"]
        sell(home, 1)
        retire(home)
        assert office.totals()["documents"] == before + 2
