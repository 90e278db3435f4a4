"""A part that asks head office: the books that it holds open, and the call that it waits for."""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.core.ids import KeyId, OriginId
from holdfast.core.sync.cursors import accept_receipt
from holdfast.core.sync.messages import Receipt
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.http import Call
from holdfast.infra.keys import verify
from holdfast.register.sync.board import Board
from holdfast.register.sync.books import Books
from holdfast.register.sync.line import Line
from holdfast.register.sync.part import Part


@dataclass(frozen=True)
class Shared:
    """What the parts of one register's sync process have in common."""

    origin: OriginId
    open_books: Callable[[], Books]
    """For each part its own, in its own thread."""
    line: Line
    head_office_keys: dict[KeyId, bytes]
    """Its public keys, pinned at enrolment."""
    board: Board
    clock: Clock
    randomness: Randomness


class Caller(Part):
    """Makes one call at a time, which another thread may give up."""

    def __init__(self, name: str, shared: Shared) -> None:
        super().__init__(name, shared.board, shared.clock, shared.randomness)
        self._origin = shared.origin
        self._open_books = shared.open_books
        self._line = shared.line
        self._head_office_keys = shared.head_office_keys
        self._opened: Books | None = None
        self._call: Call | None = None

    @property
    def _books(self) -> Books:
        """Opened when they are first needed, and anew after a fault."""
        if self._opened is None:
            self._opened = self._open_books()
        return self._opened

    def reset(self) -> None:
        self.close()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def interrupt(self) -> None:
        call = self._call
        if call is not None:
            call.cancel()

    def _began(self, call: Call) -> None:
        """For `Line.call`: this call can be given up from now on."""
        self._call = call
        if self.is_stopping:
            call.cancel()

    def _relies_on(self, receipt: Receipt) -> bool:
        """Whether head office signed it, with a key that is pinned, over this register's own chain (P1)."""
        public_key = self._head_office_keys.get(receipt.key_id)
        return (
            public_key is not None
            and receipt.origin == self._origin
            and accept_receipt(receipt, public_key, verify, self._books.journal.hash_at)
        )
