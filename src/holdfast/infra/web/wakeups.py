"""Waiting for something to happen: long polls and live pages, ten thousand of them in one process.

One future a waiter, no task and no thread. All of it runs on the server's event loop; `wake` and
`stop` may be called from any thread.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable

WAITERS_MAX = 20_000


class Wakeups:
    """Waiters by key; whoever changes something wakes its key."""

    def __init__(self, waiters_max: int = WAITERS_MAX) -> None:
        self._waiters_max = waiters_max
        self._waiting: defaultdict[str, set[asyncio.Future[bool]]] = defaultdict(set)
        self._times: dict[str, int] = {}
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """The server is about to end: answer at once, end streams."""
        return self._stopped

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return self._count

    def seen(self, key: str) -> int:
        """How often `key` was woken. Ask before you look, and hand it to `wait`: nothing slips between."""
        self._loop = asyncio.get_running_loop()
        return self._times.get(key, 0)

    async def wait(self, key: str, timeout_s: float, seen: int | None = None) -> bool:
        """True when woken (also since `seen`), False when time is up. HttpProblem 503 past the bound."""
        if self._stopped or timeout_s <= 0:
            return self._stopped
        if seen is not None and seen != self._times.get(key, 0):
            return True
        if self._count >= self._waiters_max:
            from holdfast.infra.web.problems import HttpProblem  # with the web framework

            raise HttpProblem(503, "unavailable", "too many wait here already; try later", retry_after_s=30)
        self._loop = asyncio.get_running_loop()
        future = self._loop.create_future()
        self._waiting[key].add(future)
        self._count += 1
        timer = self._loop.call_later(timeout_s, _resolve, future, False)
        try:
            return await future
        finally:
            timer.cancel()
            self._count -= 1
            self._waiting[key].discard(future)
            if not self._waiting[key]:
                del self._waiting[key]

    def wake(self, key: str) -> None:
        """Let everybody go on who waits for `key`."""
        self._call(self._wake, key)

    def wake_all(self, prefix: str) -> None:
        """Let everybody go on who waits now for a key that begins so. Who looks at what changed after this
        call, and then waits, misses nothing; `seen` knows nothing of it."""
        self._call(self._wake_prefix, prefix)

    def stop(self) -> None:
        """Let everybody go on, and nobody wait any more."""
        self._stopped = True
        self._call(self._wake_all)

    def _call(self, function: Callable[..., None], *arguments: str) -> None:
        # Before the first look nobody waits.
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _wake(self, key: str) -> None:
        self._times[key] = self._times.get(key, 0) + 1
        for future in self._waiting.get(key, ()):
            _resolve(future, True)

    def _wake_prefix(self, prefix: str) -> None:
        for key, futures in self._waiting.items():
            if key.startswith(prefix):
                for future in futures:
                    _resolve(future, True)

    def _wake_all(self) -> None:
        for futures in self._waiting.values():
            for future in futures:
                _resolve(future, True)


def _resolve(future: asyncio.Future[bool], woken: bool) -> None:
    if not future.done():
        future.set_result(woken)
