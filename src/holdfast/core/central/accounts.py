"""Accounts: whose value it is, what may be done with it, and how far it reaches (GC1, GC6, LY4, OA1)."""

import enum
from typing import NewType

import msgspec

AccountId = NewType("AccountId", str)
"""Of a card or a memo, random and without a meaning; of points and credit, the customer's number."""
HoldKey = NewType("HoldKey", str)
"""One hold, made at the till before it is asked for. Kept for good at head office (P2)."""


class Kind(enum.StrEnum):
    """What kind of value; also the kind of its tender."""

    GIFT_CARD = "gift_card"
    CREDIT_MEMO = "credit_memo"
    POINTS = "points"
    ON_ACCOUNT = "on_account"


class Act(enum.StrEnum):
    """What an entry does with an account."""

    ISSUE = "issue"
    """The account's first value: a gift card sold, a memo given for goods."""
    TOP_UP = "top_up"
    """More on a gift card; also what comes back of a payment by it."""
    REDEEM = "redeem"
    CASH_OUT = "cash_out"
    EARN = "earn"
    """Points for a sale; of a return negative."""
    CHARGE = "charge"
    """A sale on account."""
    PAY = "pay"
    """A payment on account, or what comes back of a sale on account."""
    EXPIRE = "expire"
    """Head office's own: points that were not used in time."""
    MOVE = "move"
    """Head office's own: booked over between accounts of customers who are one."""


ACTS: dict[Kind, frozenset[Act]] = {
    Kind.GIFT_CARD: frozenset({Act.ISSUE, Act.TOP_UP, Act.REDEEM, Act.CASH_OUT}),
    Kind.CREDIT_MEMO: frozenset({Act.ISSUE, Act.REDEEM}),
    Kind.POINTS: frozenset({Act.EARN, Act.REDEEM}),
    Kind.ON_ACCOUNT: frozenset({Act.CHARGE, Act.PAY}),
}
GIVES = frozenset({Act.ISSUE, Act.TOP_UP, Act.EARN, Act.PAY})
"""They add to the account; the others take from it."""
NUMBERED = frozenset({Kind.GIFT_CARD, Kind.CREDIT_MEMO})
"""They have a number that whoever holds it may spend."""
SHARED = frozenset({Kind.ON_ACCOUNT})
"""Several buyers of one customer pay at once, each within what the others left; any other account is held
by one transaction at a time (GC2)."""

WORDS: dict[Kind, str] = {
    Kind.GIFT_CARD: "gift card",
    Kind.CREDIT_MEMO: "credit memo",
    Kind.POINTS: "points",
    Kind.ON_ACCOUNT: "customer account",
}
"""As a sentence names one."""

AMOUNT_MAX = 10**12
"""Of one movement, in minor units or points."""
BALANCE_MAX = 10**15


class State(enum.StrEnum):
    PREPARED = "prepared"
    """Its number exists, and nobody paid for it yet: a gift card on the rack."""
    ACTIVE = "active"
    BLOCKED = "blocked"
    """Head office takes it for stolen or lost."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account as head office has it. Its balance is that of its last movement, never set by itself."""

    kind: Kind
    account: AccountId
    currency: str
    """Of points: empty."""
    state: State = State.ACTIVE
    movements: int = 0
    """How many there are; they are numbered from 1 without gaps."""
    balance: int = 0
    """In the currency's minor units, or points. On account, what is owed is negative."""
    limit: int = 0
    """So far below nothing it may go: the credit limit of an on-account customer."""
    number_end: str = ""
    """The last digits, which a person may see."""

    @property
    def available(self) -> int:
        """What may be taken, holds not counted."""
        return max(0, self.balance + self.limit)
