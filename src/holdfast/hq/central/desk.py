"""The desk of real-time services: look-ups and holds, each one transaction of the store. No call moves value.

The till's deadline is the till's; here an answer is given or a fault is raised, and the same key asked again
gets the same answer (P2).
"""

from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from holdfast.core.central import after_loss
from holdfast.core.central.accounts import NUMBERED, WORDS, AccountId, HoldKey, Kind
from holdfast.core.central.holds import (
    TAKEN_BACK,
    Declined,
    Held,
    Hold,
    HoldRequest,
    decide_hold,
    reserved_by,
    unknown,
)
from holdfast.core.central.numbers import is_pin, number_mac, read_number
from holdfast.core.central.services import Balance
from holdfast.core.central.settle import AccountKey
from holdfast.core.faults import UnavailableFault
from holdfast.core.ids import OriginId
from holdfast.core.refusals import Refusal
from holdfast.hq.store.central_port import CentralValue, Numbered
from holdfast.hq.store.port import RaceFault
from holdfast.infra.clock import Clock

RACES_MAX = 5


class _Transaction(Protocol):
    @property
    def central(self) -> CentralValue: ...


class _Store(Protocol):
    def transaction(self, origin: None) -> AbstractContextManager[_Transaction]: ...


class CentralDesk:
    """Answers registers whose session is open. Thread-safe."""

    def __init__(self, store: _Store, clock: Clock, number_key: bytes) -> None:
        self._store = store
        self._clock = clock
        self._number_key = number_key

    def hold(self, origin: OriginId, request: HoldRequest) -> Held | Declined:
        """Keep value for that register's transaction, or say why not. UnavailableFault: ask again."""
        for _ in range(RACES_MAX):
            try:
                with self._store.transaction(None) as transaction:
                    return self._hold(transaction.central, origin, request)
            except RaceFault:
                continue
        raise UnavailableFault(f"the account met others {RACES_MAX} times. Ask again.")

    def _hold(self, central: CentralValue, origin: OriginId, request: HoldRequest) -> Held | Declined:
        asked = central.hold_of(request.key)
        owned = asked if asked is not None and asked.origin == origin and not asked.ended else None
        found = self._find(central, request.kind, request.number, request.account, request.pin, owned)
        if isinstance(found, Declined):
            return found
        place: AccountKey = (request.kind, AccountId("") if found is None else found.account.account)
        known = central.hold_of(request.key)  # as it stands under the account's lock
        if known is None and central.is_waiting():
            return after_loss.declined(request.kind)
        decided = decide_hold(
            request,
            origin,
            None if found is None else found.account,
            known,
            [hold for hold in central.holds_of(place) if hold.key != request.key],
            self._clock.now_ms(),
        )
        if isinstance(decided, Declined):
            return decided
        hold, held = decided
        if known is None:
            central.put_hold(hold)
        else:
            central.tell_hold(hold.key, self._clock.now_ms())
        return held

    def balance(self, kind: Kind, number: str, account: AccountId, pin: str) -> Balance | Declined:
        """What is on an account."""
        with self._store.transaction(None) as transaction:
            found = self._find(transaction.central, kind, number, account, pin)
            if found is None:
                return unknown(kind)
            if isinstance(found, Declined):
                return found
            place = (kind, found.account.account)
            reserved = reserved_by(transaction.central.holds_of(place))
        known = found.account
        return Balance(
            kind=kind,
            account=known.account,
            currency=known.currency,
            balance=known.balance,
            available=max(0, known.available - reserved),
            state=known.state.value,
            number_end=known.number_end,
        )

    def _find(
        self,
        central: CentralValue,
        kind: Kind,
        number: str,
        account: AccountId,
        pin: str,
        owned: Hold | None = None,
    ) -> Numbered | Declined | None:
        """The account, locked; None: there is none of that number.

        `owned`: what the asking register holds already. Of the same account no PIN is asked again: the till
        kept none, and may have to make sure of its hold hours later.
        """
        if kind in NUMBERED:
            digits = read_number(kind, number)
            if isinstance(digits, Refusal):
                return Declined(code=digits.code, sentence=digits.sentence)
            named = central.place_of(kind, number_mac(self._number_key, kind, digits))
            found = None if named is None else central.lock((kind, named))
            is_owned = owned is not None and (owned.kind, owned.account) == (kind, named)
            secret = None if found is None or is_owned else found.pin_mac
            if secret is not None and not is_pin(secret, self._number_key, kind, digits, pin):
                wrong = "The PIN is wrong. Ask for it again."
                missing = f"This {WORDS[kind]} has a PIN. Ask for it, and type it below the number."
                return Declined(code="account.pin", sentence=wrong if pin.strip() else missing)
            return found
        return central.lock((kind, account))

    def release(self, origin: OriginId, key: HoldKey, cause: str) -> None:
        """The till lets go at once, before its entry comes; that entry then finds it ended."""
        with self._store.transaction(None) as transaction:
            hold = transaction.central.hold_of(key)
            if hold is not None and hold.origin == origin and not hold.ended:
                transaction.central.end_hold(key, cause, self._clock.now_ms())

    def take_back(self, key: HoldKey, *, by: str, reason: str) -> Hold | Refusal:
        """A person releases a hold whose owner does not come back (GC9)."""
        with self._store.transaction(None) as transaction:
            return take_back(transaction.central, key, by, reason, self._clock.now_ms())


def take_back(
    central: CentralValue, key: HoldKey, by: str, reason: str, now_ms: int, told_ms: int | None = None
) -> Hold | Refusal:
    """The same within a transaction. What became of the hold is read under its account's lock.

    `told_ms`: as it was looked at; where its till was told since that it holds, nothing is changed.
    """
    hold = central.hold_of(key)
    if hold is not None:
        central.lock((hold.kind, hold.account))
        hold = central.hold_of(key)
    if hold is None or hold.ended:
        return Refusal("hold.ended", "This lock has ended in the meantime. Nothing was changed.")
    if told_ms is not None and hold.told_ms != told_ms:
        return Refusal("hold.told", "Its register asked for it again in the meantime. Nothing was changed.")
    central.end_hold(key, TAKEN_BACK, now_ms, by, reason)
    return msgspec.structs.replace(hold, ended=TAKEN_BACK)
