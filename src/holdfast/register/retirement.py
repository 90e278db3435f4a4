"""Taking a register out of service in order: it closes its journal, sends all of it, and stops.

Then head office knows that nothing more can come, and does not wait for it for ever (P6). Cut short, it goes
on from where it was; the journal is closed once.
"""

import threading
from collections.abc import Callable

from holdfast.core.business_day import NOBODY
from holdfast.core.connection import Mode
from holdfast.core.faults import ConfigurationFault, UnavailableFault
from holdfast.core.refusals import Refusal
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.config import RegisterConfig, RegisterHome, exclusive, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.register.checkout import Checkout
from holdfast.register.sync.books import Books
from holdfast.register.sync.process import SyncProcess
from holdfast.register.sync.rotation import KeyRing
from holdfast.register.sync.status import read_status
from holdfast.register.till.database import read_till
from holdfast.register.till.till import is_closed
from holdfast.register.till.writing import read_head

LOOK_S = 0.2
JOIN_S = 30.0

Say = Callable[[int, str | None], None]
"""(entries that head office lacks, why it is refused or cannot be reached)"""


def retire(home: RegisterHome, *, clock: Clock, randomness: Randomness, wait_s: float, say: Say) -> None:
    """Close the register's journal for good, and return once head office has all of it.

    ConfigurationFault while the register is served, or a transaction is open; UnavailableFault where head
    office did not take everything within `wait_s`: run it again.
    """
    config = load_config(home.config, RegisterConfig)
    with exclusive(home.lock):
        key = DatabaseKey.load(home.database_key)
        if not _is_retired(home, key, config):
            _close(home, clock, randomness)
        books = Books(home, key, config.origin, KeyRing(home))
        try:
            _drain(home, books, clock, randomness, wait_s, say)
        finally:
            books.close()


def _is_retired(home: RegisterHome, key: DatabaseKey, config: RegisterConfig) -> bool:
    connection = read_till(home, key, config.origin)
    try:
        last = read_head(connection)
        return last is not None and is_closed(connection, last)
    finally:
        connection.close()


def _close(home: RegisterHome, clock: Clock, randomness: Randomness) -> None:
    checkout = Checkout.open(home, clock=clock, randomness=randomness)
    try:
        refusal = checkout.retire(by=NOBODY)
    finally:
        checkout.close()
    if isinstance(refusal, Refusal):
        raise ConfigurationFault(f"{refusal.sentence} Serve the till once more for that.")


def _drain(
    home: RegisterHome, books: Books, clock: Clock, randomness: Randomness, wait_s: float, say: Say
) -> None:
    """Run sync beside this until head office applied every entry of every epoch."""
    process = SyncProcess(home, clock, randomness)
    stop = threading.Event()
    thread = threading.Thread(target=process.run, args=(stop,), name="holdfast-sync", daemon=True)
    thread.start()
    deadline_ms = clock.monotonic_ms() + int(wait_s * 1_000)
    try:
        lacking = _lacking(books)
        while lacking and thread.is_alive() and clock.monotonic_ms() < deadline_ms:
            say(lacking, _trouble(books))
            stop.wait(LOOK_S)
            lacking = _lacking(books)
        why = _trouble(books)
    finally:
        stop.set()
        process.board.wake()
        thread.join(JOIN_S)
    if lacking:
        raise UnavailableFault(
            f"The register's journal is closed, and head office lacks {lacking} entries of it. {why or ''}"
            "Run the same command again when the line is well; keep the folder until then."
        )


def _lacking(books: Books) -> int:
    applied = books.reference.applied()
    return sum(max(0, head.seq - applied.get(head.epoch, 0)) for head in books.journal.heads())


def _trouble(books: Books) -> str | None:
    status = read_status(books.reference.connection)
    if status.blocked_code:
        return f"Head office refuses this register ({status.blocked_code}): {status.blocked_detail}. "
    if status.mode is Mode.OFFLINE and status.cause:
        return f"Head office cannot be reached: {status.cause}. "
    return None
