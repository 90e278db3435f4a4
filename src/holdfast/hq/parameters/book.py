"""The book of parameters: what people set, with a preview of whom it touches. Thread-safe.

Each change is one transaction: the change itself, and the row of the feed that it folds into. So what
registers are told is always what the history says.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import psycopg

from holdfast.core.bounds import reason_refusal
from holdfast.core.parameters import (
    FIRST_DATE,
    STORE_GROUP_NAME,
    Change,
    ParameterRow,
    Scope,
    Value,
    dates_refusal,
    folded,
    in_force,
    key_of,
    read_key,
)
from holdfast.core.parameters.changes import STEPS_MAX
from holdfast.core.parameters.known import SCOPE_WORDS
from holdfast.core.parameters.scope import split_key
from holdfast.core.refusals import Refusal
from holdfast.hq.feeds import Feeds
from holdfast.hq.parameters.preview import Post, Preview, preview_of
from holdfast.infra.clock import Clock
from holdfast.infra.locales import is_locale
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.parameters", "parameters.sql", Engine.POSTGRES)

FEED = "parameters"
HISTORY_MAX = 200
BY_FILE = "From a file"
_SAME = Refusal("parameter.same", "That is so already: nothing would change.")
_value = msgspec.json.Decoder(Value)
_row = msgspec.json.Decoder(ParameterRow)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is about to set, or with no value to end."""

    name: str
    scope: Scope
    value: Value | None
    valid_from: str = FIRST_DATE
    """`FIRST_DATE`: at once."""

    @property
    def key(self) -> str:
        return key_of(self.name, self.scope)


