"""Head office wired together: what the web, the command line and tests open."""

import functools
import gc
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from holdfast.core.central.numbers import NUMBER_KEY
from holdfast.core.faults import ConfigurationFault, Fault, UnavailableFault
from holdfast.core.ids import IncarnationId, KeyId, OriginId
from holdfast.core.sync.commands import Outcome
from holdfast.core.sync.enrolment import EnrolReply, EnrolRequest
from holdfast.core.sync.receiver import Refused
from holdfast.hq import backup
from holdfast.hq.backup_keeper import BackupKeeper, schedule_of
from holdfast.hq.catalogue import Catalogue
from holdfast.hq.central.after_loss import AfterLoss
from holdfast.hq.central.allowances import Allowances
from holdfast.hq.central.cards import CardBook
from holdfast.hq.central.differences import DifferenceBook
from holdfast.hq.central.keeper import AfterLossKeeper, LockKeeper, ProofKeeper
from holdfast.hq.central.locks import LockBook
from holdfast.hq.central.proof import ProofBook
from holdfast.hq.central.services import CentralServices
from holdfast.hq.central.views import AccountBook
from holdfast.hq.closings import ClosingKeeper
from holdfast.hq.commands import CommandBook
from holdfast.hq.customers.book import CustomerBook
from holdfast.hq.customers.keeper import CustomerKeeper
from holdfast.hq.enrolment import Enrolment
from holdfast.hq.feeds import Feeds
from holdfast.hq.fleet import Fleet, FleetWatch
from holdfast.hq.incarnation import new_incarnation
from holdfast.hq.ingest import Ingest
from holdfast.hq.keeper import ServerKeeper
from holdfast.hq.lost import LostBook
from holdfast.hq.loyalty.credit import CreditBook
from holdfast.hq.loyalty.keeper import PointsKeeper
from holdfast.hq.loyalty.points import PointsBook
from holdfast.hq.parameters.book import ParameterBook
from holdfast.hq.receipts.keeper import ReceiptKeeper
from holdfast.hq.receipts.keys import RegisterKeys
from holdfast.hq.safe import SafeWatch
from holdfast.hq.schema import create_schema
from holdfast.hq.stock.desk import StockServices
from holdfast.hq.stock.ending import TransferBook
from holdfast.hq.stock.keeper import StockKeeper
from holdfast.hq.stock.zero import ZeroBook
from holdfast.hq.store.postgres import PostgresStore
from holdfast.hq.totals import Totals, read_totals
from holdfast.infra.clock import Clock, Randomness, SystemClock, SystemRandomness
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome, is_held, load_config, save_config
from holdfast.infra.keys import RecoveryKey, SigningKey, fingerprint, verify
from holdfast.infra.postgres.connect import Pool, connect, open_pool
from holdfast.infra.postgres.launcher import EmbeddedPostgres, running_dsn
from holdfast.infra.postgres.lock import InUseFault, SharedUse
from holdfast.infra.postgres.manifest import Manifest
from holdfast.infra.postgres.progress import Progress, silent

_SIGNING_KEY_CURE = (
    "Put it back from your copy of head office's secrets folder: registers believe no other key."
)
INGEST_CONNECTIONS = 10
"""One for each thread that takes batches, and as many for offers and heartbeats beside them."""
SERVICE_CONNECTIONS = 8
CENTRAL_CONNECTIONS = 6
"""For real-time services alone: no batch and no page makes a cashier wait."""
_CENTRAL_TIMEOUT_S = 5.0
"""No till waits longer; who asks again asks under the same key."""
_SERVICE_STATEMENT_TIMEOUT_S = 60.0
COMMAND_WAIT_S = 60.0
"""So long the service waits until a command that runs the database by itself has ended; most take seconds."""
SERVICE_WAIT_S = 60.0
"""So long a command waits for a service that is starting, or whose database recovers."""
USERS_WAIT_S = 60.0
"""So long a command that owns the server lets others finish that came to use it."""
_LOOK_S = 0.1
INGEST_SETTINGS = {"wal_writer_delay": "10ms"}
"""The log is flushed while a batch still comes in, so that its commit finds a third less to wait for."""


def database_folder(home: HeadOfficeHome) -> Path:
    """Where the embedded server keeps its data."""
    return home.postgres / "data"


def init_home(home: HeadOfficeHome, config: HeadOfficeConfig) -> None:
    """Make a head office's folders, keys and settings. ConfigurationFault where there is one already."""
    if home.config.exists():
        raise ConfigurationFault(f"{home.path} holds a head office already. Give another folder.")
    home.create()
    for key, path in ((SigningKey.generate(), home.signing_key), (RecoveryKey.generate(), home.recovery_key)):
        if not path.exists():  # left by an init that was cut; keys are never made anew
            key.save(path)
    save_config(home.config, config)


