"""Prepared gift cards: numbers made or loaded before they are sold; cards blocked by a person (GC1, GC11).

A number stands in full in one file, which is written before head office knows of it: what is in the database
is only how a number is known again. A file that went astray is answered by blocking what of it is unsold.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg

from holdfast.core.bounds import reason_refusal
from holdfast.core.central.accounts import NUMBERED, WORDS, AccountId, Kind, State
from holdfast.core.central.numbers import (
    RANDOM_BYTES,
    new_number,
    number_end,
    number_mac,
    pin_mac,
    read_number,
)
from holdfast.core.ids import ID_RANDOM_BYTES, encode_id
from holdfast.core.money import currency_of
from holdfast.core.refusals import Refusal
from holdfast.hq.central.audit import note
from holdfast.hq.csv_rows import BadRow, CsvRow, read_csv
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq.central", "cards.sql", Engine.POSTGRES)

CARDS_MAX = 100_000
"""Of one batch."""
BATCHES_LISTED = 50
BAD_ROWS_SHOWN = 200
PIN_DIGITS = 4
PIN_DIGITS_MAX = 8
REPORT_EVERY = 1_000
_KNOWN_AT_ONCE = 5_000
_PIN_RANDOM_BYTES = 8

Progress = Callable[[int, int], None]
"""Cards done, cards in all."""


class Card(NamedTuple):
    """A number and a PIN in full: in memory while its file is written, and nowhere else."""

    number: str
    pin: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as pages list it."""

    batch: str
    source: str
    currency: str
    cards: int
    has_pins: bool
    made_by: str
    made_at_ms: int
    unsold: int
    blocked: int


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What was prepared."""

    batch: str
    cards: int
    currency: str


class BadFile(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a file, by line. Nothing of it was taken."""

    rows: int
    bad_rows: int
    bad: tuple[BadRow, ...]
    """The first ones."""


def no_progress(_done: int, _all: int) -> None:
    """Nobody watches."""


