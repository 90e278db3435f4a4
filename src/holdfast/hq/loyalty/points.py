"""The book of points: tiers, expiry, and the accounts of customers who were merged. Thread-safe.

What it books, it books under the account's lock from what stands in the ledger at that moment: done again,
or by two processes, it books nothing more. What comes later, of however long ago, is found at the next turn.
An account that a transaction holds waits, so that nothing is taken from under it.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from holdfast.core.central.accounts import Account, AccountId, Act, Kind
from holdfast.core.central.office import Record, booked_over, expired
from holdfast.core.central.settle import AccountKey, Outcome, Settled
from holdfast.core.loyalty.ledger import (
    Booked,
    Expiry,
    Tier,
    expired_by,
    expiries,
    months_later,
    tier_for,
    tiers_of,
)
from holdfast.core.loyalty.parameters import (
    EXPIRY_MONTHS,
    EXPIRY_MONTHS_DEFAULT,
    TIER_MONTHS,
    TIER_MONTHS_DEFAULT,
    TIERS,
)
from holdfast.core.parameters import ParameterRow, in_force
from holdfast.hq.store.central_rows import PostgresCentralValue
from holdfast.hq.store.port import RaceFault
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

AT_ONCE = 500
BY_ITSELF = "head office"
"""Who did it, where no person did."""
_sql = load_queries("holdfast.hq.loyalty", "loyalty.sql", Engine.POSTGRES)
_row = msgspec.json.Decoder(ParameterRow)


class Rules(NamedTuple):
    """What head office goes by today."""

    tiers: tuple[Tier, ...]
    tier_months: int
    expiry_months: int
    """0: points are kept for good."""


class Standing(NamedTuple):
    """Of one customer, under all numbers that lead to them."""

    balance: int
    tier: str
    counted: int
    """Points that count for the tier."""
    next_tier: Tier | None
    expiry: Expiry | None
    """What is gone next, and when."""
    tier_months: int


class PointsBook:
    """Over a pool."""

    def __init__(self, pool: Pool, clock: Clock, today: Callable[[], str]) -> None:
        """`today`: head office's date."""
        self._pool = pool
        self._clock = clock
        self.today = today

    def rules(self) -> Rules:
        """The parameters in force today."""
        with self._pool.connection() as conn:
            return _rules(conn, self.today())

    # ---- reading ---------------------------------------------------------------------------------

    def standing(self, number: str) -> Standing | None:
        """None: no point was ever booked for this customer."""
        today = self.today()
        with self._pool.connection() as conn:
            rules = _rules(conn, today)
            rows = list(_sql.booked_of(conn, number=number))
        if not rows:
            return None
        counted = _counted(rows, rules, today)
        return Standing(
            balance=sum(row[2] for row in rows),
            tier=tier_for(counted, rules.tiers),
            counted=counted,
            next_tier=next((tier for tier in rules.tiers if tier.points > counted), None),
            expiry=_next_expiry(rows, rules.expiry_months),
            tier_months=rules.tier_months,
        )

    def tier(self, number: str) -> str:
        """For a till's look-up."""
        today = self.today()
        with self._pool.connection() as conn:
            rules = _rules(conn, today)
            if not rules.tiers:
                return ""
            rows = list(_sql.booked_of(conn, number=number))
        return tier_for(_counted(rows, rules, today), rules.tiers)

    # ---- the regular work ------------------------------------------------------------------------

    def expire(self, after: str = "", limit: int = AT_ONCE) -> tuple[str, int]:
        """Book what expired of the next accounts after one; the last that was looked at, empty at the end,
        and how many points."""
        today, rules = self.today(), self.rules()
        if not rules.expiry_months:
            return "", 0
        # A little wide, since months differ in length: which points it are is the ledger's rule.
        before = months_later(today, 1 - rules.expiry_months)
        with self._pool.connection() as conn:
            found = [row[0] for row in _sql.with_old_points(conn, after=after, before=before, limit=limit)]
        points = sum(self._expire(account, rules.expiry_months, today) for account in found)
        return (found[-1] if len(found) == limit else ""), points

    def _expire(self, number: str, months: int, today: str) -> int:
        place: AccountKey = (Kind.POINTS, AccountId(number))
        with self._pool.connection() as conn:
            central = PostgresCentralValue(conn)
            account = central.facts([place], [], []).accounts[place]
            rows = list(_sql.booked(conn, number=number))
            points = min(expired_by(_booked(rows), months, today), account.balance)
            if points <= 0 or central.holds_of(place):
                return 0
            record = self._record(
                conn, "points-expired", account, f"{points} points", f"after {months} months"
            )
            central.put(_outcome([expired(account, points, record)]), {}, record.at_ms)
        return points

    def follow_merges(self, limit: int = AT_ONCE) -> int:
        """Book accounts of customers who were merged over to those who remain; how many. Again, where a
        register that did not hear of it brings more."""
        with self._pool.connection() as conn:
            found = list(_sql.left_behind(conn, limit=limit))
        return sum(
            self._follow(Kind(kind), AccountId(number), AccountId(into)) for kind, number, into in found
        )

    def _follow(self, kind: Kind, number: AccountId, into: AccountId) -> int:
        try:
            with self._pool.connection() as conn:
                central = PostgresCentralValue(conn)
                facts = central.facts([(kind, number), (kind, into)], [], [])
                giver, taker = facts.accounts[kind, number], facts.accounts.get((kind, into))
                if central.holds_of((kind, number)):
                    return 0
                opened = ()
                if taker is None:
                    taker = Account(kind=kind, account=into, currency=giver.currency, limit=giver.limit)
                    opened = (taker,)
                if taker.currency != giver.currency:
                    return 0  # its own page shows it; no rate is anybody's to choose
                detail = f"{giver.balance} to {into}" + (f", limit {giver.limit}" if giver.limit else "")
                record = self._record(conn, "merged", giver, detail, "the customers are one")
                settled = booked_over(giver, taker, record) if giver.balance else ()
                central.put(_outcome(settled, opened), {}, record.at_ms)
                if giver.limit:
                    _sql.set_limit(conn, account=number, limit_minor=0)
        except RaceFault:
            return 0  # a sale came first: the next turn finds what is there by then
        return 1

    def _record(self, conn: Any, act: str, account: Account, detail: str, reason: str) -> Record:
        now_ms = self._clock.now_ms()
        number = _sql.record(
            conn, at_ms=now_ms, by=BY_ITSELF, act=act, kind=account.kind.value, account=account.account,
            detail=detail, reason=reason,
        )  # fmt: skip
        return Record(number=number, date=self.today(), at_ms=now_ms)


