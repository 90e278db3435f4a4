"""Stock as this till knows it: asked of head office while there is a line, estimated while there is none.

    estimate = what head office told, corrected by what this register itself did since     (ST4)

A thread asks now and then for what changed in the own store, so that an outage finds figures of some minutes
ago. With each question the register says what it moved itself, so that head office can prove that both keep
the same (ST2).
"""

import threading
from collections.abc import Mapping
from typing import NamedTuple

import apsw
import msgspec
import structlog

from holdfast.core.faults import Fault
from holdfast.core.ids import EpochId, OriginId, Sku
from holdfast.core.stock.services import (
    EPOCHS_MAX,
    Availability,
    AvailabilityRequest,
    Incoming,
    Statement,
    StockPage,
    StockRequest,
    StoreName,
)
from holdfast.infra.clock import Clock
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import faults
from holdfast.register.realtime.client import Denied, RealTime, Unanswered
from holdfast.register.stock.draft import Draft
from holdfast.register.stock.kept import Kept, Told
from holdfast.register.till.database import read_till
from holdfast.register.till.stock import Own, epochs, grow, statement

EVERY_MS = 600_000
"""Between two questions; what this register sells itself is in the estimate at once."""
FRESH_MS = 10_000
"""What was told so lately is not asked for again, whoever looks."""
_LOOK_S = 1.0
_AGAIN_MS = 30_000
"""After a question that was not answered."""
_DEADLINE_S = 20.0
"""Nobody waits for it; a store of 50,000 products is a megabyte."""
_log = structlog.get_logger(__name__)


class Estimate(NamedTuple):
    """About so much, as of then: never a fact."""

    quantity_milli: int
    as_of_ms: int


class StockHere:
    """One register's. Thread-safe."""

    def __init__(self, home: RegisterHome, origin: OriginId, line: RealTime, clock: Clock) -> None:
        self._home, self._origin = home, origin
        self._kept = Kept(home)
        self._till: apsw.Connection | None = None
        self._line, self._clock = line, clock
        self._lock = threading.Lock()
        self._own = Own({})
        self._own_of: tuple[str, int, int] | None = None
        self._next_ms = 0
        self._told_ms = -FRESH_MS
        self.writing = threading.Lock()
        """Held from reading a list until it is kept or dropped: nothing that is scanned meanwhile is lost."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="holdfast-stock", daemon=True)

    def start(self) -> None:
        """Ask now and then from now on."""
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._kept.close()
        with self._lock:
            if self._till is not None:
                self._till.close()
                self._till = None

    def _beside(self) -> apsw.Connection:
        """The till's database for reading alone: no look at stock holds up a sale."""
        if self._till is None:
            self._till = self._opened()
        return self._till

    def _opened(self) -> apsw.Connection:
        return read_till(self._home, DatabaseKey.load(self._home.database_key), self._origin)

    # ---- looking up --------------------------------------------------------------------------

    def availability(self, sku: Sku) -> Availability | Denied | Unanswered:
        """In every store, as head office knows it now (ST1). Waits for no longer than a call's deadline."""
        return self._line.ask("/v1/services/availability", AvailabilityRequest(sku=sku), Availability)

    def estimate(self, sku: Sku) -> Estimate | None:
        """None: head office never told anything of this store, and nobody counted it here."""
        told = self._kept.told()
        with self._lock:
            milli = self._grown(told).estimate(sku, None if told is None else self._kept.level(sku))
        if milli is None:
            return None
        return Estimate(milli, self._clock.now_ms() if told is None else told.at_ms)

    def incoming(self) -> tuple[Incoming, ...]:
        """What was on its way here when head office last told, less what this register received since."""
        told = self._kept.told()
        if told is None or not told.incoming:
            return ()
        with self._lock:
            received = self._grown(told).received
            left = [_less(each, received) for each in told.incoming]
        return tuple(each for each in left if each.lines)

    def _grown(self, told: Told | None) -> Own:
        """What this register did that is not in the figures; `_lock` is held."""
        mark = None if told is None else (told.incarnation, told.version, told.at_ms)
        if mark != self._own_of:
            self._own, self._own_of = Own({} if told is None else told.applied), mark
        connection = self._beside()
        with faults(connection):
            grow(connection, self._own)
        return self._own

    def stores(self) -> tuple[StoreName, ...]:
        """Every store of the chain that head office told of."""
        told = self._kept.told()
        return () if told is None else told.stores

    # ---- what is being written ---------------------------------------------------------------

    def draft(self, kind: str) -> Draft:
        return self._kept.draft(kind)

    def keep_draft(self, draft: Draft) -> None:
        self._kept.put_draft(draft)

    def drop_draft(self, kind: str) -> None:
        self._kept.drop_draft(kind)

    # ---- being told --------------------------------------------------------------------------

    def hurry(self) -> None:
        """Somebody looks at stock: ask soon, unless that was done a moment ago."""
        if self._clock.monotonic_ms() - self._told_ms >= FRESH_MS:
            self._next_ms = 0

    def refresh(self) -> bool:
        """Ask what changed, and say what this register moved. Whether head office answered."""
        told = self._kept.told()
        known, said = self._own_word()
        request = StockRequest(
            incarnation="" if told is None else told.incarnation,
            version=0 if told is None else told.version,
            epochs=known,
            statement=said,
        )
        page = self._line.ask(
            "/v1/services/stock", request, StockPage, deadline_s=_DEADLINE_S, is_behind=True
        )
        if not isinstance(page, StockPage):
            return False
        self._kept.take(page)
        return True

    def _own_word(self) -> tuple[tuple[EpochId, ...], Statement | None]:
        """The journal's epochs, and what this register moved; by a connection that nobody else waits for."""
        connection = self._opened()
        try:
            with faults(connection):
                return tuple(epochs(connection)[-EPOCHS_MAX:]), statement(connection)
        finally:
            connection.close()

    def _keep(self) -> None:
        while not self._stop.wait(_LOOK_S):
            now_ms = self._clock.monotonic_ms()
            if now_ms < self._next_ms or not self._line.is_there():
                continue
            try:
                done = self.refresh()
            except Fault as fault:  # the next time may go well
                _log.warning("stock is not told", code=fault.code, fault=fault.sentence)
                done = False
            if done:
                self._told_ms = now_ms
            self._next_ms = now_ms + (EVERY_MS if done else _AGAIN_MS)


def _less(incoming: Incoming, received: Mapping[tuple[str, Sku], int]) -> Incoming:
    """A transfer without what was received of it."""
    left = [
        (sku, name, milli - received.get((incoming.transfer, sku), 0)) for sku, name, milli in incoming.lines
    ]
    return msgspec.structs.replace(incoming, lines=tuple(line for line in left if line[2] > 0))
