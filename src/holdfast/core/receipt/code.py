"""The signed code on a receipt: by it goods come back at any register of the chain, offline too (PO8, PO3).

    HF1 ‖ base32( key id 8 ‖ facts ‖ Ed25519 signature 64 )

Digits and capitals alone, so that a scanner types it right on any keyboard, and a QR code holds it densely.
The facts are few: which document, of which date, over how much. Its lines are in its register's journal.

scanned text ──► read_code ──► with the signer's key: code_refusal ──► the facts may be relied on
"""

import datetime
import re
from collections.abc import Sequence

import msgspec

from holdfast.core.bounds import ID_CHARS_MAX
from holdfast.core.ids import DocumentNumber, EpochId, KeyId, OriginId, decode_id, document_number, encode_id
from holdfast.core.journal.chain import Signer, Verify, sign
from holdfast.core.money import CURRENCIES
from holdfast.core.receipt.issued import Issued
from holdfast.core.refusals import Refusal

PREFIX = "HF1"
CODE_CHARS_MAX = 320
"""A code of the longest series that there can be, with room."""
_LOOKS_LIKE_ONE = re.compile(r"HF1[0-9A-Z]{60,}\Z", re.IGNORECASE)
_KEY_ID_BYTES, _EPOCH_BYTES, _DATE_BYTES, _CURRENCY_BYTES, _SIGNATURE_BYTES = 8, 16, 3, 3, 64
_HEAD_BYTES = _EPOCH_BYTES + _DATE_BYTES + _CURRENCY_BYTES
_SERIES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_VARINT_BYTES_MAX = 10

RETURN_WINDOW_DAYS = "return.window_days"
"""Parameter: so many days after its business date goods come back on a receipt's code, and so long a former
key vouches for the codes that it signed."""
RETURN_WINDOW_DAYS_DEFAULT = 90


class ReceiptFacts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a code says of its document."""

    series: str
    epoch: EpochId
    number: int
    """In the epoch's segment of the series."""
    date: str
    """Business date, ISO."""
    total_minor: int
    currency: str

    @property
    def document(self) -> DocumentNumber:
        return document_number(self.series, self.epoch, self.number)


class ReceiptCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code as it was read; nothing of it is checked but its form."""

    facts: ReceiptFacts
    key_id: KeyId
    statement: bytes
    signature: bytes


class RegisterKey(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One row of the feed `register_keys`, by key id: whose codes to believe."""

    origin: OriginId
    register: str
    """What people call it."""
    series: str
    store: str
    public_key: bytes
    """Ed25519, 32 bytes."""
    until: str = ""
    """ISO date of the day on which it gave way to another key; empty: in force."""


def facts_of(issued: Issued) -> ReceiptFacts:
    """What the code of a document says."""
    series, _, number = issued.document.rsplit("-", 2)
    return ReceiptFacts(
        series=series,
        epoch=issued.epoch,
        number=int(number),
        date=issued.business_date,
        total_minor=issued.sale.total_minor,
        currency=issued.sale.currency,
    )


# ---- made --------------------------------------------------------------------------------------


def sign_code(facts: ReceiptFacts, signer: Signer) -> str:
    """The code's text. The same facts under the same key give the same code: a reprint is no other one."""
    packed = _pack(facts)
    key_id, signature = sign(signer, _statement(packed))
    return PREFIX + encode_id(bytes.fromhex(key_id) + packed + signature).upper()


def _statement(packed: bytes) -> bytes:
    """What is signed. The prefix keeps it from being taken for any other statement of a register."""
    return b"holdfast receipt 1\n" + packed


def _pack(facts: ReceiptFacts) -> bytes:
    epoch = decode_id(facts.epoch)
    assert epoch is not None, "an epoch id is text of ours"
    assert len(epoch) == _EPOCH_BYTES, "an epoch id has 16 bytes"
    day = datetime.date.fromisoformat(facts.date).toordinal()
    total = facts.total_minor
    return b"".join(
        (
            epoch,
            day.to_bytes(_DATE_BYTES, "big"),
            facts.currency.encode("ascii"),
            _varint(facts.number),
            _varint(total * 2 if total >= 0 else -total * 2 - 1),
            facts.series.encode("ascii"),
        )
    )


def _varint(number: int) -> bytes:
    assert number >= 0, "a varint counts from zero"
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


# ---- read --------------------------------------------------------------------------------------


def looks_like_code(text: str) -> bool:
    """Whether somebody scanned a receipt's code, whole or not: no product's code is like it."""
    return _LOOKS_LIKE_ONE.match(text) is not None


