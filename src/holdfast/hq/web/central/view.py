"""How central value is written on pages."""

from holdfast.core.central.accounts import WORDS, Kind
from holdfast.hq.web.templating import count, money

KINDS = {kind.value: WORDS[kind].capitalize() for kind in Kind}
STATES = {"prepared": "Not sold yet", "active": "Active", "blocked": "Blocked"}
ACTS = {
    "issue": "Issued",
    "top_up": "Topped up",
    "redeem": "Redeemed",
    "cash_out": "Paid out in cash",
    "earn": "Earned",
    "charge": "Charged",
    "pay": "Paid",
    "expire": "Expired",
    "move": "Booked over",
}
PURPOSES = {
    "issue": "to be issued",
    "top_up": "to be topped up",
    "redeem": "to pay by it",
    "cash_out": "to be paid out",
    "earn": "to earn",
    "charge": "to be charged",
    "pay": "to be paid",
}
ENDS = {
    "settled": "settled by the sale",
    "voided": "given up: the transaction was voided",
    "removed": "taken off the transaction",
    "refused": "refused",
    "left": "left by the cashier",
    "taken-back": "released",
}
DONE = {
    "cards-made": "Cards made",
    "cards-loaded": "Cards loaded",
    "blocked": "Blocked",
    "unblocked": "Unblocked",
    "batch-blocked": "Unsold cards blocked",
    "lock-released": "Lock released",
    "grants-opened": "Holds granted again",
    "limit-set": "Limit set",
    "merged": "Booked over",
    "points-expired": "Points expired",
}


def amount(value: int, kind: str, currency: str) -> str:
    """Money, or points."""
    return f"{count(value).replace('-', '−')} points" if kind == Kind.POINTS else money(value, currency)


def name_of(kind: str, number_end: str, account: str) -> str:
    """`Gift card …4567`, `Points of C-1001`."""
    return f"{KINDS[kind]} …{number_end}" if number_end else f"{KINDS[kind]} of {account}"


def words() -> dict[str, object]:
    """What templates write with."""
    return {
        "kinds": KINDS,
        "states": STATES,
        "act_words": ACTS,
        "purposes": PURPOSES,
        "ends": ENDS,
        "done_words": DONE,
        "amount": amount,
        "name_of": name_of,
    }


def clean(given: object, chars_max: int = 200) -> str:
    """What was typed, without what no database holds."""
    return str(given or "").replace("\x00", "").strip()[:chars_max]
