"""How long after the return of a store's line is the first owed sale in head office's database?

After outages of both kinds: refused connections, and packets that vanish.
"""

import time
from pathlib import Path

import psycopg

from bench.cashier import cashier_at
from bench.figure import Figure, Size, figure, median
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from holdfast.infra.postgres.launcher import running_dsn

OUTAGE_S = 6.0
"""Long enough that sync gave up at least once."""
TIMEOUT_S = 60.0
TILL = "R01"


def run(folder: Path, size: Size) -> list[Figure]:
    with Chain(folder / "chain") as chain:
        dsn = running_dsn(folder / "chain" / "hq" / "postgres" / "data")
        assert dsn is not None, "head office serves"
        with psycopg.connect(dsn, autocommit=True) as database:
            taken = {
                mode: [_one_return(chain, database, mode) for _ in range(size.returns)]
                for mode in (LineMode.CUT, LineMode.BLACK_HOLE)
            }
    figures: list[Figure] = []
    for mode, seconds in taken.items():
        name = f"first owed sale after the line's return ({mode.value}, {size.returns} times)"
        figures.append(figure(f"{name}, longest", max(seconds), "s", at_most=1.0))
        figures.append(figure(f"{name}, median", median(seconds), "s", at_most=1.0))
    return figures


def _one_return(chain: Chain, database: psycopg.Connection, mode: LineMode) -> float:
    with cashier_at(chain.registers[TILL].url) as cashier:
        chain.switch(TILL, mode)
        number = cashier.sell()
        time.sleep(OUTAGE_S)
        assert not _stored(database, number), "the line is down"
        chain.switch(TILL, LineMode.UP)
        began = time.perf_counter()
        while not _stored(database, number):
            assert time.perf_counter() - began < TIMEOUT_S, "the sale arrives"
            time.sleep(0.002)
        return time.perf_counter() - began


def _stored(database: psycopg.Connection, number: str) -> bool:
    row = database.execute("select count(*) from document where number = %s", (number,)).fetchone()
    assert row is not None, "a count is a row"
    assert row[0] <= 1, "once"
    return row[0] == 1
