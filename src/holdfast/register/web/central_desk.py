"""Central value at the till: asks head office, and keeps what came of it in the transaction.

No lock of the till is held while head office is asked: what was asked for lies in the transaction, under its
key, before the call leaves, and whatever the answer is it finds it there.
"""

import threading
from collections.abc import Callable, Mapping

import structlog

from holdfast.core.basket import UNLIMITED, Act, Basket, held
from holdfast.core.basket import Kind as BasketKind
from holdfast.core.central.accounts import NUMBERED, AccountId, HoldKey, Kind
from holdfast.core.central.accounts import Act as ValueAct
from holdfast.core.central.at_till import REFUSED, Stage, TillHold, request_of
from holdfast.core.central.holds import Held
from holdfast.core.central.numbers import RANDOM_BYTES, new_number, read_number
from holdfast.core.central.sentences import BEGUN_OFFLINE, in_doubt
from holdfast.core.central.services import Balance, BalanceRequest
from holdfast.core.central.vouched import vouched
from holdfast.core.faults import Fault
from holdfast.core.ids import TransactionId
from holdfast.core.loyalty.redeem import points_for_unit, redeemable
from holdfast.core.operations import Situation, refusal_of
from holdfast.core.operations.conditions import (
    CREDIT_MEMO,
    CUSTOMER_ACCOUNT,
    GIFT_CARD,
    ON_ACCOUNT_OFFLINE,
    SWITCHES,
)
from holdfast.core.operations.table import OPERATIONS
from holdfast.core.parameters import BEGUN_WITH
from holdfast.core.refusals import Refusal
from holdfast.core.sale import Sale, Tender
from holdfast.core.tender import Due
from holdfast.infra.clock import Clock
from holdfast.register.checkout.central import GONE, LineNow
from holdfast.register.realtime.client import Denied, RealTime, Unanswered
from holdfast.register.web.allowances import SPREAD_MS, Allowances
from holdfast.register.web.desk import Desk
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.watch import Watch

HOLD, BALANCE = "/v1/services/hold", "/v1/services/balance"
CONCLUDES: Mapping[Kind, str] = {
    Kind.GIFT_CARD: "gift.conclude",
    Kind.CREDIT_MEMO: "memo.conclude",
    Kind.ON_ACCOUNT: "account.tender",
}
"""Rows of the operations table that say whether such a transaction concludes while offline."""
AT_HAND: Mapping[Kind, str] = {
    Kind.GIFT_CARD: GIFT_CARD,
    Kind.CREDIT_MEMO: CREDIT_MEMO,
    Kind.ON_ACCOUNT: CUSTOMER_ACCOUNT,
}
AGAIN_MAX = 20
"""Doubts that are asked again at a time."""
_log = structlog.get_logger(__name__)