class ParameterBook:
    """Over a pool and the feeds."""

    def __init__(self, pool: Pool, feeds: Feeds, clock: Clock) -> None:
        self._pool = pool
        self._feeds = feeds
        self._clock = clock

    # ---- reading ---------------------------------------------------------------------------------

    def today(self) -> str:
        """Head office's date."""
        now_ms = self._clock.now_ms()
        local_ms = now_ms + self._clock.offset_min(now_ms) * 60_000
        day = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(milliseconds=local_ms)
        return day.date().isoformat()

    def rows(self) -> dict[str, ParameterRow]:
        """What is set, by the key of its row."""
        return {key: _row.decode(body) for key, body in self._feeds.rows(FEED).items()}

    def changes(self, keys: Iterable[str]) -> dict[str, list[Change]]:
        """All that was ever set under these keys, in order."""
        found: dict[str, list[Change]] = {key: [] for key in keys}
        with self._pool.connection() as conn:
            for row in _sql.changes_of_all(conn, keys=list(found)):
                found[row[1]].append(_change(row))
        return found

    def history(self, name: str | None = None, limit: int = HISTORY_MAX) -> list[Change]:
        """What was changed last, the newest first."""
        with self._pool.connection() as conn:
            return [_change(row) for row in _sql.history(conn, name=name, limit=limit)]

    def known(self, drafts: Mapping[str, Draft]) -> dict[str, str]:
        """What counts now where a file's rows say something, as JSON of such a row; what is not set is left
        out."""
        rows, today = self.rows(), self.today()
        found: dict[str, str] = {}
        for place, draft in drafts.items():
            row = rows.get(draft.key)
            value = None if row is None else in_force(row, max(draft.valid_from, today))
            if value is not None:
                found[place] = msgspec.json.encode(msgspec.structs.replace(draft, value=value)).decode()
        return found

    def newest(self, name: str) -> int:
        """The number of the newest change of a parameter; 0: it was never set."""
        with self._pool.connection() as conn:
            return _sql.newest(conn, name=name)

    def versions(self) -> list[tuple[int, int]]:
        """Version and when it came about, in order."""
        with self._pool.connection() as conn:
            return list(_sql.versions(conn))

    def posts(self) -> list[Post]:
        """Registers in service."""
        with self._pool.connection() as conn:
            return [Post(*row) for row in _sql.places(conn)]

    def groups(self) -> dict[str, list[str]]:
        """Store groups and the stores that are in each, now or from a date on."""
        return groups_in(self.rows())

    # ---- looking ahead ---------------------------------------------------------------------------

    def preview(self, draft: Draft) -> Preview | Refusal:
        """Which registers a change would touch; nothing is changed."""
        with self._pool.connection() as conn:
            if refusal := self._refusal(conn, draft):
                return refusal
            known = [_change(row) for row in _sql.changes_of(conn, key=draft.key)]
            seen = _sql.newest(conn, name=draft.name)
        after = folded([*known, self._as_change(draft, number=-1)])
        return self._previewed(draft.key, folded(known), after, draft.valid_from, seen)

    def preview_undo(self, number: int) -> Preview | Refusal:
        """Which registers the undoing of a change would touch; nothing is changed."""
        with self._pool.connection() as conn:
            found = _undoable(conn, number)
            if isinstance(found, Refusal):
                return found
            known = [_change(row) for row in _sql.changes_of(conn, key=key_of(found.name, found.scope))]
            seen = _sql.newest(conn, name=found.name)
        after = folded([*known, self._undoing(found, number=-1)])
        return self._previewed(
            key_of(found.name, found.scope), folded(known), after, found.valid_from, seen, undoes=found
        )

    def _previewed(
        self,
        key: str,
        before: ParameterRow | None,
        after: ParameterRow | None,
        valid_from: str,
        seen: int,
        *,
        undoes: Change | None = None,
    ) -> Preview | Refusal:
        if before == after:
            return _SAME
        rows = self.rows()
        wanted = {**rows, key: after} if after is not None else {k: r for k, r in rows.items() if k != key}
        date = max(valid_from, self.today())
        return preview_of(key, rows, wanted, self.posts(), date, seen, undoes)

    # ---- what people do --------------------------------------------------------------------------

    def make(self, draft: Draft, *, by: str, reason: str, seen: int | None = None) -> Change | Refusal:
        """Set, or end, a value. `seen`: the newest change that whoever decides has seen; None: no matter."""
        if refusal := reason_refusal(reason):
            return refusal
        with self._pool.connection() as conn:
            self._feeds.lock(conn, FEED)
            refusal = self._refusal(conn, draft) or _stale(conn, draft.name, seen)
            return refusal or self._put(conn, self._as_change(draft, by=by, reason=reason.strip()))

    def undo(self, number: int, *, by: str, reason: str, seen: int | None = None) -> Change | Refusal:
        """Take a change back, as though it had never been made; both stay in the history."""
        if refusal := reason_refusal(reason):
            return refusal
        with self._pool.connection() as conn:
            self._feeds.lock(conn, FEED)
            found = _undoable(conn, number)
            refusal = found if isinstance(found, Refusal) else _stale(conn, found.name, seen)
            if isinstance(found, Refusal) or refusal:
                return refusal or found
            return self._put(conn, self._undoing(found, by=by, reason=reason.strip()))

    def load(self, drafts: Sequence[Draft], *, by: str) -> tuple[int, int] | Refusal:
        """A file's rows, all or none: (how many say something new, the feed's version)."""
        changed = 0
        with self._pool.connection() as conn:
            version = self._feeds.lock(conn, FEED)
            for draft in drafts:
                made = self._refusal(conn, draft) or self._put(
                    conn, self._as_change(draft, by=by, reason=BY_FILE)
                )
                if isinstance(made, Refusal):
                    if made.code == _SAME.code:
                        continue
                    conn.rollback()
                    return made
                changed, version = changed + 1, made.version
        return changed, version

    def _put(self, conn: psycopg.Connection[Any], change: Change) -> Change | Refusal:
        """Keep a change, and what its row comes to."""
        key = key_of(change.name, change.scope)
        known = [_change(row) for row in _sql.changes_of(conn, key=key)]
        before, after = folded(known), folded([*known, change])
        if before == after:
            return _SAME
        if after is not None and len(after.steps) > STEPS_MAX:
            return Refusal(
                "parameter.steps",
                f"{STEPS_MAX} dates are set here already. Set a value at once: it takes the place of those "
                "that are over.",
            )
        _, version = self._feeds.put_in(conn, FEED, {key: after})
        number = _sql.add(
            conn,
            key=key,
            name=change.name,
            value=None if change.value is None else msgspec.json.encode(change.value).decode(),
            valid_from=change.valid_from,
            made_on=change.made_on,
            undoes=change.undoes,
            version=version,
            by=change.by,
            at_ms=change.at_ms,
            reason=change.reason,
        )
        return msgspec.structs.replace(change, number=number, version=version)

    def _refusal(self, conn: psycopg.Connection[Any], draft: Draft) -> Refusal | None:
        """Why it cannot be set: no such parameter, nobody there, or a date that is over."""
        known = read_key(draft.key)
        if isinstance(known, Refusal):
            return known
        if draft.name == "locale" and not is_locale(str(draft.value)) and draft.value is not None:
            return Refusal(
                "parameter.value", f"{str(draft.value)[:40]!r} is no locale. Write it as en_GB or de_CH."
            )
        if refusal := dates_refusal(draft.valid_from, self.today()):
            return refusal
        if draft.value is None and any(_sql.changes_of(conn, key=draft.key)):
            return None  # nobody may be there any more: it would count again for who comes back
        return self._nobody(conn, draft.scope)

    def _nobody(self, conn: psycopg.Connection[Any], scope: Scope) -> Refusal | None:
        match scope.kind:
            case "store":
                exists = _sql.has_store(conn, store=scope.code)
            case "register":
                exists = _sql.has_register(conn, series=scope.code)
            case "group":
                known = sorted(groups_in({key: _row.decode(body) for key, body in self._group_rows(conn)}))
                if scope.code in known:
                    return None
                there = f"There are: {', '.join(known[:20])}." if known else "There is none yet."
                return Refusal(
                    "parameter.group",
                    f"No store is in a group {scope.code[:40]!r}. {there} Put a store into it: set "
                    f"{STORE_GROUP_NAME} for that store.",
                )
            case _:
                return None
        word = SCOPE_WORDS[scope.kind]
        hint = " A register is named by its series, as R01." if scope.kind == "register" else ""
        return (
            None
            if exists
            else Refusal("parameter.nobody", f"There is no {word} {scope.code[:40]!r} in service.{hint}")
        )

    def _group_rows(self, conn: psycopg.Connection[Any]) -> list[tuple[str, str]]:
        return self._feeds.rows_in(conn, FEED, f"{STORE_GROUP_NAME}@")

    def _as_change(self, draft: Draft, *, number: int = 0, by: str = "", reason: str = "") -> Change:
        return Change(
            number=number,
            name=draft.name,
            scope=draft.scope,
            value=draft.value,
            valid_from=draft.valid_from,
            made_on=self.today(),
            by=by,
            at_ms=self._clock.now_ms(),
            reason=reason,
        )

    def _undoing(self, change: Change, *, number: int = 0, by: str = "", reason: str = "") -> Change:
        return msgspec.structs.replace(
            change,
            number=number,
            value=None,
            made_on=self.today(),
            undoes=change.number,
            version=0,
            by=by,
            at_ms=self._clock.now_ms(),
            reason=reason,
        )


