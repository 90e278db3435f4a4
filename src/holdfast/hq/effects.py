"""What a file would change, before it is taken: how many rows are new or say something else, and which."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from holdfast.core.money import CURRENCIES, plain_decimal
from holdfast.hq.csv_rows import CsvRow

SAMPLE_ROWS = 10
SECRET_COLUMNS = ("pin", "pin_hash")
"""Never shown, and hashed anew by each load: whether one changed only a slow look can tell."""

Fits = Callable[[str, str], bool]
"""Whether a hash is that of a PIN."""


class SampleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One good row as it was written, and what it would do."""

    line: int
    values: tuple[str, ...]
    """In the order of `Effects.columns`."""
    effect: str
    """`new`, `changed` or `unchanged`."""
    was: tuple[str, ...] = ()
    """What is said now, where that changes."""


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """What taking the good rows would do."""

    columns: tuple[str, ...]
    new: int
    changed: int
    unchanged: int
    sample: tuple[SampleRow, ...]
    """The first rows of the file."""
    secrets: bool = False
    """Rows hold PINs: beyond the sample, one that alone changed is counted as unchanged."""


def effects_of(
    rows: Mapping[str, msgspec.Struct],
    lines: Mapping[str, CsvRow],
    known: Mapping[str, str],
    fits: Fits,
) -> Effects:
    """`rows` by key as the file has them, `known` by key as the feed has them (JSON)."""
    written = [lines[key] for key in rows]
    columns = tuple(
        dict.fromkeys(column for row in written[:1] for column in row.fields if column not in SECRET_COLUMNS)
    )
    counts = {"new": 0, "changed": 0, "unchanged": 0}
    sample: list[SampleRow] = []
    for key, body in rows.items():
        is_shown = len(sample) < SAMPLE_ROWS
        differing = _differing(body, known.get(key), fits if is_shown else None)
        effect = "new" if differing is None else "changed" if differing else "unchanged"
        counts[effect] += 1
        if is_shown:
            values = tuple(lines[key].fields.get(column, "") for column in columns)
            sample.append(SampleRow(line=lines[key].line, values=values, effect=effect, was=differing or ()))
    secrets = any(column in SECRET_COLUMNS for row in written[:1] for column in row.fields)
    return Effects(columns=columns, sample=tuple(sample), secrets=secrets, **counts)


def _differing(body: msgspec.Struct, known: str | None, fits: Fits | None) -> tuple[str, ...] | None:
    """What the known row says otherwise, in words; None: there is none."""
    if known is None:
        return None
    said: dict[str, Any] = msgspec.json.decode(known)
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    words: list[str] = []
    for name in dict.fromkeys((*told, *said)):
        before, after = said.get(name), told.get(name)
        if name == "pin_hash":
            if after != before and fits is not None and not fits(str(before or ""), str(after)):
                words.append("another PIN")
        elif before != after:
            words.append(_was(name, before, said))
    return tuple(words)


def _was(name: str, value: object, said: Mapping[str, Any]) -> str:
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, int) and (form := _form(name, said)) is not None:
        text = _decimal(value, form)
    elif isinstance(value, list):
        text = " ".join(map(str, value))
    else:
        text = "" if value is None else str(value)
    return f"{_COLUMNS.get(name, name).replace('_', ' ')} was {text or 'empty'}"


class _Form(NamedTuple):
    """Decimal places of a whole number, and how many are shown at least."""

    places: int
    least: int


_COLUMNS = {
    "unit_price_e4": "price",
    "rate_e6": "percent",
    "rate_e8": "rate",
    "smallest_minor": "smallest",
    "line_discount_e2_max": "line_discount",
    "total_discount_e2_max": "total_discount",
    "override_e2_max": "price_override",
    "return_without_receipt_minor_max": "return_without_receipt",
    "refund_minor_max": "refund",
    "foreign_change_minor_max": "foreign_change",
}
"""Fields whose column has another name."""
_FORMS = {
    "unit_price_e4": _Form(4, 2),
    "rate_e6": _Form(4, 0),
    "rate_e8": _Form(8, 0),
    "line_discount_e2_max": _Form(2, 0),
    "total_discount_e2_max": _Form(2, 0),
    "override_e2_max": _Form(2, 0),
}
_AMOUNTS = frozenset(
    {
        "smallest_minor",
        "return_without_receipt_minor_max",
        "refund_minor_max",
        "foreign_change_minor_max",
    }
)
"""In minor units of the row's currency."""


def _form(name: str, said: Mapping[str, Any]) -> _Form | None:
    if name in _AMOUNTS:
        known = CURRENCIES.get(str(said.get("currency")))
        digits = known.digits if known else 2
        return _Form(digits, digits)
    return _FORMS.get(name)


def _decimal(value: int, form: _Form) -> str:
    whole, _, fraction = plain_decimal(value, form.places).partition(".")
    fraction = fraction.rstrip("0").ljust(form.least, "0")
    return f"{whole}.{fraction}" if fraction else whole
