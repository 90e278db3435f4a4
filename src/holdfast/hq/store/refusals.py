"""The database's word against a row, told from that of a transaction that came first."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from holdfast.hq.store.port import DataFault, RaceFault
from holdfast.infra.postgres.connect import is_data_error

_RACES = frozenset(
    {
        *("reference_pkey", "chain_pkey", "chain_origin_epoch_branch_key", "entry_pkey"),
        *("value_account_pkey", "value_movement_pkey", "value_hold_pkey", "value_hold_one"),
    }
)
"""Unique keys that two transactions may reach for at once: not the data's fault."""
_LIMITS_CLASS = "54"
"""A row larger than an index or a page takes: the data's fault too, and no retry cures it."""


@contextmanager
def refusals() -> Iterator[None]:
    """Raises DataFault where a row is refused, RaceFault where another transaction was quicker."""
    try:
        yield
    except (UnicodeEncodeError, struct.error) as error:
        raise DataFault(str(error)[:500]) from error
    except psycopg.Error as error:
        if not is_data_error(error) and not (error.sqlstate or "").startswith(_LIMITS_CLASS):
            raise
        said = str(error.diag.message_primary or error)[:500]
        if isinstance(error, psycopg.errors.UniqueViolation) and error.diag.constraint_name in _RACES:
            raise RaceFault(said) from error
        raise DataFault(f"{error.sqlstate}: {said}") from error