def _undoable(conn: psycopg.Connection[Any], number: int) -> Change | Refusal:
    row = _sql.change(conn, number=number) if 0 < number < 1 << 53 else None
    if row is None or row[5] is not None:
        return Refusal("parameter.undo", f"There is no change {number} that could be undone.")
    change = _change(row)
    key = key_of(change.name, change.scope)
    if any(other.undoes == number for other in map(_change, _sql.changes_of(conn, key=key))):
        return Refusal("parameter.undone", f"Change {number} was undone already.")
    return change


def _stale(conn: psycopg.Connection[Any], name: str, seen: int | None) -> Refusal | None:
    if seen is None or _sql.newest(conn, name=name) == seen:
        return None
    return Refusal(
        "parameter.stale", f"Somebody changed {name} meanwhile, so nothing was changed. Look again."
    )


def groups_in(rows: Mapping[str, ParameterRow]) -> dict[str, list[str]]:
    """Store groups and the stores that are in each, now or from a date on."""
    groups: dict[str, list[str]] = {}
    for key, row in rows.items():
        name, scope = split_key(key)
        if name == STORE_GROUP_NAME:
            for value in dict.fromkeys((row.value, *(step.value for step in row.steps))):
                if isinstance(value, str):
                    groups.setdefault(value, []).append(scope.code)
    return {group: sorted(stores) for group, stores in sorted(groups.items())}


def _change(row: Sequence[Any]) -> Change:
    number, key, value, valid_from, made_on, undoes, version, by, at_ms, reason = row
    name, scope = split_key(key)
    return Change(
        number=number,
        name=name,
        scope=scope,
        value=None if value is None else _value.decode(value),
        valid_from=valid_from,
        made_on=made_on,
        undoes=undoes,
        version=version,
        by=by,
        at_ms=at_ms,
        reason=reason,
    )
