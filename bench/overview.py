"""How long do head office's pages take over a fleet of ten thousand registers, all of them in touch?

A head office as it ships, served; its database holds a chain, a signed word, a claim and a month of business
days of each. While pages are asked for, words go on coming in, so that no two looks find the same rows.
The limit is PostgreSQL's own: the fleet's rows fetched by bare SQL, and nothing made of them.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bench.figure import Figure, Size, figure, percentile
from bench.rows import document_rows
from holdfast.core.ids import EpochId, IncarnationId, OriginId, encode_id
from holdfast.core.ingest.rows import COLUMNS
from holdfast.core.journal.chain import Position
from holdfast.core.sync.messages import Heartbeat, encode
from holdfast.demo.shop import new_sign_in_path
from holdfast.hq.service import database_folder
from holdfast.infra.postgres.launcher import running_dsn
from tests.office import Office

DAYS = 30
STORES = 500
ENTRIES = 40
"""In each register's chain."""
TICK_S = 0.25
WORDS_SHARE = TICK_S / 15
"""Of the fleet say something at each tick, as tills at rest do."""
DEEP = 100_000
"""Documents before the page of sales that is asked for last."""
PASSWORD = "a quiet harbour at dawn"
READY_S = 120.0
_DAY_MS = 86_400_000
_OLDEST = "2026-01-31.1790000001000.1.1000"
"""As `document_rows` numbers them: nearly the last place in the list."""
_QUERIES = (
    "select * from origin left join contact using (origin) left join heartbeat using (origin)",
    "select * from chain left join safe using (chain)",
    "select * from claim",
)


