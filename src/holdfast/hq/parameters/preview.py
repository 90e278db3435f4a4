"""Whom a change would touch, before it is made: each register's value before and after it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from holdfast.core.parameters import (
    PARAMETERS,
    STORE_GROUP_NAME,
    Change,
    ParameterRow,
    Place,
    Scope,
    Setting,
    resolve,
)
from holdfast.core.parameters.scope import group_of, split_key

TOUCHED_SHOWN = 100


class Post(NamedTuple):
    """A register in service, and where it stands."""

    series: str
    store: str
    name: str
    origin: str

    @property
    def place(self) -> Place:
        return Place(self.store, self.series)


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """One register, and what would change there."""

    post: Post
    name: str
    """Of the parameter: a store that changes its group changes several."""
    before: Setting | None
    """None: the default counts."""
    after: Setting | None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do on a business date."""

    name: str
    scope: Scope
    date: str
    before: ParameterRow | None
    after: ParameterRow | None
    registers: int
    """That the scope reaches."""
    touched: int
    """Of them: go by another value then."""
    shown: tuple[Touched, ...]
    """The first of those; of the change of a store's group with each parameter."""
    narrower: tuple[Post, ...]
    """The first of those that keep what is set for them more narrowly."""
    kept: int
    """How many those are."""
    seen: int
    undoes: Change | None = None


def preview_of(
    key: str,
    rows: Mapping[str, ParameterRow],
    wanted: Mapping[str, ParameterRow],
    posts: Sequence[Post],
    date: str,
    seen: int,
    undoes: Change | None,
) -> Preview:
    """`rows` by key as they are, `wanted` as they would be."""
    name, scope = split_key(key)
    names = [one.name for one in PARAMETERS] if name == STORE_GROUP_NAME else [name]
    touched: dict[Post, list[Touched]] = {}
    narrower: list[Post] = []
    reached = [post for post in posts if _reaches(scope, post, wanted, date)]
    for post in reached:
        for each in names:
            if each == STORE_GROUP_NAME:
                continue
            before, after = (resolve(table, each, post.place, date) for table in (rows, wanted))
            if _value(before) != _value(after):
                found = Touched(post=post, name=each, before=before, after=after)
                touched.setdefault(post, []).append(found)
            elif name == each and after is not None and after.scope != scope and after == before:
                narrower.append(post)
    return Preview(
        name=name,
        scope=scope,
        date=date,
        before=rows.get(key),
        after=wanted.get(key),
        registers=len(reached),
        touched=len(touched),
        shown=tuple(one for found in touched.values() for one in found)[:TOUCHED_SHOWN],
        narrower=tuple(narrower[:TOUCHED_SHOWN]),
        kept=len(narrower),
        seen=seen,
        undoes=undoes,
    )


def _reaches(scope: Scope, post: Post, rows: Mapping[str, ParameterRow], date: str) -> bool:
    match scope.kind:
        case "chain":
            return True
        case "group":
            return group_of(rows, post.store, date) == scope.code
        case "store":
            return post.store == scope.code
        case "register":
            return post.series == scope.code


def _value(setting: Setting | None) -> object:
    return None if setting is None else setting.value