def read_code(text: str) -> ReceiptCode | Refusal:
    """What a code says, whoever signed it."""
    data = decode_id(text[len(PREFIX) :].lower()) if len(text) <= CODE_CHARS_MAX else None
    if (
        data is None
        or not looks_like_code(text)
        or len(data) < _KEY_ID_BYTES + _HEAD_BYTES + _SIGNATURE_BYTES
    ):
        return NOT_WHOLE
    packed = data[_KEY_ID_BYTES:-_SIGNATURE_BYTES]
    facts = _unpack(packed)
    if facts is None:
        return NOT_WHOLE
    return ReceiptCode(
        facts=facts,
        key_id=KeyId(data[:_KEY_ID_BYTES].hex()),
        statement=_statement(packed),
        signature=data[-_SIGNATURE_BYTES:],
    )


def _unpack(packed: bytes) -> ReceiptFacts | None:
    """None for what `_pack` never makes."""
    day = int.from_bytes(packed[_EPOCH_BYTES : _EPOCH_BYTES + _DATE_BYTES], "big")
    currency = packed[_EPOCH_BYTES + _DATE_BYTES : _HEAD_BYTES].decode("latin-1")
    number, at = _read_varint(packed, _HEAD_BYTES)
    total, at = _read_varint(packed, at)
    series = packed[at:].decode("latin-1")
    if not 1 <= day <= datetime.date.max.toordinal() or currency not in CURRENCIES or number < 1 or total < 0:
        return None
    if not _SERIES.match(series) or len(series) > ID_CHARS_MAX:
        return None
    return ReceiptFacts(
        series=series,
        epoch=EpochId(encode_id(packed[:_EPOCH_BYTES])),
        number=number,
        date=datetime.date.fromordinal(day).isoformat(),
        total_minor=total // 2 if total % 2 == 0 else -(total + 1) // 2,
        currency=currency,
    )


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where the next one begins; -1 where there is none."""
    number = 0
    for place, byte in enumerate(data[at : at + _VARINT_BYTES_MAX]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, at + place + 1
    return -1, at


# ---- believed, or not --------------------------------------------------------------------------


def code_refusal(
    code: ReceiptCode, key: RegisterKey | None, verify: Verify, today: str, window_days: int
) -> Refusal | None:
    """Why nothing comes back on this code; None: what it says is its register's own word.

    `key`: the row of its key id, where this side has one. `today`: ISO, the business date.
    """
    if key is None:
        return UNKNOWN_KEY
    if key.series != code.facts.series or not verify(key.public_key, code.signature, code.statement):
        return FORGED
    if key.until and code.facts.date > key.until:
        return Refusal(
            "receipt-code.former-key",
            f"That code is dated {code.facts.date} and signed with a key that register {key.register} gave "
            f"up on {key.until}. Take nothing back on it; tell head office.",
        )
    first = _days_before(today, window_days)
    if code.facts.date < first or (key.until and key.until < first):
        return Refusal(
            "receipt-code.too-old",
            f"That receipt is of {code.facts.date}, and goods come back within {window_days} days. "
            "Take them back without a receipt, if a manager agrees.",
        )
    return None


def returns_refusal(facts: ReceiptFacts, currency: str, came_back_minor: int) -> Refusal | None:
    """Why nothing more comes back on a code that is genuine. `came_back_minor`: what did, as known here."""
    if facts.total_minor <= 0:
        return Refusal("receipt-code.of-return", "That is the receipt of a return, or of nothing to pay.")
    if facts.currency != currency:
        return Refusal(
            "basket.other-currency",
            f"That receipt is in {facts.currency}, and this register's money {currency}.",
        )
    return used(facts.document) if came_back_minor >= facts.total_minor else None


def used(document: DocumentNumber) -> Refusal:
    """For a receipt on which nothing is left to bring back, as far as this register knows."""
    return Refusal(
        "receipt-code.used",
        f"Receipt {document} was used already: all that was paid on it was paid back here.",
    )


def _days_before(date: str, days: int) -> str:
    ordinal = datetime.date.fromisoformat(date).toordinal() - days
    return datetime.date.fromordinal(max(1, ordinal)).isoformat()


def kept_keys(
    rows: Sequence[tuple[KeyId, RegisterKey]], today: str, window_days: int
) -> dict[KeyId, RegisterKey]:
    """Those that are still of use: in force, or given up less than the return window ago."""
    first = _days_before(today, window_days)
    return {key_id: row for key_id, row in rows if not row.until or row.until >= first}


NOT_WHOLE = Refusal(
    "receipt-code.not-whole",
    "That is no whole code of a receipt. Scan it again, or type the receipt's number.",
)
UNKNOWN_KEY = Refusal(
    "receipt-code.unknown-key",
    "That code is signed by no register of this chain that this one knows of. Take nothing back on it: "
    "without a receipt, if a manager agrees.",
)
FORGED = Refusal(
    "receipt-code.forged",
    "That code is forged: its signature is not its register's. Take nothing back on it, keep the receipt and "
    "call a manager.",
)