def run(folder: Path, size: Size) -> list[Figure]:
    with Office(folder / "office") as office:
        dsn = running_dsn(database_folder(office.home))
        assert dsn is not None, "head office serves"
        with psycopg.connect(dsn, autocommit=True) as connection:
            fill_fleet(connection, size.registers)
            fill_sales(connection, DEEP + 1_000)
            connection.execute("vacuum analyze")
        with _signed_in(office) as client, _words(dsn):
            _until_shown(client, size.registers)
            limit = ("the fleet's rows by bare SQL, p99", _p99_ms(lambda: _fetch(dsn), size.looks // 5))
            return [
                figure(
                    f"page with {size.registers:,} registers: {name}, p99",
                    _p99_ms(lambda path=path: _get(client, path), size.looks),
                    "ms",
                    limit=limit,
                    at_most=300,
                )
                for name, path in _pages(client)
            ]


def _pages(client: httpx.Client) -> list[tuple[str, str]]:
    return [
        ("overview", "/"),
        ("registers, worst first", "/registers"),
        ("registers, searched", "/registers?search=0777"),
        ("registers, last page", _followed(client, "/registers", "Last")),
        ("one register", _followed(client, "/registers", "Till")),
        ("parameters, all of them behind", "/parameters"),
        ("sales, newest", "/sales"),
        (f"sales, {DEEP:,} documents on", f"/sales?older={_OLDEST}"),
    ]


# ---- the fleet


def fill_fleet(connection: psycopg.Connection[Any], registers: int) -> None:
    """Most owe nothing, one in thirty owes, one in fifty is silent since yesterday; a few are blocked."""
    now_ms = int(time.time() * 1_000)
    row = connection.execute("select incarnation from incarnation order by number desc limit 1").fetchone()
    assert row is not None, "head office has a life"
    numbers = range(1, registers + 1)
    _copy(connection, "store", ((f"B{n:03d}", f"Branch {n}", "EUR", "UTC") for n in range(STORES)))
    _copy(
        connection, "origin (origin, kind, store, series, currency, name, enrolled_at_ms)",
        ((_origin(n), "register", f"B{n % STORES:03d}", f"T{n:05d}", "EUR", f"Till {n:05d}", now_ms)
         for n in numbers),
    )  # fmt: skip
    _copy(
        connection, "chain (chain, origin, epoch, branch, fork_seq, head_seq, head_hash, segment, cause)",
        ((n, _origin(n), _epoch(n), 0, 0, ENTRIES, _hash(n), "0001", "enrolled") for n in numbers),
    )  # fmt: skip
    _copy(connection, "claim", ((_origin(n), _epoch(n), ENTRIES, _hash(n), now_ms) for n in numbers))
    _copy(
        connection, "heartbeat",
        ((_origin(n), now_ms - (_DAY_MS if n % 50 == 7 else 0), _word(n, row[0], now_ms), "k", bytes(64), 12)
         for n in numbers),
    )  # fmt: skip
    _copy(
        connection, "contact (origin, at_ms, blocked_code)",
        ((_origin(n), now_ms, "key.unknown" if n % 900 == 1 else None) for n in numbers),
    )  # fmt: skip
    connection.execute("update feed set n = 1, changed_at_ms = %s where feed = 'parameters'", [now_ms])
    connection.execute(
        "insert into parameter_change (key, name, value, valid_from, made_on, version, made_by, made_at_ms, "
        "reason) values ('shifts', 'shifts', 'false', '0001-01-01', '2026-11-22', 1, 'nia', %s, 'No shifts')",
        [now_ms],
    )
    connection.execute(
        "insert into register_day select origin, current_date - day, 200, 250000, 20000, 90000 "
        "from origin, generate_series(1, %s) day",
        [DAYS],
    )


def fill_sales(connection: psycopg.Connection[Any], count: int) -> None:
    """Documents without their entries: the list of sales reads no more."""
    for table, rows in document_rows(1, 0, count).items():
        if table == "document":
            named = ((*row[:4], _origin(1), *row[5:]) for row in rows)
            _copy(connection, f"document ({', '.join(COLUMNS[table])})", named)


def _word(n: int, incarnation: IncarnationId, now_ms: int) -> bytes:
    owes = n % 30 == 3
    return encode(
        Heartbeat(
            origin=_origin(n), clock_ms=now_ms, offset_min=60, currency="EUR",
            head=Position(_epoch(n), ENTRIES + 5 * owes, _hash(n)),
            owed_count=5 * owes, owed_minor=12_345 * owes, owed_oldest_ms=now_ms if owes else None,
            owed_dates=("2026-11-22",) if owes else (), business_date="2026-11-22", day_open=True,
            disk_free_bytes=10**11, software="holdfast 0.1.0", state="online", nonce=incarnation,
            feeds=dict.fromkeys(("products", "prices", "taxes", "staff", "currencies"), (incarnation, 0)),
        )
    )  # fmt: skip


def _origin(n: int) -> OriginId:
    return OriginId(encode_id(n.to_bytes(10, "big")))


def _epoch(n: int) -> EpochId:
    return EpochId(encode_id(n.to_bytes(15, "big")))


def _hash(n: int) -> bytes:
    return n.to_bytes(32, "big")


def _copy(connection: psycopg.Connection[Any], into: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"copy {into} from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)


@contextmanager
def _words(dsn: str) -> Iterator[None]:
    """Registers go on saying that all is well, until the block ends."""
    stop = threading.Event()

    def speak() -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            while not stop.wait(TICK_S):
                now_ms = int(time.time() * 1_000)
                connection.execute(
                    "update heartbeat set received_at_ms = %s where received_at_ms > %s and origin in "
                    "(select origin from origin tablesample system (%s))",
                    [now_ms, now_ms - _DAY_MS // 2, 100 * WORDS_SHARE],
                )

    thread = threading.Thread(target=speak, name="words")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


# ---- the pages


@contextmanager
def _signed_in(office: Office) -> Iterator[httpx.Client]:
    path = new_sign_in_path(office.home.path)
    with httpx.Client(
        base_url=office.url, headers={"Accept": "text/html"}, trust_env=False, timeout=60
    ) as client:
        csrf = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
        assert csrf is not None, "the link is good"
        form = {"csrf": csrf[1], "password": PASSWORD, "again": PASSWORD}
        assert client.post(path, data=form).status_code == 303
        yield client


def _until_shown(client: httpx.Client, registers: int) -> None:
    """The fleet grew at once, which no fleet does: head office looks again within seconds."""
    deadline = time.monotonic() + READY_S
    while f">{registers:,}<" not in client.get("/").text:
        assert time.monotonic() < deadline, "the overview counts the fleet"
        time.sleep(0.5)


def _get(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200, path


def _followed(client: httpx.Client, path: str, link: str) -> str:
    """Where the first link of a page whose text begins so leads."""
    found = re.search(rf'href="([^"]+)"[^>]*>{link}\b', client.get(path).text)
    assert found is not None, f"{path} has a link {link}"
    return found[1].replace("&amp;", "&")


def _fetch(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        for query in _QUERIES:
            connection.execute(query.encode(), binary=True).fetchall()


def _p99_ms(act: Callable[[], None], times: int) -> float:
    act()
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1_000)
    return percentile(taken, 99)
