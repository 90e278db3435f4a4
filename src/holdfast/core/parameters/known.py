"""The parameters that there are: their kinds, their defaults, what each does, and how a value is written."""

import re
from typing import Literal

import msgspec

from holdfast.core.bounds import text_refusal
from holdfast.core.loyalty.parameters import (
    EXPIRY_MONTHS,
    EXPIRY_MONTHS_DEFAULT,
    FOR_UNIT,
    FOR_UNIT_DEFAULT,
    IN_USE,
    OF_HEAD_OFFICE,
    PER_UNIT,
    PER_UNIT_DEFAULT,
    TIER_MONTHS,
    TIER_MONTHS_DEFAULT,
    TIERS,
)
from holdfast.core.operations.conditions import CREDIT_MEMOS_OFFLINE, GIFT_CARDS_OFFLINE, ON_ACCOUNT_OFFLINE
from holdfast.core.parameters.scope import STORE_GROUP_NAME, Scope, Value, split_key
from holdfast.core.receipt.code import RETURN_WINDOW_DAYS, RETURN_WINDOW_DAYS_DEFAULT
from holdfast.core.refusals import Refusal
from holdfast.core.staleness import HALVE_AFTER_H, HALVE_AFTER_H_DEFAULT

WARN_AFTER_H = "sync.warn-after-h"
"""Without a successful exchange for so many hours, a start says so (SW7)."""
WARN_AFTER_H_DEFAULT = 24
LANDMARK = "network.landmark"
"""`host:port` on the internet that a till may ask whether it is there (SW12)."""
LOCKS_RELEASE_AFTER_H = "locks.release-after-h"
LOCKS_RELEASE_AFTER_H_DEFAULT = 24
LOCKS_IN_TOUCH_WITHIN_H = "locks.in-touch-within-h"
LOCKS_IN_TOUCH_WITHIN_H_DEFAULT = 1
"""When a lock is stale, and how lately its register must have spoken (GC9)."""
ALLOWANCE_GIFT_CARDS = "allowance.gift-cards"
ALLOWANCE_CREDIT_MEMOS = "allowance.credit-memos"
ALLOWANCE_ON_ACCOUNT = "allowance.on-account"
ALLOWANCE_PER_CARD = "allowance.per-card"
ALLOWANCE_PER_TRANSACTION = "allowance.per-transaction"
ALLOWANCE_LASTS_H = "allowance.lasts-h"
ALLOWANCE_LASTS_H_DEFAULT = 24
ALLOWANCE_CHAIN = "allowance.chain-total"
ALLOWANCE_CHAIN_DEFAULT = 10_000
"""How much registers may take that they did not ask head office for; amounts in whole units (GC10, OA2)."""

Kind = Literal["yes or no", "number", "text", "lines"]
NUMBER_MAX = 1_000_000
LINES_MAX = 12
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")


class Parameter(msgspec.Struct, frozen=True):
    """One that head office may set."""

    name: str
    kind: Kind
    default: str
    """As the page of reference says it."""
    says: str
    of_transaction: bool = False
    """A transaction keeps what it began with; the others count at once."""


STORE_GROUP = Parameter(
    STORE_GROUP_NAME,
    "text",
    "none",
    "the group that a store is in, of one's own choosing, as *north*: what is set for the group counts "
    "there; set for stores alone",
)
PARAMETERS = (
    STORE_GROUP,
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
        of_transaction=True,
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
        of_transaction=True,
    ),
    Parameter(
        LANDMARK,
        "text",
        "none",
        "an address on the internet, as `dns.example:53`, that tells a till without head office whether the "
        "internet works; without it nobody outside is asked (SW12)",
    ),
    Parameter(
        GIFT_CARDS_OFFLINE,
        "yes or no",
        "no",
        "*Allow concluding gift card transactions offline* (GC4)",
        of_transaction=True,
    ),
    Parameter(
        CREDIT_MEMOS_OFFLINE,
        "yes or no",
        "no",
        "*Allow concluding credit memo transactions offline* (GC6)",
        of_transaction=True,
    ),
    Parameter(
        ON_ACCOUNT_OFFLINE,
        "yes or no",
        "no",
        "on account inside a cached allowance (OA2)",
        of_transaction=True,
    ),
    Parameter(
        IN_USE,
        "yes or no",
        "no",
        "whether customers earn points; where not, nothing of loyalty is seen (LY1)",
        of_transaction=True,
    ),
    Parameter(
        PER_UNIT,
        "number",
        str(PER_UNIT_DEFAULT),
        "how many points a whole unit of the currency earns, as a euro",
        of_transaction=True,
    ),
    Parameter(
        FOR_UNIT,
        "number",
        str(FOR_UNIT_DEFAULT),
        "how many points pay a whole unit of the currency; with 0 they pay nothing",
        of_transaction=True,
    ),
    Parameter(
        TIERS,
        "lines",
        "none",
        "tiers and the points from which one is in them, as *Silver 500|Gold 2000*; set for the chain alone",
    ),
    Parameter(
        TIER_MONTHS,
        "number",
        str(TIER_MONTHS_DEFAULT),
        "of how many months the points count for a tier; set for the chain alone",
    ),
    Parameter(
        EXPIRY_MONTHS,
        "number",
        str(EXPIRY_MONTHS_DEFAULT),
        "after how many months points that were not used expire, the oldest first; 0 is never; set for the "
        "chain alone",
    ),
    Parameter(
        LOCKS_RELEASE_AFTER_H,
        "number",
        str(LOCKS_RELEASE_AFTER_H_DEFAULT),
        "after how many hours head office releases a lock of a card, a memo or credit by itself, where its "
        "register cannot have a sale with it that is not here; 0 is never (GC9)",
    ),
    Parameter(
        LOCKS_IN_TOUCH_WITHIN_H,
        "number",
        str(LOCKS_IN_TOUCH_WITHIN_H_DEFAULT),
        "for that, within how many hours the register must have been in touch (GC9)",
    ),
    Parameter(
        ALLOWANCE_GIFT_CARDS,
        "number",
        "0",
        "up to how much a register is granted ahead, to take of gift cards begun offline, in whole units of "
        "its currency; 0 is nothing (GC10)",
        of_transaction=True,
    ),
    Parameter(
        ALLOWANCE_CREDIT_MEMOS,
        "number",
        "0",
        "the same for credit memos (GC10)",
        of_transaction=True,
    ),
    Parameter(
        ALLOWANCE_ON_ACCOUNT,
        "number",
        "0",
        "the same for sales on account (OA2)",
        of_transaction=True,
    ),
    Parameter(
        ALLOWANCE_PER_CARD,
        "number",
        "0",
        "of an allowance, at the most so much of one card, memo or customer; 0 is as much as is granted",
        of_transaction=True,
    ),
    Parameter(
        ALLOWANCE_PER_TRANSACTION,
        "number",
        "0",
        "of an allowance, at the most so much in one transaction; 0 is as much as is granted",
        of_transaction=True,
    ),
    Parameter(
        ALLOWANCE_LASTS_H,
        "number",
        str(ALLOWANCE_LASTS_H_DEFAULT),
        "for how many hours an allowance counts",
    ),
    Parameter(
        ALLOWANCE_CHAIN,
        "number",
        str(ALLOWANCE_CHAIN_DEFAULT),
        "up to how much all registers together are granted, in whole units of each currency; what is set for "
        "the chain counts, and nothing narrower (GC10)",
    ),
    Parameter("receipt.header", "lines", "the store's code", "the receipt's head"),
    Parameter("receipt.address", "lines", "none", "the address below it"),
    Parameter("receipt.tax_id", "text", "none", "the seller's tax number"),
    Parameter("receipt.footer", "lines", "register, and thanks", "the receipt's foot"),
)

_BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}
BEGUN_WITH = frozenset(parameter.name for parameter in PARAMETERS if parameter.of_transaction)
"""What an open transaction keeps as it was when it began."""


def parameter_named(name: str) -> Parameter | Refusal:
    """The one of that name."""
    found = _BY_NAME.get(name)
    return found or Refusal(
        "parameter.unknown", f"{name[:40]!r} is no parameter. There are: {', '.join(sorted(_BY_NAME))}."
    )


def read_key(key: str) -> tuple[Parameter, Scope] | Refusal:
    """What a key is about: `receipt.header@S01` is that of one store (`core.parameters.scope.key_of`)."""
    name, scope = split_key(key)
    found = parameter_named(name)
    return found if isinstance(found, Refusal) else scope_refusal(found, scope) or (found, scope)


def scope_refusal(parameter: Parameter, scope: Scope) -> Refusal | None:
    """Why a parameter cannot be set for whom a scope names; whether that exists is asked elsewhere."""
    if parameter is STORE_GROUP and scope.kind != "store":
        return Refusal("parameter.scope", f"{STORE_GROUP_NAME} says which group a store is in. Name a store.")
    if parameter.name in OF_HEAD_OFFICE and scope.kind != "chain":
        return Refusal("parameter.scope", f"{parameter.name} counts for the whole chain. Set it for all.")
    if scope.kind != "chain" and not _CODE.match(scope.code):
        return Refusal(
            "parameter.scope", f"{scope.code[:40]!r} cannot be the code of a {SCOPE_WORDS[scope.kind]}."
        )
    return None


SCOPE_WORDS = {"chain": "chain", "group": "store group", "store": "store", "register": "register"}


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
    if parameter is STORE_GROUP and not _CODE.match(text):
        return Refusal(
            "parameter.value",
            f"{text[:40]!r} cannot be a store group: it has up to 32 letters, digits, dots, dashes and "
            "underlines, and begins with a letter or digit.",
        )
    if parameter.kind == "lines":
        return [line.strip() for line in text.split("|")][:LINES_MAX]
    return text


def value_text(value: Value | None) -> str:
    """A value as a person writes it; None is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return "|".join(value)
        case _:
            return str(value)


def document() -> str:
    """The page of reference, Markdown."""
    rows: list[str] = []
    for one in PARAMETERS:
        keeps = "the next transaction" if one.of_transaction else "at once"
        rows.append(f"| `{one.name}` | {one.kind} | {one.default} | {keeps} | {one.says} |")
    return "\n".join([_HEAD, *rows]) + "\n"


_HEAD = """# Parameters

What head office sets for the tills: on its page *Parameters*, by `holdfast hq parameter set NAME VALUE`,
or many at a time by `holdfast hq load --home hq parameters FILE`, a CSV file with the columns `name`, `value`
and perhaps `valid_from`. [How to set one](../how-to/parameters.md) shows each step.

A value is set for the chain, a store group, a store or a register, at once or from a business date on. At a
register the narrowest that has a value on its business date counts: **register, store, store group, chain**,
and the default where none has. Each change is kept with who made it, when and why, and is a version of its
own.

A connected register has a change within seconds; nothing is to be started again. *Counts from* says when it
goes by it: where a change would alter what may be done in a transaction, one that is open keeps what it began
with. In a file and in the feed a name says for whom it is: `NAME` for the chain, `NAME@S01` for a store,
`NAME@group:north` for a group, `NAME@register:R01` for a register. The lines of a text stand between bars:
`Corner shop|Main street 1`. This page is written from the code (`make docs`).

| name | kind | default | counts from | what it says |
|---|---|---|---|---|"""
