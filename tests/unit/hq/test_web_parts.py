"""The parts of head office's web server that need neither server nor database."""

import json
from zoneinfo import ZoneInfo

import pytest

from holdfast.core.refusals import Refusal
from holdfast.hq.web.auth.accounts import password_refusal, same
from holdfast.hq.web.days import Day
from holdfast.hq.web.home.routes import series_of
from holdfast.hq.web.templating import (
    ago,
    count,
    money,
    percent,
    price,
    quantity,
    rate,
    size,
    skew,
    span,
    when,
)
from holdfast.hq.web.throttle import FREE_TRIES, KEYS_MAX, WAIT_MS_MAX, Throttle
from holdfast.hq.web.uploads import KEPT_MS, UPLOADS_MAX, Uploads
from holdfast.infra.clock import ManualClock


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (money(123_450, "GBP"), "1,234.50 GBP"),
        (money(-5, "EUR"), "−0.05 EUR"),
        (money(1_500, "JPY"), "1,500 JPY"),
        (money(1_500, "KWD"), "1.500 KWD"),
        (money(None, "EUR"), "–"),
        (quantity(3_000), "3"),
        (quantity(-12_000), "−12"),
        (quantity(250), "0.250"),
        (price(12_500), "1.25"),
        (price(12_345), "1.2345"),
        (price(-110_620_000), "−11,062.00"),
        (percent(200_000), "20 %"),
        (percent(88_750), "8.875 %"),
        (rate(91_500_000), "0.915"),
        (rate(612_345), "0.00612345"),
        (rate(100_000_000), "1"),
        (count(None), "–"),
        (count(12_345), "12,345"),
        (span(1_200), "1.2 s"),
        (span(90_000), "2 min"),
        (span(3 * 3_600_000), "3 h"),
        (span(72 * 3_600_000), "3 days"),
        (skew(7_200_000), "+2 h"),
        (skew(-1_100), "−1.1 s"),
        (skew(None), "–"),
        (skew(-49), "0.0 s"),
        (size(40_000_000_000), "40.0 GB"),
        (ago(None, 0), "never"),
        (ago(0, 1_000), "just now"),
        (ago(0, 5_700), "5 s ago"),
        (ago(0, 600_000), "10 min ago"),
        (ago(600_000, 0), "in 10 min"),
        (when(1_790_000_000_000, ZoneInfo("Europe/London")), "2026-09-21 15:13:20"),
        (when(1 << 62, ZoneInfo("Europe/London")), "far in the future"),
        (when(-(1 << 62), ZoneInfo("Europe/London")), "far in the past"),
    ],
)
def test_how_values_are_written(written: str, expected: str) -> None:
    assert written == expected


def test_guessing_waits_longer_each_time_and_never_for_ever() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    for _ in range(FREE_TRIES - 1):
        throttle.failed("name:a", "address:1")
        assert throttle.wait_ms("name:a") == 0
    waits: list[int] = []
    for _ in range(12):
        throttle.failed("name:a", "address:1")
        waits.append(throttle.wait_ms("name:b", "address:1"))
    assert waits == sorted(waits)
    assert waits[0] > 0
    assert waits[-1] == WAIT_MS_MAX
    clock.advance(WAIT_MS_MAX)
    assert throttle.wait_ms("name:a") == 0
    throttle.passed("name:a")
    throttle.failed("name:a")
    assert throttle.wait_ms("name:a") == 0


def test_the_throttle_is_bounded() -> None:
    throttle = Throttle(ManualClock())
    for number in range(KEYS_MAX + 10):
        throttle.failed(f"address:{number}")
    assert len(throttle._failures) == KEYS_MAX


def test_an_upload_is_kept_for_a_while_for_its_owner() -> None:
    clock = ManualClock()
    uploads = Uploads(clock)
    token = uploads.keep("ann", "prices", "p.csv", b"x")
    assert uploads.take(token, "bob") is None
    found = uploads.take(token, "ann")
    assert found is not None
    assert found.data == b"x"
    assert uploads.take(token, "ann") is None
    late = uploads.keep("ann", "prices", "p.csv", b"x")
    clock.advance(KEPT_MS + 1)
    assert uploads.take(late, "ann") is None
    tokens = [uploads.keep("ann", "prices", "p.csv", b"x") for _ in range(UPLOADS_MAX + 1)]
    assert uploads.take(tokens[0], "ann") is None


def test_passwords_that_do_not_do() -> None:
    assert isinstance(password_refusal("short"), Refusal)
    assert isinstance(password_refusal("aaaaaaaaaaaaaaaa"), Refusal)
    assert isinstance(password_refusal("x1y2z3" * 50), Refusal)
    assert password_refusal("correct horse battery") is None


def test_an_empty_token_is_never_the_same() -> None:
    assert not same("", "")
    assert not same("a", "b")
    assert same("a", "a")


def test_the_chart_counts_in_major_units_of_each_currency() -> None:
    days = [
        Day(f"2026-09-{day}", currency, 1, total_minor)
        for currency, total_minor in (("EUR", 1_250), ("JPY", 1_250), ("KWD", 1_250))
        for day in (21, 22)
    ]
    drawn = {currency: json.loads(pair)[1] for currency, pair in series_of(days).items()}
    assert drawn == {"EUR": [12.5, 12.5], "JPY": [1_250, 1_250], "KWD": [1.25, 1.25]}
