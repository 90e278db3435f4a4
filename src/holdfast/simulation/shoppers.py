"""What customers want of central value, and whom head office frees by hand."""

from holdfast.core.central.accounts import Account, AccountId, Act, HoldKey, Kind, State
from holdfast.core.central.numbers import MAC_KEY_BYTES, RANDOM_BYTES, new_number, number_end, number_mac
from holdfast.core.central.stale import POLICY
from holdfast.core.ids import ID_RANDOM_BYTES, encode_id
from holdfast.hq.store.central_port import Numbered
from holdfast.simulation.fleet import Fleet
from holdfast.simulation.locks import stale_locks
from holdfast.simulation.reference import CURRENCY
from holdfast.simulation.register import SimRegister
from holdfast.simulation.value_oracle import look_at_release
from holdfast.simulation.value_till import Want
from holdfast.simulation.world import HOUR_MS

NUMBER_KEY = bytes(MAC_KEY_BYTES)
CARDS_PER_REGISTER = 3
CUSTOMERS = ("C0", "C1")
LIMIT_MINOR = 20_000
MEMOS_KNOWN_MAX = 40
MEMOS_LATE = 12
FINISH_MS = 1_500
IMPATIENT = 0.05
STALE_MS = 6 * HOUR_MS
"""An impatient admin's idea of it: owners that are alive are among them."""


