"""P1 and P3 at the disk: whatever a power cut leaves, what was acknowledged is there, and whole."""

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from holdfast.core.faults import Fault
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import checkpoint, immediate, open_database
from tests.crash.crashvfs import CrashImage, Recording, Sync, crash_images, open_image

LINES = 4
SALES = 30


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a place: an image is written and thrown away."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def sell(connection: apsw.Connection, number: int) -> None:
    """One sale in one transaction: its lines, of which each third one overflows a page, and a total."""
    with immediate(connection):
        for line in range(LINES):
            length = 6_000 if number % 7 == 0 and line % 3 == 0 else 300
            connection.execute("insert into line values(?, ?, zeroblob(?))", (number, line, length))
        connection.execute("update total set sales = sales + 1")
        if number % 10 == 0:
            connection.execute("delete from line where sale between ? and ?", (number - 9, number - 6))


def record(folder: Path, key: DatabaseKey, synchronous: str = "full") -> Recording:
    """Sell, acknowledging each sale after its commit; with checkpoints and purges between."""
    recording = Recording()
    connection = open_database(folder / "till.db", key, create=True, vfs=recording.vfs)
    connection.execute(f"pragma synchronous={synchronous}").fetchall()
    with immediate(connection):
        connection.execute("create table line(sale integer, line integer, body blob)")
        connection.execute("create table total(sales integer)")
        connection.execute("insert into total values(0)")
    for number in range(1, SALES + 1):
        sell(connection, number)
        recording.acknowledge(number)
        if number % 12 == 0:
            connection.execute("pragma incremental_vacuum(2)").fetchall()
            checkpoint(connection)
    connection.close()
    return recording


def judge(image: CrashImage, database: Path, key: DatabaseKey) -> str:
    """What is wrong with an image, or nothing."""
    try:
        connection = open_image(image, database, key)
    except Fault as fault:
        return f"does not open: {fault}"
    try:
        integrity = connection.execute("pragma integrity_check").fetchall()
        if integrity != [("ok",)]:
            return f"damaged: {integrity}"
        if not connection.execute("select 1 from sqlite_schema where name = 'total'").fetchall():
            return "lost everything" if image.acknowledged else ""
        [(sales,)] = connection.execute("select sales from total").fetchall()
        assert isinstance(sales, int), "the total is a number"
        lines = connection.execute("select sale, count(*) from line group by sale order by sale").fetchall()
    except apsw.CorruptError as error:
        return f"damaged: {error}"
    finally:
        connection.close()
    if sales < image.acknowledged:
        return f"lost: {sales} of {image.acknowledged} acknowledged sales"
    purged = {gone for ten in range(10, sales + 1, 10) for gone in range(ten - 9, ten - 5)}
    if lines != [(sale, LINES) for sale in range(1, sales + 1) if sale not in purged]:
        return f"half a sale: {lines}"
    return ""


def judge_all(recording: Recording, folder: Path, key: DatabaseKey, seed: int) -> tuple[int, list[str]]:
    wrong: list[str] = []
    count = 0
    for image in crash_images(recording.log, seed):
        count += 1
        if cause := judge(image, folder / "till.db", key):
            wrong.append(f"point {image.point}, {image.fate}: {cause}")
    return count, wrong


@pytest.mark.parametrize("seed", [1, 2])
def test_no_power_cut_loses_or_halves_an_acknowledged_sale(folder: Path, seed: int) -> None:
    key = DatabaseKey.generate()
    recording = record(folder, key)
    began = time.perf_counter()
    count, wrong = judge_all(recording, folder, key, seed)
    print(f"{count} images, {count / (time.perf_counter() - began):.0f}/s, seed {seed}")
    assert not wrong, f"seed {seed}: {len(wrong)} of {count} images: {wrong[:5]}"
    assert count > 1_000, "the recording has too few points to tell anything"


def test_no_second_power_cut_during_the_recovery_from_the_first_loses_one(folder: Path) -> None:
    key = DatabaseKey.generate()
    database = folder / "till.db"
    cuts = [image for image in crash_images(record(folder, key).log, seed=3) if image.fate != "lost"]
    for first in random.Random(3).sample([image for image in cuts if image.acknowledged], 12):
        recording = Recording()
        connection = open_image(first, database, key, vfs=recording.vfs)
        checkpoint(connection)
        connection.close()
        for image in crash_images(recording.log, seed=4, start=first):
            cause = judge(image, database, key)
            assert not cause, f"point {first.point}, {first.fate}, then {image.point}, {image.fate}: {cause}"


def test_the_harness_sees_commits_that_are_not_flushed(folder: Path) -> None:
    """The mutant `synchronous=NORMAL`: a harness that lets it live proves nothing."""
    key = DatabaseKey.generate()
    _, wrong = judge_all(record(folder, key, synchronous="normal"), folder, key, seed=1)
    assert any("lost: " in cause for cause in wrong)


def test_the_harness_sees_a_disk_that_skips_flushes(folder: Path) -> None:
    """A disk that says flushed and did not: the images must show it, or tearing is not exercised."""
    key = DatabaseKey.generate()
    recording = record(folder, key)
    recording.log[:] = [operation for operation in recording.log if not isinstance(operation, Sync)]
    _, wrong = judge_all(recording, folder, key, seed=1)
    assert any("lost" in cause for cause in wrong)
