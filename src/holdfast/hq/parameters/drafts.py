"""What a person typed, as a draft: the page's form and the command line say it alike."""

from typing import NamedTuple

import msgspec

from holdfast.core.parameters import (
    FIRST_DATE,
    STORE_GROUP_NAME,
    Scope,
    ScopeKind,
    parameter_named,
    value_of,
)
from holdfast.core.refusals import Refusal
from holdfast.hq.parameters.book import Draft

ENDS = "end"
KINDS: tuple[ScopeKind, ...] = ("chain", "group", "store", "register")
_KINDS: dict[str, ScopeKind] = {kind: kind for kind in KINDS}


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """As it was typed; nothing of it is lost where something is wrong."""

    name: str
    act: str = "set"
    """`set` or `end`."""
    value: str = ""
    kind: str = "chain"
    code: str = ""
    """Of the group, the store or the register."""
    valid_from: str = ""
    """Empty: at once."""
    reason: str = ""


class Wrong(NamedTuple):
    """What is wrong, and in which field."""

    field: str
    refusal: Refusal


def read_draft(typed: Typed) -> Draft | Wrong:
    """What was meant; that there is such a store, and what the change would do, is asked of the book."""
    parameter = parameter_named(typed.name)
    if isinstance(parameter, Refusal):
        return Wrong("name", parameter)
    kind = _KINDS.get(typed.kind)
    if kind is None:
        return Wrong("kind", Refusal("parameter.scope", f"Choose for whom it is: {', '.join(KINDS)}."))
    if kind == "chain" and typed.code:
        said = f"{typed.code[:40]} was named: choose what it is, or leave it empty for the whole chain."
        return Wrong("kind", Refusal("parameter.scope", said))
    if kind != "chain" and not typed.code:
        return Wrong("code", Refusal("parameter.scope", "Say which one: its code."))
    value = None
    if typed.act != ENDS:
        if not typed.value:
            return Wrong("value", Refusal("parameter.value", "Enter a value."))
        value = value_of(parameter, typed.value)
        if isinstance(value, Refusal):
            return Wrong("value", value)
    return Draft(
        name=parameter.name,
        scope=Scope(kind, typed.code),
        value=value,
        valid_from=typed.valid_from or FIRST_DATE,
    )


_FIELDS = {
    "parameter.date": "valid_from",
    "parameter.scope": "code",
    "parameter.nobody": "code",
    "parameter.group": "code",
    "parameter.value": "value",
    "text.reason-needed": "reason",
}


def field_of(refusal: Refusal, name: str) -> str:
    """Which field a refusal of the book is about."""
    if refusal.code == "parameter.scope" and name == STORE_GROUP_NAME:
        return "kind"
    return _FIELDS.get(refusal.code, "value")
