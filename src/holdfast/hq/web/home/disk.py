"""The disk of the embedded database, before it is full."""

import shutil

import msgspec

from holdfast.hq.service import HeadOffice

LOW_BYTES = 1 << 30
LOW_PERCENT = 3


class Disk(msgspec.Struct, frozen=True):
    """What is left of it."""

    free_bytes: int
    total_bytes: int
    folder: str


def low_disk(head_office: HeadOffice) -> Disk | None:
    """The database's disk where little is left of it; None: there is room, or the database is yours."""
    if head_office.config.dsn:
        return None
    folder = head_office.home.postgres
    try:
        disk = shutil.disk_usage(folder)
    except OSError:  # the page says what else is wrong
        return None
    if disk.free >= LOW_BYTES and disk.free * 100 >= disk.total * LOW_PERCENT:
        return None
    return Disk(disk.free, disk.total, str(folder))
