"""Mending a till.db of which the disk does not give all back: a new file with all that can be read of it.

A link of the chain whose page is gone follows from its entry, sums follow from the journal. The damaged file
is kept aside as it is. A till that sold on without its last entries would print their numbers again (P4):
where the journal's end is not certain, it goes on in a new epoch.
"""

from collections.abc import Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path

import apsw
import msgspec
import structlog

from holdfast import __version__
from holdfast.core.faults import DamagedFault, DatabaseFault, MalformedFault
from holdfast.core.ids import EPOCH_RANDOM_BYTES, EpochId, epoch_id
from holdfast.core.journal import epochs, writer
from holdfast.core.journal.bodies import DOCUMENT_TYPES, REGISTRY, EpochOpened
from holdfast.core.journal.chain import ZERO_HASH, link
from holdfast.core.journal.entry import decode_entry
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.journal.writer import Stamp
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey, key_id_path, sync_directory
from holdfast.infra.mark import HighWaterMark, Mark
from holdfast.infra.sqlite import immediate, open_database
from holdfast.register.identity import signing_key_id
from holdfast.register.till import writing
from holdfast.register.till.database import QUERIES, make_till, sql_of
from holdfast.register.till.places import place
from holdfast.register.till.remains import Bytes, Found, Link, Remains
from holdfast.register.till.sums import TABLES, Sums
from holdfast.register.till.writing import NO_DATE, total_of

PLACES_PER_TRANSACTION = 2_000
_PUT_EPOCH, _ADD_LINK = sql_of("put_epoch"), sql_of("add_link")
_ADD_ENTRY, _ADD_DOCUMENT = sql_of("add_entry"), sql_of("add_document")
_TABLES = {"migration", "register", "epoch", "chain", "entry", "document", *TABLES}
_BEFORE_THE_FIRST = Link(ZERO_HASH, 0, 0)
_log = structlog.get_logger(__name__)


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """What a mended till has of the damaged one."""

    aside: str
    """Where the damaged file is kept."""
    entries: int
    """Whole."""
    hashes: int
    """Of which only the hash is left: purged, or on a page that cannot be read."""
    lost: int
    """Places, or whole epochs, of which nothing proves anything any more."""


def want(home: RegisterHome) -> None:
    """Note that what a till must write to is damaged: its next start mends it first. Best effort."""
    try:
        _wanted(home).touch(mode=0o600)
    except OSError as error:
        _log.warning("till.mending-not-noted", cause=error.strerror)


def is_wanted(home: RegisterHome) -> bool:
    return _wanted(home).exists()


def damaged_copy(home: RegisterHome) -> Path | None:
    """The newest damaged file that is kept, if there is one."""
    newest = None
    for path in _asides(home):
        if not path.exists():
            return newest
        newest = path
    return None


def mend(home: RegisterHome, *, clock: Clock, randomness: Randomness) -> Mended:
    """Put a new file in place of the damaged one. Nobody else may have the till open for writing.

    Cut short anywhere, it begins again or goes on. KeyFault, StorageFullFault and DatabaseFault as they say.
    """
    finish(home)
    config, key = load_config(home.config, RegisterConfig), DatabaseKey.load(home.database_key)
    path = home.till.with_name(home.till.name + ".mending")
    _log.warning("till.mending", path=str(home.till))  # a million entries take over a minute
    for left_over in (path, _with(path, "-wal"), _with(path, "-shm")):
        left_over.unlink(missing_ok=True)
    with closing(make_till(path, key, config.origin)) as into:
        copy = _Copy(into, _marked(home))
        copy.run(home, key)
        why = copy.doubt()
        if why is not None:
            _open_epoch(home, config, into, why, clock, randomness)
    key_id_path(path).unlink(missing_ok=True)
    if _with(path, "-wal").exists():
        raise DatabaseFault(f"{path} could not be completed. Run the same command again.")
    path.replace(_complete(home))
    sync_directory(home.data)
    aside = finish(home)
    mended = Mended(aside=str(aside), entries=copy.entries, hashes=copy.hashes, lost=copy.lost)
    _log.warning("till.mended", **msgspec.structs.asdict(mended))
    return mended


def finish(home: RegisterHome) -> Path | None:
    """Put a complete new file in place, where a mending was cut short; where the damaged one is kept now.

    The log goes first: beside another database than its own, SQLite would write it into that one.
    """
    complete = _complete(home)
    if not complete.exists():
        return None
    aside = next(path for path in _asides(home) if not path.exists())
    for suffix in ("-wal", "-shm", ""):
        part = _with(home.till, suffix)
        if part.exists():
            part.replace(_with(aside, suffix))
    complete.replace(home.till)
    sync_directory(home.data)
    _wanted(home).unlink(missing_ok=True)
    return aside


# ---- files -------------------------------------------------------------------------------------


