"""Central value on paper: what each account's documents moved, and what a transaction holds (GC1 to GC7).

Beside it what head office has of the same accounts.
"""

from dataclasses import dataclass, field
from typing import Any

from holdfast.core.central.accounts import Account, AccountId, Kind, State
from holdfast.core.central.numbers import MAC_KEY_BYTES, new_number, number_end, number_mac, pin_mac
from holdfast.hq.store.central_port import Numbered
from holdfast.infra.postgres.connect import Pool
from tests.hq_fixtures import HeadOfficeUnderTest

NUMBER_KEY = bytes(MAC_KEY_BYTES)
CARDS = 4
GIVES = frozenset({"issue", "top_up", "pay", "earn"})
Name = tuple[str, str]
"""Kind, and the number of a card or whose account it is."""


@dataclass
class Hold:
    """What a transaction holds, or asked for."""

    act: str
    asked: int = 0
    """How much is to be sold, topped up or taken."""
    is_held: bool = False
    """Head office said so, or nobody needs to be asked; else nobody knows."""
    available: int = 0
    is_alone: bool = False
    """Head office was not asked: a memo of this till's own, or of an allowance (GC6, GC10, OA2)."""


@dataclass
class Move:
    """What one document does to one account; positive adds to it."""

    document: str
    name: Name
    amount: int


@dataclass(frozen=True)
class Paid:
    """What an account pays of a transaction, or gets back."""

    name: Name
    minor: int
    """Negative: it gets it back."""
    moved: int
    """Points are no money: so many of them. Else as much."""


@dataclass
class Wallet:
    """All accounts of a session."""

    pins: dict[Name, str] = field(default_factory=dict)
    accounts: dict[Name, str] = field(default_factory=dict)
    """How head office names each."""
    moves: list[Move] = field(default_factory=list)

    limits: dict[Name, int] = field(default_factory=dict)
    """So far a customer may owe."""

    def balance(self, name: Name, documents: set[str] | None = None) -> int:
        """After all that was concluded; or after these documents alone."""
        return self.settled(name, documents)[0]

    def settled(self, name: Name, documents: set[str] | None = None) -> tuple[int, list[int]]:
        """The balance, and what each document took that was not there any more."""
        balance, beyond = 0, list[int]()
        floor = -self.limits.get(name, 0)
        for move in self.moves:
            if move.name == name and (documents is None or move.document in documents):
                booked = max(move.amount, min(0, floor - balance))
                balance += booked
                if booked != move.amount:
                    beyond.append(move.amount - booked)
        return balance, beyond


def open_cards(office: HeadOfficeUnderTest, seed: str, currency: str) -> Wallet:
    """Gift cards that hang on the rack; nobody bought one yet."""
    wallet, rows = Wallet(), list[Numbered]()
    for place in range(CARDS):
        kind, account = Kind.GIFT_CARD, AccountId(f"card-{seed}-{place}")
        number = new_number(kind, f"{seed:>12}{place:04}".encode())
        pin = "4711" if place == 0 else ""
        rows.append(
            Numbered(
                account=Account(
                    kind=kind, account=account, currency=currency, state=State.PREPARED,
                    number_end=number_end(number),
                ),
                number_mac=number_mac(NUMBER_KEY, kind, number),
                pin_mac=pin_mac(NUMBER_KEY, kind, number, pin) if pin else None,
            )
        )  # fmt: skip
        wallet.pins[kind.value, number], wallet.accounts[kind.value, number] = pin, account
    with office.store.transaction(None) as transaction:
        transaction.central.open(rows, 0)
    return wallet


class AtOffice:
    """What head office has, read by its tables alone."""

    def __init__(self, pool: Pool, origin: str) -> None:
        self._pool, self._origin = pool, origin

    def documents(self) -> set[str]:
        """Numbers of those that arrived."""
        return {row[0] for row in self._rows("select number from document where origin = %s", self._origin)}

    def balance(self, kind: str, account: str) -> int:
        rows = self._rows(
            "select coalesce(sum(booked), 0)::bigint from value_movement where kind = %s and account = %s",
            kind, account,
        )  # fmt: skip
        return rows[0][0]

    def remarks(self) -> list[Any]:
        """What stands on the report of this register."""
        return self._rows(
            "select kind, account, remark, difference::bigint from value_movement"
            " where origin = %s and remark <> '' order by kind, account, number",
            self._origin,
        )

    def held(self) -> dict[str, tuple[str, str, str]]:
        """Key → kind, account and transaction, where it has not ended."""
        rows = self._rows(
            "select key, kind, account, transaction from value_hold where origin = %s and ended = ''",
            self._origin,
        )
        return {key: (kind, account, transaction) for key, kind, account, transaction in rows}

    def never_heard(self, key: str) -> None:
        """The power went before the call could leave."""
        with self._pool.connection() as conn:
            conn.execute("delete from value_hold where key = %s", [key])

    def levels(self, store: str) -> dict[str, int]:
        """What lies in a store, by stock code."""
        query = "select sku, quantity_milli::bigint from stock_level where store = %s and quantity_milli <> 0"
        return dict(self._rows(query, store))

    def _rows(self, query: str, *values: str) -> list[Any]:
        with self._pool.connection() as conn:
            return conn.execute(query.encode(), values).fetchall()
