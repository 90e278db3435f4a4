"""Where an embedded server keeps its data, and the notes and logs beside it.

Everything stands *beside* the data folder, with its name as the beginning, because PostgreSQL owns what is
inside and because a restore replaces the folder as a whole.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.faults import ConfigurationFault


@dataclass(frozen=True)
class Places:
    """The folder of one embedded server, and the names beside it."""

    data_dir: Path

    @classmethod
    def of(cls, data_dir: str | os.PathLike[str]) -> "Places":
        """From any spelling of the folder's path; a mount point is refused, for it cannot be renamed."""
        path = Path(os.path.realpath(data_dir))
        if path.is_mount():
            raise ConfigurationFault(
                f"{path} is a mount point. Give a folder inside it as the database folder, for example "
                f"{path / 'postgres'}: a restore replaces that folder whole, and notes are kept beside it."
            )
        return cls(path)

    def beside(self, suffix: str) -> Path:
        """A name beside the data folder."""
        return self.data_dir.with_name(self.data_dir.name + suffix)

    @property
    def major_file(self) -> Path:
        """The pinned major version of PostgreSQL, as a plain number."""
        return self.beside(".major")

    @property
    def lock_file(self) -> Path:
        """Locked while a launcher runs; holds its process id."""
        return self.beside(".lock")

    @property
    def users_file(self) -> Path:
        """Locked for sharing by each process that uses a server which another one started."""
        return self.beside(".users")

    @property
    def socket_file(self) -> Path:
        """The path of the folder with the server's socket."""
        return self.beside(".socket")

    @property
    def log_dir(self) -> Path:
        """The server's own logs, one file a weekday."""
        return self.beside(".log")

    @property
    def staging(self) -> Path:
        """A data folder that is being made; worthless after a crash."""
        return self.beside(".new")

    @property
    def restored(self) -> Path:
        """A data folder restored whole and verified, about to take its place."""
        return self.beside(".restored")


def write_note(path: Path, text: str) -> None:
    """Replace a small file so that after a power cut it holds the old text or the new, never neither."""
    fresh = path.with_name(path.name + ".tmp")
    with open(fresh, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def read_note(path: Path) -> str | None:
    """The text of a small file without blanks around it, or None where there is none."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8").strip()
    return None


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
