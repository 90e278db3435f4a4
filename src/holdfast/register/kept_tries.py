"""Wrong PINs on disk: a till that is started again goes on counting (PO6).

A file of its own, replaced as a whole before the answer is given; no sale writes it. Of a wait it keeps what
is left: that begins anew at a start, whatever the clock says.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from holdfast.core.tries import NONE, Tries, wait_ms
from holdfast.infra.keys import write_file

BYTES_MAX = 1 << 20
_log = structlog.get_logger(__name__)


class AllTries(msgspec.Struct, frozen=True):
    """Wrong tries of the whole till, and by staff number, the longest unused first."""

    till: Tries = NONE
    numbers: dict[str, Tries] = {}


class KeptTries:
    """One register's file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, now_ms: int) -> AllTries:
        """As they were kept, their waits from now on. A file that cannot be read counts for nothing: it must
        not shut everybody out."""
        try:
            with self._path.open("rb") as file:
                kept = msgspec.json.decode(file.read(BYTES_MAX), type=AllTries)
        except FileNotFoundError:
            return AllTries()
        except (OSError, msgspec.DecodeError) as fault:
            _log.warning("wrong PINs are counted anew", fault=str(fault))
            return AllTries()
        return _moved(kept, lambda tries: Tries(tries.wrong, now_ms + tries.free_at_ms))

    def save(self, tries: AllTries, now_ms: int) -> None:
        """On the disk on return; where it is full, they are counted in memory."""
        left = _moved(tries, lambda each: Tries(each.wrong, wait_ms(each, now_ms)))
        try:
            write_file(self._path, msgspec.json.encode(left))
        except OSError as fault:
            _log.warning("wrong PINs are not kept", fault=str(fault))


def _moved(tries: AllTries, move: Callable[[Tries], Tries]) -> AllTries:
    return AllTries(move(tries.till), {number: move(each) for number, each in tries.numbers.items()})
