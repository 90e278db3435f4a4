"""What support needs to know of a register: no secret, no personal data, nothing that was sold."""

import platform
import sys

import apsw
import msgspec

from holdfast import __version__
from holdfast.infra.clock import Clock
from holdfast.register.sync.board import Board
from holdfast.register.sync.books import Books
from holdfast.register.sync.status import LinkStatus, read_status


class Diagnostics(msgspec.Struct, frozen=True, kw_only=True):
    """One JSON document."""

    software: str
    python: str
    sqlite: str
    system: str
    clock_ms: int
    offset_min: int
    disk_free_bytes: int
    business_date: str | None
    day_open: bool
    heads: dict[str, int]
    """Epoch → seq."""
    owed_count: int
    open_requests: int
    link: LinkStatus


def collect(books: Books, board: Board, clock: Clock) -> bytes:
    """The document as JSON."""
    now_ms = clock.now_ms()
    day = books.till.day()
    status = read_status(books.reference.connection)
    return msgspec.json.encode(
        Diagnostics(
            software=__version__,
            python=platform.python_version(),
            sqlite=apsw.sqlite_lib_version(),
            system=f"{sys.platform} {platform.release()} {platform.machine()}",
            clock_ms=now_ms,
            offset_min=clock.offset_min(now_ms),
            disk_free_bytes=books.till.disk_free_bytes(),
            business_date=day.business_date,
            day_open=day.open,
            heads={head.epoch: head.seq for head in books.journal.heads()},
            owed_count=books.till.owed(status.applied).count,
            open_requests=len(books.inbox.open()),
            link=msgspec.structs.replace(status, problems=board.problems),
        )
    )
