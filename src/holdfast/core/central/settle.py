"""Settlement: what applied entries do to accounts and holds. Only here does central value move (P2, P8).

    booked + counter + difference = 0

`counter` is what the entry says it took or gave; `booked` is what the account took part in. Where an account
has less than was taken, or a key ended before, the rest is a difference: booked apart, with a remark that
stands on the report. No account ever falls below its floor by an entry.

An entry names its customer by the number that the till knew. Where others lead to the same customer by now,
what its account lacks is booked over from theirs first: merge or entry, it is the same which came first.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from holdfast.core.central.accounts import (
    BALANCE_MAX,
    GIVES,
    NUMBERED,
    Account,
    AccountId,
    Act,
    HoldKey,
    Kind,
    State,
)
from holdfast.core.central.entries import MOVEMENTS_MAX, ValueMovement
from holdfast.core.central.grants import Grant, grant_remark
from holdfast.core.central.holds import SETTLED, TAKEN_BACK, Hold
from holdfast.core.central.numbers import number_end
from holdfast.core.ids import EpochId, OriginId, StoreId, TransactionId

AccountKey = tuple[Kind, AccountId]

OVER = 1_000
"""So far beside a movement's ordinal in its entry stands what was booked over for it, half by half."""
assert OVER > MOVEMENTS_MAX, "no movement of an entry has such an ordinal"


class Place(NamedTuple):
    """Where in head office's journal: an entry, and which movement of it (from 1; 0 is the entry)."""

    chain: int
    seq: int
    ordinal: int


class Moved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A movement that arrived."""

    place: Place
    origin: OriginId
    epoch: EpochId
    store: StoreId
    business_date: str
    posting_period: str
    at_ms: int
    transaction: TransactionId
    currency: str
    movement: ValueMovement


class KeyEnded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The till's word that a key counts no more: `hold_ended`, or a transaction that was voided."""

    place: Place
    origin: OriginId
    key: HoldKey
    transaction: TransactionId
    cause: str
    at_ms: int


class KeyAsked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The till's word that it is about to ask. It changes no account: who asked, and where, is kept."""

    place: Place
    origin: OriginId
    key: HoldKey
    kind: Kind
    act: Act
    account: AccountId
    number_end: str
    transaction: TransactionId
    at_ms: int


