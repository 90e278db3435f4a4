"""Allowances at the till: asked ahead, taken of while nobody can be asked, returned (GC10, OA2).

    asked under a key ──► taken ──► used by documents ──► returned: used, old, expired, withdrawn, retired

What is kept of one changes in the durable transaction of its entry, and with the document that uses it.
Nothing here is asked where a transaction holds nothing: a cash sale's commit is as it was.
"""

from collections.abc import Collection, Sequence

import msgspec

from holdfast.core.basket import Basket, held
from holdfast.core.central import allowed as rules
from holdfast.core.central.accounts import GIVES, NUMBERED, AccountId, Act, HoldKey, Kind
from holdfast.core.central.allowed import RETIRED, Allowed, may_take
from holdfast.core.central.at_till import Stage, TillHold, no_place
from holdfast.core.central.attempts import Tried, after_wrong, wait_ms
from holdfast.core.central.grants import GRANTED, Granted, GrantRequest
from holdfast.core.central.holds import Held
from holdfast.core.central.numbers import pin_mac
from holdfast.core.central.sentences import BEGUN_OFFLINE
from holdfast.core.ids import ID_RANDOM_BYTES, EpochId, encode_id
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, Tender
from holdfast.register.checkout.central import GONE, CentralHere
from holdfast.register.till import writing
from holdfast.register.till.allowances import (
    TRIED_MAX,
    Kept,
    Known,
    all_kept,
    drop_kept,
    find_account,
    left_known,
    move_account,
    put_account,
    put_tried,
    read_kept,
    tried_cards,
    write_kept,
)
from holdfast.register.till.suspended import all_suspended
from holdfast.register.till.till import Till

_LIMIT = "allowance.limit"


