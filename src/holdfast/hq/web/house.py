"""One head office on this machine: its home, keys and database, opened for serving or for a command.

A command beside a running service uses the service's database; without one it starts the embedded
server for as long as it takes.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.faults import ConfigurationFault
from holdfast.core.ids import KeyId
from holdfast.hq.commands import CommandBook
from holdfast.hq.enrolment import Enrolment
from holdfast.hq.feeds import Feeds
from holdfast.hq.incarnation import new_incarnation
from holdfast.hq.ingest import Ingest
from holdfast.hq.schema import create_schema
from holdfast.hq.store.postgres import PostgresStore
from holdfast.hq.web.alerts.read import Alerts
from holdfast.hq.web.auth.accounts import Accounts
from holdfast.hq.web.auth.throttle import Throttle
from holdfast.hq.web.registers.fleet import Fleet
from holdfast.hq.web.sales.documents import Documents
from holdfast.hq.web.services import Services
from holdfast.infra.clock import SystemClock, SystemRandomness, time_zone
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome, load_config
from holdfast.infra.keys import RecoveryKey, SigningKey, verify
from holdfast.infra.postgres.connect import Pool, connect, open_pool
from holdfast.infra.postgres.launcher import EmbeddedPostgres, running_dsn
from holdfast.infra.postgres.progress import Progress, silent
from holdfast.infra.web import Tls

DATABASE_FOLDER = "data"
_STATEMENT_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class House:
    """A home whose settings and keys were read."""

    home: HeadOfficeHome
    config: HeadOfficeConfig
    signing_key: SigningKey
    recovery_key: RecoveryKey

    @property
    def clock(self) -> SystemClock:
        return SystemClock(self.config.timezone)

    @property
    def database_folder(self) -> Path:
        """Of the embedded server; its notes, logs and lock stand beside it."""
        return self.home.postgres / DATABASE_FOLDER

    @property
    def keys(self) -> dict[KeyId, bytes]:
        """Public keys by which registers know this head office."""
        return {self.signing_key.key_id: self.signing_key.public_bytes}

    @property
    def tls(self) -> Tls | None:
        """The certificate to present; None: plain HTTP on this machine alone."""
        if not self.config.tls_certificate:
            return None
        return Tls(self.home.path / self.config.tls_certificate, self.home.path / self.config.tls_key)

    @contextmanager
    def database(self, progress: Progress = silent) -> Iterator[str]:
        """The DSN of its database, migrated: its own server's while the block lasts, where it has one."""
        with ExitStack() as stack:
            dsn = self.config.dsn or running_dsn(self.database_folder)
            if not dsn:
                let_pass(self.home)
                server = EmbeddedPostgres(self.database_folder)
                stack.callback(server.stop)
                dsn = server.start(progress)
            prepare(dsn, self.clock)
            yield dsn


def read_house(path: Path) -> House:
    """The head office in that folder. ConfigurationFault or KeyFault with the cure."""
    home = HeadOfficeHome(path)
    if not home.config.exists():
        raise ConfigurationFault(
            f"There is no head office in {path}. Make one: holdfast hq init --home {path}"
        )
    return House(
        home,
        load_config(home.config, HeadOfficeConfig),
        SigningKey.load(home.signing_key),
        RecoveryKey.load(home.recovery_key),
    )


def prepare(dsn: str, clock: SystemClock) -> None:
    """Bring the database up to date, and begin its first life where it has none."""
    conn = connect(dsn, name="migrate")
    try:
        create_schema(conn, new_incarnation(SystemRandomness()), clock.now_ms())
    finally:
        conn.close()


def let_pass(home: HeadOfficeHome) -> None:
    """As root: let the account that PostgreSQL runs under through to its folder, and to nothing else."""
    if os.geteuid() == 0:
        home.path.chmod(0o711)
        home.postgres.chmod(0o711)


@contextmanager
def open_services(house: House, dsn: str) -> Iterator[Services]:
    """Everything that the web server needs, over pools of their own, so that none starves another."""
    clock, randomness = house.clock, SystemRandomness()
    with ExitStack() as stack:

        def pool(name: str, size: int) -> Pool:
            opened = open_pool(
                dsn, name=name, max_size=size, max_waiting=20_000, statement_timeout_s=_STATEMENT_TIMEOUT_S
            )
            stack.callback(opened.close)
            return opened

        up, services_pool, pages = pool("ingest", 8), pool("services", 4), pool("pages", 4)
        ingest = Ingest(PostgresStore(up), house.signing_key, verify, clock, randomness)
        services = Services(
            clock=clock,
            zone=time_zone(house.config.timezone),
            tls=house.tls is not None,
            accounts=Accounts(pages, clock),
            throttle=Throttle(clock),
            documents=Documents(pages),
            alerts=Alerts(pages, clock),
            fleet=Fleet(pages, clock),
            ingest=ingest,
            enrolment=Enrolment(
                services_pool,
                clock,
                randomness,
                keys=house.keys,
                recovery_public_key=house.recovery_key.public_bytes,
            ),
            feeds=Feeds(services_pool, house.signing_key, clock),
            commands=CommandBook(services_pool, house.signing_key, clock),
            incarnation=ingest.incarnation(),
        )
        for lane in (services.ingest_lane, services.service_lane, services.pages):
            stack.callback(lane.close)
        yield services
