"""Finding a customer by how words of name, e-mail, phone and number begin, without case and accents."""

import re
import unicodedata
from collections.abc import Iterable

import msgspec

from holdfast.core.customers.details import PHONE_DIGITS_MIN, Details, digits_of
from holdfast.core.ids import CustomerNumber

TERMS_MAX = 8
WORDS_MAX = 60
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"[^\W\d_]+-\d+")
"""As a customer's number is often written: C-1001."""
_ONLY_PHONE = re.compile(r"\+?[\d\s()./-]+")
_PHONE_TAILS = (10, 9, 8, 7, 4)
"""A number is also found by its last digits: people leave the country out, and say the last four."""
_SAME_DIGITS = 9
"""Two numbers are the same where so many last digits are: with the country and without."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One customer that a search found."""

    number: CustomerNumber
    details: Details


def plain(text: str) -> str:
    """Without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))


def words_of(number: str, details: Details) -> frozenset[str]:
    """The words that this customer is found by."""
    email, digits = plain(details.email), digits_of(details.phone)
    name = plain(details.name)
    words = {plain(number), *name.split(), *_WORD.findall(name), *_WORD.findall(email)}
    words.update(part for part in (email, digits) if part)
    words.update(digits[-tail:] for tail in _PHONE_TAILS if len(digits) > tail)
    last = plain(number).rpartition("-")[2]  # of C-1001 and R01-C-8KQ2M-000123 people say 1001 and 123
    words.update({last, last.lstrip("0") or last})
    return frozenset(sorted(words)[:WORDS_MAX])


def terms_of(text: str) -> tuple[str, ...]:
    """What each found customer has a word for that begins so. A phone number is one term, however written."""
    text = text.strip()
    if _ONLY_PHONE.fullmatch(text) and len(digits_of(text)) >= 4:
        digits = digits_of(text)
        national = digits.removeprefix("0")
        return (_tail(national if len(national) >= PHONE_DIGITS_MIN else digits),)
    parts = (part for part in plain(text).split() if part)
    terms: list[str] = []
    for part in parts:
        # An address, a number of a register's series, or a number as another system made it.
        whole = "@" in part or "-c-" in part or _NUMBER.fullmatch(part) is not None
        terms += [part] if whole else _WORD.findall(part)
    return tuple(dict.fromkeys(terms))[:TERMS_MAX]


def fits(words: Iterable[str], terms: Iterable[str]) -> bool:
    """Whether each term begins a word."""
    known = tuple(words)
    return all(any(word.startswith(term) for word in known) for term in terms)


def same_person(one: Details, other: Details) -> str:
    """`email` or `phone`, where two customers say the same of themselves; else empty."""
    if one.email and plain(one.email) == plain(other.email):
        return "email"
    mine, theirs = digits_of(one.phone), digits_of(other.phone)
    if mine and theirs and _tail(mine) == _tail(theirs):
        return "phone"
    return ""


def contact_terms(details: Details) -> tuple[str, ...]:
    """What to search for to find whoever says the same of himself."""
    digits = digits_of(details.phone)
    return tuple(term for term in (plain(details.email), _tail(digits)) if term)


def _tail(digits: str) -> str:
    return digits[-_SAME_DIGITS:]
