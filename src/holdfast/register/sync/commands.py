"""Commands from head office, over the connection that the register opened.

Each is signed, numbered, and carried out once: its number and its outcome are stored before and
after. What only checkout may do becomes a request to it, and the command waits for that. An outcome
is journalled, and told until head office heard it.
"""

import datetime
import functools
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from holdfast.core.faults import Fault, MalformedFault, SignatureFault
from holdfast.core.ids import EpochId, IncarnationId, KeyId
from holdfast.core.journal.bodies import CommandDone, KeyRotated
from holdfast.core.sync.commands import Command, CommandBatch, News, Outcome
from holdfast.core.sync.cursors import accept_receipt, purge_through
from holdfast.core.sync.feed import unpack
from holdfast.core.sync.messages import Receipt, encode
from holdfast.infra.clock import Clock
from holdfast.infra.http import HttpRequest
from holdfast.infra.keys import verify
from holdfast.register.sync.books import Books
from holdfast.register.sync.caller import Caller, Shared
from holdfast.register.sync.database import QUERIES, read, write
from holdfast.register.sync.diagnostics import collect
from holdfast.register.sync.line import RefusedFault
from holdfast.register.sync.requests import (
    DONE,
    FAILED,
    AppendRequest,
    Payload,
    Placed,
    PurgeRequest,
    append_request,
    file_request,
)
from holdfast.register.sync.resending import Resend, outcome_of, plan_resend
from holdfast.register.sync.rotation import KeyRing

PARAMETERS = "parameters"
"""The feed that head office tells of at once."""
POLL_S = 25
POLL_WAITING_S = 1
"""While a command waits for checkout: its outcome is worth telling soon."""
POLL_GRACE_S = 10.0
REPLY_BYTES_MAX = 4 << 20
COMMANDS_MAX = 1_000
"""Of one answer."""
DETAIL_CHARS_MAX = 16_000
KEEP_REPORTED = 1_000
KEEP_DAYS = 90
"""What a purge leaves where the command does not say: returns look back that far."""
KEEP_DAYS_MAX = 10_000


class Hands(NamedTuple):
    """What commands set in motion elsewhere in this process."""

    sync_now: Callable[[], None]
    report: Callable[[], None]
    resend: Callable[[EpochId, int, int], None]
    resending_from: Callable[[EpochId], int | None]
    new_session: Callable[[], None]
    news: Callable[[News], None]


class Waiting(NamedTuple):
    """A command that is not finished, and the request that it waits for."""

    incarnation: IncarnationId
    number: int
    kind: str
    arguments: dict[str, str]
    request: int | None


class Done(NamedTuple):
    """How a command went."""

    outcome: str
    detail: str = ""