def _with(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _complete(home: RegisterHome) -> Path:
    return _with(home.till, ".mended")


def _wanted(home: RegisterHome) -> Path:
    return _with(home.till, ".to-mend")


def _asides(home: RegisterHome) -> Iterator[Path]:
    """Names for damaged files, the oldest first: none is written over."""
    yield _with(home.till, ".damaged")
    yield from (_with(home.till, f".damaged-{number}") for number in count(2))


def _marked(home: RegisterHome) -> Mark | None:
    if not home.mark.exists():
        return None
    with HighWaterMark(home.mark) as mark:
        return mark.read()


def _open_epoch(
    home: RegisterHome,
    config: RegisterConfig,
    into: apsw.Connection,
    why: OpenEpoch,
    clock: Clock,
    randomness: Randomness,
) -> None:
    last = writing.read_head(into)
    assert last is not None, "what is in doubt is what follows the last entry"
    at_ms = clock.now_ms()
    date = writing.read_day(into).business_date or NO_DATE
    stamp = Stamp(at_ms=at_ms, offset_min=clock.offset_min(at_ms), date=date)
    written = writer.open_epoch(
        config.origin,
        config.series,
        epoch_id(randomness.bytes(EPOCH_RANDOM_BYTES)),
        last.head.position,
        why,
        stamp,
        software=__version__,
        key_id=signing_key_id(home),
    )
    body = REGISTRY.decode(decode_entry(written.data))
    assert isinstance(body, EpochOpened), "an epoch begins with its opening"
    with immediate(into):
        writing.store_opening(into, written, body, stamp)


# ---- copying -----------------------------------------------------------------------------------


class _Copy:
    """All that can be read of a damaged till, into an empty one."""

    def __init__(self, into: apsw.Connection, marked: Mark | None) -> None:
        self._into = into
        self._marked = marked
        self._sums = Sums()
        self._is_end_certain = True
        self._seq_max = 0
        self.entries = self.hashes = self.lost = 0

    def run(self, home: RegisterHome, key: DatabaseKey) -> None:
        try:
            source = open_database(home.till, key, read_only=True)
        except DamagedFault as fault:
            # Not even its first page. Sales go on; head office knows up to where this one may owe.
            _log.error("till.nothing-readable", cause=fault.sentence)
            self.lost += 1
            return
        with closing(source):
            remains = Remains(source)
            for n in range(1, remains.epochs_max() + 1):
                self._epoch(remains, n)
            with immediate(self._into):
                self._sums.store(remains, self._into)
                self._copy_others(remains)

    def doubt(self) -> OpenEpoch | None:
        """Why numbers may be in use that the copy does not know, beyond what the mark tells at the start."""
        last = writing.read_head(self._into)
        if last is None or self._is_end_certain:
            return None
        head, marked = last.head.position, self._marked
        if epochs.at_start(head, marked, self._hash_at) is not None:
            return None  # the start opens an epoch, and says what the mark remembers
        claimed_seq = max(head.seq, self._seq_max)
        return OpenEpoch("damaged", claimed_seq, f"the disk gives nothing back behind entry {head.seq}")

    def _hash_at(self, epoch: EpochId, seq: int) -> bytes | None:
        n = QUERIES.epoch_n(self._into, epoch=epoch)
        return None if n is None else QUERIES.hash_at(self._into, id=place(n, seq))

    def _copy_others(self, remains: Remains) -> None:
        """The open basket, and what later versions keep: as it is, or as in an empty till."""
        for name in sorted(_tables(self._into) - _TABLES):
            columns = _columns(self._into, name)
            if rows := remains.table(name, ", ".join(columns)):
                marks = ", ".join("?" * len(columns))
                self._into.executemany(f"insert or replace into {name} values ({marks})", rows)

    def _epoch(self, remains: Remains, n: int) -> None:
        row = remains.epoch(n) or _told_by_its_opening(n, next(remains.places(n, 1)))
        self._is_end_certain, self._seq_max = False, 0
        if row is None:
            self.lost += 1
            return
        with immediate(self._into):
            self._into.execute(_PUT_EPOCH, row)
        marked_seq = self._marked.seq if self._marked and self._marked.epoch == row[1] else 0
        before: Link | None = _BEFORE_THE_FIRST
        places = remains.places(n, marked_seq)
        while some := list(islice(places, PLACES_PER_TRANSACTION)):
            with immediate(self._into):
                for found in some:
                    before = self._take(remains, n, before, found)
            self._seq_max = some[-1].seq
        self._is_end_certain = before is not None and remains.knows_the_end_of(n)

    def _take(self, remains: Remains, n: int, before: Link | None, found: Found) -> Link | None:
        """One place, with its document; its link, unless nothing proves one."""
        link = found.link or _proved(before, found.entry)
        if link is None:
            self.lost += 1
            return None
        row_id, numbered = place(n, found.seq), place(n, link.documents)
        self._into.execute(_ADD_LINK, (row_id, *link))
        if found.entry is None:
            self.hashes += 1
            document = remains.document(numbered)
            if document is not None and document[0] == found.seq:
                self._into.execute(_ADD_DOCUMENT, (numbered, *document))
            return link
        self.entries += 1
        self._into.execute(_ADD_ENTRY, (row_id, *found.entry))
        if row := self._sums.add(row_id, numbered, found.entry.data):
            self._into.execute(_ADD_DOCUMENT, row)
        return link


def _tables(connection: apsw.Connection) -> set[str]:
    rows = connection.execute(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'"
    ).fetchall()
    return {str(name) for (name,) in rows}


def _columns(connection: apsw.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f"pragma table_info({table})").fetchall()]


def _proved(before: Link | None, entry: Bytes | None) -> Link | None:
    """The link that follows from the one before and an entry's bytes."""
    if before is None or entry is None:
        return None
    hash = link(before.hash, entry.data)
    if entry.type not in DOCUMENT_TYPES:
        return Link(hash, before.documents, before.value_minor)
    try:
        body = REGISTRY.decode(decode_entry(entry.data))
    except MalformedFault:
        return None
    value_minor = total_of(body) if isinstance(body, writing.Document) else 0
    return Link(hash, before.documents + 1, before.value_minor + value_minor)


def _told_by_its_opening(n: int, first: Found) -> tuple[object, ...] | None:
    """An epoch's row from its first entry."""
    if first.entry is None:
        return None
    try:
        entry = decode_entry(first.entry.data)
    except MalformedFault:
        return None
    body = REGISTRY.decode(entry)
    if not isinstance(body, EpochOpened):
        return None
    parent = (None, None) if body.parent is None else (body.parent.epoch, body.parent.seq)
    return (n, entry.epoch, body.series, body.segment, body.cause, *parent, entry.at_ms)
