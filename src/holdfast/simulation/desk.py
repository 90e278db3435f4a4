"""What goes down from head office, held in memory: feeds and commands; and the answers to all requests.

`hq/feeds.py` and `hq/commands.py` hold them in PostgreSQL, which `--store both` compares with this."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import msgspec

from holdfast.core.central.grants import Granted, GrantRequest
from holdfast.core.central.holds import Declined, HoldRequest
from holdfast.core.central.services import ReleaseRequest
from holdfast.core.faults import Fault, MalformedFault, SignatureFault, TooLargeFault
from holdfast.core.ids import IncarnationId, OriginId
from holdfast.core.journal.chain import Signer
from holdfast.core.refusals import Refusal
from holdfast.core.sync import messages
from holdfast.core.sync.commands import Command, CommandBatch, Outcome
from holdfast.core.sync.feed import FeedPage, FeedRow, pack
from holdfast.core.sync.receiver import Refused
from holdfast.hq.central.desk import CentralDesk
from holdfast.hq.ingest import Ingest
from holdfast.infra.clock import Clock
from holdfast.simulation.errands import Ask
from holdfast.simulation.network import Answer
from holdfast.simulation.stores import Given, SimStore

DELETED = b"null"


class FeedDesk(Protocol):
    """`hq.feeds.Feeds`, as far as registers and loads see it."""

    def page(self, feed: str, incarnation: IncarnationId | None, since_n: int) -> bytes: ...
    def put(self, feed: str, rows: Mapping[str, msgspec.Struct | None]) -> tuple[int, int]: ...


class CommandDesk(Protocol):
    """`hq.commands.CommandBook`, the same."""

    @property
    def empty(self) -> bytes: ...
    def issue(
        self, origin: OriginId, kind: str, *, by: str, arguments: dict[str, str] | None = None
    ) -> Command | Refusal: ...
    def after(self, origin: OriginId, incarnation: IncarnationId, number: int) -> bytes | None: ...
    def finish(self, origin: OriginId, outcome: Outcome) -> Refusal | None: ...


class AllowanceDesk(Protocol):
    """`hq.central.allowances.Allowances`, the same."""

    def ask(self, origin: OriginId, request: GrantRequest) -> Granted | Declined: ...


class Desk(NamedTuple):
    """One head office's process."""

    ingest: Ingest
    feeds: FeedDesk
    commands: CommandDesk
    central: CentralDesk
    allowances: AllowanceDesk | None = None
    """None: this head office is not asked for any."""


class SimFeeds:
    """Feeds over the store in memory."""

    def __init__(self, store: SimStore, signer: Signer) -> None:
        self._store = store
        self._signer = signer

    def page(self, feed: str, incarnation: IncarnationId | None, since_n: int) -> bytes:
        """What changed after `since_n`; from the beginning for another incarnation."""
        tables = self._store.tables
        current = tables.incarnations[-1][0]
        since_n = since_n if incarnation == current else 0
        changed = sorted(
            (n, key, body)
            for (of, key), (n, body) in self._store.feed_rows.items()
            if of == feed and n > since_n
        )
        page = FeedPage(
            feed=feed,
            incarnation=current,
            since_n=since_n,
            to_n=tables.feeds[feed],
            more=False,
            rows=tuple(
                FeedRow(key, msgspec.Raw(body)) for _, key, body in changed if since_n or body != DELETED
            ),
        )
        return pack("feed", page, self._signer)

    def put(self, feed: str, rows: Mapping[str, msgspec.Struct | None]) -> tuple[int, int]:
        """One version for all that say something new."""
        held, versions = self._store.feed_rows, self._store.tables.feeds
        encoded = {key: DELETED if body is None else msgspec.json.encode(body) for key, body in rows.items()}
        changed = {
            key: body for key, body in encoded.items() if held.get((feed, key), (0, DELETED))[1] != body
        }
        if changed:
            versions[feed] += 1
            held.update({(feed, key): (versions[feed], body) for key, body in changed.items()})
        return len(changed), versions[feed]


class SimCommands:
    """Commands over the store in memory."""

    def __init__(self, store: SimStore, signer: Signer, clock: Clock) -> None:
        self._store, self._signer, self._clock = store, signer, clock
        self.empty = pack("commands", CommandBatch(commands=()), signer)

    def issue(
        self, origin: OriginId, kind: str, *, by: str, arguments: dict[str, str] | None = None
    ) -> Command | Refusal:
        current = self._store.tables.incarnations[-1][0]
        own = [number for of, life, number in self._store.commands if (of, life) == (origin, current)]
        command = Command(
            origin=origin,
            incarnation=current,
            number=max(own, default=0) + 1,
            kind=kind,
            arguments=arguments or {},
            issued_at_ms=self._clock.now_ms(),
        )
        self._store.commands[(origin, current, command.number)] = Given(command)
        return command

    def after(self, origin: OriginId, incarnation: IncarnationId, number: int) -> bytes | None:
        current = self._store.tables.incarnations[-1][0]
        beyond = number if incarnation == current else 0
        places = [
            (of, life, at)
            for (of, life, at), given in sorted(self._store.commands.items())
            if (of, life) == (origin, current) and given.outcome is None and at > beyond
        ]
        for place in places:
            given = self._store.commands[place]
            self._store.commands[place] = msgspec.structs.replace(given, is_delivered=True)
        opened = tuple(self._store.commands[place].command for place in places)
        return pack("commands", CommandBatch(commands=opened), self._signer) if opened else None

    def finish(self, origin: OriginId, outcome: Outcome) -> Refusal | None:
        """Of one that was delivered; told again, the first word stands."""
        place = (origin, outcome.incarnation, outcome.number)
        given = self._store.commands.get(place)
        if given is None or not given.is_delivered:
            return Refusal("command.unknown", f"There is no command {outcome.number} for {origin[:64]}.")
        if given.outcome is None:
            self._store.commands[place] = msgspec.structs.replace(given, outcome=outcome.outcome)
        return None


