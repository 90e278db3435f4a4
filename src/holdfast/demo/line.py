"""A line between a register and head office that a person, a test or a benchmark can spoil.

A TCP proxy on loopback. It knows no protocol: what it does to bytes is what a network does.

| mode | connections that are open | new connections |
|---|---|---|
| up | bytes pass | reach head office |
| cut | are reset | are refused |
| slow | each byte arrives later, in order | likewise |
| black hole | bytes vanish, nobody is told | are accepted, and vanish |

A connection that lost bytes stays silent for ever, also when the line is back, as one does behind a router
that forgot it: whoever waits on it must have a deadline of its own.
"""

import asyncio
import contextlib
import enum
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

CHUNK_BYTES = 64 * 1024
CHUNKS_UNDERWAY_MAX = 64
"""Bound of what a slow line holds in each direction of a connection; then it stops reading."""
SLOW_MS = 450
"""One way: a question and its answer take twice as long."""
CONNECT_TIMEOUT_S = 5.0
_SWITCH_TIMEOUT_S = 60.0
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for 0 s: closing sends RST instead of FIN."""

T = TypeVar("T")


class LineMode(enum.Enum):
    """What the line does at present."""

    UP = "up"
    CUT = "cut"
    SLOW = "slow"
    BLACK_HOLE = "black-hole"


class Line:
    """One line. Everything but the counters is used on its event loop alone."""

    def __init__(self, target: tuple[str, int], *, port: int = 0, slow_ms: int = SLOW_MS) -> None:
        self.target = target
        self.port = port
        """Where registers connect; 0 until `start` chose one. It stays the same through every mode."""
        self.slow_ms = slow_ms
        self.mode = LineMode.UP
        self.bytes_up = 0
        self.bytes_down = 0
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def start(self) -> int:
        """Listen; the port that registers connect to."""
        await self._listen()
        return self.port

    async def switch(self, mode: LineMode) -> None:
        """Change what the line does, from now on and for connections that are open."""
        self.mode = mode
        if mode is LineMode.CUT:
            await self._stop_listening()
            self._reset_all()
        elif self._server is None:
            await self._listen()

    async def stop(self) -> None:
        """Refuse, reset, and forget; the port is free afterwards."""
        await self._stop_listening()
        self._reset_all()
        while self._connections:
            await asyncio.gather(*(connection.ended.wait() for connection in list(self._connections)))

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=CHUNK_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _reset_all(self) -> None:
        for connection in list(self._connections):
            connection.reset()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            connection.ended.set()


class _Connection:
    """One register's connection and its other half to head office."""

    def __init__(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.line = line
        self.ended = asyncio.Event()
        self._reader = reader
        self._writers = [writer]
        self._lost_bytes = False
        self._is_reset = False
        self._task = asyncio.current_task()

    async def run(self) -> None:
        try:
            if self.line.mode is LineMode.BLACK_HOLE:
                # The handshake was the kernel's; not one byte gets further.
                await self._swallow(self._reader)
                return
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(*self.line.target, limit=CHUNK_BYTES)
            self._writers.append(writer)
            await asyncio.gather(
                self._carry(self._reader, writer, is_up=True),
                self._carry(reader, self._writers[0], is_up=False),
            )
        except (OSError, TimeoutError):
            self.reset()
        except asyncio.CancelledError:
            if not self._is_reset:
                raise
        finally:
            for writer in self._writers:
                writer.close()

    def reset(self) -> None:
        """End both halves with RST, as a router does that lost its table."""
        self._is_reset = True
        for writer in self._writers:
            plug: socket.socket | None = writer.get_extra_info("socket")
            if plug is not None and plug.fileno() >= 0:
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_up: bool) -> None:
        underway: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_UNDERWAY_MAX)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._deliver(underway, writer, is_up))
            while chunk := await self._read(reader):
                await underway.put((asyncio.get_running_loop().time(), chunk))
            await underway.put((asyncio.get_running_loop().time(), b""))

    async def _deliver(
        self, underway: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, is_up: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            read_at, chunk = await underway.get()
            if self.line.mode is LineMode.SLOW:
                await asyncio.sleep(max(0.0, read_at + self.line.slow_ms / 1000 - loop.time()))
            if self.line.mode is LineMode.BLACK_HOLE or self._lost_bytes:
                self._lost_bytes = True
                if not chunk:
                    return
                continue
            if not chunk:
                with contextlib.suppress(OSError):
                    writer.write_eof()
                return
            writer.write(chunk)
            await writer.drain()
            self._count(len(chunk), is_up)

    def _count(self, size: int, is_up: bool) -> None:
        if is_up:
            self.line.bytes_up += size
        else:
            self.line.bytes_down += size

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.read(CHUNK_BYTES)

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        self._lost_bytes = True
        while await reader.read(CHUNK_BYTES):
            pass


class LineThread:
    """A line on an event loop and thread of its own, for callers that have none."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="holdfast-line", daemon=True)

    @property
    def port(self) -> int:
        return self._line.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._line.port}"

    @property
    def mode(self) -> LineMode:
        return self._line.mode

    @property
    def connections(self) -> int:
        return self._line.connections

    @property
    def bytes_up(self) -> int:
        return self._line.bytes_up

    @property
    def bytes_down(self) -> int:
        return self._line.bytes_down

    def start(self) -> "LineThread":
        self._thread.start()
        self._await(self._line.start())
        return self

    def switch(self, mode: LineMode) -> None:
        """As `Line.switch`; returns when it is done."""
        self._await(self._line.switch(mode))

    def stop(self) -> None:
        self._await(self._line.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_SWITCH_TIMEOUT_S)


@contextlib.contextmanager
def line_to(host: str, port: int, *, slow_ms: int = SLOW_MS) -> Iterator[LineThread]:
    """A line to that address for a block of synchronous code."""
    line = LineThread(Line((host, port), slow_ms=slow_ms)).start()
    try:
        yield line
    finally:
        line.stop()
