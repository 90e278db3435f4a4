"""The signed code on a receipt: read back, and believed as its register's own word alone (PO8, PO3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.ids import EpochId, OriginId, decode_id, encode_id
from holdfast.core.receipt.code import (
    CODE_CHARS_MAX,
    ReceiptCode,
    ReceiptFacts,
    RegisterKey,
    code_refusal,
    kept_keys,
    looks_like_code,
    read_code,
    returns_refusal,
    sign_code,
)
from holdfast.core.refusals import Refusal
from holdfast.infra.keys import SigningKey, verify
from tests.unit.core.shop import done, refused

KEY = SigningKey(bytes([1]) * 32)
OTHER = SigningKey(bytes([2]) * 32)
EPOCH = EpochId(encode_id(bytes(range(16))))
FACTS = ReceiptFacts(
    series="R01", epoch=EPOCH, number=12, date="2025-10-09", total_minor=1_250, currency="EUR"
)
ROW = RegisterKey(
    origin=OriginId("reg01"), register="R01", series="R01", store="S1", public_key=KEY.public_bytes
)
WINDOW = 90


def read(facts: ReceiptFacts = FACTS, signer: SigningKey = KEY) -> ReceiptCode:
    return done(read_code(sign_code(facts, signer)))


def judged(code: ReceiptCode, key: RegisterKey | None = ROW, today: str = "2025-10-20") -> Refusal | None:
    return code_refusal(code, key, verify, today, WINDOW)


@given(
    facts=st.builds(
        ReceiptFacts,
        series=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", fullmatch=True),
        epoch=st.binary(min_size=16, max_size=16).map(lambda raw: EpochId(encode_id(raw))),
        number=st.integers(1, 10**12),
        date=st.dates().map(lambda day: day.isoformat()),
        total_minor=st.integers(-(10**14), 10**14),
        currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    )
)
def test_what_was_signed_is_read_back(facts: ReceiptFacts) -> None:
    text = sign_code(facts, KEY)
    assert text.isalnum()
    assert text.upper() == text
    assert len(text) <= CODE_CHARS_MAX
    code = done(read_code(text))
    assert (code.facts, code.key_id) == (facts, KEY.key_id)
    assert verify(KEY.public_bytes, code.signature, code.statement)
    assert code.facts.document == facts.document


@given(raw=st.binary(min_size=1, max_size=200))
def test_base32_is_read_back(raw: bytes) -> None:
    assert decode_id(encode_id(raw)) == raw


@given(text=st.text(max_size=400) | st.from_regex(r"HF1[0-9A-Z]{60,300}", fullmatch=True))
def test_any_text_is_a_code_or_a_refusal(text: str) -> None:
    found = read_code(text)
    assert isinstance(found, ReceiptCode) or refused(found) == "receipt-code.not-whole"


@given(place=st.integers(3, 160), letter=st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_code_with_one_letter_changed_is_never_believed(place: int, letter: str) -> None:
    text = sign_code(FACTS, KEY)
    place = min(place, len(text) - 1)
    changed = text[:place] + letter + text[place + 1 :]
    found = read_code(changed)
    if changed != text and not isinstance(found, Refusal):
        # A changed key id names a key that this side does not have, or another one's.
        assert judged(found, ROW if found.key_id == KEY.key_id else None) is not None


def test_a_code_is_told_from_products_and_numbers() -> None:
    assert looks_like_code(sign_code(FACTS, KEY).lower())
    for other in ("4006381333931", "HF1", "R01-ABCDE-000012", "HF12345", "milk"):
        assert not looks_like_code(other)


def test_the_same_receipt_has_the_same_code() -> None:
    assert sign_code(FACTS, KEY) == sign_code(FACTS, KEY)


def test_a_genuine_code_is_believed() -> None:
    assert judged(read()) is None


def test_who_signs_for_another_register_is_a_forger() -> None:
    assert refused(judged(read(signer=OTHER))) == "receipt-code.forged"
    row = RegisterKey(
        origin=OriginId("reg02"), register="R02", series="R02", store="S1", public_key=OTHER.public_bytes
    )
    assert refused(judged(read(signer=OTHER), row)) == "receipt-code.forged"
    assert refused(judged(read(signer=OTHER), None)) == "receipt-code.unknown-key"


@pytest.mark.parametrize(
    ("date", "until", "today", "code"),
    [
        ("2025-10-09", "", "2026-01-07", None),
        ("2025-10-09", "", "2026-01-08", "receipt-code.too-old"),
        ("2025-10-09", "2025-10-09", "2026-01-07", None),
        ("2025-10-09", "2025-10-12", "2025-12-01", None),
        ("2025-10-10", "2025-10-09", "2025-10-11", "receipt-code.former-key"),
        ("2025-10-09", "2025-10-09", "2026-01-08", "receipt-code.too-old"),
    ],
)
def test_a_code_and_a_former_key_are_good_for_the_return_window(
    date: str, until: str, today: str, code: str | None
) -> None:
    facts = ReceiptFacts(series="R01", epoch=EPOCH, number=12, date=date, total_minor=1_250, currency="EUR")
    row = RegisterKey(
        origin=ROW.origin, register="R01", series="R01", store="S1", public_key=KEY.public_bytes, until=until
    )
    found = judged(read(facts), row, today)
    assert (found and refused(found)) == code


def test_head_office_keeps_former_keys_for_the_window_alone() -> None:
    def row(until: str) -> RegisterKey:
        return RegisterKey(
            origin=ROW.origin, register="R01", series="R01", store="S1", public_key=b"k" * 32, until=until
        )

    rows = [("a", row("")), ("b", row("2025-07-22")), ("c", row("2025-07-21"))]
    assert set(kept_keys(rows, "2025-10-20", WINDOW)) == {"a", "b"}  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("total_minor", "currency", "came_back_minor", "code"),
    [
        (1_250, "EUR", 0, None),
        (1_250, "EUR", 1_249, None),
        (1_250, "EUR", 1_250, "receipt-code.used"),
        (-1_250, "EUR", 0, "receipt-code.of-return"),
        (0, "EUR", 0, "receipt-code.of-return"),
        (1_250, "CHF", 0, "basket.other-currency"),
    ],
)
def test_what_still_comes_back(
    total_minor: int, currency: str, came_back_minor: int, code: str | None
) -> None:
    facts = ReceiptFacts(
        series="R01", epoch=EPOCH, number=12, date="2025-10-09", total_minor=total_minor, currency=currency
    )
    found = returns_refusal(facts, "EUR", came_back_minor)
    assert (found and refused(found)) == code