class GrantTold(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The till's word that it took an allowance, or that it takes nothing of it any more."""

    place: Place
    origin: OriginId
    epoch: EpochId
    grant: str
    returned: bool
    at_ms: int


Event = Moved | KeyEnded | KeyAsked | GrantTold

# ---- remarks: each stands on the report ----------------------------------------------------------

OVERSPENT = "overspent"
"""The account had less than the till took."""
KEY_ENDED = "key-ended"
"""Its key had ended by another entry: a copy of the register, or a sale after its void."""
TAKEN_BACK_THEN_USED = "taken-back-then-used"
"""Somebody released the hold, and its owner concluded all the same (GC9)."""
NOT_HELD = "not-held"
"""No hold stood under its key: head office lost it, or it is somebody else's."""
NO_ACCOUNT = "no-account"
TOO_MUCH = "too-much"
"""It would carry a balance beyond all bounds."""
OTHER_CURRENCY = "other-currency"
"""The account is in another currency than the document: nothing is booked, for no rate is known."""
BLOCKED = "blocked"
"""The account was blocked when it was taken of: begun before, or of an allowance."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the ledger. Three amounts that add up to nothing."""

    moved: Moved
    number: int
    """Of the account's movements, from 1 without gaps: nobody can leave one out or take one away."""
    booked: int
    """Added to the account; negative was taken."""
    counter: int
    """What the store owes for it, or has a claim to."""
    difference: int
    balance: int
    """Of the account after it."""
    remark: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch's events come to."""

    settled: tuple[Settled, ...]
    opened: tuple[Account, ...]
    """Accounts that were not there: a memo issued at a till, a customer's first points."""
    numbers: Mapping[AccountKey, str]
    """Of those that the till made."""
    activated: tuple[AccountKey, ...]
    ended: tuple[Hold, ...]
    """Holds as they stand now, new ones too: of a key that was never heard of nothing may come later."""
    grants: Mapping[str, int]
    """Allowance → how much more of it was used."""
    asked: tuple[KeyAsked, ...] = ()
    told: tuple[GrantTold, ...] = ()
    """Of grants that are this register's and this epoch's."""
    named: tuple[Account, ...] = ()
    """Accounts that stood without a number, since an entry after their issue came first: now they have it."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What stands, loaded and locked for the events."""

    accounts: Mapping[AccountKey, Account]
    holds: Mapping[HoldKey, Hold]
    grants: Mapping[str, Grant] = {}
    kin: Mapping[AccountKey, Sequence[AccountKey]] = {}
    """Of customers who were merged: accounts under the other numbers that lead to the same one."""


class Settling:
    """Events one after the other, over facts that move with them."""

    def __init__(self, facts: Facts) -> None:
        self._accounts = dict(facts.accounts)
        self._holds = dict(facts.holds)
        self._grants = dict(facts.grants)
        self._kin = facts.kin
        self._settled: list[Settled] = []
        self._opened: dict[AccountKey, None] = {}
        self._numbers: dict[AccountKey, str] = {}
        self._named: dict[AccountKey, None] = {}
        self._activated: dict[AccountKey, None] = {}
        self._ended: dict[HoldKey, None] = {}
        self._used: dict[str, int] = {}
        self._asked: list[KeyAsked] = []
        self._told: list[GrantTold] = []

    def ask(self, event: KeyAsked) -> None:
        """Kept as it is: a hold without an end is looked for by it."""
        self._asked.append(event)

    def tell(self, event: GrantTold) -> None:
        """A copy's word about a grant of another epoch changes nothing."""
        known = self._grants.get(event.grant)
        if known is None or (known.origin, known.epoch) != (event.origin, event.epoch):
            return
        self._told.append(event)
        if event.returned:
            self._grants[event.grant] = msgspec.structs.replace(known, returned=True)

    def end(self, event: KeyEnded) -> None:
        """A key that ended already stays as it ended."""
        known = self._holds.get(event.key)
        if known is not None and (known.ended or known.origin != event.origin):
            return
        if known is None:
            known = Hold(
                key=event.key, kind=Kind.GIFT_CARD, account=AccountId(""), origin=event.origin,
                transaction=event.transaction, act=Act.REDEEM, amount=0, since_ms=event.at_ms,
            )  # fmt: skip
        self._end(known, event.cause)

    def _end(self, hold: Hold, cause: str) -> None:
        self._holds[hold.key] = msgspec.structs.replace(hold, ended=cause)
        self._ended[hold.key] = None

    def move(self, event: Moved) -> None:
        """Book one movement, whole as far as it goes."""
        movement = event.movement
        remark, refused = self._look_at_key(event)
        account = self._account(event)
        if account is None:
            remark, refused = NO_ACCOUNT, True
            account = self._open(event)
        elif account.currency and account.currency != event.currency:
            remark, refused = remark or OTHER_CURRENCY, True
        asked = movement.amount if movement.act in GIVES else -movement.amount
        if asked < 0 and not refused:
            account = self._reach(event, account, -asked)
        booked = 0 if refused else _bookable(account, asked)
        if booked != asked and not refused:
            remark = remark or (OVERSPENT if asked < 0 else TOO_MUCH)
        if account.state is State.BLOCKED and asked < 0:
            remark = remark or BLOCKED
        self._use_grant(event)
        moved = msgspec.structs.replace(
            self._with_number(account, movement),
            movements=account.movements + 1,
            balance=account.balance + booked,
            state=State.ACTIVE if account.state is State.PREPARED and booked > 0 else account.state,
        )
        place = (account.kind, account.account)
        if moved.state is not account.state:
            self._activated[place] = None
        self._accounts[place] = moved
        row = Settled(
            moved=event, number=moved.movements, booked=booked, counter=-asked,
            difference=asked - booked, balance=moved.balance, remark=remark,
        )  # fmt: skip
        assert row.booked + row.counter + row.difference == 0, "a movement is balanced"
        assert booked >= 0 or moved.balance >= -account.limit, "nothing is taken below the floor"
        self._settled.append(row)

    def _reach(self, event: Moved, account: Account, wanted: int) -> Account:
        """The account with what it lacked, as far as its customer's other accounts have it."""
        lacking = wanted - account.balance - account.limit
        beside = event.place.ordinal
        for place in self._kin.get((account.kind, account.account), ()):
            giver = self._accounts.get(place)
            over = 0 if giver is None else min(lacking, giver.available)
            if giver is None or giver.currency != account.currency or over <= 0:
                continue
            account, beside = self._book_over(event, giver, account, over, beside), beside + 2 * OVER
            lacking -= over
        return account

    def _book_over(self, event: Moved, giver: Account, taker: Account, over: int, beside: int) -> Account:
        """Both halves, in the ledger before the movement that they are for; the taker after it."""
        for account, booked in ((giver, -over), (taker, over)):
            beside += OVER
            self._accounts[account.kind, account.account] = moved = msgspec.structs.replace(
                account, movements=account.movements + 1, balance=account.balance + booked
            )
            movement = ValueMovement(kind=account.kind, act=Act.MOVE, account=account.account, amount=over)
            place = event.place._replace(ordinal=beside)
            self._settled.append(
                Settled(
                    moved=msgspec.structs.replace(event, place=place, movement=movement),
                    number=moved.movements, booked=booked, counter=-booked, difference=0,
                    balance=moved.balance,
                )
            )  # fmt: skip
        return self._accounts[taker.kind, taker.account]

    def _look_at_key(self, event: Moved) -> tuple[str, bool]:
        """The remark that its key brings, and whether nothing is booked for it. The key ends here."""
        movement = event.movement
        if movement.grant:
            known = self._grants.get(movement.grant)
            return grant_remark(known, event.origin, event.epoch, movement, event.at_ms), False
        if not movement.key:
            return "", False
        known = self._holds.get(movement.key)
        if known is None:
            self._end(_never_heard_of(event), SETTLED)
            return NOT_HELD, False
        if known.ended == TAKEN_BACK:
            self._end(known, SETTLED)
            return TAKEN_BACK_THEN_USED, False
        if known.ended:
            return KEY_ENDED, True
        asked = (event.origin, event.transaction, movement.kind, movement.account)
        if asked != (known.origin, known.transaction, known.kind, known.account):
            return NOT_HELD, False
        self._end(known, SETTLED)
        return "", False

    def _account(self, event: Moved) -> Account | None:
        movement = event.movement
        found = self._accounts.get((movement.kind, movement.account))
        if found is not None:
            return found
        is_first = movement.act is Act.ISSUE if movement.kind in NUMBERED else movement.act is Act.EARN
        return self._open(event) if is_first and (movement.kind is not Kind.GIFT_CARD) else None

    def _open(self, event: Moved) -> Account:
        movement = event.movement
        opened = Account(
            kind=movement.kind,
            account=movement.account,
            currency="" if movement.kind is Kind.POINTS else event.currency,
            number_end=number_end(movement.number),
        )
        place = (opened.kind, opened.account)
        self._opened[place] = None
        if movement.number:
            self._numbers[place] = movement.number
        self._accounts[place] = opened
        return opened

    def _with_number(self, account: Account, movement: ValueMovement) -> Account:
        """Its issue may come after what was taken of it, where it waited in quarantine (P10)."""
        if not movement.number or movement.act is not Act.ISSUE or account.number_end:
            return account
        place = (account.kind, account.account)
        self._numbers[place] = movement.number
        if place not in self._opened:
            self._named[place] = None
        return msgspec.structs.replace(account, number_end=number_end(movement.number))

    def _use_grant(self, event: Moved) -> None:
        """Counted to the epoch that it was given to: a copy's use leaves as much at stake as before."""
        movement = event.movement
        known = self._grants.get(movement.grant) if movement.grant else None
        if known is None or (known.origin, known.epoch) != (event.origin, event.epoch):
            return
        used = known.used + movement.amount
        self._grants[known.grant] = msgspec.structs.replace(known, used=used)
        self._used[known.grant] = self._used.get(known.grant, 0) + movement.amount

    def outcome(self) -> Outcome:
        return Outcome(
            settled=tuple(self._settled),
            opened=tuple(
                msgspec.structs.replace(self._accounts[place], movements=0, balance=0)
                for place in self._opened
            ),
            numbers=self._numbers,
            named=tuple(self._accounts[place] for place in self._named),
            activated=tuple(place for place in self._activated if place not in self._opened),
            ended=tuple(self._holds[key] for key in self._ended),
            grants=self._used,
            asked=tuple(self._asked),
            told=tuple(self._told),
        )


def settle(facts: Facts, events: Iterable[Event]) -> Outcome:
    """What these events do, in their order."""
    settling = Settling(facts)
    for event in events:
        if isinstance(event, Moved):
            settling.move(event)
        elif isinstance(event, KeyAsked):
            settling.ask(event)
        elif isinstance(event, GrantTold):
            settling.tell(event)
        else:
            settling.end(event)
    return settling.outcome()


def _bookable(account: Account, asked: int) -> int:
    """As much of it as the account takes or has."""
    if asked >= 0:
        return min(asked, max(0, BALANCE_MAX - account.balance))
    return -min(-asked, account.available)


def _never_heard_of(event: Moved) -> Hold:
    movement = event.movement
    return Hold(
        key=movement.key,
        kind=movement.kind,
        account=movement.account,
        origin=event.origin,
        transaction=event.transaction,
        act=movement.act,
        amount=0,
        since_ms=event.at_ms,
    )
