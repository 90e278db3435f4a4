"""The book of credit: who may buy on account, how far, and what is owed (OA1). Thread-safe.

A limit is a setting of the account, kept with who set it and why; what is owed moves by entries alone.
"""

from typing import Any, NamedTuple

from holdfast.core.bounds import reason_refusal
from holdfast.core.central.accounts import AMOUNT_MAX, Account, AccountId, Kind
from holdfast.core.central.holds import reserved_by
from holdfast.core.money import CURRENCIES, plain_decimal
from holdfast.core.refusals import Refusal
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.central_rows import PostgresCentralValue
from holdfast.hq.store.port import RaceFault
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.loyalty", "loyalty.sql", Engine.POSTGRES)


class Standing(NamedTuple):
    """An account as it stands; its page has each movement."""

    account: Account
    held: int
    """What open transactions keep of it."""

    @property
    def owed(self) -> int:
        return max(0, -self.account.balance)

    @property
    def left(self) -> int:
        """Of the limit, what no transaction holds."""
        return max(0, self.account.available - self.held)


class CreditBook:
    """Over a pool."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def standing(self, kind: Kind, number: str) -> Standing | None:
        """None: there is no such account."""
        with self._pool.connection() as conn:
            central = PostgresCentralValue(conn)
            found = central.lock((kind, AccountId(number)))
            if found is None:
                return None
            held = reserved_by(central.holds_of((kind, AccountId(number))))
            return Standing(found.account, held)

    def currencies(self) -> list[str]:
        """Of the stores."""
        with self._pool.connection() as conn:
            return [row[0] for row in _sql.currencies(conn)]

    def set_limit(
        self, number: str, limit_minor: int, currency: str, *, by: str, reason: str
    ) -> Account | Refusal:
        """So far a customer may owe; 0 ends buying on account. The first one opens the account."""
        if refusal := _refusal(limit_minor, currency, reason):
            return refusal
        place, now_ms = (Kind.ON_ACCOUNT, AccountId(number)), self._clock.now_ms()
        with self._pool.connection() as conn:
            if not _sql.is_customer(conn, number=number):
                return Refusal(
                    "customer.unknown", f"{number[:64]} is no customer, or was merged or forgotten."
                )
            central = PostgresCentralValue(conn)
            found = central.lock(place)
            if found is None:
                try:
                    opened = Account(kind=place[0], account=place[1], currency=currency)
                    central.open([Numbered(account=opened)], now_ms)
                except RaceFault:
                    return _RACE
                before = 0
            elif found.account.currency != currency:
                return Refusal(
                    "credit.currency", f"The account is in {found.account.currency}. Give its limit in that."
                )
            else:
                before = found.account.limit
            _sql.set_limit(conn, account=number, limit_minor=limit_minor)
            _note(conn, now_ms, by, number, _detail(before, limit_minor, currency), reason)
            done = central.lock(place)
        assert done is not None, "it was set"
        return done.account


_RACE = Refusal("credit.race", "Somebody set it at the same moment. Look again.")


def _refusal(limit_minor: int, currency: str, reason: str) -> Refusal | None:
    if not 0 <= limit_minor <= AMOUNT_MAX:
        return Refusal("credit.limit", "A limit is an amount from 0 on.")
    if currency not in CURRENCIES:
        return Refusal("credit.currency", f"{currency[:8]!r} is no currency.")
    return reason_refusal(reason)


def _detail(before_minor: int, after_minor: int, currency: str) -> str:
    digits = CURRENCIES[currency].digits
    return f"{plain_decimal(before_minor, digits)} to {plain_decimal(after_minor, digits)} {currency}"


def _note(conn: Any, at_ms: int, by: str, number: str, detail: str, reason: str) -> None:
    _sql.record(
        conn, at_ms=at_ms, by=by, act="limit-set", kind=Kind.ON_ACCOUNT.value, account=number, detail=detail,
        reason=reason.strip(),
    )  # fmt: skip