class CardBook:
    """Prepares cards and blocks them; each call is one transaction. Thread-safe."""

    def __init__(self, pool: Pool, clock: Clock, randomness: Randomness, number_key: bytes) -> None:
        self._pool = pool
        self._clock = clock
        self._randomness = randomness
        self._number_key = number_key

    # ---- preparing -------------------------------------------------------------------------------

    def make(
        self,
        count: int,
        currency: str,
        keep: Callable[[bytes], None],
        *,
        with_pins: bool,
        by: str,
        progress: Progress = no_progress,
    ) -> Made | Refusal:
        """Draw numbers. `keep` writes their file, durably, before head office knows the first of them."""
        if not 0 < count <= CARDS_MAX:
            return Refusal("cards.count", f"Make 1 to {CARDS_MAX:,} cards at a time.")
        known = currency_of(currency)
        if isinstance(known, Refusal):
            return known
        drawn: dict[str, str] = {}
        while len(drawn) < count:
            number = new_number(Kind.GIFT_CARD, self._randomness.bytes(RANDOM_BYTES))
            drawn.setdefault(number, self._pin() if with_pins else "")
        cards = [Card(*item) for item in drawn.items()]
        keep(file_of(cards, currency, with_pins=with_pins))
        return self._put("made", cards, currency, by, progress)

    def load(self, data: bytes, *, by: str, progress: Progress = no_progress) -> Made | BadFile | Refusal:
        """Numbers that were made elsewhere, in a CSV file: all of them, or none."""
        file = read_csv(data, ("number", "currency"), ("pin",))
        if isinstance(file, Refusal):
            return file
        if not 0 < len(file.rows) <= CARDS_MAX:
            return Refusal("cards.count", f"A file has 1 to {CARDS_MAX:,} cards.")
        read = _Reading(file.rows)
        bad = [*read.bad, *self._there_already(read.cards)]
        if bad:
            bad.sort(key=lambda row: row.line)
            return BadFile(rows=len(file.rows), bad_rows=len(bad), bad=tuple(bad[:BAD_ROWS_SHOWN]))
        return self._put("loaded", list(read.cards), read.currency, by, progress)

    def _pin(self) -> str:
        drawn = int.from_bytes(self._randomness.bytes(_PIN_RANDOM_BYTES), "big") % 10**PIN_DIGITS
        return f"{drawn:0{PIN_DIGITS}d}"

    def _mac(self, number: str) -> bytes:
        return number_mac(self._number_key, Kind.GIFT_CARD, number)

    def _there_already(self, cards: dict[Card, int]) -> Iterator[BadRow]:
        lines = {self._mac(card.number): line for card, line in cards.items()}
        macs = list(lines)
        with self._pool.connection() as conn:
            for first in range(0, len(macs), _KNOWN_AT_ONCE):
                for (found,) in _sql.known(conn, macs=macs[first : first + _KNOWN_AT_ONCE]):
                    line = lines[bytes(found)]
                    yield BadRow(line=line, column="number", reason="head office has this card already")

    def _put(
        self, source: str, cards: Sequence[Card], currency: str, by: str, progress: Progress
    ) -> Made | Refusal:
        batch, now_ms = encode_id(self._randomness.bytes(ID_RANDOM_BYTES)), self._clock.now_ms()
        has_pins = any(card.pin for card in cards)
        try:
            with self._pool.connection() as conn:
                _sql.add_batch(
                    conn, batch=batch, source=source, currency=currency, cards=len(cards), has_pins=has_pins,
                    by=by, at_ms=now_ms,
                )  # fmt: skip
                self._copy(conn, self._rows(batch, cards, currency, now_ms, progress))
                detail = f"{len(cards):,} card{'s' if len(cards) != 1 else ''} in {currency}, batch {batch}"
                note(conn, now_ms, by, f"cards-{source}", kind=Kind.GIFT_CARD.value, detail=detail)
        except psycopg.errors.UniqueViolation:  # somebody loaded one of them at this moment
            return Refusal("cards.known", "Head office has one of these cards already. Nothing was taken.")
        return Made(batch=batch, cards=len(cards), currency=currency)

    def _rows(
        self, batch: str, cards: Sequence[Card], currency: str, now_ms: int, progress: Progress
    ) -> Iterator[tuple[object, ...]]:
        for done, (number, pin) in enumerate(cards, 1):
            account = encode_id(self._randomness.bytes(ID_RANDOM_BYTES))
            secret = pin_mac(self._number_key, Kind.GIFT_CARD, number, pin) if pin else None
            yield (
                *(Kind.GIFT_CARD.value, account, currency, State.PREPARED.value),
                *(self._mac(number), secret, number_end(number), now_ms, batch),
            )
            if done % REPORT_EVERY == 0 or done == len(cards):
                progress(done, len(cards))

    def _copy(self, conn: psycopg.Connection[Any], rows: Iterable[tuple[object, ...]]) -> None:
        statement = (
            "copy value_account (kind, account, currency, state, number_mac, pin_mac, number_end, "
            "opened_at_ms, batch) from stdin"
        )
        with conn.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    # ---- looking and blocking --------------------------------------------------------------------

    def batches(self) -> list[Batch]:
        """The newest first."""
        names = Batch.__struct_fields__
        with self._pool.connection() as conn:
            rows = _sql.batches(conn, limit=BATCHES_LISTED)
            return [Batch(**dict(zip(names, row, strict=True))) for row in rows]

    def block(self, kind: Kind, account: AccountId, *, by: str, reason: str) -> Refusal | None:
        """Nothing is held on it from now on; what was concluded already is booked all the same."""
        return self._change(kind, account, by, reason, blocked=True)

    def unblock(self, kind: Kind, account: AccountId, *, by: str, reason: str) -> Refusal | None:
        """It is as it was."""
        return self._change(kind, account, by, reason, blocked=False)

    def _change(
        self, kind: Kind, account: AccountId, by: str, reason: str, *, blocked: bool
    ) -> Refusal | None:
        if refusal := reason_refusal(reason):
            return refusal
        with self._pool.connection() as conn:
            found = _sql.lock_account(conn, kind=kind.value, account=account)
            if found is None or kind not in NUMBERED:
                return Refusal("account.unknown", f"Head office knows no such {WORDS[kind]}.")
            if (found[0] == State.BLOCKED) is blocked:
                said = "blocked already" if blocked else "not blocked"
                return Refusal("account.same", f"This {WORDS[kind]} is {said}. Nothing was changed.")
            wanted = State.BLOCKED if blocked else self._former(conn, kind, account)
            _sql.set_state(conn, kind=kind.value, account=account, state=wanted.value)
            act = "blocked" if blocked else "unblocked"
            note(
                conn, self._clock.now_ms(), by, act, kind=kind.value, account=account,
                detail=f"{WORDS[kind]} …{found[1]}", reason=reason.strip(),
            )  # fmt: skip
        return None

    def _former(self, conn: psycopg.Connection[Any], kind: Kind, account: AccountId) -> State:
        moved = _sql.has_movements(conn, kind=kind.value, account=account)
        return State.ACTIVE if moved or kind is not Kind.GIFT_CARD else State.PREPARED

    def block_unsold(self, batch: str, *, by: str, reason: str) -> int | Refusal:
        """The file went astray: what of the batch is unsold is blocked. How many that were."""
        if refusal := reason_refusal(reason):
            return refusal
        with self._pool.connection() as conn:
            if _sql.lock_batch(conn, batch=batch) is None:
                return Refusal("cards.batch", "There is no such batch.")
            blocked = len(list(_sql.block_unsold(conn, batch=batch)))
            note(
                conn, self._clock.now_ms(), by, "batch-blocked", kind=Kind.GIFT_CARD.value,
                detail=f"{blocked} unsold cards of batch {batch}", reason=reason.strip(),
            )  # fmt: skip
        return blocked