class Commander(Caller):
    """Polls, carries out, reports: one thread, one call at a time."""

    def __init__(self, shared: Shared, *, keys: KeyRing, hands: Hands) -> None:
        super().__init__("commands", shared)
        self._keys = keys
        self._hands = hands
        self._resends: dict[int, Resend] = {}
        self._told: tuple[str, int] = ("", 0)
        """Incarnation and version of the parameters that head office told of last: once is enough."""

    def line_returned(self, was_dead: bool) -> None:
        """The poll on its way went into the dead line."""
        if was_dead:
            self.interrupt()
            self.wake()

    def turn(self) -> float:
        books = self._books
        waiting = self._work_off(books)
        if self._keys.has_former:
            self._keys.forget(safe_through(books, self._head_office_keys))
        self._report(books)
        self._take(books, self._poll(books, POLL_WAITING_S if waiting else POLL_S))
        return 0.0

    # ---- hearing ---------------------------------------------------------------------------------

    def _poll(self, books: Books, wait_s: int) -> tuple[Command, ...]:
        connection = books.reference.connection
        incarnation = books.reference.incarnation() or ""
        highest = read(connection, lambda: QUERIES.highest_command(connection, incarnation=incarnation))
        answer = self._line.ask(
            HttpRequest(
                method="GET",
                path="/v1/sync/commands",
                query={
                    "incarnation": incarnation,
                    "after": highest,
                    "wait_s": wait_s,
                    "parameters": self._known_parameters(books, incarnation),
                },
                deadline_s=wait_s + POLL_GRACE_S,
                reply_bytes_max=REPLY_BYTES_MAX,
            ),
            self._began,
        )
        batch = unpack(answer.body, "commands", CommandBatch, self._head_office_keys, verify)
        if any(command.origin != self._origin for command in batch.commands):
            raise SignatureFault("A command for another register came; it was not carried out.")
        for incarnation in {command.incarnation for command in batch.commands}:
            if not books.reference.see_incarnation(incarnation, self._clock.now_ms()):
                raise SignatureFault("A command of a former head office came; it was not carried out.")
        if batch.news is not None and batch.news.incarnation == incarnation:
            self._told = (incarnation, batch.news.feeds.get(PARAMETERS, 0))
            self._hands.news(batch.news)
        return batch.commands[:COMMANDS_MAX]

    def _known_parameters(self, books: Books, incarnation: str) -> int:
        have = books.feeds.current(PARAMETERS)
        n = have.n if have is not None and have.incarnation == incarnation else 0
        return max(n, self._told[1] if self._told[0] == incarnation else 0)

    def _take(self, books: Books, commands: tuple[Command, ...]) -> None:
        """Store what is new; what is known is not carried out again, its outcome only told again."""
        connection = books.reference.connection

        def store() -> None:
            for command in sorted(commands, key=lambda command: command.number):
                named = {"incarnation": command.incarnation, "number": command.number}
                if command.number > QUERIES.highest_command(connection, incarnation=command.incarnation):
                    QUERIES.add_command(
                        connection,
                        incarnation=command.incarnation,
                        number=command.number,
                        kind=command.kind,
                        arguments=msgspec.json.encode(command.arguments),
                        received_ms=self._clock.now_ms(),
                    )
                else:
                    QUERIES.reopen_command_report(connection, **named)

        if commands:
            write(connection, store)

    # ---- doing -----------------------------------------------------------------------------------

    def _work_off(self, books: Books) -> bool:
        """Carry out what is open; whether something waits for checkout or for head office."""
        connection = books.reference.connection
        rows = read(connection, lambda: QUERIES.unfinished_commands(connection))
        waits = False
        for incarnation, number, kind, arguments, request in rows:
            named = msgspec.json.decode(arguments, type=dict[str, str])
            command = Waiting(incarnation, number, kind, named, request)
            try:
                done = self._carry_out(books, command)
            except Fault as fault:
                if fault.retriable:
                    raise
                done = Done(FAILED, fault.sentence)
            if done is None:
                waits = True
            else:
                self._finish(books, command, done)
        return waits

    def _carry_out(self, books: Books, command: Waiting) -> Done | None:
        """None: it waits. May be called again for the same command after a crash."""
        match command.kind:
            case "sync_now":
                self._hands.sync_now()
                self._hands.report()
                return Done(DONE)
            case "report":
                self._hands.report()
                return Done(DONE)
            case "resend_from":
                return self._resend(books, command)
            case "purge":
                return self._purge(books, command)
            case "rotate_key":
                return self._rotate(books, command)
            case "collect_diagnostics":
                return Done(DONE, collect(books, self._board, self._clock).decode())
            case _:
                return Done(FAILED, f"{command.kind[:40]} is not known to this version of Holdfast")

    def _resend(self, books: Books, command: Waiting) -> Done | None:
        """Until all of it was taken once more; after a restart of this process from the beginning."""
        begun = self._resends.get(command.number)
        if begun is None:
            begun = plan_resend(books, command.arguments)
            if isinstance(begun, str):
                return Done(DONE, begun)
            self._resends[command.number] = begun
            self._hands.resend(begun.epoch, begun.first_seq, begun.last_seq)
            return None
        seq = self._hands.resending_from(begun.epoch)
        if seq is None:
            del self._resends[command.number]
            return Done(DONE, outcome_of(begun))
        if books.journal.piece(begun.epoch, seq, 1, 1) is None:
            del self._resends[command.number]
            return Done(FAILED, f"entry {seq:,} cannot be read on this disk, nor can what follows it be sent")
        return None

    def _purge(self, books: Books, command: Waiting) -> Done | None:
        if command.request is None:
            keep_days = _whole_number(command.arguments, "keep_days", KEEP_DAYS, KEEP_DAYS_MAX)
            through = purgeable(books, keep_days, self._clock, self._head_office_keys)
            if not through:
                return Done(DONE, "nothing that head office holds safe is older than what stays")
            self._ask(books, command, PurgeRequest(through=through))
            return None
        closed = books.inbox.outcome(command.request)
        return None if closed is None else Done(*closed)

    def _rotate(self, books: Books, command: Waiting) -> Done | None:
        if command.request is None:
            self._ask(books, command, append_request("key_rotated", 1, self._keys.prepare()))
            return None
        closed = books.inbox.outcome(command.request)
        if closed is None or closed[0] != DONE:
            return None if closed is None else Done(*closed)
        placed = msgspec.json.decode(closed[1], type=Placed)
        if books.reference.applied().get(placed.epoch, 0) < placed.seq:
            return None  # head office must know the new key before anything is signed with it
        asked = books.inbox.payload(command.request)
        assert isinstance(asked, AppendRequest), "a rotation asked for an entry"
        key = msgspec.json.decode(asked.body, type=KeyRotated)
        self._keys.complete(KeyId(key.key_id), placed.epoch, placed.seq)
        self._hands.new_session()
        return Done(DONE, f"signs with {key.key_id}; the former key waits until a backup holds this")

    def _ask(self, books: Books, command: Waiting, payload: Payload) -> None:
        connection = books.reference.connection

        def store() -> None:
            number = file_request(connection, payload, self._clock.now_ms())
            QUERIES.set_command_request(
                connection, incarnation=command.incarnation, number=command.number, request=number
            )

        write(connection, store)

    # ---- telling ---------------------------------------------------------------------------------

    def _finish(self, books: Books, command: Waiting, done: Done) -> None:
        """Store the outcome, and have it journalled, in one transaction."""
        connection = books.reference.connection
        detail = done.detail[:DETAIL_CHARS_MAX]
        entry = CommandDone(
            command=str(command.number),
            kind=command.kind[:40],
            outcome=done.outcome,
            detail=_brief(command, detail),
        )

        def store() -> None:
            QUERIES.finish_command(
                connection,
                incarnation=command.incarnation,
                number=command.number,
                outcome=done.outcome,
                detail=detail,
            )
            file_request(connection, append_request("command_done", 1, entry), self._clock.now_ms())

        write(connection, store)

    def _report(self, books: Books) -> None:
        connection = books.reference.connection
        for incarnation, number, _, outcome, detail in read(
            connection, lambda: QUERIES.unreported_commands(connection)
        ):
            message = Outcome(incarnation=incarnation, number=number, outcome=outcome, detail=detail)
            try:
                self._line.ask(
                    HttpRequest(
                        method="POST",
                        path="/v1/sync/commands/outcome",
                        body=encode(message),
                        deadline_s=POLL_GRACE_S,
                    ),
                    self._began,
                )
            except RefusedFault as refused:
                if refused.status >= 500 or refused.status in (401, 408, 425, 429):
                    raise
                self._board.fault("commands", refused)  # it will not take it; do not ask for ever
            write(connection, functools.partial(self._reported, books, incarnation, number))

    def _reported(self, books: Books, incarnation: IncarnationId, number: int) -> None:
        connection = books.reference.connection
        QUERIES.command_reported(connection, incarnation=incarnation, number=number)
        QUERIES.drop_old_commands(connection, keep=KEEP_REPORTED)