def _outcome(settled: Sequence[Settled], opened: Sequence[Account] = ()) -> Outcome:
    return Outcome(
        settled=tuple(settled), opened=tuple(opened), numbers={}, activated=(), ended=(), grants={}
    )


def _booked(rows: Sequence[Sequence[Any]]) -> list[Booked]:
    return [Booked(date, booked) for date, _, booked, *_ in rows]


def _next_expiry(rows: Sequence[Sequence[Any]], months: int) -> Expiry | None:
    """As it will be booked: each account by itself, oldest first."""
    if not months:
        return None
    each = [expiries(_booked(list(found)), months) for _, found in groupby(rows, key=lambda row: row[3])]
    left = [expiry for account in each for expiry in account]
    date = min((expiry.date for expiry in left), default="")
    return Expiry(date, sum(expiry.points for expiry in left if expiry.date == date)) if left else None


def _counted(rows: Sequence[Sequence[Any]], rules: Rules, today: str) -> int:
    """Earned less taken back, over the months that count."""
    since = months_later(today, -rules.tier_months)
    return sum(booked for date, act, booked, *_ in rows if act == Act.EARN and date > since)


def _rules(conn: Any, today: str) -> Rules:
    found: Mapping[str, bytes | str] = dict(_sql.settings(conn, keys=[TIERS, TIER_MONTHS, EXPIRY_MONTHS]))

    def value(name: str) -> object:
        body = found.get(name)
        return None if body is None else in_force(_row.decode(body), today)

    tiers, tier_months, expiry_months = value(TIERS), value(TIER_MONTHS), value(EXPIRY_MONTHS)
    return Rules(
        tiers=tiers_of(tiers if isinstance(tiers, list) else []),
        tier_months=tier_months if type(tier_months) is int else TIER_MONTHS_DEFAULT,
        expiry_months=expiry_months if type(expiry_months) is int else EXPIRY_MONTHS_DEFAULT,
    )
