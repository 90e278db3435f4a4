"""The heartbeat: what this register says of itself, signed, so that head office may rely on it (P6)."""

from holdfast import __version__
from holdfast.core.faults import Fault
from holdfast.core.ids import OriginId
from holdfast.core.journal import chain
from holdfast.core.journal.chain import Position, Signer
from holdfast.core.readiness import Readiness
from holdfast.core.sync.feed import FEEDS
from holdfast.core.sync.messages import Heartbeat, SignedStatement, encode, heartbeat_statement
from holdfast.infra.clock import Clock
from holdfast.register.sync.board import Board
from holdfast.register.sync.books import Books
from holdfast.register.sync.database import QUERIES, read

OWED_DATES_MAX = 31
PROBLEMS_MAX = 20
_PROBLEM_CHARS_MAX = 200


def compose(
    books: Books, board: Board, clock: Clock, *, origin: OriginId, currency: str, nonce: str
) -> Heartbeat:
    """The statement of now, read from the register's own databases."""
    now_ms = clock.now_ms()
    heads = books.journal.heads()
    owed = books.till.owed(books.reference.applied())
    day = books.till.day()
    return Heartbeat(
        origin=origin,
        clock_ms=now_ms,
        offset_min=clock.offset_min(now_ms),
        head=Position(heads[-1].epoch, heads[-1].seq, heads[-1].hash) if heads else None,
        owed_count=owed.count,
        owed_minor=owed.value_minor,
        currency=currency,
        owed_oldest_ms=owed.oldest_at_ms,
        owed_dates=owed.dates[:OWED_DATES_MAX],
        business_date=day.business_date or "",
        day_open=day.open,
        disk_free_bytes=books.till.disk_free_bytes(),
        software=__version__,
        state=board.connection.mode.value,
        feeds=_feeds(books),
        problems=_problems(books, board),
        readiness=_readiness(books, now_ms),
        nonce=nonce or books.reference.incarnation() or "",
    )


def _readiness(books: Books, now_ms: int) -> Readiness | None:
    """What it cannot be told for is said by the part that met the fault."""
    try:
        return books.readiness(now_ms)
    except Fault:
        return None


def sign(heartbeat: Heartbeat, signer: Signer) -> SignedStatement:
    """The statement's bytes as they are sent, under the register's own key."""
    statement = encode(heartbeat)
    key_id, signature = chain.sign(signer, heartbeat_statement(statement))
    return SignedStatement(statement=statement, key_id=key_id, signature=signature)


def _feeds(books: Books) -> dict[str, tuple[str, int]]:
    versions = ((feed, books.feeds.current(feed)) for feed in FEEDS)
    return {feed: (have.incarnation, have.n) for feed, have in versions if have and have.incarnation}


def _problems(books: Books, board: Board) -> tuple[str, ...]:
    """What a support engineer should know; codes first, sentences after."""
    troubles = [f"{part}: {trouble.code}: {trouble.sentence}" for part, trouble in board.problems.items()]
    line = board.connection
    if line.forced:  # it speaks, and says that it is offline: head office is to know why
        troubles.insert(0, f"line: line.by-hand: Somebody works offline {line.cause}")
    connection = books.reference.connection
    faulty = read(connection, lambda: QUERIES.faulty_rows(connection, at_most=PROBLEMS_MAX))
    rows = [f"feed {feed}, row {key}: {fault}" for feed, key, fault in faulty]
    return tuple(text[:_PROBLEM_CHARS_MAX] for text in (*troubles, *rows)[:PROBLEMS_MAX])
