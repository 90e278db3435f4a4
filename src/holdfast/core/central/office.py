"""Movements that head office makes itself: points that expire, and what is booked over when two customers
turn out to be one. They stand in the same ledger, balanced like any other, and name no register.
"""

import msgspec

from holdfast.core.central.accounts import Account, AccountId, Act
from holdfast.core.central.entries import ValueMovement
from holdfast.core.central.settle import Moved, Place, Settled
from holdfast.core.ids import EpochId, OriginId, StoreId, TransactionId

OFFICE_CHAIN = 0
"""In place of a register's chain, which is numbered from 1; the seq is that of head office's own record."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Head office's record of what it did, which its movements belong to."""

    number: int
    date: str
    at_ms: int


def expired(account: Account, points: int, record: Record) -> Settled:
    """So many points are taken, and nobody is owed anything for them."""
    assert 0 < points <= account.balance, "only what is there expires"
    return _booked(account, Act.EXPIRE, -points, record, 1)


def booked_over(giver: Account, taker: Account, record: Record) -> tuple[Settled, Settled]:
    """The whole balance of one account to another: points, or what is owed."""
    assert giver.kind is taker.kind, "value stays of its kind"
    assert giver.currency == taker.currency, "value stays in its currency"
    assert giver.account != taker.account, "two accounts"
    assert giver.balance, "there is something to book over"
    out = _booked(giver, Act.MOVE, -giver.balance, record, 1)
    into = _booked(taker, Act.MOVE, giver.balance, record, 2)
    assert out.booked + into.booked == 0, "nothing is made or lost on the way"
    return out, into


def _booked(account: Account, act: Act, booked: int, record: Record, ordinal: int) -> Settled:
    movement = ValueMovement(
        kind=account.kind, act=act, account=AccountId(account.account), amount=abs(booked)
    )
    moved = Moved(
        place=Place(OFFICE_CHAIN, record.number, ordinal),
        origin=OriginId(""),
        epoch=EpochId(""),
        store=StoreId(""),
        business_date=record.date,
        posting_period=record.date,
        at_ms=record.at_ms,
        transaction=TransactionId(""),
        currency=account.currency,
        movement=movement,
    )
    return Settled(
        moved=moved,
        number=account.movements + 1,
        booked=booked,
        counter=-booked,
        difference=0,
        balance=account.balance + booked,
    )
