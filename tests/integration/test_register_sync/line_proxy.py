"""A line between a register and head office that a test can cut, black-hole, slow, or make repeat itself."""

import contextlib
import enum
import select
import socket
import threading
import time


class Mode(enum.Enum):
    OPEN = "open"
    CUT = "cut"
    """Connections are reset, new ones refused by being closed at once."""
    DROP = "drop"
    """Bytes vanish: connecting works, as the kernel does it, and nothing ever comes."""
    LOSE_ANSWER = "lose answer"
    """The request arrives; its answer never does, and the connection is reset."""


class LineProxy:
    """Listens on a port of its own and forwards to `target_port`."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.mode = Mode.OPEN
        self.delay_s = 0.0
        """Added to every chunk from head office."""
        self.repeat = False
        """Whether whole connections are sent to head office a second time once they end."""
        self.lost_answers = 0
        self.connections = 0
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        self._stop.set()
        for thread in tuple(self._threads):
            thread.join(60)
        self._listener.close()

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # pyright: ignore[reportArgumentType]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            client, _ = self._listener.accept()
            self.connections += 1
            if self.mode is Mode.CUT:
                _reset(client)
            else:
                self._start(self._forward, client)

    def _forward(self, client: socket.socket) -> None:
        sent = bytearray()
        with client, contextlib.ExitStack() as stack:
            server: socket.socket | None = None
            with contextlib.suppress(OSError):
                while not self._stop.is_set():
                    mode = self.mode
                    if mode is Mode.CUT:
                        _reset(client)
                        break
                    if mode is Mode.DROP:
                        time.sleep(0.02)
                        continue
                    if server is None:
                        server = stack.enter_context(
                            socket.create_connection(("127.0.0.1", self.target_port), 5)
                        )
                    if not self._pump(client, server, sent):
                        break
        if self.repeat and sent and not self._stop.is_set():
            self._send_again(bytes(sent))

    def _pump(self, client: socket.socket, server: socket.socket, sent: bytearray) -> bool:
        readable, _, _ = select.select([client, server], [], [], 0.02)
        if client in readable:
            data = client.recv(1 << 16)
            if not data:
                return False
            sent += data
            server.sendall(data)
        if server in readable:
            data = server.recv(1 << 16)
            if not data:
                return False
            if self.mode is Mode.LOSE_ANSWER:
                self.lost_answers += 1
                _reset(client)
                return False
            if self.delay_s:
                time.sleep(self.delay_s)
            client.sendall(data)
        return True

    def _send_again(self, data: bytes) -> None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.target_port), 5) as server,
        ):
            server.sendall(data)
            server.shutdown(socket.SHUT_WR)
            server.settimeout(2)
            while server.recv(1 << 16):
                pass


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()
