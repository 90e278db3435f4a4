"""What may be taken offline, and of whose account, as the till's database keeps it (GC10, OA2)."""

from typing import NamedTuple

import apsw
import msgspec

from holdfast.core.central.accounts import AccountId, Kind
from holdfast.core.central.allowed import Allowed
from holdfast.core.ids import EpochId
from holdfast.infra.queries import Engine, load_queries

_QUERIES = load_queries(__name__.rpartition(".")[0], "allowances.sql", Engine.SQLITE)

ACCOUNTS_MAX = 2_000
"""Known at a time; the one that was told of longest ago is forgotten first."""

TRIED_MAX = 1_000
"""Cards whose wrong PINs are counted at a time; the one that was tried longest ago is forgotten first."""


class Kept(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Of one kind, in one epoch."""

    epoch: EpochId
    asking: str = ""
    """The key that was asked under and not answered."""
    allowed: Allowed | None = None
    taken_at_ms: int = 0
    ended_seq: int = 0
    """The entry that returned the last one: until head office has it, another one would be granted less."""


class Known(NamedTuple):
    """An account that head office told of."""

    account: AccountId
    number_end: str
    left_minor: int | None
    """None: not told."""


_decoder = msgspec.json.Decoder(Kept)


def all_kept(connection: apsw.Connection) -> dict[Kind, Kept]:
    return {Kind(kind): _decoder.decode(data) for kind, data in _QUERIES.allowances(connection)}


def read_kept(connection: apsw.Connection, kind: Kind, epoch: EpochId) -> Kept:
    """What is kept of a kind in the epoch that is open: of another one nothing counts (P4)."""
    data = _QUERIES.allowance(connection, kind=kind.value)
    kept = None if data is None else _decoder.decode(data)
    return kept if kept is not None and kept.epoch == epoch else Kept(epoch=epoch)


def write_kept(connection: apsw.Connection, kind: Kind, kept: Kept) -> None:
    """Within the transaction of its entry, as all that writes here."""
    _QUERIES.put_allowance(connection, kind=kind.value, data=msgspec.json.encode(kept))


def drop_kept(connection: apsw.Connection, kind: Kind) -> None:
    _QUERIES.drop_allowance(connection, kind=kind.value)


def find_account(connection: apsw.Connection, mark: bytes) -> Known | None:
    row = _QUERIES.account_known(connection, mark=mark)
    return None if row is None else Known(AccountId(row[0]), row[1], row[2])


def left_known(connection: apsw.Connection, kind: Kind, account: AccountId) -> int | None:
    """What is known to be left of it; None: nothing was told."""
    return _QUERIES.left_known(connection, kind=kind.value, account=account)


def put_account(connection: apsw.Connection, mark: bytes, kind: Kind, known: Known, at_ms: int) -> None:
    _QUERIES.put_account(
        connection,
        mark=mark,
        kind=kind.value,
        account=known.account,
        number_end=known.number_end,
        left_minor=known.left_minor,
        at_ms=at_ms,
    )
    _QUERIES.drop_oldest_accounts(connection, kept=ACCOUNTS_MAX)


def move_account(connection: apsw.Connection, kind: Kind, account: AccountId, delta_minor: int) -> None:
    """A document of this till moved it."""
    _QUERIES.move_account(connection, kind=kind.value, account=account, delta_minor=delta_minor)


def tried_cards(connection: apsw.Connection) -> dict[bytes, int]:
    """How much wrong PINs weighed after the last try, by the card's mark; the last one tried last."""
    return dict(_QUERIES.tried_cards(connection))


def put_tried(connection: apsw.Connection, mark: bytes, wrong_e3: int) -> None:
    _QUERIES.put_tried(connection, mark=mark, wrong_e3=wrong_e3)
    _QUERIES.drop_oldest_tried(connection, kept=TRIED_MAX)
