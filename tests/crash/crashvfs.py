"""A disk that remembers: every write, truncation, deletion and flush of a database, in order.

`Recording` puts an `apsw.VFS` under the encryption, passes each operation on to the real files and
keeps it. `crash_images` then says what a power cut could have left at each of these points: what
was flushed is there; what was not is lost, kept, or torn at 512-byte sectors in any subset and
order, as disks and their caches do. Deterministic by seed.

The shared-memory file is not recorded: it does not outlive the machine, and SQLite rebuilds it.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import open_database

SECTOR_BYTES = 512
_names = itertools.count()


@dataclass(frozen=True)
class Write:
    file: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncate:
    file: str
    size: int


@dataclass(frozen=True)
class Delete:
    file: str


@dataclass(frozen=True)
class Sync:
    file: str


@dataclass(frozen=True)
class SyncNames:
    """The folder was flushed: deletions are final."""


@dataclass(frozen=True)
class Acknowledged:
    """Not the disk's: here the program told somebody that `value` is stored."""

    value: int


@dataclass(frozen=True)
class Noted:
    """Not this disk's either: something beside the database was written, which may or may not outlive it."""


Change = Write | Truncate | Delete
Operation = Change | Sync | SyncNames | Acknowledged | Noted


class Recording:
    """A VFS of its own; open a database with `vfs=recording.vfs` and read `recording.log`."""

    def __init__(self) -> None:
        self.log: list[Operation] = []
        name = f"recording{next(_names)}"
        self.vfs = f"multipleciphers-{name}"
        # Never unregistered: the encryption layer keeps a pointer to it for the life of the process.
        _kept.append(_RecordingVFS(name, self.log))

    def note(self) -> None:
        """Note that something beside the database was written now."""
        self.log.append(Noted())

    def acknowledge(self, value: int) -> None:
        """Note that everything up to `value` was promised; call it after COMMIT returned."""
        self.log.append(Acknowledged(value))


