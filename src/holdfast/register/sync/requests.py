"""What sync asks of checkout: only checkout writes the journal, so every entry and epoch is a request.

Requests of a kind are carried out in order. A crash between carrying one out and closing it carries it out
again, so each kind is harmless the second time: an epoch opens only while the one it names is
still open, a purge finds nothing left, and an entry of the same key or command says the same again.
"""

from collections.abc import Mapping
from typing import Protocol

import apsw
import msgspec
import structlog

from holdfast.core.faults import (
    DatabaseFault,
    Fault,
    MalformedFault,
    StorageFullFault,
    UnavailableFault,
)
from holdfast.core.ids import CustomerNumber, EpochId
from holdfast.core.journal.bodies import TYPES
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.journal.writer import Written
from holdfast.register.sync.database import QUERIES, read, write

KEEP_CLOSED = 1_000
AT_ONCE_MAX = 100

DONE, FAILED = "done", "failed"

_log = structlog.get_logger(__name__)


class OpenEpochRequest(msgspec.Struct, frozen=True, tag="open_epoch", tag_field="kind", kw_only=True):
    """Head office holds what this database does not: open a new epoch in place of `epoch` (P4)."""

    epoch: EpochId
    open: OpenEpoch


class AppendRequest(msgspec.Struct, frozen=True, tag="append", tag_field="kind", kw_only=True):
    """Journal one entry."""

    type: str
    version: int
    body: msgspec.Raw


class PurgeRequest(msgspec.Struct, frozen=True, tag="purge", tag_field="kind", kw_only=True):
    """Delete what head office holds *safe*, up to a seq of each epoch."""

    through: dict[EpochId, int]


class ForgetRequest(msgspec.Struct, frozen=True, tag="forget", tag_field="kind", kw_only=True):
    """Head office forgot these customers: destroy their keys."""

    customers: tuple[CustomerNumber, ...]


Payload = OpenEpochRequest | AppendRequest | PurgeRequest | ForgetRequest

_decoder: msgspec.json.Decoder[Payload] = msgspec.json.Decoder(Payload)


