"""While packets to head office vanish, how long does the cashier wait, and when does the screen say so?

Every act goes through the till's own page over HTTP; the limit is the same till with its line up.
"""

import time
from pathlib import Path

from bench.cashier import cashier_at, seconds_until_noticed
from bench.figure import Figure, Size, figure, percentile
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode

TILL = "R01"


def run(folder: Path, size: Size) -> list[Figure]:
    with Chain(folder / "chain") as chain:
        url = chain.registers[TILL].url
        online = _sell_for(url, size.black_hole_s)
        chain.switch(TILL, LineMode.BLACK_HOLE)
        noticed = seconds_until_noticed(url, time.perf_counter())
        dropped = _sell_for(url, size.black_hole_s)
        chain.switch(TILL, LineMode.UP)
    limit = "the same with the line up"
    name = f"act on the till while packets are dropped ({len(dropped)} acts)"
    return [
        figure(
            f"{name}, p99", percentile(dropped, 99), "ms", limit=(limit, percentile(online, 99)), at_most=50
        ),
        figure(f"{name}, p50", percentile(dropped, 50), "ms", limit=(limit, percentile(online, 50))),
        figure("outage noticed on screen, packets dropped", noticed, "s", at_most=2.0),
    ]


def _sell_for(url: str, seconds: float) -> list[float]:
    """Milliseconds of each act of selling for so long."""
    with cashier_at(url) as cashier:
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            cashier.sell()
        return cashier.taken_ms
