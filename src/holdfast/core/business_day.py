"""The business day of a register: which date it is, and when it may begin and end (PO5).

A sale counts to the business date, not to the clock's. It never goes back in a register, so
a wrong clock must not push it ahead unseen. Three witnesses speak for a date: the register's clock, head
office's time at the last contact, and the last business date. Where no two of them agree on it, or it is
far from what was offered, a manager decides.

One way leads back, for a date in the future that was opened by mistake: where the clock and head office agree
that it has not come yet, a manager may open the day on theirs, and the journal says so.
"""

import datetime

import msgspec

from holdfast.core.cash.shift import NO_SHIFT, ShiftClosed, ShiftOpened
from holdfast.core.ids import DocumentNumber, StaffId
from holdfast.core.refusals import Refusal
from holdfast.core.totals import DayTotals

DAYS_FROM_OFFERED_MAX = 1
"""A chosen date further from the offered one needs a manager; a clock further off does not speak for it."""
DAYS_PAST_EVIDENCE_MAX = 7
"""What was true at the last business day or contact speaks for the days after it: a shop may be shut for a
week, and longer than that a clock that is ahead is likelier to be wrong."""
WITNESSES_MIN = 2

NOBODY = StaffId("")
_DAY_MS = 86_400_000
_UNIX_ORDINAL = datetime.date(1970, 1, 1).toordinal()


