"""How a register stands, read from outside its process: for `holdfast register status` and scripts."""

import contextlib

import msgspec

from holdfast.core.connection import Mode
from holdfast.core.faults import DatabaseFault
from holdfast.infra.clock import SystemClock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.register.sync.reference_file import read_reference
from holdfast.register.sync.status import UNKNOWN, LinkStatus, read_status
from holdfast.register.till import history
from holdfast.register.till.database import QUERIES, read_till
from holdfast.register.till.history import Owed
from holdfast.register.till.work_mode import read_work_mode
from holdfast.register.web.formats import Formats
from holdfast.register.web.start import reach_text
from holdfast.register.web.status import Status, status_of


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a person or a script wants to know of a register."""

    register: str
    store: str
    origin: str
    business_date: str | None
    day_open: bool
    mode: str
    since_ms: int
    cause: str
    where: str
    """Which layer is broken, as `core.reach` names it; empty: none, or nobody looked yet."""
    blocked: str
    owed_count: int
    owed_minor: int
    owed_oldest_ms: int | None
    owed_dates: tuple[str, ...]
    sentences: tuple[str, ...]
    """The same for a person."""

    def as_json(self) -> str:
        return msgspec.json.encode(self).decode()

    def as_text(self) -> str:
        return "\n".join(self.sentences)


def read_standing(home: RegisterHome) -> Standing:
    """The register in `home` as its databases say. Faults as opening them raises."""
    config = load_config(home.config, RegisterConfig)
    key = DatabaseKey.load(home.database_key)
    with contextlib.closing(read_till(home, key, config.origin)) as till:
        link = _link(home, key)
        owed = history.owed(till, link.applied)
        work = read_work_mode(till)
        business_date, is_open, *_ = QUERIES.day(till) or (None, 0)
    clock = SystemClock(config.timezone)
    fmt = Formats(config.currency, config.timezone)
    status = status_of(link, owed, fmt, clock.now_ms(), sync_lost_ms=None, work=work)
    return Standing(
        register=config.register,
        store=config.store,
        origin=config.origin,
        business_date=business_date,
        day_open=bool(is_open),
        mode=status.mode,
        since_ms=link.since_ms,
        cause=link.cause,
        where=link.reach.where.value if link.reach else "",
        blocked=link.blocked_detail,
        owed_count=owed.count,
        owed_minor=owed.value_minor,
        owed_oldest_ms=owed.oldest_at_ms,
        owed_dates=owed.dates,
        sentences=tuple(_sentences(config, link, owed, status, business_date if is_open else None)),
    )


def _link(home: RegisterHome, key: DatabaseKey) -> LinkStatus:
    """Read, never made or mended: that is for the processes whose file it is."""
    try:
        with contextlib.closing(read_reference(home, key)) as reference:
            return read_status(reference)
    except DatabaseFault as fault:
        return msgspec.structs.replace(
            UNKNOWN, cause=f"what is known of the line cannot be read: {fault.sentence}"
        )


def _sentences(
    config: RegisterConfig, link: LinkStatus, owed: Owed, status: Status, business_date: str | None
) -> list[str]:
    is_told = link.mode is Mode.ONLINE or status.by_hand  # why somebody works offline stands there already
    cause = "" if is_told or not link.cause else f" ({link.cause.rstrip('.')})"
    day = f"Business day {business_date} is open." if business_date else "No business day is open."
    lines = [
        f"Register {config.register} of store {config.store}. {day}",
        f"{status.mode_text}{cause}. {status.owed_text}.",
    ]
    if link.reach is not None:
        lines.append(reach_text(link.reach, link))
    if owed.dates:
        lines.append(f"Owed business dates: {', '.join(owed.dates)}.")
    if status.problem:
        lines.append(status.problem)
    return lines
