"""What the till's page sells from: products, prices, taxes, rates and staff, of the newest whole feeds.

Every call reads committed rows of the feeds' current generations; a connection that only reads will do.
"""

import re
from typing import TypeVar

import apsw
import msgspec

from holdfast.core.catalogue import Price, Product
from holdfast.core.customers import CustomerRow, Found
from holdfast.core.foreign_cash import CurrencyRate, accepted_on
from holdfast.core.ids import Sku, StaffId
from holdfast.core.operations import RoleRow
from holdfast.core.operations.roles import row_key
from holdfast.core.receipt.code import RegisterKey
from holdfast.core.refusals import Refusal
from holdfast.core.tax import TaxRate
from holdfast.register.sync.customers import find_fed, surviving
from holdfast.register.sync.database import QUERIES, read

M = TypeVar("M", bound=msgspec.Struct)

SEARCH_LIMIT_MAX = 200
_SEARCH_WIDTH = 4
"""Rows looked at for each one shown, so that the nearest of many can be put first."""
_WORDS_MAX = 8
_WORD = re.compile(r"\w+")


class StaffMember(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One row of the staff feed."""

    id: StaffId
    name: str
    role: str
    pin_hash: str
    """argon2; checked at the till, offline too."""
    active: bool = True


_product = msgspec.json.Decoder(Product)
_tax = msgspec.json.Decoder(TaxRate)
_currency = msgspec.json.Decoder(CurrencyRate)
_register_key = msgspec.json.Decoder(RegisterKey)
_staff = msgspec.json.Decoder(StaffMember)
_role = msgspec.json.Decoder(RoleRow)


class Catalogue:
    """Look-ups for selling. `currency`: the register's own, where the chain has prices in several."""

    def __init__(self, connection: apsw.Connection, currency: str = "") -> None:
        self._connection = connection
        self._currency = currency

    def product(self, sku: Sku) -> Product | None:
        return self._one("products", sku, _product)

    def by_barcode(self, code: str) -> Product | None:
        """The product that carries this barcode, exactly as scanned; its stock code counts as one too."""
        sku = read(self._connection, lambda: QUERIES.sku_of_barcode(self._connection, barcode=code))
        return self.product(Sku(code if sku is None else sku))

    def search(self, text: str, limit: int = 20) -> list[Product]:
        """Products whose stock code and description hold a word that begins with each word of `text`.

        An exact stock code or barcode comes first, then shorter descriptions. Case and accents do not matter.
        """
        limit = max(1, min(limit, SEARCH_LIMIT_MAX))
        words = _WORD.findall(text)[:_WORDS_MAX]
        exact = self.by_barcode(text.strip())
        found = [] if exact is None else [exact]
        if words:
            query = " ".join(f'"{word}"*' for word in words)
            rows = read(
                self._connection,
                lambda: QUERIES.find_products(self._connection, words=query, at_most=limit * _SEARCH_WIDTH),
            )
            matches = [_product.decode(row[0]) for row in rows]
            matches.sort(key=lambda product: (len(product.description), product.sku))
            found += [product for product in matches if exact is None or product.sku != exact.sku]
        return found[:limit]

    def price(self, sku: Sku, business_date: str) -> Price | Refusal:
        """What a unit costs on a business date."""
        row = read(
            self._connection,
            lambda: QUERIES.price_on(
                self._connection, sku=sku, currency=self._currency, business_date=business_date
            ),
        )
        if row is None:
            return Refusal(
                "catalogue.no-price",
                f"{sku[:40]} has no price on {business_date}. Tell head office.",
            )
        return Price(sku=Sku(row[0]), unit_price_e4=row[1], currency=row[2], valid_from=row[3])

    def taxes(self) -> tuple[TaxRate, ...]:
        """Every rate, of all dates, for `core.tax.tax_on`."""
        return self._all("taxes", _tax)

    def currencies(self, business_date: str) -> tuple[CurrencyRate, ...]:
        """What foreign cash is taken on a business date, at which rate."""
        rows = read(
            self._connection,
            lambda: QUERIES.currencies_on(self._connection, home=self._currency, business_date=business_date),
        )
        in_force = [_currency.decode(row[0]) for row in rows if row[0] is not None]
        return accepted_on(in_force, self._currency, business_date)

    def staff(self, staff_id: StaffId) -> StaffMember | None:
        """The member of staff; also one who is no longer active, so that a page can say so."""
        return self._one("staff", staff_id, _staff)

    def staff_list(self) -> tuple[StaffMember, ...]:
        """Everybody who may sign in."""
        return tuple(member for member in self._all("staff", _staff) if member.active)

    def role(self, name: str) -> RoleRow | None:
        """Head office's word on a role; None where it left it as it ships."""
        return self._one("roles", row_key(name, self._currency), _role)

    def customer(self, number: str) -> CustomerRow | None:
        """The customer of that number, or whom it was merged into; also that somebody was forgotten."""
        return surviving(self._connection, number)

    def customers(self, terms: tuple[str, ...], limit: int) -> list[Found]:
        """Customers of the feed that have a word for each term."""
        return find_fed(self._connection, terms, limit)

    def register_key(self, key_id: str) -> RegisterKey | None:
        """A register of the chain by the key that it signs, or signed, receipts' codes with."""
        return self._one("register_keys", key_id, _register_key)

    def _body(self, feed: str, key: str) -> bytes | None:
        return read(self._connection, lambda: QUERIES.good_row(self._connection, feed=feed, key=key))

    def _one(self, feed: str, key: str, decoder: msgspec.json.Decoder[M]) -> M | None:
        body = self._body(feed, key)
        return None if body is None else decoder.decode(body)

    def _all(self, feed: str, decoder: msgspec.json.Decoder[M]) -> tuple[M, ...]:
        rows = read(self._connection, lambda: QUERIES.good_rows(self._connection, feed=feed))
        return tuple(decoder.decode(row[0]) for row in rows)
