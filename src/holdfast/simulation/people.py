"""What people do: sell, load feeds, give commands and keys, and look after whom head office refuses."""

import datetime
from collections import defaultdict

import msgspec

from holdfast.core.catalogue import Price, Product
from holdfast.core.foreign_cash import CurrencyRate
from holdfast.core.ids import OriginId, Sku
from holdfast.infra.keys import SigningKey
from holdfast.simulation.fleet import Fleet
from holdfast.simulation.head_office import Rows
from holdfast.simulation.reference import CURRENCY
from holdfast.simulation.register import SimRegister

HELP_AFTER_HEALING_MS = 4_000
FOREIGN = {"EUR": (500, 85), "USD": (100, 75), "JPY": (1_000, 0.5)}
"""Currency → the smallest note that is taken, in its minor units, and about what a unit is worth."""


class Parameter(msgspec.Struct, frozen=True):
    """A row of the parameters feed."""

    value: int
    valid_from: str


class People:
    """Of one run."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet, self._world = fleet, fleet.world
        self.given_up: list[tuple[SimRegister, SigningKey]] = []
        """Keys that gave way or are about to, and whose they were."""
        self._tickets = self._helps = 0
        self._helped: dict[str, int] = {}
        self._helped_last: dict[OriginId, SimRegister] = {}
        self._sales = 0
        for feed in ("currencies", "products"):
            fleet.head_office.publish(feed, self._rows(feed))

    # At the till

    def sale(self) -> None:
        """A cashier sells; now and then history is entered by its reference, at any twin."""
        self._sales += 1
        register = self._fleet.pick()
        reference = f"H{register.origin}-{self._sales % 31}" if self._world.chance(0.2) else None
        text = "bad \x00 text" if reference is None and self._world.chance(0.01) else "tea"
        register.sell(reference, description=text)

    def future_entry(self) -> None:
        """By a version that head office does not know yet."""
        self._fleet.pick().write_future_entry()

    # At head office

    def load(self) -> None:
        """A feed has something new."""
        feed = self._world.random.choice(("currencies", "products", "prices", "parameters"))
        if self._fleet.head_office.alive:
            self._fleet.head_office.publish(feed, self._rows(feed))

    def command(self) -> None:
        """To any register."""
        chance, register = self._world.random, self._fleet.pick()
        kind = chance.choice(
            ("sync_now", "report", "resend_from", "resend_from", "purge", "collect_diagnostics")
        )
        arguments: dict[str, str] = {}
        if kind == "resend_from":
            arguments["seq"] = str(chance.randrange(1, 30))
            epochs = register.database.epochs
            if epochs and chance.random() < 0.5:
                arguments["epoch"] = chance.choice(epochs).epoch
        elif kind == "purge":
            arguments["keep_days"] = str(chance.randrange(4))
        self._command(register, kind, arguments)

    def change_key(self) -> None:
        """By a command, which the register carries out; or by a code, which somebody types in there.

        Not of a register of which there are two: each new key would shut the other one out.
        """
        register = self._fleet.pick()
        if sum(machine.origin == register.origin for machine in self._fleet.registers) > 1:
            return
        if self._world.chance(0.7):
            self._command(register, "rotate_key", {})
        elif register.alive:
            self._give_key(register)

    def _command(self, register: SimRegister, kind: str, arguments: dict[str, str]) -> None:
        office = self._fleet.head_office
        if not office.alive:
            return
        self._tickets += 1
        arguments["ticket"] = str(self._tickets)
        if office.issue(register.origin, kind, arguments) is None:
            return
        if kind == "rotate_key":
            self.given_up.append((register, register.keychain.newest()))
        for machine in self._fleet.registers:
            if machine.origin == register.origin:
                machine.ask_for_commands()  # its poll waits at head office

    # At the register, with a code

    def help(self) -> None:
        """Whom head office refuses is given another key: of two copies of a register, which shut each other
        out, the one that was not helped for longest."""
        shut_out: dict[OriginId, list[SimRegister]] = defaultdict(list)
        for register in self._fleet.registers:
            if register.alive and register.is_shut_out:
                shut_out[register.origin].append(register)
        for origin, registers in shut_out.items():
            last = self._helped_last.get(origin)
            if last is None or last.drained() or not self._world.healed:
                self._give_key(min(registers, key=lambda register: self._helped.get(register.node, 0)))
            else:
                self._helped_last.pop(origin)  # it has had its time: next turn the other one is helped

    def help_on(self) -> None:
        """The same again and again, once the world is healed: somebody looks."""
        self.help()
        self._world.after(HELP_AFTER_HEALING_MS, "help", self.help_on)

    def _give_key(self, register: SimRegister) -> None:
        office = self._fleet.head_office
        key = SigningKey(self._fleet.seed())
        if not office.alive:
            return
        certificate = office.rekey(register.origin, key)
        if certificate is None:
            return  # it is not known there (any more), and has to come back by itself first
        self.given_up.append((register, register.keychain.newest()))
        self._helps += 1
        self._helped[register.node] = self._helps
        self._helped_last[register.origin] = register
        register.crash()
        register.keychain.hold(key, certificate)
        register.start()

    # What a load brings

    def _rows(self, feed: str) -> Rows:
        makers = {
            "currencies": self._rates,
            "products": self._products,
            "prices": self._prices,
            "parameters": self._parameters,
        }
        return makers[feed]()

    def _rates(self) -> Rows:
        chance = self._world.random
        at_s = self._fleet.head_office.clock.now_ms() / 1000
        today = datetime.datetime.fromtimestamp(at_s, datetime.UTC).date().isoformat()
        rows = [
            CurrencyRate(
                currency=currency,
                home=CURRENCY,
                rate_e8=int(about * 1_000_000 * chance.uniform(0.9, 1.1)),
                smallest_minor=smallest,
                valid_from=chance.choice(("2000-01-01", today)),
                accepted=chance.random() < 0.9,
            )
            for currency, (smallest, about) in FOREIGN.items()
        ]
        return {rate.key: rate for rate in rows}

    def _products(self) -> Rows:
        chance = self._world.random
        skus = {f"P{chance.randrange(30):02d}" for _ in range(3)}
        gone = f"P{chance.randrange(30):02d}"
        rows: dict[str, msgspec.Struct | None] = {gone: None}
        for sku in sorted(skus):
            rows[sku] = Product(sku=Sku(sku), description=f"tea {chance.randrange(100)}", tax_code="S")
        return rows

    def _prices(self) -> Rows:
        chance = self._world.random
        sku = f"P{chance.randrange(30):02d}"
        price = Price(
            sku=Sku(sku), unit_price_e4=chance.randrange(100_000), currency=CURRENCY, valid_from="2026-01-01"
        )
        return {f"{sku}|{price.valid_from}|{CURRENCY}": price}

    def _parameters(self) -> Rows:
        chance = self._world.random
        return {f"p{chance.randrange(4)}": Parameter(chance.randrange(100), "2026-01-01")}