@dataclass(kw_only=True)
class HeadOffice:
    """An open head office. Each purpose has connections of its own, so that none starves another.

    Probes need none: `GET /v1/health` is answered from memory, also while the database is away.
    """

    home: HeadOfficeHome
    config: HeadOfficeConfig
    clock: Clock
    randomness: Randomness
    server: EmbeddedPostgres | None
    keeper: ServerKeeper | None
    safe_watch: SafeWatch | None = None
    backup_keeper: BackupKeeper | None = None
    fleet_watch: FleetWatch | None = None
    stock_keeper: StockKeeper | None = None
    closing_keeper: ClosingKeeper | None = None
    receipt_keeper: ReceiptKeeper | None = None
    customer_keeper: CustomerKeeper | None = None
    points_keeper: PointsKeeper | None = None
    lock_keeper: LockKeeper | None = None
    proof_keeper: ProofKeeper | None = None
    after_loss_keeper: AfterLossKeeper | None = None
    use: SharedUse | None = None
    signer: SigningKey
    recovery_public_key: bytes
    ingest_pool: Pool
    services_pool: Pool
    central_pool: Pool
    ingest: Ingest
    feeds: Feeds
    catalogue: Catalogue
    command_book: CommandBook
    enrolment: Enrolment
    fleet: Fleet
    lost: LostBook
    register_keys: RegisterKeys
    customers: CustomerBook
    points: PointsBook
    credit: CreditBook
    central: CentralServices
    cards: CardBook
    accounts: AccountBook
    locks: LockBook
    proof: ProofBook
    after_loss: AfterLoss
    allowances: Allowances
    differences: DifferenceBook
    parameters: ParameterBook
    stock: StockServices
    zero: ZeroBook
    transfers: TransferBook

    @classmethod
    def open(
        cls,
        home: HeadOfficeHome,
        *,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        beside_service: bool = True,
        progress: Progress = silent,
    ) -> "HeadOffice":
        """Open the head office of a home.

        `beside_service`: use the embedded server of a process that serves, where one runs (for commands);
        the service itself passes False and owns it. Raises ConfigurationFault, KeyFault, DatabaseFault,
        NewerVersionFault, StorageFullFault or UnavailableFault, each with its cure.
        """
        config = load_config(home.config, HeadOfficeConfig)
        if not beside_service:
            _ease_collector()
        clock = clock or SystemClock(config.timezone)
        randomness = randomness or SystemRandomness()
        signer = SigningKey.load(home.signing_key, cure=_SIGNING_KEY_CURE)
        recovery = RecoveryKey.load(home.recovery_key)
        database = _database(home, config, beside_service=beside_service, progress=progress)
        with ExitStack() as undo:
            if database.use is not None:
                undo.callback(database.use.leave)
            if database.server is not None:
                undo.callback(database.server.stop)
            head_office = cls._on(
                home, config, clock, randomness, signer, recovery, database.dsn, database.server
            )
            head_office.use = database.use
            if head_office.keeper is not None:
                head_office.keeper.start()
            if not beside_service:
                head_office.safe_watch = SafeWatch(head_office.services_pool, clock)
                head_office.backup_keeper = head_office._keep_backups()
                head_office.fleet_watch = FleetWatch(head_office.fleet)
                head_office.stock_keeper = StockKeeper(head_office.services_pool)
                head_office.closing_keeper = ClosingKeeper(head_office.services_pool, clock)
                head_office.receipt_keeper = ReceiptKeeper(
                    head_office.services_pool, head_office.register_keys, clock
                )
                head_office.customer_keeper = CustomerKeeper(head_office.customers)
                head_office.points_keeper = PointsKeeper(head_office.points)
                head_office.lock_keeper = LockKeeper(head_office.locks)
                head_office.after_loss_keeper = AfterLossKeeper(head_office.after_loss)
                head_office.proof_keeper = ProofKeeper(head_office.proof, clock)
            undo.pop_all()
        return head_office

    @classmethod
    def _on(
        cls,
        home: HeadOfficeHome,
        config: HeadOfficeConfig,
        clock: Clock,
        randomness: Randomness,
        signer: SigningKey,
        recovery: RecoveryKey,
        fixed_dsn: str,
        server: EmbeddedPostgres | None,
    ) -> "HeadOffice":
        conn = connect(fixed_dsn, name="migrations")
        try:
            create_schema(conn, new_incarnation(randomness), clock.now_ms())
        finally:
            conn.close()
        dsn = fixed_dsn if server is None else _dsn_of(server)
        keeper = None if server is None else ServerKeeper(server)
        down = None if keeper is None else keeper.fault
        ingest_pool, services_pool, central_pool = _open_pools(dsn, down)
        feeds, fleet = Feeds(services_pool, signer, clock), Fleet(services_pool, clock)
        customers = CustomerBook(services_pool, feeds, clock)
        parameters = ParameterBook(services_pool, feeds, clock)
        keys = {KeyId(signer.key_id): signer.public_bytes}
        tiers = PointsBook(central_pool, clock, parameters.today)
        return cls(
            home=home,
            config=config,
            clock=clock,
            randomness=randomness,
            server=server,
            keeper=keeper,
            signer=signer,
            recovery_public_key=recovery.public_bytes,
            ingest_pool=ingest_pool,
            services_pool=services_pool,
            central_pool=central_pool,
            ingest=Ingest(
                PostgresStore(ingest_pool),
                signer,
                verify,
                clock,
                randomness,
                number_key=signer.derive(NUMBER_KEY),
            ),
            feeds=feeds,
            catalogue=Catalogue(feeds, customers=customers, parameters=parameters),
            command_book=CommandBook(services_pool, signer, clock),
            enrolment=Enrolment(
                services_pool,
                clock,
                randomness,
                keys=keys,
                recovery_public_key=recovery.public_bytes,
                signer=signer,
            ),
            fleet=fleet,
            lost=LostBook(services_pool, fleet, clock),
            register_keys=RegisterKeys(services_pool, feeds, clock),
            customers=customers,
            points=PointsBook(services_pool, clock, parameters.today),
            credit=CreditBook(services_pool, clock),
            central=CentralServices(central_pool, clock, signer.derive(NUMBER_KEY), tiers.tier),
            cards=CardBook(services_pool, clock, randomness, signer.derive(NUMBER_KEY)),
            accounts=AccountBook(services_pool, signer.derive(NUMBER_KEY)),
            locks=LockBook(services_pool, fleet, parameters, clock),
            proof=ProofBook(services_pool, clock),
            after_loss=AfterLoss(services_pool, fleet, clock),
            allowances=Allowances(central_pool, parameters, clock),
            differences=DifferenceBook(services_pool, clock),
            parameters=parameters,
            stock=StockServices(central_pool, fleet.registers, clock),
            zero=ZeroBook(services_pool, fleet.registers, clock, randomness),
            transfers=TransferBook(services_pool, fleet.registers, clock, randomness),
        )

    def close(self) -> None:
        """Let go of everything; the embedded server ends in order."""
        for part in (
            self.safe_watch,
            self.fleet_watch,
            self.stock_keeper,
            self.closing_keeper,
            self.receipt_keeper,
            self.customer_keeper,
            self.points_keeper,
            self.lock_keeper,
            self.proof_keeper,
            self.after_loss_keeper,
            self.backup_keeper,
        ):
            if part is not None:
                part.stop()
        for pool in (self.ingest_pool, self.services_pool, self.central_pool):
            pool.close()
        if self.use is not None and self.keeper is not None:
            self.use.end(USERS_WAIT_S)  # another command may have come to use our server
        if self.keeper is not None:
            self.keeper.stop()
        if self.use is not None:
            self.use.leave()

    def __enter__(self) -> "HeadOffice":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def dsn(self) -> str:
        """The database's, as of now. UnavailableFault while the embedded server is down."""
        if self.server is not None:
            return self.server.dsn
        running = None if self.config.dsn else running_dsn(database_folder(self.home))
        return self.config.dsn or running or _gone(self.home)

    def database_fault(self) -> Fault | None:
        """Why the embedded database is down; None where it is up, or is yours."""
        return None if self.keeper is None else self.keeper.fault()

    # ---- what the protocol's routes call

    @property
    def no_commands(self) -> bytes:
        """The signed answer to a poll in whose time nothing came."""
        return self.command_book.empty

    def enrol(self, request: EnrolRequest) -> EnrolReply | Refused:
        reply = self.enrolment.enrol(request)
        if isinstance(reply, EnrolReply):
            self.ingest.end_sessions(reply.origin, but=fingerprint(request.public_key))
        return reply

    def feed_page(self, feed: str, incarnation: IncarnationId, since: int) -> bytes:
        return self.feeds.page(feed, incarnation, since)

    def snapshot(self) -> bytes:
        return self.feeds.snapshot()

    def commands(self, origin: OriginId, incarnation: IncarnationId, after: int) -> bytes | None:
        return self.command_book.after(origin, incarnation, after)

    def command_outcome(self, origin: OriginId, outcome: Outcome) -> None:
        """Told of a command that nobody gave, nothing changes."""
        self.command_book.finish(origin, outcome)

    # ---- what people ask for

    def totals(self) -> Totals:
        return read_totals(self.services_pool)

    def take_backup(self, folder: Path | None = None, progress: Progress = silent) -> backup.BackupRow:
        """A verified backup, by default where the schedule's go too."""
        return self._take_backup(folder or self.home.backups_of(self.config), progress)

    def _take_backup(
        self, folder: Path, progress: Progress, *, by_schedule: bool = False
    ) -> backup.BackupRow:
        return backup.take_backup(
            self.services_pool,
            self.dsn,
            folder,
            self.clock,
            self.ingest.incarnation(),
            progress,
            by_schedule=by_schedule,
        )

    def _keep_backups(self) -> BackupKeeper | None:
        config = self.config
        schedule = schedule_of(config.backup_every_h, self.home.backups_of(config), config.backup_keep)
        if schedule is None:
            return None
        take = functools.partial(self._take_backup, by_schedule=True)
        return BackupKeeper(self.services_pool, take, schedule, self.clock)


