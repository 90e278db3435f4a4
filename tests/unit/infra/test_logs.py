"""P9 in the logs: nothing secret leaves in a line, whatever was passed by mistake."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.infra.keys import DatabaseKey
from holdfast.infra.logs import REDACTED, passes_luhn, redact, redact_text

CARD = "4111111111111111"


def one(**fields: object) -> dict[str, Any]:
    return dict(redact(None, "info", dict(fields)))


@pytest.mark.parametrize(
    "name",
    [
        "key",
        "database_key",
        "apiKey",
        "token",
        "token_hash",
        "pin",
        "PIN",
        "card-pan",
        "password",
        "client_secret",
    ],
)
def test_what_has_a_telling_name_is_replaced(name: str) -> None:
    assert one(**{name: "hush"}) == {name: REDACTED}
    assert one(a={"b": [{name: b"hush"}]}) == {"a": {"b": [{name: REDACTED}]}}


@pytest.mark.parametrize("name", ["key_id", "idempotency_key", "pinned", "span", "company", "keys_known"])
def test_what_merely_sounds_alike_is_kept(name: str) -> None:
    assert one(**{name: "open"}) == {name: "open"}


@pytest.mark.parametrize(
    "card",
    [
        CARD,
        "378282246310005",
        "6304000000000000000",
        "6304 0000 0000 0000 000",
        "4222222222222",
        "4111 1111 1111 1111",
        "3782-822463-10005",
    ],
)
def test_card_numbers_are_masked_wherever_they_stand(card: str) -> None:
    assert passes_luhn(card)
    for text in (card, f"pan={card}", f"5 {card} 7", f"{card}=2512", f'{{"n":"{card}"}}', f"a{card}b"):
        assert card not in redact_text(text), text
    assert card not in json.dumps(one(event=f"paid by {card}", body=[{card: card}], error=ValueError(card)))
    digits = "".join(sign for sign in card if sign.isdecimal())
    assert one(amount_minor=int(digits)) == {"amount_minor": REDACTED}


@given(st.integers(10**11, 10**18 - 1))
def test_every_number_that_passes_luhn_is_masked_and_no_other(stem: int) -> None:
    for digit in range(10):
        text = f"{stem}{digit}"
        assert redact_text(text) == (REDACTED if passes_luhn(text) else text)


def test_times_are_kept_although_one_in_ten_looks_like_a_card() -> None:
    assert passes_luhn("1790000000005")
    assert one(at_ms=1790000000005, at_ns=1790000000005) == {"at_ms": 1790000000005, "at_ns": 1790000000005}


def test_passwords_in_addresses_and_messages_are_cut_out() -> None:
    text = redact_text(
        "postgresql://office:hunter2@db/x failed; password='hunter2 x' token: hunter2, host=db"
    )
    assert "hunter2" not in text
    assert "office" in text
    assert "host=db" in text


def test_long_values_are_cut_and_deep_ones_end() -> None:
    deep: list[object] = []
    deep.append(deep)
    assert len(one(body="x" * 10**6)["body"]) < 20_000
    assert len(json.dumps(one(deep=deep))) < 1_000


PROGRAM = """
import logging, structlog
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.logs import configure_logs
configure_logs()
log = structlog.get_logger("till")
log.info("sold %s", "A-1", seq=7, paid=True, key=DatabaseKey(bytes(32)), also=[DatabaseKey(bytes(32))])
log.debug("not shown")
logging.getLogger("some.library").warning("card %s", 4111111111111111, extra={"token": "hush"})
try:
    local = "hush" * 2
    raise ValueError("4111 1111 1111 1111")
except ValueError:
    log.exception("failed")
"""


def test_every_line_is_one_json_object_also_from_libraries() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], check=True, stderr=subprocess.PIPE, text=True)
    sold, library, failed = (json.loads(line) for line in ran.stderr.splitlines())
    assert sold["event"] == "sold A-1"
    assert (sold["seq"], sold["paid"], sold["key"], sold["logger"]) == (7, True, REDACTED, "till")
    assert sold["also"] == [repr(DatabaseKey(bytes(32)))]
    assert (library["event"], library["token"], library["level"]) == (f"card {REDACTED}", REDACTED, "warning")
    assert "ValueError" in failed["exception"]
    assert "4111" not in failed["exception"]
    assert failed["timestamp"].endswith("Z")
