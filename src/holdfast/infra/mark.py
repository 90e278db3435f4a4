"""The high-water mark: how far this register's journal has come, kept outside its database.

A database that was restored from a backup, or swapped for a clone, looks perfectly healthy from
inside. The mark lies in another folder, so the two disagree, and the register opens a new epoch
instead of printing numbers a second time (P4).

It is written after each commit and *without* fsync: the bytes are in the operating system's
cache, so `kill -9` cannot lose them, and the sale does not wait for a second flush. A power cut
may lose the last marks, which is harmless, because only one direction means harm:

- The mark **behind** the database is always safe. The database was committed first, with fsync;
  the mark merely did not hear of the last entries. (The register still compares the hash at the
  mark's seq: another hash there is another branch.)
- The mark **ahead** of the database means that the database lost entries that were acknowledged.
  The order commit, then mark, makes this impossible without a restore, a clone or a lost disk.
"""

import os
import struct
import zlib
from pathlib import Path
from types import TracebackType

import msgspec
import structlog

from holdfast.core.faults import DatabaseFault
from holdfast.core.ids import EpochId
from holdfast.infra.keys import sync_directory

_log = structlog.get_logger()

_MAGIC = b"HFMK\x01\x00\x00\x00"
_SLOT = struct.Struct(">8sQ26s2xQ32sQ10s2x")
_CRC = struct.Struct(">I")
_RECORD_BYTES = _SLOT.size + _CRC.size
SLOT_SPACING_BYTES = 4096
"""Each slot has a page, and so a device block, of its own: tearing one cannot touch the other."""
FILE_BYTES = 2 * SLOT_SPACING_BYTES
# Within one 512-byte sector, which disks write whole or not at all.
assert _RECORD_BYTES <= 512


class Mark(msgspec.Struct, frozen=True):
    """The last entry that this register is known to have committed."""

    epoch: EpochId
    seq: int
    hash: bytes
    """The chain's hash at `seq`, 32 bytes."""
    segment_number: int
    """Last document number used in the epoch's segment of the series; 0 before the first."""
    business_date: str
    """ISO date of the latest business date, or empty before the first one was opened."""


class HighWaterMark:
    """Two slots in one preallocated file, written in turn; the newest valid one counts.

    One writer: the process that holds the register's home (`config.exclusive`).
    """

    def __init__(self, path: Path) -> None:
        """Open, or create durably, the file. DatabaseFault where the folder cannot hold it."""
        self.path = path
        try:
            self._file = _open(path)
        except OSError as error:
            raise DatabaseFault(
                f"The high-water mark {path} cannot be opened ({error.strerror}). "
                "Its folder must exist and belong to the user who runs Holdfast."
            ) from error
        self._generation, self._last = _newest(self._file)

    def read(self) -> Mark | None:
        """The newest mark; None when there never was one or both slots are unreadable.

        A caller with entries in its database takes None as a disagreement: the file was lost.
        """
        return _newest(self._file)[1]

    def write(self, mark: Mark) -> bool:
        """Note a committed entry; a few microseconds, no flush.

        Call it after COMMIT returned, never before. False when the disk refused: the sale stands
        (it is committed, and a lagging mark is safe), so this must not fail it.
        """
        last = self._last
        assert last is None or last.epoch != mark.epoch or mark.seq >= last.seq, "a mark never goes back"
        generation = self._generation + 1
        record = _encode(mark, generation)
        try:
            written = os.pwrite(self._file, record, (generation % 2) * SLOT_SPACING_BYTES)
        except OSError as error:
            _log.warning("mark.write-failed", path=str(self.path), cause=error.strerror)
            return False
        if written != len(record):
            _log.warning("mark.write-failed", path=str(self.path), cause="short write")
            return False
        self._generation, self._last = generation, mark
        return True

    def sync(self) -> bool:
        """Flush at an orderly moment (end of shift, stop), so that a later power cut loses nothing."""
        try:
            os.fdatasync(self._file)
        except OSError as error:
            _log.warning("mark.sync-failed", path=str(self.path), cause=error.strerror)
            return False
        return True

    def settle(self) -> None:
        """Flush the file and its name: the first mark, before anything is sold on the strength of it.

        Without it a power cut in the first seconds looks like a database that woke up elsewhere.
        DatabaseFault when the disk refuses.
        """
        try:
            os.fsync(self._file)
            sync_directory(self.path.parent)
        except OSError as error:
            raise DatabaseFault(
                f"The high-water mark {self.path} cannot be stored ({error.strerror}). Check the disk, then "
                "start again."
            ) from error

    def close(self) -> None:
        """Flush and close."""
        self.sync()
        os.close(self._file)

    def __enter__(self) -> "HighWaterMark":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_mark(path: Path) -> Mark | None:
    """For another process than the one that writes it: the newest mark; None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return _newest(descriptor)[1]
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.fstat(descriptor).st_size < FILE_BYTES:
        # Real bytes now, so that a full disk cannot refuse a mark later, and a durable name, so
        # that only a person can make the file vanish.
        os.posix_fallocate(descriptor, 0, FILE_BYTES)
        os.fsync(descriptor)
        sync_directory(path.parent)
    return descriptor


def _encode(mark: Mark, generation: int) -> bytes:
    epoch, date = mark.epoch.encode("ascii"), mark.business_date.encode("ascii")
    assert len(epoch) == 26, "an epoch id has 26 characters"
    assert len(mark.hash) == 32, "a chain's hash has 32 bytes"
    assert len(date) in (0, 10), "a business date is an ISO date"
    record = _SLOT.pack(_MAGIC, generation, epoch, mark.seq, mark.hash, mark.segment_number, date)
    return record + _CRC.pack(zlib.crc32(record))


def _decode(record: bytes) -> tuple[int, Mark] | None:
    if len(record) != _RECORD_BYTES or not record.startswith(_MAGIC):
        return None
    if _CRC.unpack(record[_SLOT.size :])[0] != zlib.crc32(record[: _SLOT.size]):
        return None
    _, generation, epoch, seq, hash_, number, date = _SLOT.unpack(record[: _SLOT.size])
    mark = Mark(EpochId(epoch.decode("ascii")), seq, hash_, number, date.rstrip(b"\0").decode("ascii"))
    return generation, mark


def _newest(descriptor: int) -> tuple[int, Mark | None]:
    found: tuple[int, Mark | None] = (0, None)
    for slot in (0, 1):
        decoded = _decode(os.pread(descriptor, _RECORD_BYTES, slot * SLOT_SPACING_BYTES))
        if decoded is not None and decoded[0] > found[0]:
            found = decoded
    return found