def restore(home: HeadOfficeHome, backup_dir: Path, progress: Progress = silent) -> Manifest:
    """Bring a backup back into the home's database, which nobody may be using. A new incarnation begins.

    Raises ConfigurationFault where a newer backup lies beside it, and as `hq.backup` does.
    """
    backup.refuse_older(backup_dir)
    config = load_config(home.config, HeadOfficeConfig)
    clock, randomness = SystemClock(config.timezone), SystemRandomness()
    if config.dsn:
        return backup.restore_dsn(backup_dir, config.dsn, clock, randomness, progress)
    return backup.restore_embedded(backup_dir, database_folder(home), clock, randomness, progress)[0]


def _dsn_of(server: EmbeddedPostgres) -> Callable[[], str]:
    return lambda: server.dsn


class _Database(NamedTuple):
    """Where it is, its server where this process runs it, and how this process uses it beside others."""

    dsn: str
    server: EmbeddedPostgres | None = None
    use: SharedUse | None = None


def _open_pools(
    dsn: str | Callable[[], str], down: Callable[[], Fault | None] | None
) -> tuple[Pool, Pool, Pool]:
    """For ingest, for services and pages, for real-time calls."""
    ingest = open_pool(dsn, name="ingest", max_size=INGEST_CONNECTIONS, timeout_s=20.0, down=down)
    services = open_pool(
        dsn,
        name="services",
        max_size=SERVICE_CONNECTIONS,
        timeout_s=10.0,
        statement_timeout_s=_SERVICE_STATEMENT_TIMEOUT_S,
        down=down,
    )
    central = open_pool(
        dsn,
        name="central",
        max_size=CENTRAL_CONNECTIONS,
        timeout_s=_CENTRAL_TIMEOUT_S,
        statement_timeout_s=_CENTRAL_TIMEOUT_S,
        down=down,
    )
    return ingest, services, central