def purgeable(books: Books, keep_days: int, clock: Clock, keys: dict[KeyId, bytes]) -> dict[EpochId, int]:
    """Epoch → seq up to which its entries may go: *safe*, and older than `keep_days` (P1).

    Each receipt is verified again, over the till as it is now: it may have been restored since.
    """
    receipts = _good_safe(books, keys)
    through: dict[EpochId, int] = {}
    for epoch in dict.fromkeys(receipt.epoch for receipt in receipts):
        keep_from = books.till.keep_from_seq(epoch, _days_ago(keep_days, books, clock))
        seq = purge_through(receipts, epoch, keep_from)
        if seq:
            through[epoch] = seq
    return through


def safe_through(books: Books, keys: dict[KeyId, bytes]) -> dict[EpochId, int]:
    """Epoch → seq up to which head office could be restored with it."""
    return {receipt.epoch: receipt.seq for receipt in _good_safe(books, keys)}


def _good_safe(books: Books, keys: dict[KeyId, bytes]) -> list[Receipt]:
    return [
        receipt
        for receipt in books.reference.safe_receipts()
        if receipt.key_id in keys
        and accept_receipt(receipt, keys[receipt.key_id], verify, books.journal.hash_at)
    ]


def _days_ago(days: int, books: Books, clock: Clock) -> str:
    """Counted from the register's business date: a clock that is ahead by years must not empty a till."""
    today = books.till.day().business_date
    if today is None:
        return "0001-01-01"
    day = datetime.date.fromisoformat(today)
    return datetime.date.fromordinal(max(1, day.toordinal() - days)).isoformat()


def _whole_number(arguments: dict[str, str], name: str, default: int, most: int) -> int:
    text = arguments.get(name, "")
    if not text:
        return default
    if not (text.isdecimal() and text.isascii()) or len(text) > 9 or int(text) > most:
        raise MalformedFault(f"{name} = {text[:20]!r} is not a whole number up to {most}")
    return int(text)


def _brief(command: Waiting, detail: str) -> str:
    """The journal keeps that diagnostics were taken, not what they said."""
    return "" if command.kind == "collect_diagnostics" else detail[:500]
