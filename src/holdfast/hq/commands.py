"""Commands to registers: numbered, delivered until their outcome is known, carried out once."""

import msgspec

from holdfast.core.ids import IncarnationId, OriginId
from holdfast.core.journal.chain import Signer
from holdfast.core.refusals import Refusal
from holdfast.core.sync.commands import KINDS, Command, CommandBatch, News, Outcome
from holdfast.core.sync.feed import pack
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "commands.sql", Engine.POSTGRES)

BATCH_MAX = 100
DETAIL_CHARS_MAX = 4_000


class CommandRow(msgspec.Struct, frozen=True):
    """A command and what became of it."""

    number: int
    kind: str
    arguments: str
    issued_at_ms: int
    issued_by: str
    delivered_at_ms: int | None
    outcome: str | None
    detail: str | None
    finished_at_ms: int | None


class CommandBook:
    """Every command that was given, and its outcome."""

    def __init__(self, pool: Pool, signer: Signer, clock: Clock) -> None:
        self._pool = pool
        self._signer = signer
        self._clock = clock
        self.empty = pack("commands", CommandBatch(commands=()), signer)
        """The signed answer to a poll that found nothing."""

    def issue(
        self, origin: OriginId, kind: str, *, by: str, arguments: dict[str, str] | None = None
    ) -> Command | Refusal:
        """Give a command; it leaves with the register's next poll."""
        if kind not in KINDS:
            return Refusal(
                "command.kind", f"There is no command {kind[:40]!r}. Known are: {', '.join(KINDS)}."
            )
        given, now_ms = arguments or {}, self._clock.now_ms()
        with self._pool.connection() as conn:
            if _sql.lock_origin(conn, origin=origin) is None:
                return Refusal("origin.unknown", f"No register {origin[:64]!r} is enrolled.")
            issued = _sql.issue(
                conn,
                origin=origin,
                kind=kind,
                arguments=msgspec.json.encode(given).decode(),
                at_ms=now_ms,
                by=by,
            )
        assert issued is not None, "a command is always given in some incarnation"
        incarnation, number = issued
        return Command(
            origin=origin,
            incarnation=IncarnationId(incarnation),
            number=number,
            kind=kind,
            arguments=given,
            issued_at_ms=now_ms,
        )

    def after(self, origin: OriginId, incarnation: IncarnationId, number: int) -> bytes | None:
        """The signed batch of open commands; None where there are none.

        The register has carried out those up to `number` of `incarnation`.
        """
        with self._pool.connection() as conn:
            rows = _sql.after(
                conn, origin=origin, incarnation=_storable(incarnation), number=number, limit=BATCH_MAX
            )
            if not rows:
                return None
            _sql.delivered(
                conn,
                origin=origin,
                incarnation=rows[0][0],
                numbers=[row[1] for row in rows],
                at_ms=self._clock.now_ms(),
            )
        commands = tuple(
            Command(
                origin=origin,
                incarnation=IncarnationId(given_in),
                number=number,
                kind=kind,
                arguments=msgspec.json.decode(arguments, type=dict[str, str]),
                issued_at_ms=issued_at_ms,
            )
            for given_in, number, kind, arguments, issued_at_ms in rows
        )
        return pack("commands", CommandBatch(commands=commands), self._signer)

    def told(self, news: News) -> bytes:
        """The signed answer to a poll that brings nothing but news."""
        return pack("commands", CommandBatch(commands=(), news=news), self._signer)

    def finish(self, origin: OriginId, outcome: Outcome) -> Refusal | None:
        """Keep how a command that was delivered went; told again, the first word stands."""
        with self._pool.connection() as conn:
            life = _storable(outcome.incarnation)
            named = {"origin": origin, "incarnation": life, "number": outcome.number}
            if _sql.is_delivered(conn, **named) is None:
                return Refusal("command.unknown", f"There is no command {outcome.number} for {origin[:64]}.")
            _sql.finish(
                conn,
                **named,
                outcome=_storable(outcome.outcome),
                detail=_storable(outcome.detail),
                at_ms=self._clock.now_ms(),
            )
        return None

    def latest(self, origin: OriginId, limit: int = 20) -> list[CommandRow]:
        """The commands given last, newest first."""
        with self._pool.connection() as conn:
            return [CommandRow(*row) for row in _sql.latest(conn, origin=origin, limit=limit)]


def _storable(text: str) -> str:
    return text[:DETAIL_CHARS_MAX].replace("\x00", "\ufffd")
