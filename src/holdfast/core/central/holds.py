"""A hold: head office keeps value for one transaction until its entry comes (GC2, GC3, OA1).

Pure: facts and a request in, an answer out. Nothing here moves value.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec

from holdfast.core.bounds import PLAIN
from holdfast.core.central.accounts import (
    ACTS,
    AMOUNT_MAX,
    GIVES,
    SHARED,
    WORDS,
    Account,
    AccountId,
    Act,
    HoldKey,
    Kind,
    State,
)
from holdfast.core.ids import OriginId, TransactionId


class HoldRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a till asks. Sent again under the same key it gets the same answer, ever."""

    key: Annotated[HoldKey, msgspec.Meta(min_length=16, max_length=64, pattern=PLAIN)]
    kind: Kind
    act: Act
    transaction: Annotated[TransactionId, msgspec.Meta(min_length=1, max_length=64, pattern=PLAIN)]
    currency: Annotated[str, msgspec.Meta(max_length=3, pattern=PLAIN)] = ""
    number: Annotated[str, msgspec.Meta(max_length=32, pattern=PLAIN)] = ""
    """Of a card or a memo."""
    pin: Annotated[str, msgspec.Meta(max_length=16, pattern=PLAIN)] = ""
    account: Annotated[AccountId, msgspec.Meta(max_length=64, pattern=PLAIN)] = AccountId("")
    """The customer's number, for points and on account."""
    amount: Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)] = 0
    """How much is to be taken of a shared account; else the whole is held."""


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A hold as head office has it; it stays for good, so that its key never counts twice (P2)."""

    key: HoldKey
    kind: Kind
    account: AccountId
    origin: OriginId
    transaction: TransactionId
    act: Act
    amount: int
    since_ms: int
    ended: str = ""
    """How it ended: `settled`, a till's cause of `hold_ended`, or `taken-back`. Empty: it holds."""
    told_ms: int = 0
    """When its till asked again and was told that it holds; 0: never since `since_ms`."""


TAKEN_BACK = "taken-back"
"""A person at head office or the store, or a policy, released it without the owner's word (GC9)."""
SETTLED = "settled"


class Held(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to a request that was granted."""

    key: HoldKey
    account: AccountId
    balance: int
    available: int
    """What the transaction may take: the balance, or of a shared account what it asked for, since no more is
    kept for it."""
    since_ms: int
    number_end: str = ""


class Declined(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Why there is no hold. A business answer, known for sure: nothing is in doubt."""

    code: str
    sentence: str
    """`{holder}` and `{since}` stand where the till writes who holds it, and since when by its own clock."""
    holder: OriginId = OriginId("")
    holder_name: str = ""
    since_ms: int = 0


def reserved_by(holds: Iterable[Hold]) -> int:
    """What these keep of a shared account. One that gives, a payment say, keeps nothing of it."""
    return sum(hold.amount for hold in holds if hold.act not in GIVES)


def decide_hold(
    request: HoldRequest,
    origin: OriginId,
    account: Account | None,
    known: Hold | None,
    others: Sequence[Hold],
    now_ms: int,
) -> tuple[Hold, Held] | Declined:
    """`known`: what stands under the key. `others`: further holds of the account that have not ended."""
    if request.act not in ACTS[request.kind]:
        return Declined(code="hold.act", sentence="That cannot be done with this.")
    if known is not None:
        return _again(request, origin, account, known)
    if account is None:
        return unknown(request.kind)
    if declined := _state_declines(request, account):
        return declined
    assert all((other.kind, other.account) == (account.kind, account.account) for other in others)
    if others and request.kind not in SHARED:
        return _in_use(request.kind, others[0])
    available = account.available - reserved_by(others)
    if request.act not in GIVES and request.kind in SHARED and request.amount > available:
        return Declined(
            code="hold.limit",
            sentence="This is more than the customer's credit limit leaves. Take another tender.",
        )
    if request.act not in GIVES and available <= 0:
        return Declined(code="hold.empty", sentence=f"There is nothing left on this {WORDS[request.kind]}.")
    hold = Hold(
        key=request.key,
        kind=request.kind,
        account=account.account,
        origin=origin,
        transaction=request.transaction,
        act=request.act,
        amount=request.amount if request.kind in SHARED else 0,
        since_ms=now_ms,
    )
    return hold, _held(hold, account)


def _again(
    request: HoldRequest, origin: OriginId, account: Account | None, known: Hold
) -> tuple[Hold, Held] | Declined:
    """The same key once more: the answer was lost, or came late."""
    asked = (origin, request.kind, request.act, request.transaction)
    if (
        account is None
        or asked != (known.origin, known.kind, known.act, known.transaction)
        or (known.account != account.account)
    ):
        return Declined(code="hold.key-used", sentence="This was asked for something else. Begin it again.")
    if known.ended:
        return Declined(code="hold.ended", sentence="This was settled or given up already. Begin it again.")
    return known, _held(known, account)


def _held(hold: Hold, account: Account) -> Held:
    return Held(
        key=hold.key,
        account=account.account,
        balance=account.balance,
        available=hold.amount if hold.kind in SHARED else account.available,
        since_ms=hold.since_ms,
        number_end=account.number_end,
    )


def _state_declines(request: HoldRequest, account: Account) -> Declined | None:
    what = WORDS[request.kind]
    if account.state is State.BLOCKED:
        return Declined(
            code="account.blocked", sentence=f"Head office has blocked this {what}. Ask the manager."
        )
    if request.kind is not Kind.POINTS and account.currency != request.currency:
        return Declined(
            code="account.currency",
            sentence=f"This {what} is in {account.currency}; the transaction is in {request.currency}.",
        )
    if account.state is State.PREPARED and request.act is not Act.ISSUE:
        return Declined(code="account.unsold", sentence=f"This {what} has not been sold yet. Sell it first.")
    if account.state is State.ACTIVE and request.act is Act.ISSUE:
        return Declined(
            code="account.sold", sentence=f"This {what} was sold already. Top it up, or take another."
        )
    return None


def unknown(kind: Kind) -> Declined:
    """There is no such account; of a customer's the number is right, and nobody opened one."""
    sentence = f"Head office knows no such {WORDS[kind]}. Check the number."
    if kind is Kind.ON_ACCOUNT:
        sentence = "This customer has no account: head office set no credit limit. Take another tender."
    return Declined(code="account.unknown", sentence=sentence)


def _in_use(kind: Kind, holder: Hold) -> Declined:
    """GC2. The till puts in the register's name and the time."""
    return Declined(
        code="hold.in-use",
        sentence=f"This {WORDS[kind]} is in use at {{holder}} since {{since}}.",
        holder=holder.origin,
        since_ms=holder.since_ms,
    )
