"""What a backup says of itself, and whether its files still agree.

A backup is a folder: `manifest.json`, `database/` (as `pg_dump --format=directory` writes it) and
`SHA256SUMS` over all of them, which `sha256sum -c SHA256SUMS` checks without Holdfast.
"""

import hashlib
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from holdfast.core.faults import DatabaseFault, NewerVersionFault
from holdfast.infra.postgres.places import sync_folder
from holdfast.infra.postgres.snapshot import Finding

FORMAT = "holdfast-backup"
VERSION = 1
DUMP = "database"
_MANIFEST = "manifest.json"
_SUMS = "SHA256SUMS"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One backup. `cursors` and `checks` were read in the very snapshot that was dumped."""

    format: str
    version: int
    at: datetime
    server_version: str
    database: str
    labels: dict[str, str]
    """Whose backup it is, in the caller's words (chain, incarnation); a restore can insist on them."""
    counts: dict[str, int]
    """Rows of each table."""
    cursors: Finding
    checks: dict[str, Finding]


def seal(folder: Path, manifest: Manifest) -> str:
    """Write manifest and sums into a backup's folder and flush everything; the manifest's SHA-256."""
    (folder / _MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    sums = _hash_all(folder)
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    (folder / _SUMS).write_text(lines, encoding="utf-8")
    _sync_all(folder)
    return sums[_MANIFEST]


def read_sealed(
    folder: Path, expect_labels: Mapping[str, str], expect_manifest_sha256: str | None = None
) -> Manifest:
    """The manifest of a backup whose every file is what it was; DatabaseFault says what is wrong with it."""
    sums = _read_sums(folder)
    if expect_manifest_sha256 is not None and sums.get(_MANIFEST) != expect_manifest_sha256:
        raise DatabaseFault(
            f"The backup in {folder} is not the one with the manifest {expect_manifest_sha256}."
        )
    _compare(folder, sums)
    try:
        manifest = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
    except msgspec.DecodeError as refusal:
        raise DatabaseFault(
            f"{folder / _MANIFEST} is no manifest of a Holdfast backup: {refusal}."
        ) from refusal
    if manifest.format != FORMAT:
        raise DatabaseFault(f"{folder} holds a backup of the kind {manifest.format!r}, not of Holdfast.")
    if manifest.version > VERSION:
        raise NewerVersionFault(
            f"The backup in {folder} has format {manifest.version}, and this Holdfast reads up to {VERSION}. "
            "Restore it with the release that wrote it, or a newer one."
        )
    for label, expected in expect_labels.items():
        found = manifest.labels.get(label)
        if found != expected:
            raise DatabaseFault(
                f"The backup in {folder} has {label} {found!r}, and {expected!r} is expected here."
            )
    return manifest


def _read_sums(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / _SUMS).read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        raise DatabaseFault(
            f"{folder} holds no finished Holdfast backup: the file {_SUMS} is not there. Choose another "
            "backup."
        ) from None
    except UnicodeDecodeError as refusal:
        raise DatabaseFault(f"{folder / _SUMS} is damaged: {refusal}. Choose another backup.") from refusal
    pairs = (line.split("  ", 1) for line in lines)
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}


def _compare(folder: Path, sums: Mapping[str, str]) -> None:
    actual = _hash_all(folder)
    for name in sorted(actual.keys() | sums.keys()):
        if name not in actual:
            raise DatabaseFault(f"The backup in {folder} lacks the file {name}. Choose another backup.")
        if name not in sums:
            raise DatabaseFault(f"The backup in {folder} has a file that does not belong to it: {name}.")
        if actual[name] != sums[name]:
            raise DatabaseFault(
                f"The file {name} of the backup in {folder} was changed. Choose another backup."
            )


def _hash_all(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if not path.is_dir() and path.name != _SUMS)
    return {str(path.relative_to(folder)): _sha256(path) for path in files}


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_all(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)
