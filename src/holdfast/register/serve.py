"""`holdfast register serve`: one till with its page, its sync process and its databases, until SIGTERM.

Whatever stops it from beginning is one sentence: another process in this home, a port in use, a wrong key, a
database of a newer version. No browser is needed for anything it does.
"""

import contextlib
import gc
import sys
from collections.abc import Callable

from holdfast.core.connection import Mode
from holdfast.core.faults import Fault
from holdfast.core.parameters import Place
from holdfast.core.receipt.code import RETURN_WINDOW_DAYS, RETURN_WINDOW_DAYS_DEFAULT
from holdfast.infra.clock import Clock, Randomness, SystemClock, SystemRandomness
from holdfast.infra.config import RegisterConfig, RegisterHome, exclusive, load_config, probe_port
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.web import Wakeups, serve
from holdfast.register.checkout import Checkout
from holdfast.register.keeper import CALL_LOST, IN_USE, SYNC_NOW, WORK_CHOSEN, SyncKeeper
from holdfast.register.kept_tries import KeptTries
from holdfast.register.loyalty import PointsWatch
from holdfast.register.opening import open_or_mend
from holdfast.register.realtime.client import RealTime
from holdfast.register.receipts.codes import ReceiptCodes
from holdfast.register.receipts.jobs import Jobs, open_jobs
from holdfast.register.receipts.outbox import Outbox
from holdfast.register.stock.here import StockHere
from holdfast.register.sync.readiness import read_readiness
from holdfast.register.sync.reference_file import ReferenceFile
from holdfast.register.sync.status import LinkStatus
from holdfast.register.web.app import create_app
from holdfast.register.web.central_desk import Central
from holdfast.register.web.desk import Desk
from holdfast.register.web.formats import DEFAULT_LOCALE, Formats
from holdfast.register.web.grid import Grid
from holdfast.register.web.pages import Pages
from holdfast.register.web.people import People
from holdfast.register.web.receipts import maker_of
from holdfast.register.web.services import Services
from holdfast.register.web.sessions import LOCK_AFTER, LOCK_AFTER_MIN, Sessions
from holdfast.register.web.shelf import Shelf
from holdfast.register.web.watch import CHANGED, Watch


class BrokenFault(Fault):
    """A bug ended a part without which the page would say what is no longer so."""

    code = "till.broken"
    retriable = True


