"""Details: the personal data of one customer, all of it; nothing else of Holdfast names a person."""

import re
from collections.abc import Mapping

import msgspec

from holdfast.core.bounds import text_refusal
from holdfast.core.refusals import Refusal

NAME_CHARS_MAX = 120
EMAIL_CHARS_MAX = 254
PHONE_CHARS_MAX = 40
ADDRESS_CHARS_MAX = 200
NOTE_CHARS_MAX = 200
PHONE_DIGITS_MIN = 5

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+?[\d\s()./-]+")


class Details(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is known of a person, as it was typed."""

    name: str
    email: str = ""
    phone: str = ""
    address: str = ""
    note: str = ""


FIELDS = ("name", "email", "phone", "address", "note")
"""In the order in which a person is asked for them."""


def read_details(given: Mapping[str, object]) -> Details | Refusal:
    """The details that a form or a file gives, blanks around them taken off; or what is wrong with them."""
    details = Details(**{field: str(given.get(field, "")).strip() for field in FIELDS})
    return details_refusal(details) or details


def details_refusal(details: Details) -> Refusal | None:
    """Why these cannot be kept; None if they can."""
    if not details.name:
        return Refusal("customer.name", "A customer needs a name. Enter it.")
    refusals = (
        text_refusal("The name", details.name, NAME_CHARS_MAX),
        text_refusal("The e-mail address", details.email, EMAIL_CHARS_MAX),
        text_refusal("The phone number", details.phone, PHONE_CHARS_MAX),
        text_refusal("The address", details.address, ADDRESS_CHARS_MAX),
        text_refusal("The note", details.note, NOTE_CHARS_MAX),
    )
    wrong = next((refusal for refusal in refusals if refusal), None)
    if wrong is not None:
        return wrong
    if details.email and not _EMAIL.fullmatch(details.email):
        return Refusal("customer.email", "That is no e-mail address. Write it as in name@example.com.")
    if details.phone and not (_PHONE.fullmatch(details.phone) and _has_digits(details.phone)):
        return Refusal(
            "customer.phone", "That is no phone number. Write it with digits, as in +44 20 7946 0000."
        )
    return None


def digits_of(phone: str) -> str:
    """A phone number without what people write between its digits; `00` in front is a plus."""
    digits = "".join(character for character in phone if character.isdecimal() and character.isascii())
    return digits.removeprefix("00")


def _has_digits(phone: str) -> bool:
    return len(digits_of(phone)) >= PHONE_DIGITS_MIN