def file_of(cards: Sequence[Card], currency: str, *, with_pins: bool) -> bytes:
    """The file for the printer of the cards: CSV with the numbers in full."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("number", "pin", "currency") if with_pins else ("number", "currency"))
    for number, pin in cards:
        writer.writerow((number, pin, currency) if with_pins else (number, currency))
    return text.getvalue().encode()


class _Reading:
    """A file's rows as cards, and what is wrong with others."""

    def __init__(self, rows: Sequence[CsvRow]) -> None:
        self.cards: dict[Card, int] = {}
        """Card → its line."""
        self.bad: list[BadRow] = []
        self.currency = ""
        self._lines: dict[str, int] = {}
        for row in rows:
            self._read(row)

    def _read(self, row: CsvRow) -> None:
        wrong = ("", row.problem) if row.problem else self._take(row)
        if wrong is not None:
            self.bad.append(BadRow(line=row.line, column=wrong[0], reason=wrong[1]))

    def _take(self, row: CsvRow) -> tuple[str, str] | None:
        """(column, reason) of what is wrong; None: taken."""
        number = read_number(Kind.GIFT_CARD, row.fields["number"])
        if isinstance(number, Refusal):
            return "number", number.sentence
        if number in self._lines:
            return "number", f"the same number as in line {self._lines[number]}"
        self._lines[number] = row.line
        pin = row.fields.get("pin", "")
        if pin and not (pin.isascii() and pin.isdecimal() and PIN_DIGITS <= len(pin) <= PIN_DIGITS_MAX):
            return "pin", f"a PIN has {PIN_DIGITS} to {PIN_DIGITS_MAX} digits"
        currency = currency_of(row.fields["currency"])
        if isinstance(currency, Refusal):
            return "currency", currency.sentence
        self.currency = self.currency or row.fields["currency"]
        if row.fields["currency"] != self.currency:
            return "currency", f"one file is of one currency; the first row says {self.currency}"
        self.cards[Card(number, pin)] = row.line
        return None
