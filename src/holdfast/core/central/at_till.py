"""The till's side of a hold, as part of its open transaction (GC2 to GC7).

    ask ──► ASKED ──► HELD ──► the document's movement
              │ no answer
              ▼
           IN DOUBT ──► asked again under the same key, or taken off

Each step is a pure function on the transaction's holds. What it returns is stored with the basket, and what
it journals is journalled in the same transaction, before anything is sent.
"""

import enum
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from holdfast.core.central.accounts import GIVES, NUMBERED, WORDS, AccountId, Act, HoldKey, Kind
from holdfast.core.central.entries import HOLDS_MAX, HoldAsked, HoldEnded, ValueMovement
from holdfast.core.central.holds import Held, HoldRequest
from holdfast.core.central.numbers import number_end
from holdfast.core.central.sentences import asked_once_more, in_doubt, not_offline
from holdfast.core.central.stale import WORN_MS
from holdfast.core.ids import StaffId, TransactionId
from holdfast.core.refusals import Refusal

SURE_FOR_MS = 300_000
"""So long an answer counts for an old one."""
REMOVED = "removed"
REFUSED = "refused"


class Stage(enum.StrEnum):
    ASKED = "asked"
    HELD = "held"
    IN_DOUBT = "in doubt"
    """The call left, and no answer came: head office may hold it, or not."""


