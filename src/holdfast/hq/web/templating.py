"""Pages: Jinja templates beside their routes, and how numbers, times and dates are written on them."""

import datetime
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from litestar import Response
from litestar.enums import MediaType

from holdfast.core.money import CURRENCIES, plain_decimal
from holdfast.infra.web import static_url

_FOLDER = Path(__file__).resolve().parent
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


@functools.cache
def environment() -> Environment:
    """Every undefined name is an error, every value is escaped."""
    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        auto_reload=False,  # an upgrade replaces files under a running process
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "money": money,
        "quantity": quantity,
        "price": price,
        "count": count,
        "ago": ago,
        "span": span,
        "when": when,
        "clock": clock,
        "minute": minute,
        "percent": percent,
        "rate": rate,
        "skew": skew,
        "size": size,
        "sentence": sentence,
        "dict_query": dict_query,
    }
    made.globals["static"] = static_url
    return made


def render(template: str, context: Mapping[str, Any]) -> str:
    """The HTML of a template with these values."""
    return environment().get_template(template).render(context)


def html(content: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[str]:
    """An HTML answer."""
    return Response(content, status_code=status, media_type=MediaType.HTML, headers=dict(headers or {}))


# ---- how values are written --------------------------------------------------------------------


def money(amount_minor: int | None, currency: str) -> str:
    """`1,234.50 EUR`; a dash where nothing is known."""
    if amount_minor is None:
        return "–"
    known = CURRENCIES.get(currency)
    return f"{_grouped(amount_minor, known.digits if known else 2)} {currency}".strip()


def quantity(milli: int) -> str:
    """`3` or `0.250`: whole pieces without a fraction."""
    return _grouped(milli // 1_000, 0) if milli % 1_000 == 0 else _grouped(milli, 3)


def price(unit_price_e4: int) -> str:
    """Two decimals, four where they matter."""
    if unit_price_e4 % 100 == 0:
        return _grouped(unit_price_e4 // 100, 2)
    return _grouped(unit_price_e4, 4)


def percent(rate_e6: int) -> str:
    """A rate in ten-thousandths: `8.1 %`."""
    return plain_decimal(rate_e6, 4).rstrip("0").rstrip(".") + " %"


def rate(rate_e8: int) -> str:
    """An exchange rate in hundred-millionths: `0.915`."""
    return plain_decimal(rate_e8, 8).rstrip("0").rstrip(".")


def count(number: int | None) -> str:
    """`12,345`; a dash where nothing is known."""
    return "–" if number is None else f"{number:,}"


def dict_query(values: Mapping[str, str], offset: int) -> str:
    """A query string of what was typed, from another row on."""
    return urlencode({name: text for name, text in values.items() if text} | {"offset": str(offset)})


def size(count_bytes: int) -> str:
    """`12.3 GB`; a dash where nothing is known."""
    return f"{count_bytes / 1e9:,.1f} GB" if count_bytes else "–"


def sentence(text: str) -> str:
    """Begun with a capital, unless it begins with an id or a number."""
    return text[:1].upper() + text[1:] if text.partition(" ")[0].isalpha() else text


def span(milliseconds: int | None) -> str:
    """A length of time in one unit: `12 s`, `5 min`, `3 h`, `12 days`."""
    if milliseconds is None:
        return "–"
    seconds = abs(milliseconds) / 1_000
    if seconds < _MINUTE_S:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    for limit, unit, name in ((_HOUR_S, _MINUTE_S, "min"), (2 * _DAY_S, _HOUR_S, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / _DAY_S:.0f} days"


def skew(milliseconds: int | None) -> str:
    """How far a clock is ahead (`+2 h`) or behind (`−1.1 s`)."""
    if milliseconds is None:
        return "–"
    if abs(milliseconds) < 50:  # less than is shown
        return "0.0 s"
    return f"{'−' if milliseconds < 0 else '+'}{span(milliseconds)}"


def ago(at_ms: int | None, now_ms: int) -> str:
    """`5 min ago`; *never* where it did not happen."""
    if at_ms is None:
        return "never"
    passed = now_ms - at_ms
    if passed < -2_000:
        return f"in {span(passed)}"
    if passed < 3_000:
        return "just now"
    return f"{passed // 1_000} s ago" if passed < 60_000 else f"{span(passed)} ago"


def when(at_ms: int | None, zone: datetime.tzinfo) -> str:
    """`2026-11-22 08:34:12` in the zone of the page."""
    if at_ms is None:
        return "–"
    try:
        moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(milliseconds=at_ms)
        return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:  # a register's clock may say any year
        return "far in the future" if at_ms > 0 else "far in the past"


def minute(at_ms: int | None, zone: datetime.tzinfo) -> str:
    """`2026-11-22 08:34`, where seconds say nothing."""
    text = when(at_ms, zone)
    return text[:-3] if text[-3:-2] == ":" else text


def clock(at_ms: int, zone: datetime.tzinfo, date: str) -> str:
    """The time alone where the day is that date, else both."""
    text = when(at_ms, zone)
    return text.removeprefix(f"{date} ")


def _grouped(value: int, places: int) -> str:
    whole, point, fraction = plain_decimal(abs(value), places).partition(".")
    return f"{'−' if value < 0 else ''}{int(whole):,}{point}{fraction}"
