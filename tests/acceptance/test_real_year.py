"""The real retailer's year through eight registers and everything that can go wrong, to the penny.

One seed (HOLDFAST_SEED) decides what the lines do, who is killed when, and nothing else does.
HOLDFAST_ACCEPT_ROWS takes the first so many rows instead of the year, with the oracle counted anew.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.console import Console
from rich.table import Table

from holdfast.infra.config import RegisterHome
from holdfast.infra.postgres.launcher import running_dsn
from holdfast.replay.assign import assign
from holdfast.replay.columns import Reading
from holdfast.replay.history import read_history
from holdfast.replay.homes import names, point_at
from holdfast.replay.spool import write_documents
from tests.acceptance import oracle
from tests.acceptance.chaos import Chaos
from tests.office import Office, holdfast

SEED = int(os.environ.get("HOLDFAST_SEED", "1"))
REGISTERS = 8
RESTORED, CLONED = "R03", "R05"
WAIT_S = 600
RUNS_MAX = 20
"""Of one stage: a replay that a kill stopped is simply run again."""

console = Console(width=120, highlight=False)


class Year:
    """A head office, eight registers, and the files of the history's stages."""

    def __init__(self, folder: Path, rows: list[oracle.Row]) -> None:
        self.folder = folder
        self.rows = rows
        self.office = Office(folder / "hq", currency="GBP", timezone="Europe/London")
        self.tills = folder / "tills"
        self.random = random.Random(SEED)
        self.kills: dict[str, int] = {}
        self.line: dict[str, int] = {}
        self.starts = 0
        self.survived = False
        self.began_s = time.monotonic()

    def say(self, text: str) -> None:
        console.print(f"{time.monotonic() - self.began_s:6.1f} s  {text}")

    def stage(self, share: float) -> Path:
        """The history up to a share of its rows, in whole invoices."""
        path = self.folder / f"history-{round(share * 100)}.csv"
        rows = self.rows if share == 1 else oracle.first_invoices(self.rows, int(len(self.rows) * share))
        return oracle.write_rows(path, rows)

    def replay(self, file: Path, *outage: str) -> subprocess.Popen[str]:
        command = [
            sys.executable, "-m", "holdfast", "replay", file, "--registers", REGISTERS, "--json",
            "--hq", self.office.url, "--hq-home", self.office.home.path, "--homes", self.tills,
            "--wait", WAIT_S, *outage,
        ]  # fmt: skip
        with (self.folder / "replay.log").open("ab") as log:
            return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=log, text=True)

    def finish(self, running: subprocess.Popen[str]) -> dict[str, Any] | None:
        """The summary of a replay that came to its end; None where it must be run again."""
        said, _ = running.communicate(timeout=3 * WAIT_S)
        summary = json.loads(said) if said.strip() else None
        if summary is not None:
            self.starts += sum(register["starts"] for register in summary["registers"])
            for fate, count in summary["line"].items():
                self.line[fate] = self.line.get(fate, 0) + count
        return summary if running.returncode == 0 else None

    def replay_in_chaos(self, file: Path, what: str) -> None:
        """A stage over bad lines while processes are killed, until it has come to its end."""
        for run in range(RUNS_MAX):
            seed = self.random.randrange(1 << 30)
            running = self.replay(file, "--outage", "all", "--seed", str(seed))
            with Chaos(running.pid, self.office, str(seed), (1.5, 6.0)) as chaos:
                summary = self.finish(running)
            for victim, count in chaos.kills.items():
                self.kills[victim] = self.kills.get(victim, 0) + count
            if summary is not None:
                self.say(f"{what}: complete at the {run + 1}. run; killed so far {self.kills}")
                return
        pytest.fail(f"{what} did not come to its end in {RUNS_MAX} runs; see {self.folder / 'replay.log'}")

    def replay_in_peace(self, file: Path) -> dict[str, Any]:
        summary = self.finish(self.replay(file))
        assert summary is not None, (self.folder / "replay.log").read_text()[-2_000:]
        return summary

    # ---- what happens to disks ---------------------------------------------------------------

    def take_backup(self) -> Path:
        """A verified backup of head office, while it is served."""
        holdfast("hq", "backup", "--home", self.office.home.path, timeout_s=600)
        return max(path for path in self.office.home.backups.iterdir() if path.is_dir())

    def restore_head_office(self, backup: Path) -> None:
        """Head office loses its disk and comes back from the older backup."""
        with self.office.lock:
            if self.office.is_served:
                self.office.kill()
            holdfast("hq", "restore", "--home", self.office.home.path, backup, timeout_s=600)
            self.office.start()

    def copy_disk(self, name: str, to: Path) -> Path:
        """A register's whole disk, keys and high-water mark included, while it is off."""
        shutil.copytree(self.tills / name, to, symlinks=True)
        return to

    def put_disk_back(self, name: str, copy: Path) -> None:
        shutil.rmtree(self.tills / name)
        shutil.move(copy, self.tills / name)

    def start_clone(self, home: Path, file: Path) -> subprocess.Popen[bytes]:
        """A second machine with the same disk, that sells too: the same invoices as its twin."""
        share = assign(read_history(file, Reading()).documents, REGISTERS)[names(REGISTERS).index(CLONED)]
        spool = self.folder / "clone.jsonl"
        write_documents(spool, share)
        point_at(RegisterHome(home), self.office.url)
        command = [sys.executable, "-m", "holdfast.replay.worker", home, spool, WAIT_S]
        with (self.folder / "clone.log").open("ab") as log:
            return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=log)

    # ---- what head office holds --------------------------------------------------------------

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        dsn = running_dsn(self.office.home.postgres / "data")
        assert dsn is not None, "head office is served"
        with psycopg.connect(dsn) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[arg-type]