# ---- one answer to each request


def answer_of(desk: Desk, token: str, kind: str, body: bytes) -> Answer:
    """What head office over whatever store says, as its routes would."""
    try:
        if kind in ("challenge", "session"):
            return _said(_enter(desk, kind, body))
        session = desk.ingest.session(token)
        if session is None:
            return Answer(401, b"", "session.unknown", "This session is over. Open another.")
        return answer_within(desk, session.origin, kind, body)
    except Fault as fault:
        return _failed(fault)


def answer_within(desk: Desk, origin: OriginId, kind: str, body: bytes) -> Answer:
    """The same in the session of `origin`, however it was opened."""
    try:
        return _KINDS[kind](desk, origin, body)
    except Fault as fault:
        return _failed(fault)


def _enter(desk: Desk, kind: str, body: bytes) -> msgspec.Struct:
    if kind == "challenge":
        return desk.ingest.challenge()
    return desk.ingest.open_session(messages.decode(body, messages.SessionRequest))


def _offer(desk: Desk, origin: OriginId, body: bytes) -> Answer:
    return _said(desk.ingest.receive_offer(origin, body))


def _entries(desk: Desk, origin: OriginId, body: bytes) -> Answer:
    return _said(desk.ingest.receive_batch(origin, body))


def _heartbeat(desk: Desk, origin: OriginId, body: bytes) -> Answer:
    return _said(desk.ingest.heartbeat(origin, messages.decode(body, messages.SignedStatement)))


def _feed(desk: Desk, origin: OriginId, body: bytes) -> Answer:
    ask = messages.decode(body, Ask)
    incarnation, since = IncarnationId(str(ask.query["incarnation"])), int(ask.query["since"])
    return Answer(200, desk.feeds.page(ask.path.rpartition("/")[2], incarnation, since))


def _commands(desk: Desk, origin: OriginId, body: bytes) -> Answer:
    query = messages.decode(body, Ask).query
    found = desk.commands.after(origin, IncarnationId(str(query["incarnation"])), int(query["after"]))
    return Answer(200, found or desk.commands.empty)


def _outcome(desk: Desk, origin: OriginId, body: bytes) -> Answer:
    refusal = desk.commands.finish(origin, messages.decode(body, Outcome))
    return Answer(204, b"") if refusal is None else Answer(404, b"", refusal.code, refusal.sentence)


def _hold(desk: Desk, origin: OriginId, body: bytes) -> Answer:
    held = desk.central.hold(origin, messages.decode(body, HoldRequest))
    if isinstance(held, Declined):
        return Answer(409, messages.encode(held), held.code, held.sentence)
    return Answer(200, messages.encode(held))


def _allowance(desk: Desk, origin: OriginId, body: bytes) -> Answer:
    assert desk.allowances is not None, "somebody here grants them"
    granted = desk.allowances.ask(origin, messages.decode(body, GrantRequest))
    if isinstance(granted, Declined):
        return Answer(409, messages.encode(granted), granted.code, granted.sentence)
    return Answer(200, messages.encode(granted))


def _release(desk: Desk, origin: OriginId, body: bytes) -> Answer:
    asked = messages.decode(body, ReleaseRequest)
    desk.central.release(origin, asked.key, asked.cause)
    return Answer(204, b"")


_KINDS: dict[str, Callable[[Desk, OriginId, bytes], Answer]] = {
    "offer": _offer,
    "entries": _entries,
    "heartbeat": _heartbeat,
    "feed": _feed,
    "commands": _commands,
    "outcome": _outcome,
    "hold": _hold,
    "release": _release,
    "allowance": _allowance,
}


def _said(reply: msgspec.Struct) -> Answer:
    if isinstance(reply, Refused):
        return Answer(reply.status, b"", reply.code, reply.detail)
    return Answer(200, messages.encode(reply))


def _failed(fault: Fault) -> Answer:
    statuses = {SignatureFault: 403, MalformedFault: 400, TooLargeFault: 413}
    status = statuses.get(type(fault), 503 if fault.retriable else 500)
    return Answer(status, b"", fault.code, fault.sentence)
