"""The products to touch: quick keys and categories, a page at a time (PO1).

Which page a till shows is kept here, so that it is still there after each product that was touched. What a
page holds is kept until the catalogue, a price or the quick keys change.
"""

import threading
from hashlib import blake2b
from typing import Any

import apsw
import msgspec

from holdfast.core.catalogue import Product
from holdfast.core.quick_keys import QuickKey
from holdfast.infra.queries import Engine, load_queries
from holdfast.infra.sqlite import faults
from holdfast.register.web.shelf import Offer, Shelf

PAGE_TILES = 20
CATEGORIES_MAX = 200
PAGES_KEPT_MAX = 100
_QUERIES = load_queries("holdfast.register.web", "grid.sql", Engine.SQLITE)
_product = msgspec.json.Decoder(Product)
_quick_key = msgspec.json.Decoder(QuickKey)


class Place(msgspec.Struct, frozen=True):
    """What of the grid is shown."""

    category: str | None = None
    """None: the quick keys; empty: products that have no category."""
    page: int = 1


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the grid."""

    place: Place
    pages: int
    offers: tuple[Offer, ...]
    categories: tuple[str, ...]
    """In order of their names; products without one come last."""
    has_quick_keys: bool
    """Head office loaded some; else what has no barcode stands in their place."""
    name: str = ""
    """A digest, by which a page says that it shows this already."""


class Grid:
    """The grid of one till; thread-safe."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._place = Place()
        self._lock = threading.Lock()
        self._version: object = None
        self._sheets: dict[Place, Sheet] = {}

    def turn_to(self, place: Place) -> None:
        """Show this from now on."""
        self._place = place

    def turn_home(self) -> None:
        """The next customer, or who signs in, begins with what is at hand."""
        self.turn_to(Place())

    def sheet(self, business_date: str) -> Sheet:
        """What is shown now. A category or page that is gone gives way to the first one."""
        with self._lock:
            place = self._place
            found = self._shelf.read(lambda connection: self._kept(connection, place, business_date))
            if isinstance(found, Sheet):
                return found
            version, rows, sheet = found
            if version != self._version:
                self._version, self._sheets = version, {}
            offers = tuple(self._shelf.offer(product, business_date, label) for product, label in rows)
            sheet = _named(msgspec.structs.replace(sheet, offers=offers))
            if len(self._sheets) >= PAGES_KEPT_MAX:
                self._sheets.clear()
            self._sheets[place] = sheet
            return sheet

    def _kept(
        self, connection: apsw.Connection, place: Place, business_date: str
    ) -> "Sheet | tuple[object, list[tuple[Product, str]], Sheet]":
        """The sheet as it is kept, or what to make a new one of."""
        with faults(connection):
            version = (connection, business_date, *_QUERIES.versions(connection))
            if version == self._version and place in self._sheets:
                return self._sheets[place]
            return version, *_read(connection, place)


def _named(sheet: Sheet) -> Sheet:
    name = blake2b(msgspec.json.encode(sheet), digest_size=12).hexdigest()
    return msgspec.structs.replace(sheet, name=name)


def _read(connection: apsw.Connection, place: Place) -> tuple[list[tuple[Product, str]], Sheet]:
    """The products of a place, each with its label, and the sheet that they go on."""
    found = [row[0] for row in _QUERIES.categories(connection, at_most=CATEGORIES_MAX + 1)]
    categories = tuple(sorted(found[:CATEGORIES_MAX], key=lambda name: (not name, name.casefold())))
    quick = _quick_keys(connection)
    if place.category is not None and place.category not in categories:
        place = Place()
    if place.category is None and quick:
        count = len(quick)
    elif place.category is None:
        count = int(_QUERIES.count_of_loose(connection))
    else:
        count = int(_QUERIES.count_of_category(connection, category=place.category))
    pages = max(1, -(-count // PAGE_TILES))
    if not 1 <= place.page <= pages:
        place = Place(place.category)
    sheet = Sheet(place=place, pages=pages, offers=(), categories=categories, has_quick_keys=bool(quick))
    return _rows(connection, place, quick), sheet


def _rows(
    connection: apsw.Connection, place: Place, quick: list[tuple[Product, str]]
) -> list[tuple[Product, str]]:
    skipped = (place.page - 1) * PAGE_TILES
    if place.category is None and quick:
        return quick[skipped : skipped + PAGE_TILES]
    bounds: dict[str, Any] = {"at_most": PAGE_TILES, "skipped": skipped}
    if place.category is None:
        rows = _QUERIES.loose(connection, **bounds)
    else:
        rows = _QUERIES.of_category(connection, category=place.category, **bounds)
    return [(_product.decode(row[0]), "") for row in rows]


def _quick_keys(connection: apsw.Connection) -> list[tuple[Product, str]]:
    rows = _QUERIES.quick_keys(connection)
    return [(_product.decode(product), _quick_key.decode(quick).label) for quick, product in rows]