class Shoppers:
    """Of one run. They share few cards, so that they meet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet, self._world = fleet, fleet.world
        chance = self._world.random
        self._cards = [
            new_number(Kind.GIFT_CARD, chance.randbytes(RANDOM_BYTES))
            for _ in range(CARDS_PER_REGISTER * fleet.plan.registers)
        ]
        self._memos: list[tuple[str, str]] = []
        """Number, and the machine that issued it."""
        self.taken_back: set[HoldKey] = set()
        """By a person, whose owner may use them all the same."""
        self.released_ms: dict[HoldKey, int] = {}
        """By the policy, and when, in network time."""
        cards = [self._card(number) for number in self._cards]
        buyers = [
            Account(kind=Kind.ON_ACCOUNT, account=AccountId(customer), currency=CURRENCY, limit=LIMIT_MINOR)
            for customer in CUSTOMERS
        ]
        fleet.head_office.open_accounts([*cards, *(Numbered(account=buyer) for buyer in buyers)])

    def _card(self, number: str) -> Numbered:
        account = Account(
            kind=Kind.GIFT_CARD, account=AccountId(self._account()), currency=CURRENCY,
            state=State.PREPARED, number_end=number_end(number),
        )  # fmt: skip
        return Numbered(account=account, number_mac=number_mac(NUMBER_KEY, Kind.GIFT_CARD, number))

    def _account(self) -> str:
        return encode_id(self._world.random.randbytes(ID_RANDOM_BYTES))

    # ---- at a till

    def visit(self) -> None:
        """The next thing that happens at some till."""
        register = self._fleet.pick()
        if not register.alive:
            return
        till, chance = register.value, self._world.random
        if register.sync is not None:
            register.sync.board.used()
        begun = till.wallet.open
        if begun is None:
            if not till.is_online:
                self._begin_offline(register)
            elif self._fleet.head_office.twin is None and chance.random() < 0.2:
                till.ask_allowance()
            else:
                self._begin(register)
            return
        act = chance.choices(
            ("conclude", "again", "more", "take off", "void", "suspend"), (10, 4, 3, 2, 1, 2)
        )[0]
        if act == "conclude":
            if not till.conclude() and chance.random() < 0.3:
                till.take_off()
        elif act == "again":
            till.ask_again()
        elif act == "more":
            till.ask(self._want())
        elif act == "take off":
            till.take_off()
        elif act == "void":
            till.void()
        else:
            till.suspend()

    def _begin(self, register: SimRegister) -> None:
        chance = self._world.random
        if register.value.wallet.suspended and chance.random() < 0.3:
            register.value.suspend()
        elif chance.random() < 0.1:
            self._refund(register)
        else:
            register.value.ask(self._want())

    def _begin_offline(self, register: SimRegister) -> None:
        """With what was laid aside while the line was there (GC4), with a card of an allowance, or for a
        memo, which comes back to the till that issued it (GC6)."""
        chance = self._world.random
        own = [memo for memo, node in self._memos[-MEMOS_LATE:] if node == register.node]
        act = chance.random()
        if register.value.wallet.suspended and chance.random() < 0.5:
            register.value.suspend()
        elif act < 0.2:
            self._refund(register)
        elif own and act < 0.6:
            register.value.ask(Want(Kind.CREDIT_MEMO, Act.REDEEM, number=chance.choice(own)))
        else:
            register.value.spend_offline()

    def _refund(self, register: SimRegister) -> None:
        memo = new_number(Kind.CREDIT_MEMO, self._world.random.randbytes(RANDOM_BYTES))
        if register.value.refund(AccountId(self._account()), memo):
            self._memos = [*self._memos, (memo, register.node)][-MEMOS_KNOWN_MAX:]

    def _want(self) -> Want:
        chance = self._world.random
        weights = {
            Kind.GIFT_CARD: 6,
            Kind.CREDIT_MEMO: 2 if self._memos else 0,
            Kind.POINTS: 1,
            Kind.ON_ACCOUNT: 2,
        }
        kind = chance.choices(list(weights), list(weights.values()))[0]
        match kind:
            case Kind.GIFT_CARD:
                act = chance.choices((Act.ISSUE, Act.TOP_UP, Act.REDEEM, Act.CASH_OUT), (2, 2, 5, 1))[0]
                return Want(kind, act, number=chance.choice(self._cards))
            case Kind.CREDIT_MEMO:
                return Want(kind, Act.REDEEM, number=chance.choice(self._memos)[0])
            case Kind.POINTS:
                return Want(kind, Act.REDEEM, account=chance.choice(CUSTOMERS))
            case Kind.ON_ACCOUNT:
                return Want(kind, chance.choice((Act.CHARGE, Act.PAY)), account=chance.choice(CUSTOMERS))

    def finish_all(self) -> None:
        """The world is healed: whatever is open comes to an end, and is asked for until it does."""
        self.open_value()
        is_done = [register.value.finish() for register in self._fleet.registers]
        if not all(is_done):
            self._world.after(FINISH_MS, "shoppers leave", self.finish_all)

    # ---- at head office

    def open_value(self) -> None:
        """A restored head office holds value again once it knows all; now and then an admin is impatient."""
        office = self._fleet.head_office
        if not office.alive or not office.waits_for_registers:
            return
        drained = all(register.alive and register.drained() for register in self._fleet.registers)
        if drained or (not self._world.healed and self._world.chance(IMPATIENT)):
            office.open_value()

    def release_stale(self) -> None:
        """An admin frees an old lock, without knowing what its owner will do (GC9)."""
        office = self._fleet.head_office
        if not office.alive:
            return
        now_ms = office.clock.now_ms()
        stale = [key for key, since_ms in office.held() if now_ms - since_ms > STALE_MS]
        if stale:
            key = self._world.random.choice(stale)
            office.take_back(key, "admin", "nobody comes back for it")
            self.taken_back.add(key)

    def release_by_policy(self) -> None:
        """Nothing can come of these locks (GC9)."""
        office, world = self._fleet.head_office, self._world
        for hold in stale_locks(office) if office.alive else ():
            world.trace(f"policy releases {hold.key}")
            owners = [each.life for each in self._fleet.registers if each.origin == hold.origin]
            look_at_release(self._fleet.ledger, hold, owners)
            office.take_back(hold.key, POLICY, "stale by policy")
            self.released_ms[hold.key] = world.now_ms
