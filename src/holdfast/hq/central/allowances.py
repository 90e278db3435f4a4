"""Allowances at head office: granted ahead, bounded per register and for the chain, shown as exposure (GC10).

Grants are decided one after the other. What a grant was given stays under its key for good.
"""

from typing import Any, NamedTuple

import psycopg

from holdfast.core.central import after_loss
from holdfast.core.central.accounts import Kind
from holdfast.core.central.grants import (
    OWED_FOR_MS,
    Exposed,
    Granted,
    GrantRequest,
    Terms,
    answer_of,
    decide_grant,
)
from holdfast.core.central.holds import Declined
from holdfast.core.ids import OriginId
from holdfast.core.money import CURRENCIES
from holdfast.core.parameters import ParameterRow, Place, Scope, in_force, key_of, resolve
from holdfast.core.parameters.known import (
    ALLOWANCE_CHAIN,
    ALLOWANCE_CHAIN_DEFAULT,
    ALLOWANCE_CREDIT_MEMOS,
    ALLOWANCE_GIFT_CARDS,
    ALLOWANCE_LASTS_H,
    ALLOWANCE_LASTS_H_DEFAULT,
    ALLOWANCE_ON_ACCOUNT,
    ALLOWANCE_PER_CARD,
    ALLOWANCE_PER_TRANSACTION,
)
from holdfast.hq.parameters.book import ParameterBook
from holdfast.hq.store.central_rows import PostgresCentralValue
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.central", "allowances.sql", Engine.POSTGRES)

LISTED_MAX = 500
HOUR_MS = 3_600_000
AMOUNTS: dict[Kind, str] = {
    Kind.GIFT_CARD: ALLOWANCE_GIFT_CARDS,
    Kind.CREDIT_MEMO: ALLOWANCE_CREDIT_MEMOS,
    Kind.ON_ACCOUNT: ALLOWANCE_ON_ACCOUNT,
}


class Allowance(NamedTuple):
    """One grant as the page shows it."""

    grant: str
    kind: str
    currency: str
    amount: int
    used: int
    granted_at_ms: int
    expires_at_ms: int
    is_taken: bool
    returned_at_ms: int | None
    register: str | None
    store: str | None
    origin: str
    left: int


class Total(NamedTuple):
    """What the chain is exposed to in one currency, and up to how much it may be."""

    currency: str
    left: int
    registers: int
    chain_minor: int


class Allowances:
    """Grants, and tells what is out. Thread-safe."""

    def __init__(self, pool: Pool, parameters: ParameterBook, clock: Clock) -> None:
        self._pool = pool
        self._parameters = parameters
        self._clock = clock

    def ask(self, origin: OriginId, request: GrantRequest) -> Granted | Declined:
        """An allowance for that register's epoch. The same key asked again gets the same answer (P2)."""
        rows, today = self._parameters.rows(), self._parameters.today()
        with self._pool.connection() as conn:
            list(_sql.lock_all(conn))
            return self._ask(conn, origin, request, rows, today)

    def _ask(
        self,
        conn: psycopg.Connection[Any],
        origin: OriginId,
        request: GrantRequest,
        rows: dict[str, ParameterRow],
        today: str,
    ) -> Granted | Declined:
        central, now_ms = PostgresCentralValue(conn), self._clock.now_ms()
        known = central.facts((), (), (request.grant,)).grants.get(request.grant)
        if known is None and central.is_waiting():
            return after_loss.declined(request.kind)
        store, series, currency, is_retired = _sql.place(conn, origin=origin)
        terms = terms_of(rows, request.kind, Place(store, series), currency, today)
        exposed = _sql.exposed(
            conn,
            origin=origin,
            epoch=request.epoch,
            kind=request.kind.value,
            currency=currency,
            now_ms=now_ms,
            owed_since_ms=now_ms - OWED_FOR_MS,
        )
        decided = decide_grant(
            request, origin, known, terms, Exposed(register_minor=exposed[0], chain_minor=exposed[1]), now_ms,
            is_current=not is_retired and _sql.is_current(conn, origin=origin, epoch=request.epoch),
        )  # fmt: skip
        if isinstance(decided, Declined):
            return decided
        if known is None:
            _sql.add(
                conn, allowance=decided.grant, origin=origin, epoch=decided.epoch, kind=decided.kind.value,
                amount=decided.amount_minor, now_ms=now_ms, expires_at_ms=decided.expires_at_ms,
                currency=currency, per_card=terms.per_card_minor, per_transaction=terms.per_transaction_minor,
            )  # fmt: skip
        per_card, per_transaction = _sql.limits(conn, allowance=decided.grant)
        return answer_of(decided, per_card, per_transaction)

    def listed(self) -> list[Allowance]:
        """By register, what is at stake first; those that ended within a week too."""
        now_ms = self._clock.now_ms()
        with self._pool.connection() as conn:
            rows = _sql.by_register(conn, now_ms=now_ms, owed_since_ms=now_ms - OWED_FOR_MS, limit=LISTED_MAX)
            return [Allowance(*row) for row in rows]

    def totals(self) -> list[Total]:
        """What the chain is exposed to now."""
        cap = chain_cap(self._parameters.rows(), self._parameters.today())
        now_ms = self._clock.now_ms()
        with self._pool.connection() as conn:
            rows = _sql.totals(conn, now_ms=now_ms, owed_since_ms=now_ms - OWED_FOR_MS)
            return [
                Total(currency, left, registers, cap * minor_of(currency))
                for currency, left, registers in rows
            ]


def terms_of(rows: dict[str, ParameterRow], kind: Kind, place: Place, currency: str, today: str) -> Terms:
    """What parameters say of a kind at a register."""

    def figure(name: str, default: int) -> int:
        found = resolve(rows, name, place, today)
        return found.value if found is not None and isinstance(found.value, int) else default

    minor = minor_of(currency)
    return Terms(
        currency=currency,
        allowed_minor=figure(AMOUNTS[kind], 0) * minor if kind in AMOUNTS else 0,
        chain_minor=chain_cap(rows, today) * minor,
        lasts_ms=figure(ALLOWANCE_LASTS_H, ALLOWANCE_LASTS_H_DEFAULT) * HOUR_MS,
        per_card_minor=figure(ALLOWANCE_PER_CARD, 0) * minor,
        per_transaction_minor=figure(ALLOWANCE_PER_TRANSACTION, 0) * minor,
    )


def chain_cap(rows: dict[str, ParameterRow], today: str) -> int:
    """In whole units: what is set for the chain, and for nobody narrower."""
    row = rows.get(key_of(ALLOWANCE_CHAIN, Scope("chain")))
    value = None if row is None else in_force(row, today)
    return value if isinstance(value, int) else ALLOWANCE_CHAIN_DEFAULT


def minor_of(currency: str) -> int:
    """So many minor units are one of it."""
    known = CURRENCIES.get(currency)
    return 10 ** (known.digits if known else 2)
