"""The line between a register and head office: up, cut, slow, black hole, and back on the same port."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from holdfast.demo.line import LineMode, LineThread, line_to

TIMEOUT_S = 60.0
SLOW_MS = 150


class Echo:
    """A server that sends back what it hears."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                while data := connection.recv(65_536):
                    connection.sendall(data)
        except OSError:
            return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(TIMEOUT_S)


@pytest.fixture
def line() -> Iterator[LineThread]:
    echo = Echo()
    with line_to("127.0.0.1", echo.port, slow_ms=SLOW_MS) as opened:
        yield opened
    echo.close()


def connect(line: LineThread) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), timeout=TIMEOUT_S)


def ask(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    answer = b""
    while len(answer) < len(data):
        chunk = connection.recv(65_536)
        if not chunk:
            break
        answer += chunk
    return answer


def test_up_passes_every_byte_in_order(line: LineThread) -> None:
    data = bytes(range(256)) * 4_000
    with connect(line) as connection:
        connection.settimeout(TIMEOUT_S)
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        answer = b""
        while len(answer) < len(data):
            answer += connection.recv(65_536)
        sender.join(TIMEOUT_S)
    assert answer == data
    # Counted once a chunk has left, which may be a moment after it arrived.
    wait_for(lambda: line.bytes_up == line.bytes_down == len(data), "every byte is counted, both ways")


def test_up_hands_on_the_end_of_a_half(line: LineThread) -> None:
    with connect(line) as connection:
        assert ask(connection, b"last words") == b"last words"
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(10) == b""


def test_cut_resets_what_is_open_and_refuses_what_is_new(line: LineThread) -> None:
    with connect(line) as connection:
        assert ask(connection, b"a") == b"a"
        line.switch(LineMode.CUT)
        with pytest.raises(ConnectionError):
            connection.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(line)
    line.switch(LineMode.UP)
    with connect(line) as connection:
        assert ask(connection, b"b") == b"b"


def test_slow_delays_and_loses_nothing(line: LineThread) -> None:
    with connect(line) as connection:
        assert ask(connection, b"a") == b"a"
        line.switch(LineMode.SLOW)
        began = time.monotonic()
        assert ask(connection, b"b") == b"b"
        assert time.monotonic() - began >= 2 * SLOW_MS / 1000
        line.switch(LineMode.UP)
        assert ask(connection, b"c") == b"c"


def test_a_black_hole_answers_nobody_and_tells_nobody(line: LineThread) -> None:
    idle, used = connect(line), connect(line)
    with idle, used:
        assert ask(idle, b"a") == ask(used, b"a") == b"a"
        line.switch(LineMode.BLACK_HOLE)
        with connect(line) as late:  # the handshake succeeds, and that is all
            for connection in (used, late):
                connection.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    ask(connection, b"lost")
            wait_for(lambda: lost(line) == 2, "what was sent has not vanished")
            line.switch(LineMode.UP)
            for connection in (used, late):  # what lost bytes stays silent
                with pytest.raises(TimeoutError):
                    ask(connection, b"?")
        assert ask(idle, b"still there") == b"still there"


def test_a_register_that_gives_up_leaves_nothing_behind(line: LineThread) -> None:
    for mode in (LineMode.UP, LineMode.BLACK_HOLE, LineMode.SLOW):
        line.switch(mode)
        connect(line).close()
        wait_for(lambda: not line.connections, "a connection is left")


def test_an_end_that_vanished_is_told_to_nobody(line: LineThread) -> None:
    """Head office's half stays open, as it does behind a router that forgot it, until the line is cut."""
    connection = connect(line)
    assert ask(connection, b"a") == b"a"
    line.switch(LineMode.BLACK_HOLE)
    connection.settimeout(0.3)
    with pytest.raises(TimeoutError):
        ask(connection, b"lost")
    wait_for(lambda: lost(line) == 1, "what was sent has not vanished")
    connection.close()
    line.switch(LineMode.UP)
    assert line.connections == 1
    line.switch(LineMode.CUT)
    wait_for(lambda: not line.connections, "a connection is left")


def lost(line: LineThread) -> int:
    """Connections of which bytes vanished."""
    return sum(connection._lost_bytes for connection in list(line._line._connections))


def wait_for(what: Callable[[], object], why: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.01)
