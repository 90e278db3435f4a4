"""Parameters as this register goes by them: the rows that concern its place, and the one rule over them."""

from collections.abc import Callable, Iterable

import apsw
import msgspec

from holdfast.core.parameters import (
    STORE_GROUP_NAME,
    ParameterRow,
    Place,
    Scope,
    Setting,
    key_of,
    keys_of,
    resolve,
)
from holdfast.core.parameters.scope import group_of
from holdfast.register.sync.database import QUERIES, read

_row = msgspec.json.Decoder(ParameterRow)


def read_settings(
    connection: apsw.Connection, names: Iterable[str], place: Place, business_date: Callable[[], str]
) -> dict[str, Setting]:
    """What counts here by name; a name is missing where its default does.

    `business_date` is asked only where a row has dates.
    """
    names = tuple(names)
    group_key = key_of(STORE_GROUP_NAME, Scope("store", place.store))
    rows = _rows(connection, (group_key, *(key for name in names for key in keys_of(name, place))))
    date = business_date() if any(row.steps for row in rows.values()) else ""
    if group := group_of(rows, place.store, date):
        rows |= _rows(connection, [key_of(name, Scope("group", group)) for name in names])
        date = date or (business_date() if any(row.steps for row in rows.values()) else "")
    found = {name: resolve(rows, name, place, date) for name in names}
    return {name: setting for name, setting in found.items() if setting is not None}


def _rows(connection: apsw.Connection, keys: Iterable[str]) -> dict[str, ParameterRow]:
    wanted = msgspec.json.encode(list(keys)).decode()
    found = read(connection, lambda: list(QUERIES.parameter_rows(connection, keys=wanted)))
    return {key: _row.decode(body) for key, body in found}