class Request(msgspec.Struct, frozen=True):
    """What is asked; read only when its turn comes, so that one of another version stops no other."""

    number: int
    kind: str
    data: bytes

    def payload(self) -> Payload:
        """MalformedFault where this version does not know it."""
        try:
            return _decoder.decode(self.data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedFault(f"the request is not readable: {error}") from error


class PurgedPart(Protocol):
    """What a part of a purge did (`register.till.purging.Purged`)."""

    @property
    def entries(self) -> int: ...
    @property
    def passed_over(self) -> int: ...
    @property
    def next_seq(self) -> int | None: ...


class CheckoutPort(Protocol):
    """What carrying out needs of `register.checkout.Checkout`."""

    def append(self, type: str, version: int, body: msgspec.Struct) -> Written: ...
    def open_new_epoch(self, why: OpenEpoch, *, instead_of: EpochId | None = None) -> Written | None: ...
    def purge_part(self, through: Mapping[EpochId, int]) -> PurgedPart: ...
    def forget_customers(self, numbers: tuple[CustomerNumber, ...]) -> int: ...


class Inbox:
    """Requests over one connection that may write: sync files them, checkout closes them."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._told = ""
        self.purged: dict[int, int] = {}
        """By request: entries that its parts have purged so far, in this process."""

    def file(self, payload: Payload, now_ms: int) -> int:
        """Ask; the request's number. The same request is not asked twice while it is open, except for
        entries: each is a fact of its own."""
        return write(self._connection, lambda: file_request(self._connection, payload, now_ms))

    def open(self) -> tuple[Request, ...]:
        """What is asked and not done, in order; of each kind a bounded number at once."""
        rows = read(self._connection, lambda: QUERIES.open_requests(self._connection, at_most=AT_ONCE_MAX))
        return tuple(Request(number, kind, payload) for number, kind, payload in rows)

    def close(self, number: int, outcome: str, detail: str, now_ms: int) -> None:
        """Say how it went; nobody will do it again."""

        def store() -> None:
            QUERIES.close_request(
                self._connection, number=number, done_ms=now_ms, outcome=outcome, detail=detail
            )
            QUERIES.drop_old_requests(self._connection, keep=KEEP_CLOSED)

        write(self._connection, store)

    def tell(self, held: Fault | None) -> None:
        """Log, once, why requests wait; and once that they wait no more."""
        code = "" if held is None else held.code
        if code != self._told:
            self._told = code
            if held is not None:
                _log.warning("requests.wait", code=code, fault=held.sentence)

    def payload(self, number: int) -> Payload | None:
        """What was asked under this number; None where it is gone."""
        data = read(self._connection, lambda: QUERIES.request_payload(self._connection, number=number))
        return None if data is None else _decoder.decode(data)

    def outcome(self, number: int) -> tuple[str, str] | None:
        """(`done` or `failed`, detail); None while it is open."""
        return read(self._connection, lambda: QUERIES.request_outcome(self._connection, number=number))


def file_request(connection: apsw.Connection, payload: Payload, now_ms: int) -> int:
    """`Inbox.file` within the caller's transaction."""
    kind = str(payload.__struct_config__.tag)
    data = msgspec.json.encode(payload)
    if not isinstance(payload, AppendRequest):
        known = QUERIES.open_request_like(connection, kind=kind, payload=data)
        if known is not None:
            return known
    return QUERIES.add_request(connection, kind=kind, payload=data, at_ms=now_ms)


def append_request(type: str, version: int, body: msgspec.Struct) -> AppendRequest:
    """The request to journal `body`."""
    assert TYPES[(type, version)] is body.__class__, "an entry's body is of its type"
    return AppendRequest(type=type, version=version, body=msgspec.Raw(msgspec.json.encode(body)))


def carry_out_all(inbox: Inbox, checkout: CheckoutPort, now_ms: int) -> int:
    """For checkout's process: do what is asked; how many were done, or brought further. A long one is done
    in parts: call again until it is 0.

    A request that cannot be done for a reason that stays (it is malformed) is closed as failed and stops
    no other. One that a full disk refuses stays open, with all of its kind, and stops no other kind: a purge
    is the cure. Where the till itself has failed, all stay open.
    """
    done = 0
    held: Fault | None = None
    refused: set[str] = set()
    for request in inbox.open():
        if request.kind in refused:
            continue
        try:
            outcome = _outcome(inbox, request, checkout)
        except StorageFullFault as fault:
            refused.add(request.kind)
            held = fault
            continue
        except (DatabaseFault, UnavailableFault) as fault:
            held = fault
            break  # it is the till that cannot: what is asked of it waits
        try:
            if outcome is not None:
                inbox.close(request.number, *outcome, now_ms)
            done += 1
        except StorageFullFault as fault:  # it will be carried out again, which is harmless
            refused.add(request.kind)
            held = fault
    inbox.tell(held)
    return done


def _outcome(inbox: Inbox, request: Request, checkout: CheckoutPort) -> tuple[str, str] | None:
    """How it went, and what to say of it; None: a part is done."""
    try:
        detail = _carry_out(inbox, request, checkout)
    except (DatabaseFault, StorageFullFault, UnavailableFault):
        raise
    except Fault as fault:
        return FAILED, fault.sentence[:500]
    return None if detail is None else (DONE, detail)


def _carry_out(inbox: Inbox, request: Request, checkout: CheckoutPort) -> str | None:
    """What to say of it; None: a part is done."""
    match request.payload():
        case OpenEpochRequest() as payload:
            opened = checkout.open_new_epoch(payload.open, instead_of=payload.epoch)
            return "another epoch is open already" if opened is None else opened.head.epoch
        case AppendRequest() as payload:
            return _append(payload, checkout)
        case PurgeRequest() as payload:
            return _purge(inbox, request.number, payload, checkout)
        case ForgetRequest() as payload:
            return f"{checkout.forget_customers(payload.customers)} customers forgotten"


def _purge(inbox: Inbox, number: int, payload: PurgeRequest, checkout: CheckoutPort) -> str | None:
    part = checkout.purge_part(payload.through)
    count = inbox.purged[number] = inbox.purged.get(number, 0) + part.entries
    if part.next_seq is not None:
        return None
    del inbox.purged[number]
    stays = f"; what cannot be read stays (places: {part.passed_over})" if part.passed_over else ""
    return f"{count} entries purged{stays}"


class Placed(msgspec.Struct, frozen=True):
    """Detail of a closed append: where the entry stands."""

    epoch: EpochId
    seq: int


def _append(payload: AppendRequest, checkout: CheckoutPort) -> str:
    kind = TYPES.get((payload.type, payload.version))
    if kind is None:
        raise MalformedFault(f"no entry type {payload.type} version {payload.version} is known here")
    try:
        body = msgspec.json.decode(payload.body, type=kind)
    except msgspec.DecodeError as error:
        raise MalformedFault(f"the body of {payload.type} is not readable: {error}") from error
    written = checkout.append(payload.type, payload.version, body)
    return msgspec.json.encode(Placed(written.head.epoch, written.seq)).decode()