@pytest.fixture
def year(tmp_path: Path) -> Iterator[Year]:
    limit = os.environ.get("HOLDFAST_ACCEPT_ROWS")
    made = Year(tmp_path, oracle.read_rows(int(limit) if limit else None))
    try:
        with made.office:
            yield made
    finally:
        made.office.stop()
    if made.survived:
        shutil.rmtree(tmp_path)  # a gigabyte; what failed stays to be looked at


def test_the_real_year_survives_everything(year: Year) -> None:
    console.print(f"\nSeed {SEED}, {len(year.rows):,} rows. Again with: make accept HOLDFAST_SEED={SEED}")
    live_through(year)
    summary = year.replay_in_peace(year.stage(1))
    year.say(f"healed: {summary_of(summary)}")
    year.say(f"lines: {year.line}; starts of register processes: {year.starts}")
    first = check_figures(year)
    check_stock(year)
    verify_all(year)
    tell_scars(year)
    again = year.replay_in_peace(year.stage(1))
    year.say(f"again: {summary_of(again)}")
    assert sum(register["recorded"] for register in again["registers"]) == 0
    assert year.office.totals() == first, "replaying a second time changes nothing"
    year.survived = True


def live_through(year: Year) -> None:
    """Two thirds of the way everything goes wrong that can."""
    year.replay_in_peace(year.stage(0.01))
    year.say("enrolled, and the first days sold")
    year.replay_in_chaos(year.stage(0.3), "first 30 %")
    backup = year.take_backup()
    older = year.copy_disk(RESTORED, year.folder / "older-disk")
    year.say(f"head office backed up; disk of {RESTORED} copied")

    seed = year.random.randrange(1 << 30)
    running = year.replay(year.stage(0.6), "--outage", "all", "--seed", str(seed))
    wait_for_documents(year, running, 0.45)
    year.restore_head_office(backup)
    year.say("head office restored from its older backup, in the middle of the day")
    year.finish(running)
    year.replay_in_chaos(year.stage(0.6), "60 %")

    year.put_disk_back(RESTORED, older)
    clone_home = year.copy_disk(CLONED, year.folder / "clone" / CLONED)
    year.say(f"{RESTORED} restored from its older disk; {CLONED} cloned")
    clone = year.start_clone(clone_home, year.stage(1))
    year.replay_in_chaos(year.stage(1), "the whole year, beside a clone")
    assert clone.wait(WAIT_S) == 0, (year.folder / "clone.log").read_text()[-2_000:]
    year.say("the clone, too, owes nothing")


