"""What every role's web server shares, without a server."""

import asyncio
import threading

import pytest

from holdfast.infra.web import HttpProblem, Lane, Wakeups, static_url
from holdfast.infra.web.problems import problem_of

SOON_S = 20.0


async def test_a_waiter_goes_on_when_its_key_is_woken() -> None:
    wakeups = Wakeups()
    waiter = asyncio.create_task(wakeups.wait("a", SOON_S))
    other = asyncio.create_task(wakeups.wait("b", SOON_S))
    await asyncio.sleep(0)
    threading.Thread(target=wakeups.wake, args=("a",)).start()
    assert await waiter is True
    assert not other.done()
    wakeups.stop()
    assert await other is True
    assert wakeups.waiting == 0


async def test_time_that_is_up_is_no_wake() -> None:
    assert await Wakeups().wait("a", 0.001) is False


async def test_nothing_slips_between_the_look_and_the_wait() -> None:
    wakeups = Wakeups()
    seen = wakeups.seen("a")
    wakeups.wake("a")
    await asyncio.sleep(0)
    assert await wakeups.wait("a", SOON_S, seen) is True


async def test_waiters_are_bounded() -> None:
    wakeups = Wakeups(waiters_max=1)
    first = asyncio.create_task(wakeups.wait("a", SOON_S))
    await asyncio.sleep(0)
    with pytest.raises(HttpProblem, match="too many"):
        await wakeups.wait("a", SOON_S)
    wakeups.stop()
    await first


async def test_after_the_end_nobody_waits() -> None:
    wakeups = Wakeups()
    wakeups.stop()
    assert await wakeups.wait("a", SOON_S) is True


async def test_a_lane_refuses_what_it_cannot_take_soon() -> None:
    lane, go_on = Lane("ingest", threads=1, waiting_max=1), threading.Event()
    taken = [asyncio.create_task(lane.run(go_on.wait, SOON_S)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(HttpProblem) as refused:
        await lane.run(go_on.wait, SOON_S)
    assert (refused.value.status_code, refused.value.code) == (503, "busy")
    go_on.set()
    assert await asyncio.gather(*taken) == [True, True]
    assert await lane.run(lambda: 7) == 7
    lane.close()


async def test_a_cancelled_caller_gives_its_place_back_when_the_work_is_done() -> None:
    lane, go_on = Lane("ingest", threads=1, waiting_max=0), threading.Event()
    caller = asyncio.create_task(lane.run(go_on.wait, SOON_S))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    with pytest.raises(HttpProblem):
        await lane.run(lambda: 1)  # the thread is still busy, whoever waits for it
    go_on.set()
    lane.close()


def test_a_problem_names_its_code_twice() -> None:
    problem = problem_of(413, "batch.too-large", "x" * 10_000)
    assert problem.type == "urn:holdfast:problem:batch.too-large"
    assert problem.title == "Request Entity Too Large"
    assert len(problem.detail) == 2_000


def test_a_static_url_changes_with_the_content() -> None:
    assert static_url("holdfast.css").startswith("/static/holdfast.css?v=")
    with pytest.raises(AssertionError):
        static_url("nothing.css")
