"""Bounds of what a person, a feed or a file may put into a basket.

They keep every amount inside int64 with room to sum, every text printable, and every entry
below the journal's bound, so that a sale can never get stuck on its way (P10).
"""

import unicodedata
from typing import Annotated

import msgspec

from holdfast.core.refusals import Refusal

Int64 = Annotated[int, msgspec.Meta(gt=-(1 << 63), le=(1 << 63) - 1)]
"""64 bits; its negative too."""
Key = Annotated[str, msgspec.Meta(max_length=256)]
"""What rows are found by: an index entry has a bound in every database."""
Text = Annotated[str, msgspec.Meta(max_length=4_000)]
PLAIN = "^[^\\u0000-\\u001f]*$"
"""Pattern of text in a request that reaches a database as it is: no control characters."""

LINES_MAX = 5_000
"""Lines of one basket, voided ones included."""
LINES_BYTES_MAX = (1 << 20) - (64 << 10)
"""Encoded lines of one basket: the journal's bound for an entry, less room for the rest of it."""
TAXES_MAX = 50
"""Different taxes in one basket."""
DISCOUNTS_MAX = 4
"""Discounts on one line, and on one total."""
TENDERS_MAX = 20

QUANTITY_MILLI_MAX = 1_000_000_000
PRICE_E4_MAX = 10**13
AMOUNT_MINOR_MAX = 10**12
"""One line, and one tender. 5,000 lines with tax of up to 1,000 % stay below 2^63."""
RATE_E6_WHOLE = 1_000_000
RATE_E6_MAX = 10 * RATE_E6_WHOLE
PERCENT_E2_WHOLE = 10_000

TEXT_CHARS_MAX = 200
ID_CHARS_MAX = 64

_UNWANTED = frozenset({"Cc", "Cs", "Zl", "Zp"})


def text_refusal(what: str, text: str, chars_max: int = TEXT_CHARS_MAX) -> Refusal | None:
    """Why `text` cannot be kept; None if it can. `what` begins the sentence: "The note".

    Control characters would steer a printer, lone surrogates are no UTF-8, and line
    separators break a receipt.
    """
    if len(text) > chars_max:
        return Refusal("text.too-long", f"{what} is longer than {chars_max} characters. Shorten it.")
    if text.isprintable():
        return None
    if any(unicodedata.category(character) in _UNWANTED for character in text):
        return Refusal(
            "text.unprintable", f"{what} holds characters that cannot be printed. Type it again without them."
        )
    return None


def id_refusal(what: str, text: str) -> Refusal | None:
    """Why `text` cannot be an id, a code or a number; None if it can."""
    if not text:
        return Refusal("text.empty", f"{what} is empty. Enter it.")
    return text_refusal(what, text, ID_CHARS_MAX)


def reason_refusal(reason: str) -> Refusal | None:
    """Why `reason` does not do where one must be given."""
    if not reason.strip():
        return Refusal("text.reason-needed", "A reason is needed. Choose or type one.")
    return text_refusal("The reason", reason)
