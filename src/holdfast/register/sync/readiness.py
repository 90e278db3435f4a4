"""What decides whether this register would survive an outage now, read from its databases and files (SW11).

The sync process tells it with each heartbeat; the till's page shows the same, over connections of its own.
"""

import contextlib
import os

import apsw

from holdfast.core import readiness
from holdfast.core.connection import Mode
from holdfast.core.faults import DatabaseFault, Fault
from holdfast.core.money import CURRENCIES
from holdfast.core.operations import Permission, role_in
from holdfast.core.readiness import Facts, Readiness
from holdfast.infra.clock import Clock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey, recovery_path
from holdfast.infra.sqlite import DiskReserve, ReserveState, faults, open_database
from holdfast.register.identity import signing_key_id
from holdfast.register.sync.catalogue import Catalogue
from holdfast.register.sync.reference_file import read_reference
from holdfast.register.sync.status import LinkStatus, read_status
from holdfast.register.till import history
from holdfast.register.till.database import read_till
from holdfast.register.till.history import Owed


def read_readiness(home: RegisterHome, key: DatabaseKey, clock: Clock) -> Readiness:
    """As of now, over connections of its own. Faults as opening the databases raises them."""
    config = load_config(home.config, RegisterConfig)
    with (
        contextlib.closing(read_reference(home, key)) as reference,
        contextlib.closing(read_till(home, key, config.origin)) as till,
    ):
        return readiness.assess(facts_of(home, config, key, reference, till, clock.now_ms()))


def facts_of(
    home: RegisterHome,
    config: RegisterConfig,
    key: DatabaseKey,
    reference: apsw.Connection,
    till: apsw.Connection,
    now_ms: int,
) -> Facts:
    """What is looked at."""
    link, catalogue = read_status(reference), Catalogue(reference, config.currency)
    roles = [
        role_in(member.role, catalogue.role(member.role))
        for member in catalogue.staff_list()
        if member.pin_hash
    ]
    sellers = [role for role in roles if role.may(Permission.SELL)]
    with faults(till):
        owed = history.owed(till, link.applied)
    return Facts(
        feed_ages_ms={feed: max(0, now_ms - age.checked_ms) for feed, age in link.feeds.items()},
        sellers=len(sellers),
        approvers=sum(1 for role in sellers if Permission.APPROVE in role.permissions),
        currency_is_known=config.currency in CURRENCIES,
        disk_free_bytes=_free_bytes(home),
        has_reserve=DiskReserve(home.till).state is ReserveState.HELD,
        printer_trouble=_printer_trouble(home, config, key),
        has_signing_key=bool(signing_key_id(home)),
        has_recovery_copy=recovery_path(home.till).exists(),
        has_mark=home.mark.exists(),
        skew_ms=link.skew_ms,
        owed_age_ms=_owed_age_ms(owed, link, now_ms),
        is_blocked=link.is_blocked,
    )


def _owed_age_ms(owed: Owed, link: LinkStatus, now_ms: int) -> int | None:
    """Only while head office answers: in an outage it says nothing of the register."""
    if owed.oldest_at_ms is None or link.mode is Mode.OFFLINE:
        return None
    return max(0, now_ms - owed.oldest_at_ms)


def _free_bytes(home: RegisterHome) -> int:
    try:
        disk = os.statvfs(home.data)
    except OSError as error:
        raise DatabaseFault(
            f"The folder {home.data} cannot be read ({error.strerror}). Check the disk."
        ) from error
    return disk.f_bavail * disk.f_frsize


def _printer_trouble(home: RegisterHome, config: RegisterConfig, key: DatabaseKey) -> str | None:
    """What keeps it from printing, as the process that prints heard it last; None: there is no printer."""
    if not config.printer:
        return None
    try:
        receipts = open_database(home.receipts, key, read_only=True)
        with contextlib.closing(receipts), faults(receipts):
            rows = receipts.execute("select cause from printer").fetchall()
    except Fault as fault:
        return fault.sentence
    return str(rows[0][0]) if rows else ""
