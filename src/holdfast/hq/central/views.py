"""Accounts of central value as pages show them."""

from typing import Any, NamedTuple

import msgspec

from holdfast.core.central.accounts import NUMBERED, AccountId, Kind
from holdfast.core.central.numbers import SHOWN_DIGITS, number_mac, read_number
from holdfast.core.refusals import Refusal
from holdfast.hq.store.central_rows import PostgresCentralValue
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.central", "views.sql", Engine.POSTGRES)

LISTED_MAX = 100
MOVEMENTS_MAX = 500
HOLDS_MAX = 100


class Listed(NamedTuple):
    """One row of the list."""

    kind: str
    account: str
    currency: str
    state: str
    limit: int
    number_end: str
    opened_at_ms: int
    movements: int
    balance: int
    moved_at_ms: int | None
    holds: int
    register: str | None
    """That holds it, or one of those."""
    key: str | None


class Movement(NamedTuple):
    """One row of an account's ledger."""

    number: int
    act: str
    booked: int
    counter: int
    difference: int
    balance: int
    remark: str
    chain: int
    seq: int
    business_date: str
    at_ms: int
    store: str
    register: str | None
    origin: str
    document: str | None
    transaction: str


class HoldOf(NamedTuple):
    """A hold, in use or ended."""

    key: str
    act: str
    amount: int
    since_ms: int
    ended: str
    ended_at_ms: int | None
    ended_by: str | None
    reason: str | None
    transaction: str
    origin: str
    register: str | None
    store: str | None


class AccountPage(msgspec.Struct, frozen=True, kw_only=True):
    """All that stands of one account."""

    account: Listed
    movements: tuple[Movement, ...]
    holds: tuple[HoldOf, ...]


class AccountBook:
    """Reads accounts. Thread-safe."""

    def __init__(self, pool: Pool, number_key: bytes) -> None:
        self._pool = pool
        self._number_key = number_key

    def listed(
        self, *, kind: str = "", number_end: str = "", account: str = "", state: str = ""
    ) -> list[Listed]:
        """The newest first."""
        with self._pool.connection() as conn:
            return self._listed(conn, kind=kind, number_end=number_end, account=account, state=state)

    def _listed(self, conn: Any, **asked: str) -> list[Listed]:
        return [Listed(*row) for row in _sql.accounts(conn, limit=LISTED_MAX, **asked)]

    def one(self, kind: str, account: str) -> AccountPage | None:
        """An account with its movements and holds, the newest first."""
        place = {"kind": kind, "account": account}
        with self._pool.connection() as conn:
            conn.execute("set transaction isolation level repeatable read read only")
            found = self._listed(conn, **place, number_end="", state="") if account else []
            if not found:
                return None
            return AccountPage(
                account=found[0],
                movements=tuple(Movement(*row) for row in _sql.movements(conn, limit=MOVEMENTS_MAX, **place)),
                holds=tuple(HoldOf(*row) for row in _sql.holds(conn, limit=HOLDS_MAX, **place)),
            )

    def of_number(self, typed: str) -> tuple[Kind, AccountId] | Refusal:
        """Whose number was typed in full. It is kept nowhere, and said again nowhere."""
        refused: Refusal | None = None
        for kind in sorted(NUMBERED):
            digits = read_number(kind, typed)
            if isinstance(digits, Refusal):
                refused = refused or digits
                continue
            with self._pool.connection() as conn:
                found = PostgresCentralValue(conn).place_of(kind, number_mac(self._number_key, kind, digits))
            if found is not None:
                return kind, found
            refused = Refusal("account.unknown", "Head office knows no card or memo of this number.")
        assert refused is not None, "there are kinds with numbers"
        return refused


def is_end(text: str) -> bool:
    """Whether these are the last digits of a number."""
    return len(text) == SHOWN_DIGITS and text.isascii() and text.isdigit()
