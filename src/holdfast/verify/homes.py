"""Verifying whatever lives in a folder: a register or a head office, found out by its settings."""

from pathlib import Path

import msgspec

from holdfast.core.faults import ConfigurationFault, DamagedFault, KeyFault
from holdfast.hq.service import HeadOffice
from holdfast.hq.verify import verify_head_office
from holdfast.infra.config import HeadOfficeHome, RegisterHome
from holdfast.infra.keys import verify
from holdfast.infra.postgres.progress import Progress, silent
from holdfast.register.verify import Difference, verify_register
from holdfast.verify.signatures import differing_signatures


class Finding(msgspec.Struct, frozen=True):
    """One difference."""

    code: str
    sentence: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at in one home, and what differs."""

    home: str
    looked_at: str
    """In words, for a person."""
    findings: tuple[Finding, ...]


def verify_home(folder: Path, progress: Progress = silent) -> Report:
    """The report on a home. ConfigurationFault where it is none; faults of its databases as they say."""
    register, head_office = RegisterHome(folder), HeadOfficeHome(folder)
    if register.config.exists():
        return _verify_register(register)
    if head_office.config.exists():
        return _verify_head_office(head_office, progress)
    raise ConfigurationFault(
        f"{folder} is neither a register nor a head office: it holds no {register.config.name} and no "
        f"{head_office.config.name}."
    )


def _verify_register(home: RegisterHome) -> Report:
    found = verify_register(home)
    signatures = _signatures(home)
    purged = f", {found.purged} of them purged to their hash" if found.purged else ""
    return Report(
        home=str(home.path),
        looked_at=(
            f"register {found.origin}: {found.epochs} epochs, {found.entries} entries{purged}, "
            f"{found.documents} documents"
        ),
        findings=tuple(Finding(one.code, one.sentence) for one in (*found.differences, *signatures)),
    )


def _signatures(home: RegisterHome) -> tuple[Difference, ...]:
    """What was found before is not to be lost for a fault of what is looked at here."""
    try:
        return differing_signatures(home)
    except DamagedFault as fault:
        if fault.path != str(home.reference):
            return (Difference(fault.code, f"No signature was checked: {fault.sentence}"),)
        return (
            Difference(
                "file",
                f"{home.reference} is damaged, and no signature was checked. Start the register: it sets the "
                "file aside, and head office sends anew what was in it. Then check the disk.",
            ),
        )
    except KeyFault as fault:
        return (Difference(fault.code, f"No signature was checked: {fault.sentence}"),)


def _verify_head_office(home: HeadOfficeHome, progress: Progress) -> Report:
    with HeadOffice.open(home, progress=progress) as office:
        found = verify_head_office(office.services_pool, verify, progress)
    waiting = f", {found.waiting} of them in quarantine" if found.waiting else ""
    return Report(
        home=str(home.path),
        looked_at=(
            f"head office: {found.chains} chains, {found.entries} entries{waiting}, {found.documents} "
            f"documents, {found.signatures} signatures"
        ),
        findings=tuple(Finding(one.code, one.sentence) for one in found.differences),
    )
