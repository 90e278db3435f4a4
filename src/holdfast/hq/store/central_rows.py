"""Central value as rows of PostgreSQL."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg

from holdfast.core.central.accounts import Account, AccountId, Act, HoldKey, Kind, State
from holdfast.core.central.grants import Grant
from holdfast.core.central.holds import Hold
from holdfast.core.central.settle import AccountKey, Facts, Outcome, Settled
from holdfast.core.ids import EpochId, OriginId, TransactionId
from holdfast.hq.store.central_port import Numbered
from holdfast.hq.store.refusals import refusals
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.store", "central.sql", Engine.POSTGRES)

MOVEMENT_COLUMNS = (
    *("kind", "account", "number", "chain", "seq", "ordinal", "act", "booked", "counter", "difference"),
    *("balance", "remark", "key", "allowance", "origin", "store", "business_date", "posting_period"),
    *("at_ms", "transaction", "currency"),
)


def movement_row(row: Settled) -> tuple[object, ...]:
    """One row of the ledger, in the order of `MOVEMENT_COLUMNS`."""
    moved, movement = row.moved, row.moved.movement
    return (
        *(movement.kind.value, movement.account, row.number, *moved.place, movement.act.value),
        *(row.booked, row.counter, row.difference, row.balance, row.remark, movement.key, movement.grant),
        *(moved.origin, moved.store, moved.business_date, moved.posting_period, moved.at_ms),
        *(moved.transaction, moved.currency),
    )


class PostgresCentralValue:
    """`CentralValue` on one connection, within its transaction."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn

    def facts(
        self, accounts: Collection[AccountKey], keys: Collection[HoldKey], allowances: Collection[str]
    ) -> Facts:
        found = self._accounts(accounts)
        holds = _sql.holds_by_key(self._conn, keys=list(keys)) if keys else ()
        granted = _sql.allowances_of(self._conn, allowances=list(allowances)) if allowances else ()
        return Facts(
            accounts={place: numbered.account for place, numbered in found.items()},
            holds={hold.key: hold for hold in map(_hold, holds)},
            grants={grant.grant: grant for grant in map(_grant, granted)},
        )

    def _accounts(self, places: Collection[AccountKey]) -> Mapping[AccountKey, Numbered]:
        if not places:
            return {}
        wanted = {"kinds": [kind.value for kind, _ in places], "accounts": [account for _, account in places]}
        list(_sql.lock_accounts(self._conn, **wanted))
        found = [_numbered(row) for row in _sql.accounts_of(self._conn, **wanted)]
        return {(numbered.account.kind, numbered.account.account): numbered for numbered in found}

    def put(self, outcome: Outcome, macs: Mapping[AccountKey, bytes], at_ms: int) -> None:
        self.open(
            [
                Numbered(account=account, number_mac=macs.get((account.kind, account.account)))
                for account in outcome.opened
            ],
            at_ms,
        )
        with refusals():
            for account in outcome.named:
                place = (account.kind, account.account)
                _sql.name_account(
                    self._conn,
                    kind=account.kind.value,
                    account=account.account,
                    number_mac=macs[place],
                    number_end=account.number_end,
                )
            self._put_movements(outcome.settled)
            self._end(outcome.ended, at_ms)
            for told in outcome.told:
                tell = _sql.return_allowance if told.returned else _sql.take_allowance
                tell(self._conn, allowance=told.grant, at_ms=at_ms)
            for asked in outcome.asked:
                _sql.put_ask(
                    self._conn,
                    chain=asked.place.chain,
                    seq=asked.place.seq,
                    key=asked.key,
                    origin=asked.origin,
                    kind=asked.kind.value,
                    act=asked.act.value,
                    account=asked.account,
                    number_end=asked.number_end,
                    transaction=asked.transaction,
                    at_ms=asked.at_ms,
                )
            if outcome.activated:
                _sql.activate(
                    self._conn,
                    kinds=[kind.value for kind, _ in outcome.activated],
                    accounts=[account for _, account in outcome.activated],
                )
            if outcome.grants:
                _sql.use_allowances(
                    self._conn, allowances=list(outcome.grants), amounts=list(outcome.grants.values())
                )

    def _put_movements(self, settled: Sequence[Settled]) -> None:
        if not settled:
            return
        with (
            self._conn.cursor() as cursor,
            cursor.copy(f"copy value_movement ({', '.join(MOVEMENT_COLUMNS)}) from stdin".encode()) as copy,
        ):
            for row in settled:
                copy.write_row(movement_row(row))

    def _end(self, ended: Sequence[Hold], at_ms: int) -> None:
        """Those that stand are ended; a key that was never heard of is kept as ended."""
        if not ended:
            return
        known = {row[0] for row in _sql.holds_by_key(self._conn, keys=[hold.key for hold in ended])}
        stand = [hold for hold in ended if hold.key in known]
        if stand:
            _sql.settle_holds(
                self._conn,
                keys=[hold.key for hold in stand],
                causes=[hold.ended for hold in stand],
                at_ms=at_ms,
            )
        for hold in ended:
            if hold.key not in known:
                self._insert_hold(hold, at_ms)

    def open(self, accounts: Sequence[Numbered], at_ms: int) -> None:
        with refusals():
            for numbered in accounts:
                account = numbered.account
                assert account.movements == 0, "value comes by entries alone"
                assert account.balance == 0, "value comes by entries alone"
                _sql.open_account(
                    self._conn,
                    kind=account.kind.value,
                    account=account.account,
                    currency=account.currency,
                    state=account.state.value,
                    credit_limit=account.limit,
                    number_mac=numbered.number_mac,
                    pin_mac=numbered.pin_mac,
                    number_end=account.number_end,
                    at_ms=at_ms,
                )

    def kin(self, accounts: Collection[AccountKey]) -> Mapping[AccountKey, Sequence[AccountKey]]:
        others: defaultdict[str, list[AccountId]] = defaultdict(list)
        for asked, number in _sql.kin(self._conn, numbers=sorted({account for _, account in accounts})):
            others[asked].append(AccountId(number))
        return {
            (kind, account): [(kind, other) for other in others[account]]
            for kind, account in accounts
            if account in others
        }

    def is_waiting(self) -> bool:
        return _sql.is_waiting(self._conn)

    def place_of(self, kind: Kind, number_mac: bytes) -> AccountId | None:
        found = _sql.place_of(self._conn, kind=kind.value, number_mac=number_mac)
        return None if found is None else AccountId(found)

    def lock(self, place: AccountKey) -> Numbered | None:
        return self._accounts([place]).get(place)

    def holds_of(self, place: AccountKey) -> Sequence[Hold]:
        return [_hold(row) for row in _sql.holds_on(self._conn, kind=place[0].value, account=place[1])]

    def hold_of(self, key: HoldKey) -> Hold | None:
        return next((_hold(row) for row in _sql.holds_by_key(self._conn, keys=[key])), None)

    def put_hold(self, hold: Hold) -> None:
        with refusals():
            self._insert_hold(hold, None)

    def _insert_hold(self, hold: Hold, ended_at_ms: int | None) -> None:
        _sql.put_hold(
            self._conn,
            key=hold.key,
            kind=hold.kind.value,
            account=hold.account,
            origin=hold.origin,
            transaction=hold.transaction,
            act=hold.act.value,
            amount=hold.amount,
            since_ms=hold.since_ms,
            ended=hold.ended,
            ended_at_ms=ended_at_ms,
        )

    def tell_hold(self, key: HoldKey, at_ms: int) -> None:
        _sql.tell_hold(self._conn, key=key, at_ms=at_ms)

    def end_hold(self, key: HoldKey, ended: str, at_ms: int, by: str = "", reason: str = "") -> None:
        _sql.end_hold(self._conn, key=key, ended=ended, at_ms=at_ms, by=by, reason=reason)


def _numbered(row: Sequence[Any]) -> Numbered:
    kind, account, currency, state, limit, end, number_mac, pin_mac, movements, balance = row
    return Numbered(
        account=Account(
            kind=Kind(kind), account=AccountId(account), currency=currency, state=State(state),
            movements=movements, balance=balance, limit=limit, number_end=end,
        ),
        number_mac=number_mac,
        pin_mac=pin_mac,
    )  # fmt: skip


def _hold(row: Sequence[Any]) -> Hold:
    key, kind, account, origin, transaction, act, amount, since_ms, ended, told_ms = row
    return Hold(
        key=HoldKey(key), kind=Kind(kind), account=AccountId(account), origin=OriginId(origin),
        transaction=TransactionId(transaction), act=Act(act), amount=amount, since_ms=since_ms, ended=ended,
        told_ms=told_ms,
    )  # fmt: skip


def _grant(row: Sequence[Any]) -> Grant:
    grant, origin, epoch, kind, amount, expires_at_ms, used, returned, currency = row
    return Grant(
        grant=grant, origin=OriginId(origin), epoch=EpochId(epoch), kind=Kind(kind),
        amount_minor=amount, expires_at_ms=expires_at_ms, used=used, returned=returned, currency=currency,
    )  # fmt: skip
