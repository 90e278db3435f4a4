"""How far this register's open journal was handed to the wire: nobody else can know of what is above (GC6).

A receipt tells what head office has; that an entry never arrived no receipt can tell. Its acknowledgement may
be lost, head office restored, the file of receipts begun anew. So the sender notes how far it goes before the
first byte leaves, in a file of its own beside the mark, which needs no room on a full disk. It only rises.

One file, since only the open epoch counts: what was written in a former one may have left from another disk.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from holdfast.core.ids import EpochId
from holdfast.core.journal.chain import SignedHead
from holdfast.infra.mark import HighWaterMark, Mark, read_mark

_log = structlog.get_logger(__name__)


class Handed:
    """The sender's. One process has it at a time."""

    def __init__(self, path: Path) -> None:
        """DatabaseFault where the folder cannot hold it."""
        self._path = path
        self._file = HighWaterMark(path)

    def begin(self, heads: Sequence[SignedHead]) -> None:
        """Before the first batch: where nothing is noted, all that is written by now may have left."""
        if heads and self._file.read() is None:
            self._note(heads[-1])

    def raise_to(self, head: SignedHead, epochs: Callable[[], Sequence[EpochId]]) -> None:
        """Entries up to `head` are about to leave. `epochs`: the journal's, in order."""
        noted = self._file.read()
        if noted is not None and noted.epoch == head.epoch:
            if head.seq > noted.seq:
                self._note(head)
        elif head.epoch == epochs()[-1]:
            self._note(head)

    def close(self) -> None:
        self._file.close()

    def _note(self, head: SignedHead) -> None:
        """Where a disk takes no note sales must leave all the same: without the file nothing is believed."""
        mark = Mark(head.epoch, head.seq, head.hash, 0, "")
        if self._file.write(mark) and self._file.sync():
            return
        _log.error("handed.lost", path=str(self._path))
        self._path.unlink(missing_ok=True)


def handed_seq(path: Path, epoch: EpochId) -> int | None:
    """Up to where entries of the open epoch may have left this register; None: nobody knows."""
    noted = read_mark(path)
    if noted is None:
        return None
    return noted.seq if noted.epoch == epoch else 0
