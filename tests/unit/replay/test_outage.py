"""The bad line: what it loses, repeats, delays and cuts, and that a seed decides it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from holdfast.replay.http1 import read_answer, read_request
from holdfast.replay.outage import Fate, Outage, Weather, weather_of

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def through(
    weather: Weather, requests: int, seed: str = "1", look: Callable[[Outage], Awaitable[None]] | None = None
) -> tuple[list[bytes], list[bytes], Outage]:
    """(what head office got, what the register heard, the line) after some requests, one after the other."""
    arrived: list[bytes] = []

    async def head_office(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_request(reader)) is not None:
            arrived.append(request.rpartition(b"\r\n")[2])
            writer.write(ANSWER)
        writer.close()

    server = await asyncio.start_server(head_office, "127.0.0.1", 0)
    line = Outage(server.sockets[0].getsockname()[:2], weather, seed)
    port = await line.start()
    heard = [await ask(port, number) for number in range(requests)]
    if look is not None:
        await look(line)
    await line.stop()
    server.close()
    return arrived, heard, line


async def ask(port: int, number: int) -> bytes:
    """One request on a connection of its own; its answer's body, or nothing."""
    body = f"request {number}".encode()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v1 HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        answer = await read_answer(reader)
        writer.close()
    except (OSError, ValueError, asyncio.IncompleteReadError):
        return b""
    return answer.rpartition(b"\r\n")[2]


@pytest.fixture(autouse=True)
def _no_long_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.replay.outage.SILENCE_S", 0.01)
    monkeypatch.setattr("holdfast.replay.outage.LATE_S", (0.01, 0.05))


async def test_fair_weather_carries_each_once() -> None:
    arrived, heard, _ = await through(Weather(), 20)
    assert arrived == [f"request {number}".encode() for number in range(20)]
    assert heard == [b"ok"] * 20


async def test_it_loses_requests_and_answers() -> None:
    arrived, heard, line = await through(Weather(lose=0.5), 200)
    lost = line.counts[Fate.REQUEST_LOST] + line.counts[Fate.ANSWER_LOST]
    assert line.counts[Fate.REQUEST_LOST] > 20
    assert line.counts[Fate.ANSWER_LOST] > 20
    assert len(arrived) == 200 - line.counts[Fate.REQUEST_LOST]
    assert heard.count(b"") == lost


async def test_it_carries_twice() -> None:
    arrived, heard, line = await through(Weather(duplicate=0.5), 100)
    assert heard == [b"ok"] * 100
    assert len(arrived) == 100 + line.counts[Fate.TWICE] > 120


async def test_late_ones_arrive_after_those_that_follow() -> None:
    async def settle(_: Outage) -> None:
        await asyncio.sleep(0.2)

    arrived, heard, line = await through(Weather(late=0.5), 60, look=settle)
    assert heard.count(b"") == line.counts[Fate.LATE] > 10
    assert len(arrived) == 60
    assert arrived != sorted(arrived, key=lambda body: int(body.split()[1]))


async def test_it_is_cut_and_comes_back() -> None:
    weather = Weather(cut=True, up_s=(0.02, 0.03), down_s=(0.02, 0.03))
    heard: list[bytes] = []

    async def go_on(line: Outage) -> None:
        port = line.port
        while not (b"" in heard and heard[-1]):
            heard.append(await ask(port, 1))
            await asyncio.sleep(0.005)

    async with asyncio.timeout(10):
        _, _, line = await through(weather, 0, look=go_on)
    assert line.cuts >= 1


async def test_the_same_seed_decides_the_same() -> None:
    weather = weather_of(["lossy", "duplicating", "reordering"])
    one, two, other = [(await through(weather, 60, seed))[1] for seed in ("7", "7", "8")]
    assert one == two != other
