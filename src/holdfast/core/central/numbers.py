"""Numbers of gift cards and credit memos: random, checked, and told to few (GC11).

    91 40715529380164 27      kind · 14 random digits · ISO 7064 MOD 97-10

Eighteen digits are read aloud in six groups of three. They begin with 9, as no payment card does, so that
neither is taken for the other (P9). One in 10^14 is somebody's: with attempts limited nobody finds one.
"""

import hashlib
import hmac

from holdfast.core.central.accounts import Kind
from holdfast.core.refusals import Refusal

DIGITS = 18
RANDOM_DIGITS = 14
RANDOM_BYTES = 16
"""Reduced to 14 digits they favour none by more than 1 in 10^24."""
SHOWN_DIGITS = 4
MAC_KEY_BYTES = 32
NUMBER_KEY = "numbers of cards and memos"
"""What head office derives the key of `number_mac` for."""

_PREFIXES = {Kind.GIFT_CARD: "91", Kind.CREDIT_MEMO: "92"}
_KINDS = {prefix: kind for kind, prefix in _PREFIXES.items()}
_GROUPING = str.maketrans("", "", " -.\u00a0")

WRONG_NUMBER = "number.wrong"


def new_number(kind: Kind, random: bytes) -> str:
    """A number of that kind out of exactly 16 random bytes."""
    assert len(random) == RANDOM_BYTES, "a number is drawn from 128 random bits"
    drawn = int.from_bytes(random, "big") % 10**RANDOM_DIGITS
    body = f"{_PREFIXES[kind]}{drawn:0{RANDOM_DIGITS}d}"
    return f"{body}{_check_digits(body)}"


def read_number(kind: Kind, typed: str) -> str | Refusal:
    """The digits of what was typed or scanned, or what is wrong with it. Nobody was asked yet."""
    number = typed.translate(_GROUPING)
    if len(number) != DIGITS or not (number.isascii() and number.isdigit()):
        return Refusal(WRONG_NUMBER, f"This number has to have {DIGITS} digits. Scan it, or type it again.")
    if _check_digits(number[:-2]) != number[-2:]:
        return Refusal(WRONG_NUMBER, "This number is mistyped. Type it again.")
    found = _KINDS.get(number[:2])
    if found is kind:
        return number
    if found is None:
        return Refusal(WRONG_NUMBER, "This is no number of a gift card or credit memo of ours.")
    other = "credit memo" if found is Kind.CREDIT_MEMO else "gift card"
    return Refusal(
        "number.other-kind",
        f"This is the number of a {other}. Choose {other.capitalize()} among the ways to pay.",
    )


def spelled(number: str) -> str:
    """In groups of three, as it is printed and read aloud."""
    return " ".join(number[at : at + 3] for at in range(0, len(number), 3))


def number_end(number: str) -> str:
    """What screens, receipts, entries and logs show of it."""
    return number[-SHOWN_DIGITS:]


def number_mac(key: bytes, kind: Kind, number: str) -> bytes:
    """How head office knows a number again without keeping it: HMAC-SHA-256 under a key of its own."""
    assert len(key) == MAC_KEY_BYTES, "the key of numbers has 32 bytes"
    return hmac.digest(key, f"{kind}:{number}".encode(), hashlib.sha256)


def pin_mac(key: bytes, kind: Kind, number: str, pin: str) -> bytes:
    """The same for a PIN, which is bound to its number."""
    assert len(key) == MAC_KEY_BYTES, "the key of numbers has 32 bytes"
    return hmac.digest(key, f"pin:{kind}:{number}:{pin}".encode(), hashlib.sha256)


def is_pin(kept: bytes, key: bytes, kind: Kind, number: str, pin: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(kept, pin_mac(key, kind, number, pin))


def _check_digits(body: str) -> str:
    return f"{98 - int(body) * 100 % 97:02d}"