def _gone(home: HeadOfficeHome) -> str:
    raise UnavailableFault(f"The head office that served {home.path} has ended, and its database with it.")


def _ease_collector() -> None:
    """A batch makes a hundred thousand short-lived rows without cycles; looking through them at Python's
    default pace takes a third of ingest's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def _database(
    home: HeadOfficeHome, config: HeadOfficeConfig, *, beside_service: bool, progress: Progress
) -> "_Database":
    """Yours, the one that another process runs, or one of our own.

    The service waits until a command that has one of its own ended. A command uses that of a service, or of
    another command, and starts one only where nobody serves.
    """
    if config.dsn:
        return _Database(config.dsn)
    server = EmbeddedPostgres(database_folder(home), INGEST_SETTINGS)
    if not beside_service:
        return _Database(server.start(progress, wait_s=COMMAND_WAIT_S), server)
    use = SharedUse(server.places.users_file)
    deadline_s = time.monotonic() + SERVICE_WAIT_S
    while True:
        if use.enter():
            running = running_dsn(database_folder(home))
            if running is not None:
                return _Database(running, None, use)
            use.leave()
        refused = _own_server(home, server, progress)
        if refused is None:
            return _Database(server.dsn, server, use)
        if time.monotonic() > deadline_s:
            raise refused
        progress("Waiting for the database that another Holdfast runs", None)
        time.sleep(_LOOK_S)


def _own_server(home: HeadOfficeHome, server: EmbeddedPostgres, progress: Progress) -> Fault | None:
    """Start it for one command; why not where somebody else is about to: then theirs is used."""
    if is_held(home.lock):
        return UnavailableFault(
            f"The head office that serves {home.path} has no database that answers. Its log says why; try "
            "again once it does, or stop it."
        )
    try:
        server.start(progress)
    except InUseFault as fault:
        return fault
    return None
