"""Lanes: threads for work that blocks, apart by kind, each with a bounded queue.

A batch of 2,000 sales keeps a thread of the ingest lane for a while; a probe, a page and a session
go through lanes of their own and do not notice. What a lane cannot take soon it refuses, so that a
sender backs off while its journal keeps what it has.
"""

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """A few threads, and a bound on how much waits for them."""

    def __init__(self, name: str, threads: int, waiting_max: int) -> None:
        self.name = name
        self._bound = threads + waiting_max
        self._taken = 0
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"lane-{name}")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call in a thread of this lane. HttpProblem 503 when the lane's queue is full."""
        with self._lock:
            if self._taken >= self._bound:
                from holdfast.infra.web.problems import HttpProblem  # with the web framework

                raise HttpProblem(
                    503, "busy", f"too much {self.name} waits already; try again soon", retry_after_s=2
                )
            self._taken += 1
        future = self._executor.submit(functools.partial(function, *args, **kwargs))
        # Its place is free when the work is done, not when whoever asked for it has left.
        future.add_done_callback(self._free)
        return await asyncio.wrap_future(future)

    def _free(self, _: object) -> None:
        with self._lock:
            self._taken -= 1

    def close(self) -> None:
        """Finish what runs, drop what waits."""
        self._executor.shutdown(wait=True, cancel_futures=True)
