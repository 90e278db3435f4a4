"""How far Z reports and shifts were numbered, kept outside the database as the high-water mark is.

A database that was put back from a backup would number its Z reports again, and its grand total would fall.
This file is written when a shift begins and when a day ends, after the commit: behind the database it does no
harm.
"""

from pathlib import Path

import msgspec
import structlog

from holdfast.core.cash.z_report import Counters
from holdfast.infra.keys import write_file

_BYTES_MAX = 4_096
_log = structlog.get_logger(__name__)


def read_counters(path: Path) -> Counters:
    """What it says; nothing where it is not there or cannot be read: then the database alone counts."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_BYTES_MAX), type=Counters)
    except FileNotFoundError:
        return Counters()
    except (OSError, msgspec.DecodeError) as error:
        _log.warning("counters.unreadable", path=str(path), cause=str(error))
        return Counters()


def write_counters(path: Path, counters: Counters) -> None:
    """Keep the higher of what it says and these. Best effort: what is committed stands."""
    known = read_counters(path).highest(counters)
    try:
        write_file(path, msgspec.json.encode(known))
    except OSError as error:
        _log.warning("counters.not-written", path=str(path), cause=error.strerror)
