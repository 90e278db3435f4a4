"""`python -m bench`: runs the questions, prints a table, writes `bench/results.json`.

python -m bench [--quick] [NAME …]        NAME: a file of this folder, such as drain
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.figure import FULL, QUICK, Figure, Size

QUESTIONS = (
    "sale_commit",
    "start",
    "drain",
    "wire",
    "first_owed",
    "black_hole",
    "scan_to_basket",
    "overview",
    "parameters",
    "services",
    "peer_postgres",
    "peer_pouchdb",
)
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes: a look, not a result")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(QUESTIONS)}")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in QUESTIONS]
    if unknown:
        parser.error(f"no such question: {', '.join(unknown)}; there are {', '.join(QUESTIONS)}")
    size = QUICK if arguments.quick else FULL
    console = Console()
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 4:
        console.print(f"This machine is busy (load {load:.1f} on {cores} cores): figures suffer.")
    figures = [found for name in arguments.names or QUESTIONS for found in ask(console, name, size)]
    console.print(table(figures))
    if arguments.quick or arguments.names:
        console.print("Not written to bench/results.json: only a whole run at full size is.")
    else:
        RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
        console.print("Written to bench/results.json.")
    return 1 if any(found.within_budget is False for found in figures) else 0


def ask(console: Console, name: str, size: Size) -> list[Figure]:
    """The figures of one question, in a folder of its own that is gone afterwards."""
    began_s = time.monotonic()
    with console.status(f"{name} …"), tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        answer = importlib.import_module(f"bench.{name}").run(Path(folder), size)
    if isinstance(answer, str):
        console.print(f"{name}: skipped: {answer}")
        return []
    console.print(f"{name}: {time.monotonic() - began_s:.0f} s")
    return answer


def table(figures: list[Figure]) -> Table:
    found = Table("what", "measured", "limit or peer", "ratio", "budget", "", title="Benchmarks")
    for one in figures:
        limit = "" if one.limit_value is None else f"{one.limit_value:g} {one.unit} ({one.limit_name})"
        verdict = {None: "", True: "[green]within[/]", False: "[red]over[/]"}[one.within_budget]
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        found.add_row(one.name, f"{one.value:g} {one.unit}", limit, ratio, one.budget, verdict)
    return found


if __name__ == "__main__":
    sys.exit(main())