class AllowancesHere(CentralHere):
    """Each public method is one durable transaction, or reads."""

    def __init__(self, till: Till) -> None:
        super().__init__(till)
        self._tried: dict[bytes, Tried] = {}
        """Cards that were tried with a wrong PIN offline, the last one last; by their mark."""

    # ---- asking ahead ------------------------------------------------------------------------

    def allowances(self) -> dict[Kind, Kept]:
        """Of each kind, in the epoch that is open."""
        with self._till.reading() as connection:
            epoch = self._epoch()
            return {kind: kept for kind, kept in all_kept(connection).items() if kept.epoch == epoch}

    def ask_allowance(self, kind: Kind) -> GrantRequest:
        """What is sent: under the key that was asked before, as long as no answer came."""

        def work() -> GrantRequest:
            kept = self._kept_of(kind)
            if not kept.asking:
                key = encode_id(self._randomness.bytes(ID_RANDOM_BYTES))
                kept = msgspec.structs.replace(kept, asking=key)
                write_kept(self._till.connection, kind, kept)
            return GrantRequest(grant=kept.asking, epoch=kept.epoch, kind=kind)

        return self._till.transact(work)

    def allowance_granted(self, request: GrantRequest, granted: Granted) -> bool:
        """Journalled as taken, before anything is taken of it. False: it is none for this till, now."""

        def work() -> bool:
            till, kept = self._till, self._kept_of(request.kind)
            asked = (request.grant, request.epoch, request.kind, self.config.currency)
            if (kept.asking, kept.epoch, request.kind, granted.currency) != asked:
                return False
            if asked != (granted.grant, granted.epoch, granted.kind, granted.currency):
                return False
            assert kept.allowed is None, "one at a time"
            till.append(till.place(), "allowance_taken", 1, rules.taken(granted), till.stamp())
            taken = Kept(epoch=kept.epoch, allowed=Allowed(granted=granted), taken_at_ms=self._clock.now_ms())
            write_kept(till.connection, request.kind, taken)
            return True

        return self._till.transact(work)

    def allowance_key_spent(self, request: GrantRequest) -> None:
        """Head office gives nothing under it any more: the next one is asked under another."""

        def work() -> None:
            kept = self._kept_of(request.kind)
            if kept.asking == request.grant:
                write_kept(self._till.connection, request.kind, msgspec.structs.replace(kept, asking=""))

        self._till.transact(work)

    def return_allowance(self, kind: Kind, cause: str, *, unless_in_use: bool = False) -> bool:
        """Nothing more is taken of it. `unless_in_use`: by an open or suspended transaction."""

        def work() -> bool:
            kept = self._kept_of(kind)
            if kept.allowed is None or (unless_in_use and self._is_in_use(kept.allowed.granted.grant)):
                return False
            self._return(kind, kept, kept.allowed, cause)
            return True

        return self._till.transact(work, finishing=True)

    def _return(self, kind: Kind, kept: Kept, allowed: Allowed, cause: str) -> None:
        till = self._till
        written = till.append(
            till.place(), "allowance_returned", 1, rules.returned(allowed, cause), till.stamp()
        )
        write_kept(till.connection, kind, Kept(epoch=kept.epoch, ended_seq=written.head.seq))

    def _is_in_use(self, grant: str) -> bool:
        basket = writing.read_basket(self._till.cursor)
        waiting = [kept.basket for kept in all_suspended(self._till.connection)]
        return any(
            hold.grant == grant for one in ([basket] if basket else []) + waiting for hold in one.holds
        )

    def return_allowances(self) -> None:
        """All of them, in the transaction that retires the register."""
        for kind, kept in all_kept(self._till.connection).items():
            if kept.allowed is not None and kept.epoch == self._epoch():
                self._return(kind, kept, kept.allowed, RETIRED)

    def drop_allowances_of_others(self) -> None:
        """After a start: a restored disk may hold one that was used up since. It ends with its epoch (P4)."""
        with self._till.reading() as connection:
            epoch = self._epoch()
            gone = [kind for kind, kept in all_kept(connection).items() if kept.epoch != epoch]

        def work() -> None:
            for kind in gone:
                drop_kept(self._till.connection, kind)

        if gone:
            self._till.transact(work)

    # ---- whose account is known --------------------------------------------------------------

    def mark_of(self, kind: Kind, number: str, pin: str = "") -> bytes:
        """How this till knows a card's number with its PIN again, or a customer's account."""
        return pin_mac(self._till.number_key, kind, number, pin)

    def heard_of(self, hold: TillHold, answer: Held) -> None:
        """Its balance, too; of a customer's credit an answer tells no more than was asked for."""
        if hold.kind in GRANTED:
            left_minor = answer.balance if hold.kind in NUMBERED else None
            self._note_account(hold.kind, hold.number or answer.account, hold.pin, answer.account, left_minor)

    def heard_balance(self, kind: Kind, number: str, pin: str, account: AccountId, left_minor: int) -> None:
        """A look-up told of it."""
        if kind in GRANTED:
            self._till.transact(lambda: self._note_account(kind, number or account, pin, account, left_minor))

    def _note_account(
        self, kind: Kind, number: str, pin: str, account: AccountId, left_minor: int | None
    ) -> None:
        known = Known(account, number[-4:] if kind in NUMBERED else "", left_minor)
        mark = self.mark_of(kind, number, pin)
        put_account(self._till.connection, mark, kind, known, self._clock.now_ms())

    def is_account_known(self, kind: Kind, account: str) -> bool:
        """Whether head office told of a customer's account here."""
        with self._till.reading() as connection:
            return find_account(connection, self.mark_of(kind, account)) is not None

    # ---- begun offline -----------------------------------------------------------------------

    def hold_by_allowance(self, kind: Kind, act: Act, number: str, pin: str = "") -> Basket | Refusal:
        """The open sale with as much of it as may be taken. `number`: of the card, or the customer."""

        def work() -> Basket | Refusal:
            basket = writing.read_basket(self._till.cursor)
            if basket is None:
                return GONE
            hold = self._hold_by_allowance(basket, kind, act, number, pin)
            if isinstance(hold, Refusal):
                return hold
            after = msgspec.structs.replace(basket, holds=(*basket.holds, hold))
            writing.write_basket(self._till.cursor, after)
            return after

        return self._till.transact(work, finishing=True)

    def _hold_by_allowance(
        self, basket: Basket, kind: Kind, act: Act, number: str, pin: str
    ) -> TillHold | Refusal:
        if kind in NUMBERED and self._has_to_wait(kind, number):
            return Refusal("allowance.tries", rules.too_many_tries(kind))
        known = find_account(self._till.connection, self.mark_of(kind, number, pin))
        if known is None and kind in NUMBERED:
            self._note_wrong(kind, number)
        allowed = self._kept_of(kind).allowed
        if known is None or allowed is None or basket.kind != "sale":
            return Refusal("allowance.none", BEGUN_OFFLINE[kind])
        taken = _taken(basket, kind, basket.tenders)
        may = self._may_take(allowed, kind, known.account, taken)
        if isinstance(may, Refusal):
            return may
        available = may if known.left_minor is None else min(may, known.left_minor)
        if available <= 0:
            return Refusal(_LIMIT, rules.no_more(kind))
        hold = TillHold(
            key=HoldKey(self.new_key()),
            kind=kind,
            act=act,
            number=number if kind in NUMBERED else "",
            account=known.account,
            grant=allowed.granted.grant,
            stage=Stage.HELD,
            available=available,
        )
        return no_place(basket.holds, hold) or hold

    def _has_to_wait(self, kind: Kind, number: str) -> bool:
        """Head office counts wrong PINs; offline this till does (GC11)."""
        tried = self._tried.get(self.mark_of(kind, number), Tried())
        return wait_ms(tried, self._clock.monotonic_ms(), rules.BY_CARD) > 0

    def _note_wrong(self, kind: Kind, number: str) -> None:
        mark = self.mark_of(kind, number)
        tried = self._tried.pop(mark, Tried())
        while len(self._tried) >= TRIED_MAX:
            del self._tried[next(iter(self._tried))]
        self._tried[mark] = tried = after_wrong(tried, self._clock.monotonic_ms(), rules.BY_CARD)
        put_tried(self._till.connection, mark, tried.wrong_e3)

    def count_on_tries(self) -> None:
        """At a start: what wrong PINs weighed before it weighs from now on."""
        now_ms = self._clock.monotonic_ms()
        with self._till.reading() as connection:
            known = tried_cards(connection)
        self._tried = {mark: Tried(wrong_e3, now_ms) for mark, wrong_e3 in known.items()}

    # ---- concluding, within the caller's transaction -----------------------------------------

    def before_concluding(self, basket: Basket, tenders: Collection[Tender]) -> tuple[Refusal | None, bool]:
        """And whether allowances still let through what is taken of them; another transaction that began
        offline may have taken of the same card since."""
        refusal, later = super().before_concluding(basket, tenders)
        return refusal or self._beyond(basket, (*basket.tenders, *tenders)), later

    def _beyond(self, basket: Basket, tenders: Sequence[Tender]) -> Refusal | None:
        for place, tender in enumerate(tenders):
            hold = held.hold_of(basket, tender.hold)
            if hold is None or not hold.grant:
                continue
            allowed = self._kept_of(hold.kind).allowed
            if allowed is None or allowed.granted.grant != hold.grant:
                return Refusal("allowance.none", BEGUN_OFFLINE[hold.kind])
            taken = _taken(basket, hold.kind, tenders[:place])
            may = self._may_take(allowed, hold.kind, hold.account, taken)
            if isinstance(may, Refusal):
                return may
            left_minor = left_known(self._till.connection, hold.kind, hold.account)
            if tender.amount_minor > (may if left_minor is None else min(may, left_minor)):
                return Refusal(_LIMIT, rules.no_more(hold.kind))
        return None

    def after_concluding(self, basket: Basket, sale: Sale) -> None:
        """What the document took is gone from its allowance, and from what is known of the account."""
        super().after_concluding(basket, sale)
        for movement in sale.values:
            if movement.kind not in GRANTED:
                continue
            delta = movement.amount if movement.act in GIVES else -movement.amount
            move_account(self._till.connection, movement.kind, movement.account, delta)
            if movement.grant:
                kept = self._kept_of(movement.kind)
                assert kept.allowed is not None, "it was asked before the document was made"
                used = rules.use(kept.allowed, movement.account, movement.amount)
                after = msgspec.structs.replace(kept, allowed=used)
                write_kept(self._till.connection, movement.kind, after)

    # ---- parts -------------------------------------------------------------------------------

    def _may_take(self, allowed: Allowed, kind: Kind, account: AccountId, taken_minor: int) -> int | Refusal:
        return may_take(
            allowed,
            kind,
            account,
            epoch=self._epoch(),
            in_transaction=taken_minor,
            now_ms=self._clock.now_ms(),
        )

    def _epoch(self) -> EpochId:
        return self._till.place().head.epoch

    def _kept_of(self, kind: Kind) -> Kept:
        return read_kept(self._till.connection, kind, self._epoch())


def _taken(basket: Basket, kind: Kind, tenders: Collection[Tender]) -> int:
    """What tenders of this transaction take of the kind's allowance already."""
    by_grant = {hold.key for hold in basket.holds if hold.grant and hold.kind is kind}
    return sum(tender.amount_minor for tender in tenders if tender.hold in by_grant)
