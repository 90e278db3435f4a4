"""`holdfast simulate`: runs seeds, prints what each reached, and how to replay one that failed."""

import time
from typing import Annotated

import typer
from rich.console import Console

from holdfast.simulation.run import run
from holdfast.simulation.scenario import Plan, rough

app = typer.Typer(add_completion=False)


@app.command()
def simulate(
    seed: Annotated[int, typer.Option(help="First seed; later runs take the next ones.")] = 1,
    years: Annotated[float, typer.Option(help="Simulated years of each run.")] = 0.0,
    days: Annotated[int, typer.Option(help="Simulated days of each run, where no years are given.")] = 60,
    runs: Annotated[int, typer.Option(help="How many seeds; 0 with --minutes: until the time is up.")] = 1,
    minutes: Annotated[float, typer.Option(help="Go on with further seeds for this long.")] = 0.0,
    registers: Annotated[int, typer.Option(help="Registers enrolled at the beginning.")] = 4,
    is_rough: Annotated[bool, typer.Option("--rough", help="More restores, purges, lost commits.")] = False,
) -> None:
    """Drive registers, lines and head office through simulated years of faults.

    Every run is decided by its seed alone. After each, the promises are checked: durable,
    exactly once, whole, gapless numbers, nothing hidden, all drained. Ends with 1 on the first
    broken promise and prints the command that replays it.

    Examples:  holdfast simulate --seed 7 --years 1        holdfast simulate --minutes 30
    """
    console = Console()
    days = round(years * 365) or days
    plan = rough(days, registers) if is_rough else Plan(days=days, registers=registers)
    until = time.monotonic() + minutes * 60
    done = 0
    while done < max(1, runs) or time.monotonic() < until:
        report = run(seed + done, plan)
        done += 1
        console.print(
            f"seed {report.seed}: {report.events} events, {report.entries} entries, {report.epochs} epochs, "
            f"{report.forks} forks, {report.quarantined} quarantined, {report.forgeries} forgeries, "
            f"{report.purged} purged, trace {report.trace_hash[:12]}"
        )
        if report.findings:
            for finding in report.findings[:20]:
                console.print(f"  {finding}", style="red")
            console.print(f"Replay it with: {report.command}", style="bold")
            raise typer.Exit(1)
    console.print(f"{done} runs, every promise held.", style="green")