def wait_for_documents(year: Year, running: subprocess.Popen[str], share: float) -> None:
    """Until head office has documents for about that share of the rows, or the replay ended."""
    wanted = int(len(year.rows) * share)
    while running.poll() is None and year.query("select count(*) from document_line")[0][0] < wanted:
        time.sleep(0.2)


# ---- what must hold ---------------------------------------------------------------------------


def check_figures(year: Year) -> dict[str, Any]:
    """Every figure beside the oracle."""
    expected = oracle.figures_of(year.rows)
    if "HOLDFAST_ACCEPT_ROWS" not in os.environ:
        assert expected == oracle.TABLE, "the oracle counts what the data's README states"
    totals = year.office.totals()
    table = Table("figure", "oracle", "head office", "", title="The year")
    for name, value in expected.items():
        same = totals[name] == value
        table.add_row(name, str(value), str(totals[name]), "equal" if same else "[red]DIFFERS[/]")
    console.print(table)
    assert {name: totals[name] for name in expected} == expected
    assert totals["waiting"] == 0, "nothing waits in quarantine"
    assert totals["stock_differences"] == 0
    return totals


def check_stock(year: Year) -> None:
    """By code, exactly as it is written: "M" and "m" are two."""
    sold = year.query("select sku, sum(quantity_milli)::bigint from document_line group by sku")
    assert {sku: milli / 1_000 for sku, milli in sold} == oracle.quantities_by_code(year.rows)
    stock = year.query("select sku, sum(quantity_milli)::bigint from stock_level group by sku")
    assert {sku: milli / 1_000 for sku, milli in stock if milli} == oracle.stock_by_code(year.rows)
    year.say(f"stock by code equals Σ quantity by code, {len(sold)} codes")


def verify_all(year: Year) -> None:
    homes = [year.office.home.path, *(year.tills / name for name in names(REGISTERS))]
    homes.append(year.folder / "clone" / CLONED)
    said = holdfast("verify", *(word for home in homes for word in ("--home", home)), timeout_s=900)
    for line in said.splitlines():
        year.say(line.replace(str(year.folder), "…"))


def tell_scars(year: Year) -> None:
    """What it lived through, as head office has it on record."""
    branches = year.query("select count(*) from chain where branch > 0")[0][0]
    causes = dict(
        year.query("select cause, count(*) from chain where branch = 0 group by cause order by cause")
    )
    lives = year.query("select count(*) from incarnation")[0][0]
    repeated = year.query("select count(*) from entry where status = 'repeated'")[0][0]
    year.say(
        f"epochs by cause {causes}, forks {branches}, incarnations {lives}, repeated documents {repeated}"
    )
    assert all(year.kills.get(victim) for victim in ("register", "head office")), f"killed: {year.kills}"
    assert lives >= 2, "head office lost state, and said so"
    printed_twice = year.query(
        "select number from document join chain using (chain) group by number "
        "having count(distinct epoch) > 1"
    )
    assert not printed_twice, "two epochs never number alike; only a clone on the same epoch may"
    assert branches + causes.get("forked", 0) >= 1, "the clone and the older disk were noticed"


def summary_of(summary: dict[str, Any]) -> str:
    recorded = sum(register["recorded"] for register in summary["registers"])
    return f"{recorded} documents recorded in {summary['elapsed_s']:.1f} s, nothing owed"