def serve_register(
    home: RegisterHome,
    *,
    on_ready: Callable[[str], None],
    randomness: Randomness | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. `on_ready` hears the page's address once it answers.

    ConfigurationFault, KeyFault, DatabaseFault, NewerVersionFault, StorageFullFault as they say.
    """
    config = load_config(home.config, RegisterConfig)
    clock = SystemClock(config.timezone)
    with exclusive(home.lock), contextlib.ExitStack() as undo:
        probe_port(config.listen_host, config.listen_port)
        key = DatabaseKey.load(home.database_key)
        chance = randomness or SystemRandomness()
        checkout = open_or_mend(home, clock=clock, randomness=chance)
        undo.callback(checkout.close)
        watched = ReferenceFile(home, key)
        undo.callback(watched.close)
        looked_up = ReferenceFile(home, key, read_only=True)
        undo.callback(looked_up.close)
        keeper = SyncKeeper(home, clock)
        keeper.start()
        undo.callback(keeper.stop)
        wakeups = Wakeups()
        watch = Watch(watched, checkout, clock, wakeups, keeper.lost_ms)
        watch.start()
        undo.callback(watch.stop)
        outbox = _outbox(home, config, key, clock, undo)
        shelf = Shelf(looked_up, config.currency)
        services = _services(
            home,
            config,
            checkout,
            shelf,
            clock,
            watch,
            wakeups,
            keeper,
            outbox,
            jitter=_jitter(chance),
        )
        undo.callback(services.central.allowances.close)
        undo.callback(services.real_time.close)
        undo.callback(services.points.stop)
        services.stock.start()
        undo.callback(services.stock.stop)
        outbox.start(lambda: wakeups.wake(CHANGED))
        undo.callback(outbox.stop)
        serve(
            create_app(services),
            host=config.listen_host,
            port=config.listen_port,
            wakeups=wakeups,
            on_ready=lambda url: _ready(on_ready, url),
        )
        if watch.is_broken:
            raise BrokenFault(
                "The till stopped because a part of it failed; the log says why. Start it again."
            )


def _jitter(randomness: Randomness) -> Callable[[], float]:
    """0 up to 1."""
    return lambda: int.from_bytes(randomness.bytes(4), "big") / (1 << 32)


def _ready(on_ready: Callable[[str], None], url: str) -> None:
    """Leave what was loaded out of garbage collection: a round over it holds a sale up by 25 ms."""
    gc.collect()
    gc.freeze()
    on_ready(url)


def _outbox(
    home: RegisterHome, config: RegisterConfig, key: DatabaseKey, clock: Clock, undo: contextlib.ExitStack
) -> Outbox:
    """With the process that prints and mails, where this register does either."""
    jobs = Jobs(open_jobs(home, key))
    undo.callback(jobs.close)
    if not (config.printer or config.mail_server):
        return Outbox(jobs, config, clock, wake=lambda: None)
    command = (sys.executable, "-m", "holdfast", "register", "receipts", "--home", str(home.path))
    carrier = SyncKeeper(home, clock, command, what="process that prints and mails")
    carrier.start()
    undo.callback(carrier.stop)
    return Outbox(jobs, config, clock, wake=carrier.wake)


def _services(
    home: RegisterHome,
    config: RegisterConfig,
    checkout: Checkout,
    shelf: Shelf,
    clock: Clock,
    watch: Watch,
    wakeups: Wakeups,
    keeper: SyncKeeper,
    outbox: Outbox,
    *,
    jitter: Callable[[], float] = lambda: 0.0,
) -> Services:
    def on_commit() -> None:
        keeper.wake()
        watch.look()
        outbox.sold()

    def business_date() -> str:
        day = checkout.day()
        return day.business_date or "" if day.open else checkout.offered_date(watch.head_office_ms())

    def window_days() -> int:
        return services.rule(RETURN_WINDOW_DAYS, RETURN_WINDOW_DAYS_DEFAULT)

    shelf.stand(Place(config.store, config.series), business_date)
    fmt = Formats(config.currency, config.timezone, shelf.parameter("locale", DEFAULT_LOCALE))
    real_time = RealTime(home, config, clock, mode=watch.mode, on_loss=lambda: keeper.wake(CALL_LOST))
    codes = ReceiptCodes(
        home,
        config,
        key_of=shelf.register_key,
        window_days=window_days,
    )
    desk = Desk(checkout, shelf, watch.head_office_ms, on_commit, codes)
    central = Central(
        desk, real_time, watch, clock, fmt, changed=lambda: wakeups.wake(CHANGED), jitter=jitter
    )
    watch.on_link = _hearing(
        _speaker(fmt, shelf), lambda _: real_time.heard(watch.mode()), lambda _: central.heard()
    )
    services = Services(
        desk=desk,
        shelf=shelf,
        grid=Grid(shelf),
        people=People(shelf, clock, KeptTries(home.tries)),
        sessions=Sessions(clock, lambda: shelf.parameter(LOCK_AFTER, LOCK_AFTER_MIN)),
        watch=watch,
        wakeups=wakeups,
        pages=Pages(fmt, register=config.register, store=config.store),
        fmt=fmt,
        codes=codes,
        outbox=outbox,
        maker=maker_of(fmt, shelf, register=config.register, store=config.store),
        clock=clock,
        send_now=lambda: keeper.wake(SYNC_NOW),
        in_use=lambda: keeper.wake(IN_USE),
        work_chosen=lambda: keeper.wake(WORK_CHOSEN),
        central=central,
        real_time=real_time,
        stock=StockHere(home, config.origin, real_time, clock),
        points=PointsWatch(real_time, lambda: wakeups.wake(CHANGED)),
        readiness=lambda: read_readiness(home, DatabaseKey.load(home.database_key), clock),
    )
    checkout.tells_points = lambda: watch.mode() is not Mode.OFFLINE and not services.loyalty.is_off
    return services


def _hearing(*hearers: Callable[[LinkStatus], None]) -> Callable[[LinkStatus], None]:
    def hear(link: LinkStatus) -> None:
        for tell in hearers:
            tell(link)

    return hear


def _speaker(fmt: Formats, shelf: Shelf) -> Callable[[LinkStatus], None]:
    """Whoever tells of each look at the line has figures written as head office wants them by then."""
    spoken: object = None

    def speak(link: LinkStatus) -> None:
        nonlocal spoken
        feed = link.feeds.get("parameters")
        heard = None if feed is None else (feed.incarnation, feed.n)
        if heard != spoken:
            spoken = heard
            fmt.speak(shelf.parameter("locale", DEFAULT_LOCALE))

    return speak
