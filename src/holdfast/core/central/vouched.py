"""A credit memo that this till issued, and that nobody else can know of yet: it vouches for it alone (GC6).

    issued, its entry not handed to the wire ──► held here without asking anybody
                                │ handed
                                ▼
                   head office alone tells what is left

Once a byte of the issue may have left, another till may have taken it: what this till knows counts no more.
"""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from holdfast.core.central.accounts import GIVES, AccountId, Act, HoldKey, Kind
from holdfast.core.central.at_till import Holds, Stage, TillHold
from holdfast.core.central.entries import ValueMovement
from holdfast.core.refusals import Refusal

Read = Callable[[int, str], Iterable[tuple[int, ValueMovement]]]
"""(first seq, text) → what documents of the open epoch moved from there on, each with its entry's seq; of
those at least that hold the text, a number or an account."""


class OwnMemo(NamedTuple):
    """A credit memo that this till issued lately."""

    account: AccountId
    left_minor: int
    is_handed: bool = False
    """Its entry may have left this register: somebody else can have it, and what is left is not known."""


def own_memo(read: Read, number: str, applied: int, handed: int | None) -> OwnMemo | None:
    """By its number, among what head office has not applied of the open epoch; None: it is none of these.

    `handed`: up to where entries may have left this register; None: nobody knows, so any may have.
    """
    for at, movement in read(applied + 1, number):
        if movement.number == number and (handed is None or at <= handed):
            return OwnMemo(movement.account, 0, is_handed=True)
        if movement.number == number:
            return OwnMemo(movement.account, _left(read(at, movement.account), movement.account))
    return None


def _left(moved: Iterable[tuple[int, ValueMovement]], account: AccountId) -> int:
    """What was given less what was taken since its issue."""
    left = 0
    for _, movement in moved:
        if movement.account == account:
            left += movement.amount if movement.act in GIVES else -movement.amount
    return left


def beside(found: OwnMemo | None, number: str, others: Iterable[TillHold]) -> OwnMemo | None:
    """The same where these hold of it already, in the open or a suspended transaction: nothing is left."""
    if found is not None and any(hold.number == number for hold in others):
        return found._replace(left_minor=0)
    return found


def vouched(found: OwnMemo, number: str, key: HoldKey) -> TillHold:
    """What goes into the transaction as held, without a call and without an entry."""
    assert not found.is_handed, "what was handed is head office's to tell"
    assert found.left_minor > 0, "there is something left"
    return TillHold(
        key=key,
        kind=Kind.CREDIT_MEMO,
        act=Act.REDEEM,
        number=number,
        account=found.account,
        is_own=True,
        stage=Stage.HELD,
        balance=found.left_minor,
        available=found.left_minor,
    )


def handed_refusal(
    holds: Holds, used: Collection[HoldKey], look: Callable[[str], OwnMemo | None]
) -> Refusal | None:
    """Within the commit: since a memo's issue left, somebody else may have used it. `look`: by its number."""
    for hold in holds:
        if hold.key not in used or not hold.is_own or hold.act is not Act.REDEEM:
            continue
        found = look(hold.number)
        if found is None or found.is_handed:
            return Refusal(
                "hold.handed",
                f"Head office heard of the {hold.words} meanwhile. Take it off, and scan it again.",
            )
    return None
