"""The journal on screen: what a person types is a number, an amount, a product or a date (PO4)."""

import re

from holdfast.core.business_day import is_date
from holdfast.core.ids import Sku
from holdfast.core.money import Currency, parse_minor
from holdfast.core.refusals import Refusal
from holdfast.register.till.search import Query
from holdfast.register.web.shelf import Shelf

TEXT_CHARS_MAX = 80
WORDS_MAX = 6
_AMOUNT = re.compile(r"[0-9]+[.,][0-9]{1,4}")
_NUMBER = re.compile(r"[0-9A-Z]+(-[0-9A-Z]+)*-[0-9]{1,12}|[0-9]{1,7}", re.IGNORECASE)


def query_of(text: str, date: str, currency: Currency, shelf: Shelf) -> Query:
    """`000123` and `R01-ABCDE-000123` are numbers, `12.50` is an amount, anything else names a product."""
    business_date = date if is_date(date) else ""
    text = text.strip()[:TEXT_CHARS_MAX]
    if not text:
        return Query(business_date=business_date)
    if _AMOUNT.fullmatch(text):
        amount_minor = parse_minor(text.replace(",", "."), currency)
        if not isinstance(amount_minor, Refusal):
            return Query(business_date=business_date, amount_minor=amount_minor)
    product = shelf.by_code(text)
    if product is not None:
        return Query(business_date=business_date, sku=Sku(product.sku))
    if _NUMBER.fullmatch(text):
        return Query(business_date=business_date, number=text.upper())
    return Query(business_date=business_date, words=tuple(text.casefold().split()[:WORDS_MAX]))
