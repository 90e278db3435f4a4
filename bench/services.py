"""How long does a till wait for head office when it asks to hold a gift card, while 100 registers ask? And
while head office is out of reach without a word, does it ever wait longer than the stated deadline?

Head office is a process of its own. Each register has its own session; a tenth of them share a network thread
here, as their own processes would share this machine. The limit is the same traffic to the probe's address,
which does nothing.
"""

import csv
import io
import queue
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.figure import Figure, Size, figure, median, percentile
from holdfast.core.central.accounts import Act, HoldKey, Kind
from holdfast.core.central.holds import Held, HoldRequest
from holdfast.core.central.services import ReleaseRequest
from holdfast.core.connection import Mode
from holdfast.core.ids import TransactionId
from holdfast.core.sync.messages import encode
from holdfast.demo.chain import Place, post
from holdfast.demo.line import Line, LineMode, LineThread
from holdfast.demo.shop import found_shop
from holdfast.hq.central.cards import Made
from holdfast.hq.service import HeadOffice
from holdfast.hq.web.process import home_in
from holdfast.infra.clock import SystemClock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.http import Call, HttpClient, HttpRequest
from holdfast.infra.web import free_port
from holdfast.register.enrolment import enrol
from holdfast.register.realtime.client import DEADLINE_S, RealTime
from holdfast.register.realtime.session import Session

REGISTERS = 100
CALLS_PER_S = 100
"""All registers together: each asks once a second, as in a rush before Christmas."""
CLIENTS = 10
WARM_UP_S = 2.0
CALL_S = 10.0
HOLD, RELEASE, HEALTH = "/v1/services/hold", "/v1/services/release", "/v1/health"
OVERHEAD_S = 0.05
"""Of waking a thread on a busy machine, beyond the deadline itself."""


class Asking(NamedTuple):
    """One register, with a card that nobody else has."""

    client: HttpClient
    token: str
    number: str


def run(folder: Path, size: Size) -> list[Figure]:
    folder.chmod(0o711)  # PostgreSQL may run under an account of its own
    series = [f"R{number:03}" for number in range(1, REGISTERS + 1)]
    port = free_port()
    codes = found_shop(folder / "hq", port, series).codes
    numbers = _cards(folder / "hq")
    office = Place("Head office", "hq", folder / "hq", f"http://127.0.0.1:{port}", folder / "hq.log")
    office.start()
    try:
        office.wait_ready()
        homes = [enrol(folder / name, office.url, codes[name], post) for name in series]
        clients = [HttpClient(office.url, agent="bench") for _ in range(CLIENTS)]
        try:
            registers = [
                Asking(client, Session(home, _config(home).origin).token(client, lambda: CALL_S), number)
                for home, number, client in zip(homes, numbers, clients * (REGISTERS // CLIENTS), strict=True)
            ]
            bare = _calls(registers, size, lambda one, _: _get(one))
            asked = _calls(registers, size, _hold_or_release)
        finally:
            for client in clients:
                client.close()
        longest = _longest_wait(homes[0], port, size)
    finally:
        office.end()
    name = f"a call for a gift card, {REGISTERS} registers, {CALLS_PER_S} calls a second"
    return [
        figure(
            f"{name}, p99", percentile(asked, 99), "ms", limit=("a probe", percentile(bare, 99)), at_most=50
        ),
        figure(f"{name}, median", median(asked), "ms", limit=("a probe", median(bare))),
        figure(
            "longest wait for a call while packets are dropped",
            longest,
            "s",
            limit=("the stated deadline", DEADLINE_S),
            at_most=DEADLINE_S + OVERHEAD_S,
        ),
    ]


def _config(home: RegisterHome) -> RegisterConfig:
    return load_config(home.config, RegisterConfig)


def _cards(folder: Path) -> list[str]:
    """Prepared cards, a number for each register."""
    kept: list[bytes] = []
    with HeadOffice.open(home_in(folder)) as head_office:
        made = head_office.cards.make(REGISTERS, "EUR", kept.append, with_pins=False, by="bench")
    assert isinstance(made, Made), made
    return [row["number"] for row in csv.DictReader(io.StringIO(kept[0].decode()))]


# ---- the traffic -----------------------------------------------------------------------------------


def _calls(registers: list[Asking], size: Size, request: Callable[[Asking, int], HttpRequest]) -> list[int]:
    """Milliseconds of each call; they begin at random times, whatever became of those before."""
    chance = random.Random(1)
    under_way: queue.SimpleQueue[tuple[float, Call] | None] = queue.SimpleQueue()
    taken: list[int] = []

    def collect() -> None:
        while (item := under_way.get()) is not None:
            at, call = item
            reply = call.result()
            assert reply.is_success, reply.problem()
            if at >= WARM_UP_S:
                taken.append(reply.latency_ms)

    collector = threading.Thread(target=collect)
    collector.start()
    turns = dict.fromkeys(range(len(registers)), 0)
    began, at, place = time.perf_counter(), 0.0, 0
    while at < WARM_UP_S + size.black_hole_s:
        time.sleep(max(0.0, began + at - time.perf_counter()))
        register = registers[place]
        under_way.put((at, register.client.start(request(register, turns[place]))))
        turns[place] += 1
        place = (place + 1) % len(registers)
        at += chance.expovariate(CALLS_PER_S)
    under_way.put(None)
    collector.join()
    return taken


def _get(register: Asking) -> HttpRequest:
    return HttpRequest(method="GET", path=HEALTH, deadline_s=CALL_S)


def _hold_or_release(register: Asking, turn: int) -> HttpRequest:
    """A hold and its release in turn, each pair under a key of its own."""
    key = HoldKey(f"bench-{register.number}-{turn // 2:06}")
    if turn % 2:
        body = encode(ReleaseRequest(key=key, cause="removed"))
        return HttpRequest(method="POST", path=RELEASE, body=body, token=register.token, deadline_s=CALL_S)
    body = encode(
        HoldRequest(
            key=key,
            kind=Kind.GIFT_CARD,
            act=Act.ISSUE,
            transaction=TransactionId(key),
            currency="EUR",
            number=register.number,
        )
    )
    return HttpRequest(method="POST", path=HOLD, body=body, token=register.token, deadline_s=CALL_S)


# ---- out of reach ----------------------------------------------------------------------------------


def _longest_wait(home: RegisterHome, port: int, size: Size) -> float:
    """Seconds of the longest call that a till made while its packets vanish, its breaker as it ships."""
    config = _config(home)
    line = LineThread(Line(("127.0.0.1", port))).start()
    try:
        through = msgspec.structs.replace(config, head_office_url=line.url)
        till = RealTime(home, through, SystemClock("UTC"), mode=lambda: Mode.ONLINE, on_loss=lambda: None)
        body = HoldRequest(
            key=HoldKey("bench-black-hole-key"),
            kind=Kind.GIFT_CARD,
            act=Act.REDEEM,
            transaction=TransactionId("bench"),
            currency="EUR",
            number="910000000000000000",
        )
        till.ask(HOLD, body, Held)
        line.switch(LineMode.BLACK_HOLE)
        taken: list[float] = []
        until = time.perf_counter() + size.black_hole_s
        while time.perf_counter() < until:
            began = time.perf_counter()
            till.ask(HOLD, body, Held)
            taken.append(time.perf_counter() - began)
            time.sleep(0.05)
        till.close()
        return max(taken)
    finally:
        line.stop()
