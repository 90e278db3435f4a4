"""An ESC/POS printer on a real socket, as good or as bad as a test wants it."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from types import TracebackType

STATUS, CAUSE, PAPER, IS_DONE = b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x04", b"\x1dr\x01"
KICK, KICK_NOW = b"\x1bp\x0022", b"\x10\x14\x01\x00\x01"
_WELL = 0x12
_WAIT_S = 60.0
"""For a busy machine; nothing here is a measurement."""


@dataclass
class FakePrinter:
    """Listens on loopback from `with` on. What it can do is changed while it runs."""

    answers: bool = True
    """Says how it is."""
    paper: bool = True
    cover_shut: bool = True
    low: bool = False
    reads: bool = True
    """False: it takes connections and nothing else."""
    dies_after: int | None = None
    """Bytes of a receipt after which the connection is torn."""
    says_done: bool = True
    """False: it never says that all is printed."""
    pages: list[bytes] = field(default_factory=list[bytes])
    """What came out, one for each connection that brought more than questions."""
    connections: int = 0
    kicks: int = 0
    """How often the drawer was opened."""

    def __post_init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> str:
        return f"network:127.0.0.1:{self.port}"

    def __enter__(self) -> "FakePrinter":
        self._begin(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(_WAIT_S)

    def switch_off(self) -> None:
        """Nobody listens there any more: a connection is refused."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def switch_on(self) -> None:
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._begin(self._accept)

    def await_pages(self, count: int) -> list[bytes]:
        """The pages once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.pages) >= count, _WAIT_S), len(self.pages)
            return list(self.pages)

    def await_connections(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.connections >= count, _WAIT_S), self.connections

    def _begin(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # pyright: ignore[reportArgumentType]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        server = self._server
        while not self._stop.is_set():
            try:
                line, _ = server.accept()
            except OSError:
                return
            with self._changed:
                self.connections += 1
                self._changed.notify_all()
            self._begin(self._serve, line)

    def _serve(self, line: socket.socket) -> None:
        line.settimeout(0.1)
        page = b""
        with contextlib.suppress(OSError), line:
            while not self._stop.is_set():
                if not self.reads:
                    self._stop.wait(0.05)
                    continue
                try:
                    said = line.recv(4096)
                except TimeoutError:
                    continue
                if not said:
                    break
                page += self._hear(line, said)
                if self.dies_after is not None and len(page) > self.dies_after:
                    # As a plug that is pulled: the other side hears of it at once.
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                    break
        if page:
            with self._changed:
                self.pages.append(page)
                self._changed.notify_all()

    def _hear(self, line: socket.socket, said: bytes) -> bytes:
        """Questions are answered; what remains goes on the paper."""
        for question in (STATUS, CAUSE, PAPER):
            while question in said:
                said = said.replace(question, b"", 1)
                if self.answers:
                    line.sendall(bytes([self._state(question)]))
        for pulse in (KICK, KICK_NOW):
            self.kicks += said.count(pulse)
            said = said.replace(pulse, b"")
        if IS_DONE in said:
            said = said.replace(IS_DONE, b"", 1)
            if self.answers and self.says_done:
                line.sendall(b"\x00" if self.paper else b"\x0c")
        return said

    def _state(self, question: bytes) -> int:
        if question == STATUS:
            return _WELL | (0 if self.paper and self.cover_shut else 0x08)
        if question == CAUSE:
            return _WELL | (0 if self.cover_shut else 0x04) | (0 if self.paper else 0x20)
        return _WELL | (0 if self.paper else 0x60) | (0x0C if self.low else 0)
