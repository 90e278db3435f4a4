"""What the till looks up to sell: products, prices, taxes and staff.

One connection that only reads, behind one lock: requests come in threads. A damaged file is set aside, and
the question asked again of what is left.
"""

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

import apsw
import msgspec

from holdfast.core.catalogue import Price, Product
from holdfast.core.customers import CustomerRow, Found
from holdfast.core.faults import DamagedFault
from holdfast.core.foreign_cash import CurrencyRate
from holdfast.core.ids import KeyId, Sku, StaffId
from holdfast.core.operations import Role, role_in
from holdfast.core.parameters import FIRST_DATE, Place, Value
from holdfast.core.receipt.code import RegisterKey
from holdfast.core.refusals import Refusal
from holdfast.core.tax import TaxRate, tax_on
from holdfast.register.sync.catalogue import Catalogue, StaffMember
from holdfast.register.sync.parameters import read_settings
from holdfast.register.sync.reference_file import ReferenceFile

T = TypeVar("T")

FOUND_MAX = 36


class Priced(msgspec.Struct, frozen=True):
    """A product with the price and tax in force on the business date."""

    product: Product
    price: Price
    tax: TaxRate


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A product as the screen offers it."""

    sku: Sku
    description: str
    unit: str
    department: str
    unit_price_e4: int | None
    """None where it has no price on this date, and cannot be sold."""


class Shelf:
    """Look-ups for one register; thread-safe."""

    def __init__(self, file: ReferenceFile, currency: str) -> None:
        self._file = file
        self._currency = currency
        self._catalogue = Catalogue(file.connection(), currency)
        self._connection = file.connection()
        self._lock = threading.Lock()
        self._place = Place("", "")
        self._business_date: Callable[[], str] = lambda: FIRST_DATE

    def stand(self, place: Place, business_date: Callable[[], str]) -> None:
        """Where this register stands, and the date that it sells on: by them parameters are found."""
        self._place, self._business_date = place, business_date

    def _ask(self, question: Callable[[Catalogue], T]) -> T:
        with self._lock:
            return self._try(lambda: question(self._current()))

    def _current(self) -> Catalogue:
        """Of the file that is in place now."""
        connection = self._file.connection()
        if connection is not self._connection:
            self._connection, self._catalogue = connection, Catalogue(connection, self._currency)
        return self._catalogue

    def _try(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except DamagedFault as fault:
            if not self._file.renew(fault):
                raise
        return work()

    def by_code(self, code: str) -> Product | None:
        """By barcode or stock code, exactly; then by the stock code in capitals."""
        return self._ask(lambda books: books.by_barcode(code) or books.product(Sku(code.upper())))

    def search(self, text: str, business_date: str) -> list[Offer]:
        """Products whose words begin with those of `text`."""
        found = self._ask(lambda books: books.search(text, FOUND_MAX))
        return [self.offer(product, business_date) for product in found]

    def priced(self, sku: Sku, business_date: str) -> Priced | Refusal:
        """All that selling a product needs."""
        product = self._ask(lambda books: books.product(sku))
        if product is None:
            return Refusal("catalogue.unknown", f"{sku[:40]} is not in the catalogue.")
        price = self._ask(lambda books: books.price(sku, business_date))
        if isinstance(price, Refusal):
            return price
        tax = tax_on(self._ask(lambda books: books.taxes()), product.tax_code, business_date)
        return tax if isinstance(tax, Refusal) else Priced(product, price, tax)

    def tax_names(self) -> dict[str, str]:
        """Tax code → its newest name."""
        return {rate.code: rate.name for rate in self._ask(lambda books: books.taxes())}

    def currencies(self, business_date: str) -> tuple[CurrencyRate, ...]:
        """Foreign cash that is taken on a business date."""
        return self._ask(lambda books: books.currencies(business_date))

    def staff(self, number: StaffId) -> StaffMember | None:
        return self._ask(lambda books: books.staff(number))

    def customer(self, number: str) -> CustomerRow | None:
        """What head office's feed says of a customer, or of whom the number was merged into."""
        return self._ask(lambda books: books.customer(number))

    def customers(self, terms: tuple[str, ...], limit: int) -> list[Found]:
        """Customers of the feed, by the beginnings of words."""
        return self._ask(lambda books: books.customers(terms, limit))

    def register_key(self, key_id: KeyId) -> RegisterKey | None:
        """Whose codes to believe, by the key that signed them."""
        return self._ask(lambda books: books.register_key(key_id))

    def role(self, name: str) -> Role:
        """What a role may do at this register: head office's row for its currency, or as it ships."""
        return role_in(name, self._ask(lambda books: books.role(name)))

    def staff_name(self, number: StaffId) -> str:
        """The name, or the number of somebody who is not known any more."""
        found = self.staff(number)
        return found.name if found else number

    def has_staff(self) -> bool:
        return bool(self._ask(lambda books: books.staff_list()))

    def parameter(self, name: str, default: T) -> T:
        """What counts now where head office set a value of the default's type."""
        return fitting(self.settings([name]).get(name), default)

    def settings(self, names: Iterable[str]) -> dict[str, Value]:
        """What counts here by name; a name is missing where its default does."""
        found = self.read(lambda conn: read_settings(conn, names, self._place, self._business_date))
        return {name: setting.value for name, setting in found.items()}

    def read(self, question: Callable[[apsw.Connection], T]) -> T:
        """Ask something of the reference database itself."""
        return self._ask(lambda _: question(self._connection))

    def offer(self, product: Product, business_date: str, label: str = "") -> Offer:
        """The product at its price of the date, under `label` where it has one."""
        price = self._ask(lambda books: books.price(product.sku, business_date))
        return Offer(
            sku=product.sku,
            description=label or product.description,
            unit=product.unit,
            department=product.department,
            unit_price_e4=None if isinstance(price, Refusal) else price.unit_price_e4,
        )


def fitting(value: Value | None, default: T) -> T:
    """The value, or the default where none is set, or one of another type by some other version."""
    return value if type(value) is type(default) else default  # pyright: ignore[reportReturnType]