class Central:
    """One till's; thread-safe."""

    def __init__(
        self,
        desk: Desk,
        real_time: RealTime,
        watch: Watch,
        clock: Clock,
        fmt: Formats,
        *,
        changed: Callable[[], None],
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`changed`: what the page shows of the transaction may be another by now. `jitter`: 0 up to 1, for
        what is asked behind the scene as the line returns."""
        self._desk = desk
        self._real_time = real_time
        self._watch = watch
        self._clock = clock
        self._fmt = fmt
        self._changed = changed
        self._asking_again = threading.Lock()
        self._may_doubt = True
        self._was_there = False
        self._jitter = jitter
        self._doubt_from_ms = 0
        """Not before (monotonic)."""
        self.allowances = Allowances(desk, real_time, watch, clock, changed=changed, jitter=jitter)
        self._is_wanted = False
        desk.checkout.line_now = self.line_now
        desk.checkout.worn_met = self.want

    # ---- asking ------------------------------------------------------------------------------

    def is_there(self) -> bool:
        """Whether head office would be asked at all."""
        return self._real_time.is_there()

    def not_there(self, kind: Kind) -> Refusal:
        """GC7, LY4, OA1."""
        return Refusal("operation.offline", BEGUN_OFFLINE[kind])

    def ask_hold(
        self,
        kind: Kind,
        act: ValueAct,
        by: Act,
        *,
        number: str = "",
        account: str = "",
        amount: int = 0,
        pin: str = "",
        basket_kind: BasketKind | None = None,
    ) -> Basket | Refusal:
        """The open transaction with the hold, or why there is none. Takes the deadline of a call at the most.

        `number` as it was scanned or typed; `account` where a customer's is meant; `amount` in minor units or
        points: what is to be sold, topped up or taken. `basket_kind`: the transaction that the act belongs
        in, which is opened where none is; None: the open one.
        """
        digits = read_number(kind, number) if kind in NUMBERED else ""
        if not self.is_there():
            return digits if isinstance(digits, Refusal) else self._alone(kind, act, digits, account, pin, by)
        if isinstance(digits, Refusal):
            return digits
        hold = TillHold(
            key=self._desk.checkout.new_key(),
            kind=kind,
            act=act,
            number=digits,
            account=AccountId(account),
            asked_amount=amount,
            pin=pin.strip(),
        )
        with self._desk.lock:
            asked = self._desk.checkout.ask_hold(
                hold, by=by.by, kind=basket_kind, parameters=self._desk.shelf.settings(BEGUN_WITH)
            )
            self._desk.committed(asked)
        if isinstance(asked, Refusal):
            return asked
        answer = self._call(asked.transaction, hold, by, is_first=True)
        is_unknown = isinstance(answer, Refusal) and answer.code == "account.unknown"
        if is_unknown and (kind, act) == (Kind.CREDIT_MEMO, ValueAct.REDEEM) and isinstance(digits, str):
            own = self._own_memo(digits, by)  # its entry may be on its way
            is_other = isinstance(own, Refusal) and own.code == "operation.offline"
            return answer if is_other else own
        return answer

    def _alone(
        self, kind: Kind, act: ValueAct, digits: str, account: str, pin: str, by: Act
    ) -> Basket | Refusal:
        """Begun offline: a memo of this till's own, or what an allowance lets through (GC6, GC10, OA2)."""
        own = self._own_memo(digits, by) if (kind, act) == (Kind.CREDIT_MEMO, ValueAct.REDEEM) else None
        if own is not None and not (isinstance(own, Refusal) and own.code == "operation.offline"):
            return own
        if act not in {ValueAct.REDEEM, ValueAct.CHARGE} or not self._may_begin(kind):
            return self.not_there(kind)
        with self._desk.lock:
            return self._desk.checkout.hold_by_allowance(kind, act, digits or account, pin.strip())

    def _may_begin(self, kind: Kind) -> bool:
        """On account has a parameter of its own beside the amount."""
        basket = self._desk.checkout.basket()
        is_on = basket is not None and basket.parameters.get(ON_ACCOUNT_OFFLINE) is True
        return kind is not Kind.ON_ACCOUNT or is_on

    def _own_memo(self, number: str, by: Act) -> Basket | Refusal:
        """A memo that this till issued, and that cannot have left it: nobody else can have it."""
        checkout = self._desk.checkout
        with self._desk.lock:
            found = checkout.own_memo(number, self._watch.link.applied)
            if found is None or (found.is_handed and not self.is_there()):
                return self.not_there(Kind.CREDIT_MEMO)
            if found.is_handed:
                return Refusal("hold.on-its-way", say("memo.on-its-way"))
            if found.left_minor <= 0:
                return Refusal("hold.empty", "There is nothing left on this credit memo.")
            hold = vouched(found, number, checkout.new_key())
            return checkout.hold_own_memo(hold, by=by.by)

    def ask_again(self, key: HoldKey, by: Act) -> Basket | Refusal:
        """The same under the same key: its answer was lost (SW10)."""
        basket = self._desk.checkout.basket()
        hold = held.hold_of(basket, key) if basket else None
        if basket is None or hold is None:
            return GONE
        if hold.stage is Stage.HELD:
            return basket
        if not self.is_there():
            return Refusal("hold.in-doubt", in_doubt(hold.words))
        return self._call(basket.transaction, hold, by)

    def _call(
        self,
        transaction: TransactionId,
        hold: TillHold,
        by: Act,
        *,
        is_first: bool = False,
        is_behind: bool = False,
    ) -> Basket | Refusal:
        """`is_first`: nothing was ever sent under this key; else head office may hold it."""
        currency = self._desk.checkout.config.currency
        answer = self._real_time.ask(HOLD, request_of(hold, transaction, currency), Held, is_behind=is_behind)
        checkout = self._desk.checkout
        if isinstance(answer, Held):
            return checkout.hold_granted(transaction, answer)
        if isinstance(answer, Unanswered) and (answer.is_sent or not is_first):
            self._may_doubt = True
            left = checkout.hold_unanswered(transaction, hold.key)
            return left if isinstance(left, Refusal) else Refusal("hold.in-doubt", in_doubt(hold.words))
        if isinstance(answer, Denied) and answer.is_busy and not is_first:
            self._may_doubt = True
            self._doubt_from_ms = self._clock.monotonic_ms() + 1_000 * max(1, answer.retry_after_s)
            return self.refusal(answer)
        self._desk.committed(checkout.give_up_hold(transaction, hold.key, REFUSED, by.by))
        if isinstance(answer, Denied):
            return self.refusal(answer)
        is_there = self.is_there()
        return Refusal("hold.not-asked", say("hold.not-asked")) if is_there else self.not_there(hold.kind)

    def refusal(self, denied: Denied) -> Refusal:
        """Head office's answer as a cashier reads it: who holds it, and since when by the store's clock."""
        name = denied.holder_name
        holder = name if " " in name else f"register {name}"
        since = self._fmt.moment(denied.since_ms, self._clock.now_ms()) if denied.since_ms else ""
        sentence = denied.sentence.replace("{holder}", holder).replace("{since}", since)
        return Refusal(denied.code, sentence)

    def balance(self, kind: Kind, number: str, pin: str = "", *, account: str = "") -> Balance | Refusal:
        """What is on it now; nothing is held and nothing is journalled. Of another currency's nothing is
        shown and nothing noted: its figures would be read as this till's."""
        if not self.is_there():
            return self.not_there(kind)
        digits = read_number(kind, number) if kind in NUMBERED else ""
        if isinstance(digits, Refusal):
            return digits
        asked = BalanceRequest(kind=kind, number=digits, pin=pin.strip(), account=AccountId(account))
        answer = self._real_time.ask(BALANCE, asked, Balance)
        if isinstance(answer, Unanswered):
            return self.not_there(kind)
        if isinstance(answer, Denied):
            return self.refusal(answer)
        own = self._desk.checkout.config.currency
        if answer.currency not in {own, ""}:
            return Refusal("account.currency", say("value.currency", theirs=answer.currency, own=own))
        left_minor = answer.balance if kind in NUMBERED else answer.available
        self._desk.checkout.heard_balance(kind, digits, pin.strip(), answer.account, left_minor)
        return answer

    # ---- what is done with it ----------------------------------------------------------------

    def take_off(self, key: HoldKey, by: Act) -> Basket | Refusal:
        """With its line and its tenders; its lock ends with the entry that says so (GC3, GC5)."""
        with self._desk.lock:
            return self._desk.committed(self._desk.checkout.take_off(key, by=by.by))

    def pay(self, key: HoldKey, *, points: int = 0, amount_minor: int | None = None) -> Sale | Due | Refusal:
        """As much of what is due as this hold pays, or the amount that is given (negative: paid
        back); of points by their rate."""
        desk = self._desk
        with desk.lock:
            basket, priced = desk.checkout.basket(), desk.checkout.priced()
            hold = held.hold_of(basket, key) if basket else None
            if basket is None or priced is None or hold is None:
                return GONE
            if hold.stage is not Stage.HELD:
                return Refusal("hold.in-doubt", in_doubt(hold.words))
            due_minor = desk.due(priced).amount_minor
            if hold.kind is Kind.POINTS:
                for_unit, unit_minor = points_for_unit(basket.parameters), 10**basket.money.digits
                points, amount_minor = redeemable(hold.available, due_minor, for_unit, unit_minor)
            elif amount_minor is None:
                amount_minor = due_minor if due_minor < 0 else held.payable_minor(hold, due_minor)
            return desk.take(_tender(hold, amount_minor, points))

    def refund_to_memo(self) -> Sale | Due | Refusal:
        """What is still to be paid out, on a new credit memo of this till's own number (GC6)."""
        desk = self._desk
        with desk.lock:
            priced = desk.checkout.priced()
            due_minor = desk.due(priced).amount_minor if priced else 0
            if due_minor >= 0:
                return Refusal("tender.nothing-due", "Nothing is to be paid out.")
            memo = TillHold(
                key=desk.checkout.new_key(),
                kind=Kind.CREDIT_MEMO,
                act=ValueAct.ISSUE,
                number=new_number(Kind.CREDIT_MEMO, desk.checkout.random(RANDOM_BYTES)),
                account=AccountId(desk.checkout.new_key()),
                is_own=True,
                stage=Stage.HELD,
            )
            return desk.take(_tender(memo, due_minor, 0), hold=memo)

    # ---- how the line stands -----------------------------------------------------------------

    def line_now(self, basket: Basket) -> LineNow:
        """What the operations table says of concluding with what this transaction holds (GC4 to GC6)."""
        now = self.situation_of(basket)
        allowed = {kind for kind, name in CONCLUDES.items() if refusal_of(OPERATIONS[name], now) is None}
        return LineNow(now.is_offline, allowed)

    def situation_of(self, basket: Basket) -> Situation:
        """By the parameters that the transaction began with, and what it holds."""
        return Situation(
            mode=self._watch.mode(),
            switched_on=frozenset(name for name in SWITCHES if basket.parameters.get(name) is True),
            at_hand=at_hand(basket),
        )

    # ---- doubts ------------------------------------------------------------------------------

    def want(self) -> None:
        """Somebody is about to pay: what was held long ago is asked for again. A basket that nobody touches
        is left alone, or no policy would ever release what it holds (GC9)."""
        self._is_wanted = True

    def heard(self) -> None:
        """At each look at the line: once it is back, what is in doubt is asked again, in another thread."""
        self.allowances.heard()
        was_there, self._was_there = self._was_there, self.is_there()
        if not self._was_there:
            return
        now_ms = self._clock.monotonic_ms()
        if self._is_wanted and not self._may_doubt and now_ms >= self._doubt_from_ms:
            self._is_wanted = False
            self._may_doubt = self._desk.checkout.is_worn()
        if not was_there:
            self._doubt_from_ms = max(self._doubt_from_ms, now_ms + round(SPREAD_MS * self._jitter()))
        if self._may_doubt and now_ms >= self._doubt_from_ms and self._asking_again.acquire(blocking=False):
            threading.Thread(target=self._settle_doubts, name="holdfast-doubts", daemon=True).start()

    def _settle_doubts(self) -> None:
        try:
            self._may_doubt = False
            doubts = self._desk.checkout.doubts()
            for basket, hold in doubts[:AGAIN_MAX]:
                by = Act(by=basket.by, at_ms=0, limits=UNLIMITED)
                self._call(basket.transaction, hold, by, is_behind=True)
            if len(doubts) > AGAIN_MAX:
                self._may_doubt = True
            if doubts:
                self._changed()
        except Fault as fault:
            self._may_doubt = True
            _log.warning("central.doubts", code=fault.code, fault=fault.sentence)
        finally:
            self._asking_again.release()


def at_hand(basket: Basket) -> frozenset[str]:
    """What of the transaction conditions of the operations table ask for."""
    return frozenset(AT_HAND[kind] for kind in held.kinds_held(basket) if kind in AT_HAND)


def _tender(hold: TillHold, amount_minor: int, points: int) -> Tender:
    return Tender(
        kind=hold.kind.value,
        amount_minor=amount_minor,
        reference=hold.number_end,
        hold=hold.key,
        points=points,
    )
