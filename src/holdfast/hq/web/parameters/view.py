"""Parameters as the pages list them: what is set for whom, by which change, and what counts at a register."""

import datetime
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from holdfast.core.parameters import (
    FIRST_DATE,
    PARAMETERS,
    Change,
    Parameter,
    ParameterRow,
    Place,
    Scope,
    Setting,
    resolve,
    value_text,
)
from holdfast.core.parameters.known import SCOPE_WORDS
from holdfast.core.parameters.scope import split_key
from holdfast.hq.parameters.book import ParameterBook, groups_in
from holdfast.hq.parameters.reach import Behind, Reach, behind_of, reach_of
from holdfast.hq.standing import Register
from holdfast.hq.web.services import Services
from holdfast.hq.web.templating import clock, when

VALUES_SHOWN = 3
"""Of one parameter in the list; its page has all."""
_ORDER = {"chain": 0, "group": 1, "store": 2, "register": 3}


class Held(NamedTuple):
    """One value in one scope."""

    scope: Scope
    value: str
    """Empty: from then on nothing is set here."""
    valid_from: str
    """Empty: at once."""
    is_over: bool
    """A later one has begun."""
    is_to_come: bool
    change: Change | None
    """That set it; None where several did."""

    @property
    def who(self) -> str:
        return scope_text(self.scope)


class Listed(NamedTuple):
    """One parameter in the list."""

    parameter: Parameter
    held: list[Held]
    more: int


def scope_text(scope: Scope) -> str:
    """`Chain`, `Store S01`."""
    return f"{SCOPE_WORDS[scope.kind].capitalize()} {scope.code}".strip()


def setting_text(setting: Setting | None, parameter: Parameter) -> str:
    """`yes (Store S01)`; the default where nothing is set."""
    if setting is None:
        return f"{parameter.default} (default)"
    return f"{value_text(setting.value)} ({scope_text(setting.scope)})"


def listed(book: ParameterBook) -> tuple[list[Listed], dict[str, list[str]]]:
    """Every parameter, with the first of what is set; and store groups with their stores."""
    rows, today = book.rows(), book.today()
    found: list[Listed] = []
    for parameter in PARAMETERS:
        held = [each for each in held_of(rows, parameter.name, {}, today) if not each.is_over and each.value]
        found.append(Listed(parameter, held[:VALUES_SHOWN], max(0, len(held) - VALUES_SHOWN)))
    return found, groups_in(rows)


def held_of(
    rows: Mapping[str, ParameterRow], name: str, changes: Mapping[str, Sequence[Change]], today: str
) -> list[Held]:
    """What is set of a parameter, the widest scope first, then by date."""
    found: list[Held] = []
    for key, row in rows.items():
        parameter, scope = split_key(key)
        if parameter != name:
            continue
        parts = [(FIRST_DATE, row.value), *((step.valid_from, step.value) for step in row.steps)]
        if row.value is None:
            parts = parts[1:]
        for place, (valid_from, value) in enumerate(parts):
            following = parts[place + 1][0] if place + 1 < len(parts) else None
            found.append(
                Held(
                    scope=scope,
                    value=value_text(value),
                    valid_from="" if valid_from == FIRST_DATE else valid_from,
                    is_over=following is not None and following <= today,
                    is_to_come=valid_from > today,
                    change=_that_set(changes.get(key, ()), valid_from),
                )
            )
    return sorted(found, key=lambda each: (_ORDER[each.scope.kind], each.scope.code, each.valid_from))


def _that_set(changes: Sequence[Change], valid_from: str) -> Change | None:
    undone = {change.undoes for change in changes}
    return next(
        (
            change
            for change in reversed(changes)
            if change.undoes is None and change.number not in undone and change.valid_from == valid_from
        ),
        None,
    )


def undone_by(changes: Sequence[Change]) -> dict[int, int]:
    """Change → the one that took it back."""
    return {change.undoes: change.number for change in changes if change.undoes is not None}


def reach_now(services: Services) -> Reach:
    """How far the newest version has come, by each register's last word."""
    head_office = services.head_office
    return reach_of(
        head_office.fleet.registers(),
        head_office.feeds.newest_change("parameters"),
        head_office.parameters.versions(),
        services.clock.now_ms(),
    )


def reach_text(reach: Reach, zone: datetime.tzinfo, now_ms: int) -> str:
    """`47 of 50 registers run version 12; behind: R07 (offline since 14:02).`"""
    today = when(now_ms, zone)[:10]
    return reach.in_words(lambda at_ms: clock(at_ms, zone, today).rsplit(":", 1)[0])


class AtRegister(NamedTuple):
    """What a register's page says of parameters."""

    newest: int
    behind: Behind | None
    """None: it runs the newest version."""
    counts: list[tuple[Parameter, str]]
    """What is set for it on its business date, as of the newest version."""


def parameters_at(services: Services, register: Register) -> AtRegister:
    """Which version a register runs, and what counts there where it is not the default."""
    book = services.head_office.parameters
    newest = services.head_office.feeds.newest_change("parameters")
    rows, place = book.rows(), Place(register.store, register.series)
    date = register.business_date or book.today()
    found = [(parameter, resolve(rows, parameter.name, place, date)) for parameter in PARAMETERS]
    return AtRegister(
        newest=newest[0],
        behind=behind_of(register, newest, book.versions(), services.clock.now_ms()),
        counts=[(parameter, setting_text(setting, parameter)) for parameter, setting in found if setting],
    )
