"""A small history through two real registers and a real head office, against an oracle counted apart."""

import json
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast import cli
from tests.acceptance import oracle
from tests.office import Office, holdfast

WAIT_S = "300"


def made_up_rows(invoices: int) -> list[oracle.Row]:
    """A history with each kind of document, and each thing that is easily lost on the way."""
    chance = random.Random(20_101_201)
    rows: list[oracle.Row] = []
    for number in range(invoices):
        day, hour = 1 + number * 20 // invoices, 8 + number % 9
        kind = chance.choices(["", "C", "write-off", "A"], [80, 12, 6, 2])[0]
        sign = -1 if kind in ("C", "write-off") else 1
        for line in range(1 if kind in ("write-off", "A") else chance.randint(1, 8)):
            code = chance.choice(["M", "m", "POST", "85123A", *(str(20_000 + chance.randrange(40)),) * 6])
            row = {
                "InvoiceNo": f"{kind if kind in ('C', 'A') else ''}{500_000 + number}",
                "StockCode": code,
                "Description": chance.choice(
                    ["", " KNITTED FLAG ", "CREAM, CUPID", 'A "QUOTED" ONE', f"{code} é"]
                ),
                "Quantity": str(sign * chance.choice([1, 2, 12, 600])),
                "InvoiceDate": f"2011-03-{day:02d} {hour:02d}:{(line // 5) + 10}:00",
                "UnitPrice": "0" if kind == "write-off" else chance.choice(["0", "0.775", "2.55", "1867.86"]),
                "CustomerID": "" if number % 4 == 0 else f"{17_000 + number % 30}.0",
                "Country": chance.choice(["United Kingdom", "EIRE", "France"])
                if line == 0
                else rows[-1]["Country"],
            }
            if kind == "A":
                row |= {
                    "StockCode": "B",
                    "UnitPrice": chance.choice(["-11062.06", "11062.06"]),
                    "Quantity": "1",
                }
            rows += [row] * chance.choice([1, 1, 1, 1, 1, 2])
    return rows


ROWS = made_up_rows(160)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("replay")
    with Office(folder / "hq", currency="GBP", timezone="Europe/London") as made:
        yield made


def replay(office: Office, homes: Path, file: Path, *more: str | Path) -> dict[str, Any]:
    """The summary of a replay that came to its end."""
    said = holdfast(
        "replay", file, "--registers", "2", "--hq", office.url, "--homes", homes, "--wait", WAIT_S, "--json",
        *more,
    )  # fmt: skip
    return json.loads(said)


def recorded(summary: dict[str, Any]) -> int:
    return sum(register["recorded"] for register in summary["registers"])


def test_a_history_arrives_exactly_once_over_a_bad_line_and_after_a_restore(
    office: Office, tmp_path: Path
) -> None:
    homes, codes = tmp_path / "tills", tmp_path / "codes.txt"
    codes.write_text("".join(f"{name} {office.code(name)}\n" for name in ("R01", "R02")))
    expected = oracle.figures_of(ROWS)
    half = oracle.write_rows(tmp_path / "half.csv", oracle.first_invoices(ROWS, len(ROWS) // 2))
    whole = oracle.write_rows(tmp_path / "whole.csv", ROWS)

    first = replay(office, homes, half, "--codes", codes)
    older = shutil.copytree(homes / "R02", tmp_path / "older")
    spoiled = replay(office, homes, whole, "--outage", "all", "--seed", "7")
    assert recorded(first) + recorded(spoiled) >= len({row["InvoiceNo"] for row in ROWS})
    assert sum(spoiled["line"].values()) > 0
    totals = office.totals()
    assert {name: totals[name] for name in expected} == expected

    shutil.rmtree(homes / "R02")
    shutil.move(older, homes / "R02")
    healed = replay(office, homes, whole)
    assert recorded(healed) > 0, "what the older disk lacks is entered again"
    again = replay(office, homes, whole)
    assert recorded(again) == 0
    assert office.totals() == totals | {"waiting": 0}, "head office takes each invoice once"
    holdfast("verify", "--home", office.home.path, "--home", homes / "R01", "--home", homes / "R02")


# ---- bad input: no head office is asked for it -------------------------------------------------


class Cli:
    """The command line in this process: what is refused at once needs no process of its own."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capsys = patch, capsys

    def refused(self, command: str, *arguments: str | Path) -> str:
        """What a person reads, in one line; it ends with 3."""
        self._patch.setattr(sys, "argv", ["holdfast", command, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 3
        said = self._capsys.readouterr()
        return " ".join((said.out + said.err).split())


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


NOWHERE = ("--hq", "http://127.0.0.1:9")


def test_bad_rows_stop_it_with_line_column_and_reason(command: Cli, tmp_path: Path) -> None:
    bad = [dict(row) for row in ROWS[:6]]
    bad[2]["Quantity"] = "a dozen"
    file = oracle.write_rows(tmp_path / "bad.csv", bad)
    said = command.refused("replay", file, *NOWHERE, "--homes", tmp_path / "tills")
    assert "line 4, Quantity: 'a dozen' is not a number" in said
    assert "--skip-bad" in said


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ((), "no code to enrol it with"),
        (("--registers", "0"), "1 to 99 registers"),
        (("--outage", "rain"), "Known are lossy"),
        (("--column", "price=Price"), "has no column 'Price'"),
        (("--column", "colour=Blue"), "write FIELD=HEADER"),
        (("--column", "invoice="), "without invoice"),
        (("--timezone", "Mars/Base"), "time zone"),
        (("--codes", "absent.txt"), "cannot be read"),
    ],
)
def test_what_is_asked_wrongly_is_one_sentence(
    command: Cli, tmp_path: Path, more: tuple[str, ...], sentence: str
) -> None:
    file = oracle.write_rows(tmp_path / "history.csv", ROWS[:3])
    assert sentence in command.refused("replay", file, *NOWHERE, "--homes", tmp_path / "tills", *more)


def test_registers_that_nobody_named_a_folder_for_are_kept_in_this_one(
    command: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = oracle.write_rows(tmp_path / "history.csv", ROWS[:3])
    monkeypatch.chdir(tmp_path)
    said = command.refused("replay", file, "--registers", "1", *NOWHERE)
    assert f"{Path('tills', 'R01')} is no register yet" in said


def test_verify_says_what_is_no_home(command: Cli, tmp_path: Path) -> None:
    assert "neither a register nor a head office" in command.refused("verify", "--home", tmp_path)
