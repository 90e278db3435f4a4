"""A real synchronous standby: what it has on its disk is safe, and nothing beyond (P1)."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from holdfast.core.sync.messages import Ack
from holdfast.hq.safe import advance_by_standby
from holdfast.hq.schema import create_schema
from holdfast.infra.postgres import binaries as wheel
from holdfast.infra.postgres.account import account_for, give_to
from holdfast.infra.postgres.cluster import run_to_end, server_environment
from holdfast.infra.postgres.connect import Pool, connect, open_pool
from holdfast.infra.postgres.launcher import EmbeddedPostgres
from holdfast.infra.process import end_child, spawn_child
from tests.hq_fixtures import INCARNATION, HeadOfficeUnderTest, postgres_head_office
from tests.hq_messages import heartbeat_of
from tests.journal_samples import SampleJournal

TIMEOUT_S = 180


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    for folder in (tmp_path, *tmp_path.parents):
        if "pytest" in folder.name or "pytest" in folder.parent.name:
            folder.chmod(0o755)  # where root runs PostgreSQL as another user
    with EmbeddedPostgres(tmp_path / "primary", settings={"shared_buffers": "32MB"}) as server:
        conn = connect(server.dsn, name="test")
        create_schema(conn, INCARNATION, 0)
        with conn.transaction():
            conn.execute("insert into store values ('S1', 'Main street', 'GBP', 'Europe/London')")
        conn.close()
        yield server


class Standby:
    """A copy of the primary that follows it."""

    def __init__(self, primary: EmbeddedPostgres, folder: Path) -> None:
        self._primary = primary
        self._folder = folder
        self._binaries = wheel.newest()
        self._run_as = account_for(primary.places.data_dir)
        self._child: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700)
        give_to(self._run_as, folder)
        host = str(conninfo_to_dict(primary.dsn)["host"])
        run_to_end(
            [
                self._binaries.path("pg_basebackup"), "-D", folder / "data", "-h", host, "-p", "5432",
                "-U", "holdfast", "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
            ],
            self._run_as, "The standby cannot be made", TIMEOUT_S,
        )  # fmt: skip

    def start(self) -> None:
        settings = {"hot_standby": "off", "shared_buffers": "32MB", "wal_receiver_status_interval": "1s"}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._child = spawn_child(
            [
                self._binaries.path("postgres"), "-D", self._folder / "data", "-k", self._folder,
                "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", *arguments,
            ],
            run_as=self._run_as, env=server_environment(), cwd="/", stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def stop(self) -> None:
        if self._child is not None:
            end_child(self._child)
            self._child = None


def test_a_synchronous_standby_makes_safe_what_it_has(primary: EmbeddedPostgres, tmp_path: Path) -> None:
    standby = Standby(primary, tmp_path / "s")
    journal = SampleJournal().open().sell(5)
    try:
        with postgres_head_office(primary.dsn) as hq, open_pool(primary.dsn, name="safe") as pool:
            hq.enrol(journal)
            send(hq, journal, 1, 3)
            assert advance_by_standby(pool, 1) == 0, "no commit waits for a standby"
            require_standby(primary, "*")
            assert advance_by_standby(pool, 1) == 0, "none is there"
            standby.start()
            assert wait_until_safe(pool) == 1
            assert safe_seqs(hq, journal) == [3]
            send(hq, journal, 4, 10)
            assert safe_seqs(hq, journal) == [3]
            assert wait_until_safe(pool) == 1
            assert safe_seqs(hq, journal) == [6]
            assert advance_by_standby(pool, 1) == 0
            require_standby(primary, "")  # or the last commits would wait for ever
    finally:
        standby.stop()


def require_standby(primary: EmbeddedPostgres, names: str) -> None:
    with psycopg.connect(primary.dsn, autocommit=True) as conn:
        conn.execute(f"alter system set synchronous_standby_names = '{names}'".encode())
        conn.execute("select pg_reload_conf()")


def wait_until_safe(pool: Pool) -> int:
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        moved = advance_by_standby(pool, 1)
        if moved:
            return moved
        assert time.monotonic() < deadline, "the standby never had it"
        time.sleep(0.1)


def send(hq: HeadOfficeUnderTest, journal: SampleJournal, first_seq: int, count: int) -> None:
    assert isinstance(hq.ingest.receive_batch(journal.origin, journal.batch(first_seq, count)), Ack)


def safe_seqs(hq: HeadOfficeUnderTest, journal: SampleJournal) -> list[int]:
    reply = hq.ingest.heartbeat(journal.origin, heartbeat_of(journal, hq.clock.now_ms()))
    return [receipt.seq for receipt in reply.safe]
