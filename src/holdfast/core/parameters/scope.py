"""For whom a parameter is set, and which of several settings counts: the one rule.

The narrowest scope that has a value on the business date wins: register, store, store group, chain; where
none has one, the parameter's default. Each scope has one row of the feed, under a key of its own, so that a
register looks up the four that concern it, and nothing else.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

Value = bool | int | str | list[str]
ScopeKind = Literal["chain", "group", "store", "register"]

FIRST_DATE = "0001-01-01"
"""Before every business date: what is set at once counts from there on."""
STORE_GROUP_NAME = "store.group"
"""The parameter that says which group a store is in: itself set, dated and versioned like any other."""
_PREFIX: dict[ScopeKind, str] = {"group": "group:", "register": "register:"}
"""What stands before the code in a key. A store's has none: so registers of the first version know it."""


class Scope(msgspec.Struct, frozen=True, order=True):
    """The whole chain, or one of its groups, stores or registers: a register by its series, which outlives a
    machine."""

    kind: ScopeKind
    code: str = ""
    """Empty for the chain."""


CHAIN = Scope("chain")


class Step(msgspec.Struct, frozen=True, array_like=True):
    """From a business date on another value; None: from then on nothing is set here."""

    valid_from: str
    value: Value | None


class ParameterRow(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One row of the feed: one parameter in one scope."""

    value: Value | None
    """Until the first step. A register of the first version reads this alone."""
    steps: tuple[Step, ...] = ()
    """In the order of their dates."""


class Place(msgspec.Struct, frozen=True):
    """Where a register stands."""

    store: str
    register: str
    """Its series."""


class Setting(msgspec.Struct, frozen=True):
    """What counts, and by which scope."""

    value: Value
    scope: Scope


def key_of(name: str, scope: Scope) -> str:
    """The key of a row: `NAME`, `NAME@STORE`, `NAME@group:GROUP` or `NAME@register:SERIES`."""
    return name if scope.kind == "chain" else f"{name}@{_PREFIX.get(scope.kind, '')}{scope.code}"


def split_key(key: str) -> tuple[str, Scope]:
    """A key's parts; what it names need not exist."""
    name, at, code = key.partition("@")
    for kind, prefix in _PREFIX.items():
        if code.startswith(prefix):
            return name, Scope(kind, code.removeprefix(prefix))
    return name, Scope("store", code) if at else CHAIN


def keys_of(name: str, place: Place, group: str = "") -> tuple[str, ...]:
    """Keys of the rows that can decide, the narrowest scope first."""
    scopes = [Scope("register", place.register), Scope("store", place.store)]
    if group:
        scopes.append(Scope("group", group))
    return tuple(key_of(name, scope) for scope in (*scopes, CHAIN))


def in_force(row: ParameterRow, business_date: str) -> Value | None:
    """The row's value on a date."""
    value = row.value
    for step in row.steps:
        if step.valid_from > business_date:
            break
        value = step.value
    return value


def group_of(rows: Mapping[str, ParameterRow], store: str, business_date: str) -> str:
    """The group that a store is in on a date; empty: none."""
    row = rows.get(key_of(STORE_GROUP_NAME, Scope("store", store)))
    group = None if row is None else in_force(row, business_date)
    return group if isinstance(group, str) else ""


def resolve(rows: Mapping[str, ParameterRow], name: str, place: Place, business_date: str) -> Setting | None:
    """What counts at a register on a business date, of rows by key; None: the default does."""
    for key in keys_of(name, place, group_of(rows, place.store, business_date)):
        row = rows.get(key)
        value = None if row is None else in_force(row, business_date)
        if value is not None:
            return Setting(value, split_key(key)[1])
    return None
