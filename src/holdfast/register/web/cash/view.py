"""What the Cash area shows, as text: a shift, a count, what came of it."""

import re
from collections.abc import Mapping
from typing import Any

from holdfast.core.cash.count import Count, denominations
from holdfast.core.cash.shift import ShiftOpened
from holdfast.core.money import CURRENCIES, Currency
from holdfast.register.web.cash.acts import counted_currencies, piece_field, total_field
from holdfast.register.web.cash.reports import staff_name
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.services import Services

_WHOLE = re.compile(r"[.,]0+(?=\D*\Z)")


def coin(minor: int, currency: Currency, fmt: Formats) -> str:
    """`€50`, `€0.20`: a coin or note by its name."""
    return _WHOLE.sub("", fmt.foreign(minor, currency))


# ---- counting ----------------------------------------------------------------------------------


def count_form(services: Services, form: Mapping[str, str]) -> dict[str, Any]:
    """Fields of the count, with what was entered before; nothing that is expected."""
    home, *foreign = counted_currencies(services)
    fmt = services.fmt
    pieces = [
        {
            "id": piece_field(home, minor),
            "coin": coin(minor, home, fmt),
            "value": form.get(piece_field(home, minor), ""),
        }
        for minor in denominations(home)
    ]
    totals = [
        {
            "id": total_field(currency),
            "code": currency.code,
            "is_home": currency == home,
            "value": form.get(total_field(currency), ""),
            "digits": currency.digits,
        }
        for currency in (home, *foreign)
    ]
    fields = [str(field["id"]) for field in (*pieces, *totals)]
    return {"pieces": pieces, "totals": totals, "fields": " ".join(fields)}


def count_review(counts: list[Count], form: Mapping[str, str], services: Services) -> dict[str, Any]:
    """What was counted, to be confirmed; nothing that is expected."""
    fmt = services.fmt
    rows = [
        {
            "currency": count.currency,
            "total": fmt.foreign_of(count.counted_minor, count.currency),
            "pieces": [
                say(
                    "count.each",
                    count=fmt.count(piece.count),
                    coin=coin(piece.minor, CURRENCIES[count.currency], fmt),
                )
                for piece in count.pieces
            ],
        }
        for count in counts
    ]
    kept = {name: value for name, value in form.items() if name.startswith(("pieces-", "total-")) and value}
    return {"counted": rows, "kept": kept}


def shift_line(shift: ShiftOpened, opened_at: str, services: Services) -> str:
    """Whose shift it is, since when, with which float."""
    return say(
        "shift.of",
        name=staff_name(services.shelf, shift.by),
        since=opened_at,
        amount=services.fmt.money(shift.float_minor),
    )