class TillHold(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One hold of the open transaction. It moves with it on suspend and recall."""

    key: HoldKey
    kind: Kind
    act: Act
    number: str = ""
    """In full, for asking again; it lies in the encrypted till database and in no entry."""
    account: AccountId = AccountId("")
    """Known from the answer on; of a customer's account from the beginning."""
    pin: str = ""
    """Until head office answered: what is in doubt is asked again with it."""
    asked_amount: int = 0
    """How much is to be sold, topped up or taken; of cards that take all or as much as is due: 0."""
    is_own: bool = False
    """This till made its number, and head office has not heard of it: nobody needs to be asked, and no key
    is settled (GC6)."""
    grant: str = ""
    """Begun offline: the allowance that it is taken from. Nobody was asked, and no key is settled (GC10)."""
    stage: Stage = Stage.ASKED
    balance: int = 0
    available: int = 0
    since_ms: int = 0
    """By head office's clock."""
    told_ms: int = 0
    """When head office last said that it holds it, by the till's clock."""

    @property
    def number_end(self) -> str:
        return number_end(self.number)

    @property
    def words(self) -> str:
        """As a sentence names it: "gift card …4567"."""
        return f"{WORDS[self.kind]} …{self.number_end}" if self.kind in NUMBERED else WORDS[self.kind]


Holds = tuple[TillHold, ...]


class Step(NamedTuple):
    """The holds after a step, and what is journalled with it."""

    holds: Holds
    journalled: HoldAsked | HoldEnded | None = None


def ask(holds: Holds, hold: TillHold, transaction: TransactionId, by: StaffId) -> Step | Refusal:
    """Before the call leaves: the key is kept, so that it is asked and settled once."""
    if refusal := no_place(holds, hold):
        return refusal
    assert all(other.key != hold.key for other in holds), "a key is drawn once"
    asked = HoldAsked(
        key=hold.key, kind=hold.kind, act=hold.act, transaction=transaction,
        number_end=hold.number_end, account=hold.account, by=by,
    )  # fmt: skip
    return Step((*holds, hold), asked)


def no_place(holds: Holds, hold: TillHold) -> Refusal | None:
    """Why the transaction takes no such hold; None: it does."""
    if len(holds) >= HOLDS_MAX:
        return Refusal(
            "hold.many", "Too many cards in this transaction. Conclude it, then go on in a new one."
        )
    same = (hold.kind, hold.number or hold.account)
    if any((other.kind, other.number or other.account) == same for other in holds):
        return Refusal(
            "hold.here",
            f"This {WORDS[hold.kind]} is in the transaction already. Take it off, or take another tender.",
        )
    return None


def request_of(hold: TillHold, transaction: TransactionId, currency: str, pin: str = "") -> HoldRequest:
    """What is sent; the same again where the answer was lost."""
    return HoldRequest(
        key=hold.key,
        kind=hold.kind,
        act=hold.act,
        transaction=transaction,
        currency=currency,
        number=hold.number,
        pin=pin or hold.pin,
        account=hold.account,
        amount=hold.asked_amount,
    )


def granted(holds: Holds, answer: Held, now_ms: int = 0) -> Step:
    """Head office holds it; an answer to what was taken off in the meantime changes nothing. `now_ms`: by the
    till's clock."""
    return Step(
        tuple(
            msgspec.structs.replace(
                hold,
                stage=Stage.HELD,
                pin="",
                account=answer.account,
                balance=answer.balance,
                available=answer.available,
                since_ms=answer.since_ms,
                told_ms=now_ms,
            )
            if hold.key == answer.key
            else hold
            for hold in holds
        )
    )


def unanswered(holds: Holds, key: HoldKey) -> Step:
    """The line dropped under the call, or its deadline passed."""
    return Step(
        tuple(
            msgspec.structs.replace(hold, stage=Stage.IN_DOUBT)
            if hold.key == key and hold.stage is Stage.ASKED
            else hold
            for hold in holds
        )
    )


def doubted(holds: Holds, *, also_held: bool = False) -> Holds:
    """After a start nobody waits for an answer any more.

    `also_held`: in another epoch the disk may be an older one, and what it holds long settled: it is asked
    for again before it is used. What this till made itself nobody else knows.
    """
    return tuple(
        msgspec.structs.replace(hold, stage=Stage.IN_DOUBT)
        if hold.stage is Stage.ASKED
        or (also_held and hold.stage is Stage.HELD and not (hold.is_own or hold.grant))
        else hold
        for hold in holds
    )


def is_worn(hold: TillHold, now_ms: int) -> bool:
    """Whether head office may have released it meanwhile (GC9), so that it is asked before it is used online.

    Offline it is used where head office allows that: then no policy releases it.
    """
    if hold.stage is not Stage.HELD or hold.is_own or hold.grant:
        return False
    told_since_ms = now_ms - hold.told_ms  # by one clock: whatever it is off by, half an hour is half an hour
    is_old = abs(now_ms - hold.since_ms) >= WORN_MS or not 0 <= told_since_ms < WORN_MS
    return is_old and not 0 <= told_since_ms < SURE_FOR_MS


def to_ask_again(holds: Holds, now_ms: int, *, is_open: bool) -> Holds:
    """What head office is asked once more under its own key: what is in doubt, and of the open transaction
    what was held long ago."""
    return tuple(
        hold for hold in holds if hold.stage is Stage.IN_DOUBT or (is_open and is_worn(hold, now_ms))
    )


def worn_refusal(holds: Holds, paid_by: Collection[HoldKey], now_ms: int) -> Refusal | None:
    """Online: of what was held long ago. The policy may have released it while this transaction waited."""
    worn = next((hold for hold in holds if hold.key in paid_by and is_worn(hold, now_ms)), None)
    return None if worn is None else Refusal("hold.worn", asked_once_more(worn.words))


def give_up(holds: Holds, key: HoldKey, transaction: TransactionId, cause: str, by: StaffId) -> Step:
    """The transaction goes on without it. Journalled also where head office said no: a copy of the call that
    comes late must find its key ended."""
    left = tuple(hold for hold in holds if hold.key != key)
    if len(left) == len(holds):
        return Step(holds)
    if any((hold.is_own or hold.grant) and hold.key == key for hold in holds):
        return Step(left)  # nobody else ever heard of it
    return Step(left, HoldEnded(key=key, transaction=transaction, cause=cause, by=by))


def conclude_refusal(
    holds: Holds, *, offline: bool, allowed_offline: Collection[Kind], paid_by: Collection[HoldKey]
) -> Refusal | None:
    """Why the transaction cannot conclude as it is; None: it can.

    `paid_by`: the holds that it uses; one that is not used is given up by concluding. `allowed_offline`: what
    head office's parameters allow to be concluded offline where it was held before (GC4, GC6, OA2).
    """
    for hold in holds:
        if hold.key not in paid_by or hold.grant:
            continue  # what its allowance lets through is asked in the commit (`allowed.may_take`)
        if hold.stage is not Stage.HELD:
            return Refusal("hold.in-doubt", in_doubt(hold.words))
        if offline and hold.kind not in allowed_offline:
            return Refusal("hold.offline", not_offline(hold.words))
    return None


def movement_of(
    hold: TillHold, amount: int, *, line: int = 0, tender: int = 0, later: bool = False
) -> ValueMovement:
    """What the document moves under this hold. `later`: the balance follows when the line is back (GC4)."""
    assert hold.stage is Stage.HELD, "only what head office holds is moved"
    assert hold.act in GIVES or amount <= hold.available, "no more is taken than was held"
    return ValueMovement(
        kind=hold.kind,
        act=hold.act,
        account=hold.account,
        amount=amount,
        key=HoldKey("") if hold.is_own or hold.grant else hold.key,
        line=line,
        tender=tender,
        number=hold.number if hold.is_own and hold.act is Act.ISSUE else "",
        number_end=hold.number_end,
        grant=hold.grant,
        before=hold.balance,
        later=later or bool(hold.grant),
    )