class _RecordingVFS(apsw.VFS):
    def __init__(self, name: str, log: list[Operation]) -> None:
        self._log = log
        super().__init__(name, base="unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        assert path, "temporary files are kept in memory, or they would not be encrypted"
        return _RecordingFile(name, flags, Path(path).name, self._log)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self._log.append(Delete(Path(filename).name))
        if syncdir:
            self._log.append(SyncNames())


class _RecordingFile(apsw.VFSFile):
    def __init__(
        self, name: str | apsw.URIFilename | None, flags: list[int], file: str, log: list[Operation]
    ) -> None:
        self._file = file
        self._log = log
        # SQLite's unix layer flushes the folder together with the first flush of these.
        self._names_too = bool(flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL))
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._log.append(Write(self._file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._log.append(Truncate(self._file, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._log.append(Sync(self._file))
        if self._names_too:
            self._log.append(SyncNames())
            self._names_too = False


_kept: list[_RecordingVFS] = []


# ---- images ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CrashImage:
    """What the disk may hold after the power went at one point."""

    point: int
    """Operations of the log that had happened."""
    fate: str
    """Of what was not flushed: `lost`, `kept`, `torn`, or `cut` (all kept, the last one in part)."""
    acknowledged: int
    """The last value that was promised before."""
    files: dict[str, bytes]
    noted: int = 0
    """How often something beside the database had been written."""


@dataclass
class _Disk:
    """Flushed contents by file name, and the changes that only the cache has."""

    flushed: dict[str, bytearray] = field(default_factory=dict)
    pending: dict[str, list[Change]] = field(default_factory=dict)

    def happen(self, operation: Change | Sync | SyncNames) -> None:
        match operation:
            case Sync():
                for change in self.pending.pop(operation.file, []):
                    _apply(self.flushed, change)
            case SyncNames():
                for name in [name for name, changes in self.pending.items() if Delete(name) in changes]:
                    self._settle_deletion(name)
            case _:
                self.pending.setdefault(operation.file, []).append(operation)

    def _settle_deletion(self, name: str) -> None:
        changes = self.pending.pop(name)
        self.flushed.pop(name, None)
        if later := changes[len(changes) - changes[::-1].index(Delete(name)) :]:
            self.pending[name] = later  # a new file under the old name

    def after(self, survivors: dict[str, list[Change]]) -> dict[str, bytes]:
        touched = {name: bytearray(self.flushed[name]) for name in survivors if name in self.flushed}
        for change in itertools.chain.from_iterable(survivors.values()):
            _apply(touched, change)
        files = {name: bytes(content) for name, content in self.flushed.items() if name not in survivors}
        return files | {name: bytes(content) for name, content in touched.items()}


def crash_images(log: list[Operation], seed: int, start: CrashImage | None = None) -> Iterator[CrashImage]:
    """Every image at every point: unflushed changes lost, kept, torn, cut.

    `start` is the image that the recording began with, where one was opened: power fails twice.
    """
    chance = random.Random(seed)
    disk = _Disk({name: bytearray(content) for name, content in start.files.items()} if start else {})
    acknowledged = start.acknowledged if start else 0
    noted = 0
    for point, operation in enumerate(log, start=1):
        if isinstance(operation, Acknowledged):
            acknowledged = operation.value
        elif isinstance(operation, Noted):
            noted += 1
        else:
            disk.happen(operation)
        yield CrashImage(point, "lost", acknowledged, disk.after({}), noted)
        if not disk.pending:
            continue
        yield CrashImage(point, "kept", acknowledged, disk.after(disk.pending), noted)
        yield CrashImage(point, "torn", acknowledged, disk.after(_tear(disk.pending, chance)), noted)
        if isinstance(operation, Write):
            cut = disk.after(_cut(disk.pending, operation, chance))
            yield CrashImage(point, "cut", acknowledged, cut, noted)


def _apply(files: dict[str, bytearray], change: Change) -> None:
    if isinstance(change, Delete):
        files.pop(change.file, None)
        return
    content = files.setdefault(change.file, bytearray())
    if isinstance(change, Truncate):
        del content[change.size :]
        return
    if len(content) < change.offset:
        content.extend(bytes(change.offset - len(content)))
    content[change.offset : change.offset + len(change.data)] = change.data


def _sectors(write: Write) -> Iterator[Write]:
    """The write in the parts that a disk writes whole or not at all, by absolute position."""
    start = 0
    while start < len(write.data):
        stop = start + SECTOR_BYTES - (write.offset + start) % SECTOR_BYTES
        yield Write(write.file, write.offset + start, write.data[start:stop])
        start = stop


def _tear(pending: dict[str, list[Change]], chance: random.Random) -> dict[str, list[Change]]:
    # The odds are drawn for each image: half of everything would hardly ever leave a whole frame.
    odds = chance.choice((0.1, 0.5, 0.9, 0.98))

    def survivors(changes: list[Change]) -> Iterator[Change]:
        for change in changes:
            for part in _sectors(change) if isinstance(change, Write) else (change,):
                if chance.random() < odds:
                    yield part
                elif isinstance(part, Delete):
                    return  # the old file is still there, so what a new one got is not

    return {name: list(survivors(changes)) for name, changes in pending.items()}


def _cut(pending: dict[str, list[Change]], last: Write, chance: random.Random) -> dict[str, list[Change]]:
    length = chance.randrange(len(last.data) + 1)
    kept = {name: list(changes) for name, changes in pending.items()}
    kept[last.file][-1] = Write(last.file, last.offset, last.data[:length])
    return kept


def open_image(
    image: CrashImage, database: Path, key: DatabaseKey, vfs: str | None = None
) -> apsw.Connection:
    """Lay the image down where `database` names it, and open it as a till does at its next start.

    The connection of an earlier image at that place must be closed.
    """
    for leftover in database.parent.glob(f"{database.name}-*"):
        leftover.unlink()
    database.write_bytes(b"")  # open_database made its name durable before SQLite saw it
    for name, content in image.files.items():
        database.with_name(name).write_bytes(content)
    return open_database(database, key, create=True, vfs=vfs)
