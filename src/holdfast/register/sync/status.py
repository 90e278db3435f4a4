"""The line's status as the till's page shows it: read from `reference.db` by any process."""

from collections.abc import Mapping

import apsw
import msgspec

from holdfast.core.connection import Mode
from holdfast.core.ids import EpochId, IncarnationId
from holdfast.core.reach import Reach
from holdfast.register.sync.database import QUERIES, read_at_once


class FeedAge(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of a feed the register sells from, and how old it may be."""

    incarnation: IncarnationId
    n: int
    made_ms: int
    """Head office's time up to which this is its newest data."""
    checked_ms: int
    """This register's time when that was last known."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What one part of the sync process cannot do now."""

    code: str
    sentence: str
    since_ms: int


class PastTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """What did not work at some time, over or not."""

    part: str
    code: str
    sentence: str
    at_ms: int


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """How the last try went that a person asked for."""

    at_ms: int
    sentence: str
    """Why head office could not be reached; empty: it could."""


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of the line and of what came over it."""

    mode: Mode
    since_ms: int
    cause: str
    forced: bool
    last_contact_ms: int | None
    """This register's time of head office's last answer; None before the first. While online it may
    lag by a few seconds, so that probes do not wear the disk."""
    head_office_ms: int | None
    """What head office's clock said then."""
    skew_ms: int | None
    """Head office's clock less this register's; None before the first contact."""
    incarnation: IncarnationId | None
    blocked_code: str
    """Why head office refuses this register, such as `key.unknown`; empty: it does not. It sells on."""
    blocked_detail: str
    blocked_since_ms: int | None
    problems: Mapping[str, Trouble]
    """By part: `upload`, `feeds`, `heartbeat`, `commands`, `storage`."""
    feeds: Mapping[str, FeedAge]
    past: tuple[PastTrouble, ...] = ()
    """What did not work lately, the newest first."""
    reach: Reach | None = None
    """Where the line is broken; None: it is not, or nobody looked yet."""
    tried: Tried | None = None
    applied: Mapping[EpochId, int]
    """Epoch → seq up to which head office has stored it; an epoch that is missing: nothing."""
    safe: Mapping[EpochId, int]

    @property
    def is_blocked(self) -> bool:
        return bool(self.blocked_code)


UNKNOWN = LinkStatus(
    mode=Mode.OFFLINE,
    since_ms=0,
    cause="",
    forced=False,
    last_contact_ms=None,
    head_office_ms=None,
    skew_ms=None,
    incarnation=None,
    blocked_code="",
    blocked_detail="",
    blocked_since_ms=None,
    problems={},
    feeds={},
    applied={},
    safe={},
)
"""Of a register whose line nothing is known of: all that it has counts as owed (P6)."""

_problems = msgspec.json.Decoder(dict[str, Trouble])
_past = msgspec.json.Decoder(tuple[PastTrouble, ...])
_reach = msgspec.json.Decoder(Reach | None)
_tried = msgspec.json.Decoder(Tried | None)


def read_status(connection: apsw.Connection) -> LinkStatus:
    """The status now, in one consistent read."""
    return read_at_once(connection, lambda: _read(connection))


def _read(connection: apsw.Connection) -> LinkStatus:
    row = QUERIES.link_state(connection)
    assert row is not None, "the line's row is made with its table"
    mode, since_ms, cause, forced, contact, head_office, skew, code, detail, blocked_since, *told = row
    problems, past, reach, tried = told
    return LinkStatus(
        mode=Mode(mode),
        since_ms=since_ms,
        cause=cause,
        forced=bool(forced),
        last_contact_ms=contact,
        head_office_ms=head_office,
        skew_ms=skew,
        incarnation=QUERIES.newest_incarnation(connection),
        blocked_code=code,
        blocked_detail=detail,
        blocked_since_ms=blocked_since,
        problems=_problems.decode(problems),
        past=_past.decode(past),
        reach=_reach.decode(reach),
        tried=_tried.decode(tried),
        feeds={
            feed: FeedAge(incarnation=incarnation, n=n, made_ms=made_ms, checked_ms=checked_ms)
            for feed, incarnation, n, made_ms, checked_ms in QUERIES.current_versions(connection)
        },
        applied=dict(QUERIES.cursors(connection, level="applied")),
        safe=dict(QUERIES.cursors(connection, level="safe")),
    )
