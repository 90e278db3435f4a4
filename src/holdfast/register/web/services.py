"""Everything that the till's routes share, made once by `register/serve.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import msgspec
from litestar.di import NamedDependency

from holdfast.core.basket.limits import Limits
from holdfast.core.connection import Mode
from holdfast.core.loyalty.parameters import IN_USE
from holdfast.core.operations import OPERATIONS, SWITCHES, Operation, Situation
from holdfast.core.parameters import WARN_AFTER_H, WARN_AFTER_H_DEFAULT
from holdfast.core.readiness import Readiness
from holdfast.core.staleness import HALVE_AFTER_H, HALVE_AFTER_H_DEFAULT, are_old, limits_at
from holdfast.infra.clock import Clock
from holdfast.infra.web import Wakeups
from holdfast.register.loyalty import PointsWatch, RealTimeLoyalty, Seen
from holdfast.register.realtime.client import RealTime
from holdfast.register.receipts.codes import ReceiptCodes
from holdfast.register.receipts.outbox import Outbox
from holdfast.register.stock.here import StockHere
from holdfast.register.web.carrying import printer_text
from holdfast.register.web.central_desk import Central, at_hand
from holdfast.register.web.desk import Desk
from holdfast.register.web.drill_view import Ended, ended_of
from holdfast.register.web.formats import Formats
from holdfast.register.web.grid import Grid
from holdfast.register.web.overview import prices_age_ms
from holdfast.register.web.pages import Pages
from holdfast.register.web.people import People
from holdfast.register.web.receipts import ReceiptMaker
from holdfast.register.web.sessions import Sessions
from holdfast.register.web.shelf import Shelf, fitting
from holdfast.register.web.start import Start, start_of
from holdfast.register.web.status import LoyaltyState, Status, status_of
from holdfast.register.web.watch import Watch

T = TypeVar("T")


class Warning(NamedTuple):
    """An outage to warn of; with what is told at a start, where it began at one."""

    since_ms: int
    start: Start | None
    drill: Ended | None = None
    """A drill that ended by itself, and of which this tells first."""
    loyalty: bool = False
    """It can be disabled here: until then each customer brings a warning (LY1)."""


@dataclass(frozen=True)
class Services:
    """One register's till, as its routes see it."""

    desk: Desk
    shelf: Shelf
    grid: Grid
    people: People
    sessions: Sessions
    watch: Watch
    wakeups: Wakeups
    pages: Pages
    fmt: Formats
    maker: ReceiptMaker
    codes: ReceiptCodes
    outbox: Outbox
    clock: Clock
    send_now: Callable[[], None]
    """Ask the sync process to try at once."""
    in_use: Callable[[], None]
    """Tell it that somebody is at the till."""
    work_chosen: Callable[[], None]
    """Tell it that somebody chose how this register works."""
    central: Central
    """Gift cards, credit memos and other central value."""
    real_time: RealTime
    """Calls to head office that a person waits for, each with a deadline."""
    stock: StockHere
    """What is on hand: asked of head office, or estimated."""
    points: PointsWatch
    """Points of the open transaction's customer, asked behind the scene."""
    readiness: Callable[[], Readiness]
    """Whether this register would survive an outage now. Faults of reading what that depends on."""
    operations: Mapping[str, Operation] = field(default_factory=lambda: OPERATIONS)
    loyalty: RealTimeLoyalty = field(default_factory=RealTimeLoyalty)

    def status(self) -> Status:
        """The status line as of now."""
        watch = self.watch
        status = status_of(
            watch.link,
            watch.owed,
            self.fmt,
            self.clock.now_ms(),
            sync_lost_ms=watch.sync_lost_ms(),
            work=watch.work,
            drill=watch.drills.on,
            printer=printer_text(self.outbox.trouble()),
        )
        return msgspec.structs.replace(status, loyalty=self.loyalty_state())

    def loyalty_state(self) -> LoyaltyState:
        """Of real-time loyalty; empty where this register has none."""
        if not self.rule(IN_USE, False):
            return ""
        return "off" if self.loyalty.is_off else "on"

    def points_of(self, customer: str) -> Seen:
        """What is shown of a customer's points; offline that they are not known (LY4). A sale without a
        customer looks nothing up."""
        if not customer or self.loyalty_state() != "on":
            return self.points.follow("")
        seen = self.points.follow(customer)
        is_away = self.watch.mode() is Mode.OFFLINE
        return Seen(customer=customer, is_missing=True) if is_away else seen

    def points_shown(self) -> Seen:
        """As `points_of`, of whose they were asked last."""
        return self.points_of(self.points.seen.customer)

    def is_loyalty_missing(self) -> bool:
        """Whether somebody should hear that points wait for the connection (LY2)."""
        status = self.status()
        return status.mode == "offline" and status.loyalty == "on"

    def rule(self, name: str, default: T) -> T:
        """A parameter of `BEGUN_WITH`: what the open transaction began with, or else what counts now."""
        begun_with = self.desk.checkout.begun_with()
        return (
            self.shelf.parameter(name, default)
            if begun_with is None
            else fitting(begun_with.get(name), default)
        )

    def situation(self, operation: Operation | None = None) -> Situation:
        """What the operations table asks, as of now; for one row only what that row depends on is read."""
        mode, watch = self.watch.mode(), self.watch
        if operation is not None and not operation.has_condition:
            return Situation(mode=mode)
        now_ms, basket = self.clock.now_ms(), self.desk.checkout.basket()
        return Situation(
            mode=mode,
            switched_on=frozenset(name for name in SWITCHES if self.rule(name, False)),
            at_hand=self.central.allowances.at_hand(basket)
            | (frozenset() if basket is None else at_hand(basket)),
            ages_ms={name: max(0, now_ms - age.checked_ms) for name, age in watch.link.feeds.items()},
        )

    def are_prices_old(self) -> bool:
        """Whether they are so old that less is done alone (SW9)."""
        after_h = self.rule(HALVE_AFTER_H, HALVE_AFTER_H_DEFAULT)
        return are_old(prices_age_ms(self.watch.link, self.clock.now_ms()), after_h)

    def limits_of(self, limits: Limits) -> Limits:
        """A person's limits while the data is as old as it is now."""
        after_h = self.rule(HALVE_AFTER_H, HALVE_AFTER_H_DEFAULT)
        return limits_at(limits, prices_age_ms(self.watch.link, self.clock.now_ms()), after_h)

    def warning(self) -> Warning | None:
        """What to warn of; None: there is nothing that nobody has read of."""
        if over := self.watch.drills.untold:
            return Warning(over.at_ms, None, ended_of(over))
        outage = self.watch.outage
        if outage is None:
            return None
        start = self.start() if outage.at_start else None
        return Warning(outage.since_ms, start, loyalty=self.loyalty_state() == "on")

    def start(self) -> Start | None:
        """What whoever begins to work is told of the line; None: nothing."""
        watch = self.watch
        if self.status().mode == "online" and not (
            watch.link.is_blocked or watch.link.problems or watch.owed.count
        ):
            return None
        return start_of(
            watch.link,
            watch.owed,
            self.fmt,
            self.clock.now_ms(),
            sync_lost_ms=watch.sync_lost_ms(),
            work=watch.work,
            warn_after_h=self.shelf.parameter(WARN_AFTER_H, WARN_AFTER_H_DEFAULT),
            asks_loyalty=self.loyalty_state() == "on",
        )


Given = NamedDependency[Services]
"""How a handler asks for them."""
