"""How a history file's columns are named, and how its texts are to be read."""

import msgspec

OPTIONAL = frozenset({"customer", "country", "description"})
"""Fields that a file may be without."""


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Header names, as in the *Online Retail* data set where nothing else is said.

    An empty name means that the file has no such column; only those of `OPTIONAL` may be missing.
    """

    invoice: str = "InvoiceNo"
    sku: str = "StockCode"
    description: str = "Description"
    quantity: str = "Quantity"
    time: str = "InvoiceDate"
    price: str = "UnitPrice"
    customer: str = "CustomerID"
    country: str = "Country"

    @property
    def named(self) -> dict[str, str]:
        """Field → header name, without the columns that the file does not have."""
        return {field: name for field, name in msgspec.structs.asdict(self).items() if name}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the texts of a file mean."""

    columns: Columns = Columns()
    time_format: str = "%Y-%m-%d %H:%M:%S"
    """As `datetime.strptime` takes it; wall time in `timezone`."""
    timezone: str = "Europe/London"
    cancelled_prefix: str = "C"
    """An invoice whose number begins so brings goods back."""
    adjusted_prefix: str = "A"
    """An invoice whose number begins so adjusts an account and moves no goods."""
