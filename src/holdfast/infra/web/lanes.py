"""Lanes: threads for work that blocks, apart by kind, each with a bounded queue.

A batch of 2,000 sales keeps a thread of the ingest lane for a while; a probe, a page and a session
go through lanes of their own and do not notice. What a lane cannot take soon it refuses, so that a
sender backs off while its journal keeps what it has.
"""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from holdfast.infra.web.problems import HttpProblem

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """A few threads, and a bound on how much waits for them."""

    def __init__(self, name: str, threads: int, waiting_max: int) -> None:
        self.name = name
        self._bound = threads + waiting_max
        self._taken = 0
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"lane-{name}")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call in a thread of this lane. HttpProblem 503 when the lane's queue is full."""
        if self._taken >= self._bound:
            raise HttpProblem(
                503, "busy", f"too much {self.name} waits already; try again soon", retry_after_s=2
            )
        self._taken += 1
        try:
            call = functools.partial(function, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(self._executor, call)
        finally:
            self._taken -= 1

    def close(self) -> None:
        """Finish what runs, drop what waits."""
        self._executor.shutdown(wait=True, cancel_futures=True)
