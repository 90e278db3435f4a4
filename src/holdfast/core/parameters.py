"""Parameters: what head office sets for the tills of a chain, each with its kind and its default.

They travel as a feed; a register that never received one goes by the default.
"""

from typing import Literal

import msgspec

from holdfast.core.bounds import text_refusal
from holdfast.core.operations.conditions import CREDIT_MEMOS_OFFLINE, GIFT_CARDS_OFFLINE, ON_ACCOUNT_OFFLINE
from holdfast.core.receipt.code import RETURN_WINDOW_DAYS, RETURN_WINDOW_DAYS_DEFAULT
from holdfast.core.refusals import Refusal
from holdfast.core.staleness import HALVE_AFTER_H, HALVE_AFTER_H_DEFAULT

WARN_AFTER_H = "sync.warn-after-h"
"""Without a successful exchange for so many hours, a start says so (SW7)."""
WARN_AFTER_H_DEFAULT = 24
LANDMARK = "network.landmark"
"""`host:port` on the internet that a till may ask whether it is there (SW12)."""

Kind = Literal["yes or no", "number", "text", "lines"]
Value = bool | int | str | list[str]
NUMBER_MAX = 1_000_000
LINES_MAX = 12
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class Parameter(msgspec.Struct, frozen=True):
    """One that head office may set."""

    name: str
    kind: Kind
    default: str
    """As the page of reference says it."""
    says: str
    by_store: bool = False
    """A store may have its own: `NAME@STORE`."""


class ParameterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the feed."""

    value: Value
    valid_from: str = "0001-01-01"


PARAMETERS = (
    Parameter("locale", "text", "en_GB", "how figures, dates and money are written"),
    Parameter("shifts", "yes or no", "yes", "whether a business day has shifts with a counted drawer"),
    Parameter(
        "till.lock-after-minutes", "number", "10", "after how long without use a till is locked; 0 is never"
    ),
    Parameter(
        RETURN_WINDOW_DAYS,
        "number",
        str(RETURN_WINDOW_DAYS_DEFAULT),
        "for how many days goods come back on a receipt's code",
    ),
    Parameter(
        WARN_AFTER_H,
        "number",
        str(WARN_AFTER_H_DEFAULT),
        "after how many hours without an exchange whoever begins to work is told what to do (SW7)",
    ),
    Parameter(
        HALVE_AFTER_H,
        "number",
        str(HALVE_AFTER_H_DEFAULT),
        "with prices older than so many hours, the limit for changing a price is halved; 0 is never (SW9)",
    ),
    Parameter(
        LANDMARK,
        "text",
        "none",
        "an address on the internet, as `dns.example:53`, that tells a till without head office whether the "
        "internet works; without it nobody outside is asked (SW12)",
    ),
    Parameter(
        GIFT_CARDS_OFFLINE, "yes or no", "no", "*Allow concluding gift card transactions offline* (GC4)"
    ),
    Parameter(
        CREDIT_MEMOS_OFFLINE, "yes or no", "no", "*Allow concluding credit memo transactions offline* (GC6)"
    ),
    Parameter(ON_ACCOUNT_OFFLINE, "yes or no", "no", "on account inside a cached allowance (OA2)"),
    Parameter("receipt.header", "lines", "the store's code", "the receipt's head", by_store=True),
    Parameter("receipt.address", "lines", "none", "the address below it", by_store=True),
    Parameter("receipt.tax_id", "text", "none", "the seller's tax number", by_store=True),
    Parameter("receipt.footer", "lines", "register, and thanks", "the receipt's foot", by_store=True),
)

_BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}


def parameter_named(name: str) -> Parameter | Refusal:
    """The one that a row is about; `receipt.header@S01` is that of one store."""
    plain, at, store = name.partition("@")
    found = _BY_NAME.get(plain)
    if found is None:
        return Refusal(
            "parameter.unknown", f"{name[:40]!r} is no parameter. There are: {', '.join(sorted(_BY_NAME))}."
        )
    if at and not (found.by_store and store):
        return Refusal("parameter.store", f"{plain} is the same in all stores: write it without @.")
    return found


def value_of(parameter: Parameter, text: str) -> Value | Refusal:
    """What a person wrote, as the parameter's kind; the lines of a text stand between bars."""
    if refusal := text_refusal("The value", text, 1_000):
        return refusal
    if parameter.kind == "yes or no":
        said = _WORDS.get(text.casefold())
        return Refusal("parameter.value", f"{text[:40]!r} is neither yes nor no.") if said is None else said
    if parameter.kind == "number":
        if not text.isascii() or not text.isdecimal() or int(text) > NUMBER_MAX:
            return Refusal("parameter.value", f"{text[:40]!r} is no whole number up to {NUMBER_MAX}.")
        return int(text)
    if parameter.kind == "lines":
        return [line.strip() for line in text.split("|")][:LINES_MAX]
    return text


def document() -> str:
    """The page of reference, Markdown."""
    rows: list[str] = []
    for one in PARAMETERS:
        also = " (also `@STORE`)" if one.by_store else ""
        rows.append(f"| `{one.name}`{also} | {one.kind} | {one.default} | {one.says} |")
    return "\n".join([_HEAD, *rows]) + "\n"


_HEAD = """# Parameters

What head office sets for the tills, by `holdfast hq load --home hq parameters FILE`: a CSV file with the
columns `name` and `value`. A register fetches them at its next contact; until then, and where nobody set one,
it goes by the default. The lines of a text stand between bars: `Corner shop|Main street 1`. This page is
written from the code (`make docs`).

| name | kind | default | what it says |
|---|---|---|---|"""
