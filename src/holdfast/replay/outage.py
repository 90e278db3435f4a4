"""A bad line: loses requests, loses answers, carries a request twice or late, and is cut for a while.

It stands between one register and head office and speaks HTTP/1.1, so that what it spoils are
whole messages: a lost answer hides a commit, a late request arrives after those that were sent
after it. What happens to which request follows from a seed.

| fate | head office gets it | the register hears |
|---|---|---|
| carried | once | the answer |
| request lost | never | nothing: silence, or the connection ends |
| answer lost | once | nothing |
| twice | twice | one of the answers |
| late | once, after what follows it | nothing |
"""

import asyncio
import enum
import random
import socket
import struct
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from holdfast.replay.http1 import HEAD_BYTES_MAX, read_answer, read_request

T = TypeVar("T")

EXCHANGE_TIMEOUT_S = 60.0
"""Above a long poll's wait."""
SILENCE_S = 3.0
LATE_S = (0.2, 2.5)
CONNECTIONS_MAX = 256
LATE_MAX = 64
"""Requests held back at once; one more is lost instead."""
_RESET = struct.pack("ii", 1, 0)


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """How bad a line is: shares of requests, and whether it is cut now and then."""

    lose: float = 0.0
    """Half of them on the way there, half on the way back."""
    duplicate: float = 0.0
    late: float = 0.0
    cut: bool = False
    up_s: tuple[float, float] = (3.0, 9.0)
    """Shortest and longest time between two cuts."""
    down_s: tuple[float, float] = (0.5, 3.0)

    @property
    def is_fair(self) -> bool:
        return not (self.lose or self.duplicate or self.late or self.cut)


KINDS: dict[str, Weather] = {
    "lossy": Weather(lose=0.2),
    "duplicating": Weather(duplicate=0.2),
    "reordering": Weather(late=0.1),
    "cut": Weather(cut=True),
}
"""What `--outage` names; several together add up."""


def weather_of(kinds: list[str]) -> Weather:
    """The weather of these kinds together. KeyError for one that is none."""
    found = [KINDS[kind] for kind in kinds]
    return Weather(
        lose=max((kind.lose for kind in found), default=0.0),
        duplicate=max((kind.duplicate for kind in found), default=0.0),
        late=max((kind.late for kind in found), default=0.0),
        cut=any(kind.cut for kind in found),
    )


class Fate(enum.Enum):
    """What becomes of one request."""

    CARRIED = "carried"
    REQUEST_LOST = "request-lost"
    ANSWER_LOST = "answer-lost"
    TWICE = "twice"
    LATE = "late"


class Outage:
    """One line. Used on its event loop alone, but for `counts`."""

    def __init__(self, target: tuple[str, int], weather: Weather, seed: str) -> None:
        self._target = target
        self._weather = weather
        self._random = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._cutter: asyncio.Task[None] | None = None
        self._is_cut = False
        self.counts = dict.fromkeys(Fate, 0)
        self.cuts = 0

    async def start(self) -> int:
        """Listen on a free port of this machine; the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
        if self._weather.cut:
            self._cutter = asyncio.create_task(self._cut_now_and_then())
        return self.port

    @property
    def port(self) -> int:
        """Where the register connects."""
        assert self._server is not None, "a line that was started"
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End all connections and forget what was late."""
        assert self._server is not None, "a line that was started"
        self._server.close()
        tasks = [*self._connections, *self._late, *([self._cutter] if self._cutter else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _cut_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(*self._weather.up_s))
            self._is_cut = True
            self.cuts += 1
            for writer in list(self._connections.values()):
                _reset(writer)
            await asyncio.sleep(self._random.uniform(*self._weather.down_s))
            self._is_cut = False

    def _fate(self) -> Fate:
        weather = self._weather
        drawn = self._random.random()
        for fate, share in (
            (Fate.REQUEST_LOST, weather.lose / 2),
            (Fate.ANSWER_LOST, weather.lose / 2),
            (Fate.TWICE, weather.duplicate),
            (Fate.LATE, weather.late),
        ):
            if drawn < share:
                return fate
            drawn -= share
        return Fate.CARRIED

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is a task"
        if self._is_cut or len(self._connections) >= CONNECTIONS_MAX:
            _reset(writer)
            return
        self._connections[task] = writer
        try:
            while not self._is_cut and await self._serve_one(reader, writer):
                pass
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # Cancelled by `stop` alone, and nobody waits for the task: the streams' own callback would
            # call it an error.
            _reset(writer)
        finally:
            del self._connections[task]
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Carry one request, or not; whether the connection goes on."""
        request = await read_request(reader)
        if request is None:
            return False
        fate = self._fate()
        self.counts[fate] += 1
        if fate is Fate.REQUEST_LOST:
            return await self._be_silent()
        if fate is Fate.LATE:
            self._hold_back(request)
            return False
        answer = await self._exchange(request)
        if fate is Fate.ANSWER_LOST:
            return await self._be_silent()
        if fate is Fate.TWICE:
            second = await self._exchange(request)
            answer = second if self._random.random() < 0.5 else answer
        if self._is_cut:
            return False
        writer.write(answer)
        await writer.drain()
        return True

    async def _be_silent(self) -> bool:
        """Three times of four the connection ends, as behind a router that says so; else nothing comes."""
        if self._random.random() < 0.25:
            await asyncio.sleep(SILENCE_S)
        return False

    def _hold_back(self, request: bytes) -> None:
        if len(self._late) >= LATE_MAX:
            return
        task = asyncio.create_task(self._deliver_late(request, self._random.uniform(*LATE_S)))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _deliver_late(self, request: bytes, after_s: float) -> None:
        await asyncio.sleep(after_s)
        try:
            await self._exchange(request)
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            return  # head office was away: lost after all

    async def _exchange(self, request: bytes) -> bytes:
        async with asyncio.timeout(EXCHANGE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(*self._target, limit=HEAD_BYTES_MAX)
            try:
                writer.write(request)
                await writer.drain()
                return await read_answer(reader)
            finally:
                writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a router does that lost its table."""
    plug: socket.socket | None = writer.get_extra_info("socket")
    if plug is not None and plug.fileno() >= 0:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


class OutageThread:
    """Lines on an event loop and a thread of their own, for callers that have none."""

    def __init__(self, target: tuple[str, int], weather: Weather, seed: int) -> None:
        self._target = target
        self._weather = weather
        self._seed = seed
        self._lines: dict[str, Outage] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="holdfast-outage", daemon=True)

    def __enter__(self) -> "OutageThread":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._lines.values():
            self._await(line.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def line_of(self, name: str) -> str:
        """URL of a new line for the register of that name."""
        line = self._lines[name] = Outage(self._target, self._weather, f"{self._seed}:{name}")
        return f"http://127.0.0.1:{self._await(line.start())}"

    @property
    def counts(self) -> dict[str, int]:
        """What became of requests over all lines; `cuts` beside them."""
        sums = {fate.value: sum(line.counts[fate] for line in self._lines.values()) for fate in Fate}
        return sums | {"cuts": sum(line.cuts for line in self._lines.values())}

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
