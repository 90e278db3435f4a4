"""What sync asks of checkout: only checkout writes the journal, so every entry and epoch is a request.

Requests are carried out in order. A crash between carrying one out and closing it carries it out
again, so each kind is harmless the second time: an epoch opens only while the one it names is
still open, a purge finds nothing left, and an entry of the same key or command says the same again.
"""

from collections.abc import Mapping
from typing import Protocol

import apsw
import msgspec

from holdfast.core.faults import Fault, MalformedFault
from holdfast.core.ids import EpochId
from holdfast.core.journal.bodies import TYPES
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.journal.writer import Written
from holdfast.register.sync.database import QUERIES, read, write

KEEP_CLOSED = 1_000
AT_ONCE_MAX = 100

DONE, FAILED = "done", "failed"


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


Payload = OpenEpochRequest | AppendRequest | PurgeRequest

_decoder: msgspec.json.Decoder[Payload] = msgspec.json.Decoder(Payload)


class Request(msgspec.Struct, frozen=True):
    number: int
    payload: Payload


class CheckoutPort(Protocol):
    """What carrying out needs of `register.checkout.Checkout`."""

    def append(self, type: str, version: int, body: msgspec.Struct) -> Written: ...
    def open_new_epoch(self, why: OpenEpoch, *, instead_of: EpochId | None = None) -> Written | None: ...
    def purge(self, through: Mapping[EpochId, int]) -> int: ...


class Inbox:
    """Requests over one connection that may write: sync files them, checkout closes them."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def file(self, payload: Payload, now_ms: int) -> int:
        """Ask; the request's number. The same request is not asked twice while it is open, except for
        entries: each is a fact of its own."""
        return write(self._connection, lambda: file_request(self._connection, payload, now_ms))

    def open(self) -> tuple[Request, ...]:
        """What is asked and not done, in order; a bounded number at once."""
        rows = read(self._connection, lambda: QUERIES.open_requests(self._connection, at_most=AT_ONCE_MAX))
        return tuple(Request(number, _decoder.decode(payload)) for number, _, payload in rows)

    def close(self, number: int, outcome: str, detail: str, now_ms: int) -> None:
        """Say how it went; nobody will do it again."""

        def store() -> None:
            QUERIES.close_request(
                self._connection, number=number, done_ms=now_ms, outcome=outcome, detail=detail
            )
            QUERIES.drop_old_requests(self._connection, keep=KEEP_CLOSED)

        write(self._connection, store)

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
    """For checkout's process: do what is asked; how many were done.

    A request that cannot be done for a reason that stays (it is malformed) is closed as failed and stops
    no other. A retriable fault is raised, and the request stays open.
    """
    requests = inbox.open()
    for request in requests:
        try:
            detail = _carry_out(request.payload, checkout)
        except Fault as fault:
            if fault.retriable:
                raise
            inbox.close(request.number, FAILED, fault.sentence[:500], now_ms)
        else:
            inbox.close(request.number, DONE, detail, now_ms)
    return len(requests)


def _carry_out(payload: Payload, checkout: CheckoutPort) -> str:
    match payload:
        case OpenEpochRequest():
            opened = checkout.open_new_epoch(payload.open, instead_of=payload.epoch)
            return "another epoch is open already" if opened is None else opened.head.epoch
        case AppendRequest():
            return _append(payload, checkout)
        case PurgeRequest():
            return f"{checkout.purge(payload.through)} entries purged"


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
