"""One row of a feed: kept as it came, and into the catalogue where it can be used.

A row that cannot be used stops no other (P10): it is kept with its fault, which the heartbeat tells.
"""

from typing import Any

import apsw
import msgspec

from holdfast.core.catalogue import Price, Product, price_refusal, product_refusal
from holdfast.core.customers import CustomerRow, customer_refusal
from holdfast.core.foreign_cash import CurrencyRate, currency_rate_refusal
from holdfast.core.operations import RoleRow
from holdfast.core.operations.roles import limits_refusal
from holdfast.core.parameters import ParameterRow
from holdfast.core.quick_keys import QuickKey, quick_key_refusal
from holdfast.core.receipt.code import RegisterKey
from holdfast.core.refusals import Refusal
from holdfast.core.tax import TaxRate, tax_rate_refusal
from holdfast.infra.keys import fingerprint
from holdfast.register.sync.catalogue import StaffMember
from holdfast.register.sync.customers import drop_customer, put_customer
from holdfast.register.sync.database import QUERIES, sql_of

_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "products": msgspec.json.Decoder(Product),
    "prices": msgspec.json.Decoder(Price),
    "taxes": msgspec.json.Decoder(TaxRate),
    "currencies": msgspec.json.Decoder(CurrencyRate),
    "staff": msgspec.json.Decoder(StaffMember),
    "roles": msgspec.json.Decoder(RoleRow),
    "customers": msgspec.json.Decoder(CustomerRow),
    "parameters": msgspec.json.Decoder(ParameterRow),
    "quick_keys": msgspec.json.Decoder(QuickKey),
    "register_keys": msgspec.json.Decoder(RegisterKey),
}
_FAULT_CHARS_MAX = 300

# Run as they are: a catalogue is 50,000 rows, and aiosql's call around each would double the time.
_PUT_ROW = sql_of("put_row")
_DROP_ROW = sql_of("drop_row")


def put_row(connection: apsw.Connection, feed: str, generation: int, key: str, body: bytes) -> None:
    """Keep a row, in place of the former one of its key."""
    try:
        value = _DECODERS[feed].decode(body)
        fault = _fault(key, value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        value, fault = None, str(error)
    drop_row(connection, feed, generation, key)
    row = {"feed": feed, "generation": generation, "key": key, "body": body}
    connection.execute(_PUT_ROW, {**row, "fault": fault and fault[:_FAULT_CHARS_MAX]})
    if fault is None and isinstance(value, Product):
        _index_product(connection, generation, value)
    elif fault is None and isinstance(value, Price):
        QUERIES.put_price(connection, generation=generation, **msgspec.structs.asdict(value))
    elif fault is None and isinstance(value, CustomerRow):
        put_customer(connection, generation, value)


def drop_row(connection: apsw.Connection, feed: str, generation: int, key: str) -> None:
    """Forget a row, and what was made of it."""
    if feed == "products":
        QUERIES.drop_product_search(connection, generation=generation, sku=key)
        QUERIES.drop_product(connection, generation=generation, sku=key)
        QUERIES.drop_barcodes(connection, generation=generation, sku=key)
    elif feed == "customers":
        drop_customer(connection, generation, key)
    elif feed == "prices":
        place = _price_of(key)
        if place is not None:
            sku, valid_from, currency = place
            QUERIES.drop_price(
                connection, generation=generation, sku=sku, currency=currency, valid_from=valid_from
            )
    connection.execute(_DROP_ROW, {"feed": feed, "generation": generation, "key": key})


def _index_product(connection: apsw.Connection, generation: int, product: Product) -> None:
    number = QUERIES.put_product(
        connection,
        generation=generation,
        sku=product.sku,
        name=product.description,
        category=product.department.strip(),
        is_loose=not product.barcodes,
    )
    QUERIES.put_product_search(connection, id=number, sku=product.sku, description=product.description)
    for barcode in product.barcodes:
        QUERIES.put_barcode(connection, generation=generation, barcode=barcode, sku=product.sku)


def _fault(key: str, value: object) -> str | None:
    """Why a row of the right form still cannot be used."""
    wrong: Refusal | None = None
    place = key
    match value:
        case Product():
            wrong, place = product_refusal(value), value.sku
        case Price():
            wrong = price_refusal(value.unit_price_e4)
            place = f"{value.sku}|{value.valid_from}|{value.currency}"
        case TaxRate():
            wrong, place = tax_rate_refusal(value), f"{value.code}|{value.valid_from}"
        case CurrencyRate():
            wrong, place = currency_rate_refusal(value), value.key
        case StaffMember():
            place = value.id
        case CustomerRow():
            wrong, place = customer_refusal(value), value.number
        case RegisterKey():
            place = fingerprint(value.public_key)
        case RoleRow():
            wrong, place = limits_refusal(value), value.key
        case QuickKey():
            wrong, place = quick_key_refusal(value), value.key
        case _:
            pass
    if wrong is not None:
        return wrong.sentence
    return None if place == key else f"its key is {key!r} and its content that of {place!r}"


def _price_of(key: str) -> tuple[str, str, str] | None:
    parts = key.rsplit("|", 2)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None