class DayState(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where a register stands; a fold over the entries that open and close its days and shifts."""

    business_date: str | None = None
    """ISO date of the day that is open, or else of the last one; None before the first."""
    open: bool = False
    shift: int = 0
    """Number of the shift that is open; 0: none is."""
    has_shifts: bool = False
    """Whether the open day had one: then nothing is sold without one until it is closed."""


class DayOpened(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `day_opened`, version 1."""

    business_date: str
    offered_date: str
    """What the register proposed; a difference was somebody's choice."""
    clock_ms: int
    head_office_ms: int | None = None
    """Head office's time at the last contact; None before the first."""
    by: StaffId = StaffId("")
    approved_by: StaffId = StaffId("")
    instead_of: str = ""
    """The last business date where that was a mistake in the future, and this day goes back from it."""


class DayClosed(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Body of `day_closed`, version 1: the day's Z totals."""

    business_date: str
    totals: DayTotals
    currency: str = ""
    first_document: DocumentNumber | None = None
    """None where nothing was sold."""
    last_document: DocumentNumber | None = None
    by: StaffId = StaffId("")


class DayOffer(msgspec.Struct, frozen=True):
    """What speaks for a date when a day is opened. Times are UTC milliseconds."""

    clock_ms: int
    head_office_ms: int | None
    offset_min: int
    """Minutes east of UTC at the store."""


def date_of(at_ms: int, offset_min: int) -> str:
    """The calendar's date at the store; a time outside the years 1 to 9999 gives the nearest date."""
    ordinal = _UNIX_ORDINAL + (at_ms + offset_min * 60_000) // _DAY_MS
    first, last = datetime.date.min.toordinal(), datetime.date.max.toordinal()
    return datetime.date.fromordinal(min(max(ordinal, first), last)).isoformat()


def offered_date(state: DayState, offer: DayOffer) -> str:
    """The later of the clock's date and head office's last, and not before the last business date, unless
    that one lies in the future by both."""
    now = max(_clock_dates(offer))
    if state.business_date is None or may_go_back(state, offer, now):
        return now
    return max(now, state.business_date)


def needs_manager(state: DayState, offer: DayOffer, business_date: str) -> bool:
    """Whether opening this date is for a manager to approve."""
    return (
        abs(_days_between(offered_date(state, offer), business_date)) > DAYS_FROM_OFFERED_MAX
        or _witnesses(state, offer, business_date) < WITNESSES_MIN
        or _goes_back(state, business_date)
    )


def may_go_back(state: DayState, offer: DayOffer, business_date: str) -> bool:
    """Whether the last business date was a mistake, by the clock and by head office, and this date is not."""
    if state.business_date is None or offer.head_office_ms is None:
        return False
    return (
        _days_between(max(_clock_dates(offer)), state.business_date) > DAYS_FROM_OFFERED_MAX
        and _clock_agrees(offer, business_date)
        and _was_lately(date_of(offer.head_office_ms, offer.offset_min), business_date)
    )


def _clock_dates(offer: DayOffer) -> list[str]:
    """What the clock and head office say, as far as they say something."""
    times = (offer.clock_ms, offer.head_office_ms)
    return [date_of(at_ms, offer.offset_min) for at_ms in times if at_ms is not None]


def _witnesses(state: DayState, offer: DayOffer, business_date: str) -> int:
    """How many of the three speak for a date."""
    dates = (state.business_date, *_clock_dates(offer)[1:])
    lately = [_was_lately(date, business_date) for date in dates if date is not None]
    return sum(lately) + _clock_agrees(offer, business_date)


def _clock_agrees(offer: DayOffer, business_date: str) -> bool:
    clock = date_of(offer.clock_ms, offer.offset_min)
    return abs(_days_between(clock, business_date)) <= DAYS_FROM_OFFERED_MAX


def _was_lately(date: str, business_date: str) -> bool:
    """Whether it can be `business_date` now, where it was `date` some time ago."""
    return -DAYS_FROM_OFFERED_MAX <= _days_between(date, business_date) <= DAYS_PAST_EVIDENCE_MAX


def _goes_back(state: DayState, business_date: str) -> bool:
    return state.business_date is not None and business_date < state.business_date


def open_day(
    state: DayState,
    offer: DayOffer,
    business_date: str | None = None,
    *,
    by: StaffId,
    approved_by: StaffId = NOBODY,
) -> DayOpened | Refusal:
    """Begin a business day on the chosen date, or on the offered one. The same date may open again."""
    if state.open:
        return Refusal("day.open", f"The business day {state.business_date} is open already. Close it first.")
    offered = offered_date(state, offer)
    chosen = offered if business_date is None else business_date
    if not is_date(chosen):
        return Refusal("day.no-date", f"{chosen[:40]!r} is not a date. Write it as in 2025-12-31.")
    goes_back = _goes_back(state, chosen)
    if goes_back and not may_go_back(state, offer, chosen):
        return Refusal(
            "day.goes-back", f"A business date never goes back; the last one was {state.business_date}."
        )
    if needs_manager(state, offer, chosen) and not approved_by:
        return Refusal("day.needs-manager", _why(state, offer, chosen))
    return DayOpened(
        business_date=chosen,
        offered_date=offered,
        clock_ms=offer.clock_ms,
        head_office_ms=offer.head_office_ms,
        by=by,
        approved_by=approved_by,
        instead_of=(state.business_date or "") if goes_back else "",
    )


def _why(state: DayState, offer: DayOffer, chosen: str) -> str:
    """What a manager should know before saying yes."""
    clock, *head_office = _clock_dates(offer)
    told = f"head office said {head_office[0]}" if head_office else "head office was not heard yet"
    last = (
        f"the last business day was {state.business_date}" if state.business_date else "there was no day yet"
    )
    return (
        f"Is {chosen} right? This register's clock says {clock}, at the last contact {told}, and {last}. "
        "Check the date, then ask a manager to approve it."
    )


def close_day(
    state: DayState,
    totals: DayTotals,
    *,
    currency: str,
    by: StaffId,
    first_document: DocumentNumber | None = None,
    last_document: DocumentNumber | None = None,
) -> DayClosed | Refusal:
    """End the open business day with its totals."""
    assert (first_document is None) == (last_document is None), "a range has two ends"
    business_date = day_required(state)
    if isinstance(business_date, Refusal):
        return business_date
    return DayClosed(
        business_date=business_date,
        totals=totals,
        currency=currency,
        first_document=first_document,
        last_document=last_document,
        by=by,
    )


def day_required(state: DayState) -> str | Refusal:
    """The open business date; nothing is sold without one."""
    if state.open and state.business_date is not None:
        return state.business_date
    return Refusal("day.not-open", "No business day is open. Open the day first.")


def trading_date(state: DayState) -> str | Refusal:
    """The open business date, where something may be sold now: a day with shifts needs one that is open."""
    if state.open and state.has_shifts and not state.shift:
        return NO_SHIFT
    return day_required(state)


def after(state: DayState, body: msgspec.Struct) -> DayState:
    """The state after an entry's body; bodies that are not of days change nothing."""
    if isinstance(body, DayOpened):
        return DayState(business_date=body.business_date, open=True)
    if isinstance(body, DayClosed):
        return DayState(business_date=body.business_date, open=False)
    if isinstance(body, ShiftOpened):
        return msgspec.structs.replace(state, shift=body.shift, has_shifts=True)
    if isinstance(body, ShiftClosed):
        return msgspec.structs.replace(state, shift=0)
    return state


def is_date(text: str) -> bool:
    """Whether `text` is a date as the journal writes it: ISO 8601, year-month-day."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _days_between(earlier: str, later: str) -> int:
    return (datetime.date.fromisoformat(later) - datetime.date.fromisoformat(earlier)).days
