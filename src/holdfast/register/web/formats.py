"""Money, quantities, dates and times as the store's language writes them."""

import datetime
import functools
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, get_currency_name, get_currency_precision

from holdfast.core.money import CURRENCIES, Currency, plain_decimal
from holdfast.infra.clock import time_zone
from holdfast.infra.locales import is_locale

DEFAULT_LOCALE = "en_GB"
FIGURES_KEPT = 4_096
"""Formatting a figure takes 0.2 ms, and a screen shows dozens of the same ones again and again."""
_UNIX = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


class Formats:
    """How one register shows figures; asked by every template."""

    def __init__(self, currency: str, timezone: str, locale: str = DEFAULT_LOCALE) -> None:
        self.currency: Currency = CURRENCIES[currency]
        self.locale = DEFAULT_LOCALE
        self._zone: ZoneInfo = time_zone(timezone)
        self._currency = functools.lru_cache(FIGURES_KEPT)(self._format_currency)
        self.speak(locale)

    def speak(self, locale: str) -> None:
        """Write from now on as that locale does; one that nobody knows, as the usual one."""
        known = locale if is_locale(locale) else DEFAULT_LOCALE
        if known != self.locale:
            self.locale = known
            self._currency.cache_clear()

    def money(self, amount_minor: int) -> str:
        """`€12.50`."""
        return self._currency(Decimal(amount_minor).scaleb(-self.currency.digits))

    def foreign(self, amount_minor: int, currency: Currency) -> str:
        """`US$12.50`: an amount in any currency."""
        amount = Decimal(amount_minor).scaleb(-currency.digits)
        if get_currency_precision(currency.code) == currency.digits:
            return format_currency(amount, currency.code, locale=self.locale)
        # Where the language's habit has fewer digits than ISO 4217, it would round what was given.
        pattern = "#,##" + plain_decimal(0, currency.digits)
        return f"{currency.code} {format_decimal(amount, pattern, locale=self.locale)}"

    def foreign_of(self, amount_minor: int, code: str) -> str:
        """The same by the currency's code, which an entry of the future may have and this version not."""
        currency = CURRENCIES.get(code)
        return self.foreign(amount_minor, currency) if currency else f"{code} {amount_minor}"

    def currency_name(self, code: str) -> str:
        """`US Dollar`."""
        return get_currency_name(code, locale=self.locale)

    def exchange_rate(self, rate_e8: int) -> str:
        """`0.915` from hundred-millionths; exact."""
        return format_decimal(Decimal(rate_e8).scaleb(-8), "#,##0.0#######", locale=self.locale)

    def unit_price(self, price_e4: int) -> str:
        """`€1.25`, and `€0.0125` where the price is finer than a coin."""
        price = Decimal(price_e4).scaleb(-4)
        if price_e4 % 10 ** (4 - self.currency.digits) == 0:
            return self._currency(price)
        return f"{self.currency.code} {format_decimal(price, '#,##0.00##', locale=self.locale)}"

    def _format_currency(self, amount: Decimal) -> str:
        return format_currency(amount, self.currency.code, locale=self.locale)

    def quantity(self, quantity_milli: int, unit: str = "each") -> str:
        """`3`, and `0.450 kg` for what is weighed."""
        if unit == "kg":
            weight = Decimal(quantity_milli).scaleb(-3)
            return f"{format_decimal(weight, '#,##0.000', locale=self.locale)} kg"
        return format_decimal(Decimal(quantity_milli).scaleb(-3), "#,##0.###", locale=self.locale)

    def percent(self, percent_e2: int) -> str:
        """`12.5 %` from hundredths of a percent, as discounts are kept."""
        return f"{format_decimal(Decimal(percent_e2).scaleb(-2), '0.##', locale=self.locale)} %"

    def rate(self, rate_e6: int) -> str:
        """`21 %` from millionths, as tax rates are kept."""
        return f"{format_decimal(Decimal(rate_e6).scaleb(-4), '0.####', locale=self.locale)} %"

    def count(self, number: int) -> str:
        """`1,204`."""
        return format_decimal(number, locale=self.locale)

    def clock(self, at_ms: int) -> str:
        """`14:02`, in the store's zone."""
        return format_time(self._local(at_ms), "HH:mm", locale=self.locale)

    def moment(self, at_ms: int, now_ms: int) -> str:
        """`14:02` today, `22 Nov 14:02` on another day."""
        same_day = self._local(at_ms).date() == self._local(now_ms).date()
        pattern = "HH:mm" if same_day else "d MMM HH:mm"
        return format_datetime(self._local(at_ms), pattern, locale=self.locale)

    def date_time(self, at_ms: int) -> str:
        """`22 Nov 2026, 14:02`."""
        return format_datetime(self._local(at_ms), "d MMM y, HH:mm", locale=self.locale)

    def stamped(self, at_ms: int, offset_min: int) -> str:
        """`22 Nov 2026, 14:02 +01:00`: as the clock of whoever wrote it showed."""
        sign, (hours, minutes) = "-" if offset_min < 0 else "+", divmod(abs(offset_min), 60)
        at = _shifted(at_ms, offset_min)
        return f"{format_datetime(at, 'd MMM y, HH:mm', locale=self.locale)} {sign}{hours:02d}:{minutes:02d}"

    def date(self, iso: str) -> str:
        """`Sun 22 Nov 2026` from an ISO date."""
        return format_date(datetime.date.fromisoformat(iso), "EEE d MMM y", locale=self.locale)

    def age(self, age_ms: int) -> str:
        """`3 h`; the largest whole unit, and at least a minute."""
        for unit_ms, sign in ((_DAY_MS, "d"), (_HOUR_MS, "h"), (_MINUTE_MS, "min")):
            if age_ms >= unit_ms:
                return f"{age_ms // unit_ms} {sign}"
        return "under 1 min"

    def _local(self, at_ms: int) -> datetime.datetime:
        # A wrong clock must not stop a page: what no calendar holds is shown as its beginning.
        try:
            return (_UNIX + datetime.timedelta(milliseconds=at_ms)).astimezone(self._zone)
        except OverflowError:
            return _UNIX


def _shifted(at_ms: int, offset_min: int) -> datetime.datetime:
    # As `_local`: a wrong clock must not stop a page.
    try:
        return _UNIX + datetime.timedelta(milliseconds=at_ms, minutes=offset_min)
    except OverflowError:
        return _UNIX
