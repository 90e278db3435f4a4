"""How figures are written: what a receipt asks of whoever knows the store's language."""

from typing import Protocol


class Figures(Protocol):
    """Money, quantities, rates and times as text. Amounts are minor units of the register's currency."""

    def money(self, amount_minor: int, /) -> str: ...

    def foreign_of(self, amount_minor: int, code: str, /) -> str:
        """An amount of another currency, by its code."""
        ...

    def exchange_rate(self, rate_e8: int, /) -> str: ...

    def unit_price(self, price_e4: int, /) -> str: ...

    def quantity(self, quantity_milli: int, unit: str, /) -> str: ...

    def percent(self, percent_e2: int, /) -> str: ...

    def rate(self, rate_e6: int, /) -> str:
        """A tax rate."""
        ...

    def date(self, iso: str, /) -> str: ...

    def stamped(self, at_ms: int, offset_min: int, /) -> str:
        """Date, time and offset: `22 Nov 2026, 14:02 +01:00`."""
        ...
