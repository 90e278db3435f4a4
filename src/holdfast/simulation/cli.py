"""`holdfast simulate`: runs seeds, prints what each reached, and how to replay one that failed."""

import contextlib
import enum
import time
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from holdfast.simulation.head_office import Office
from holdfast.simulation.plan import PLANS
from holdfast.simulation.run import Report, run

app = typer.Typer(add_completion=False)
DAYS, MANY_SHORT_DAYS = 60, 10
FINDINGS_SHOWN = 20


class Store(enum.Enum):
    """Under which head office a run is made."""

    MEMORY = "memory"
    BOTH = "both"


@app.command()
def simulate(
    seed: Annotated[int, typer.Option(help="First seed; later runs take the next ones.")] = 1,
    years: Annotated[float, typer.Option(help="Simulated years of each run.")] = 0.0,
    days: Annotated[
        int, typer.Option(help="Simulated days of each run. Without: 60, or 10 with --minutes.", min=0)
    ] = 0,
    runs: Annotated[int, typer.Option(help="How many seeds.")] = 1,
    minutes: Annotated[float, typer.Option(help="Go on with further seeds for this long.")] = 0.0,
    registers: Annotated[int, typer.Option(help="Registers enrolled at the beginning.")] = 4,
    plan: Annotated[str, typer.Option(help=f"One of {', '.join(PLANS)}; all in turn with --minutes.")] = "",
    acts_per_hour: Annotated[
        float,
        typer.Option(
            help="With gift cards and accounts, at each register; without: as the plan says.", min=0
        ),
    ] = 0.0,
    store: Annotated[
        Store | None,
        typer.Option(
            help="`both`: a head office over PostgreSQL is asked the same, and must answer and end alike. "
            "That is the default with --minutes."
        ),
    ] = None,
) -> None:
    """Drive registers, lines and head office through simulated years of faults.

    Every run is decided by its seed alone. After each, the promises are checked: durable,
    exactly once, whole, gapless numbers, nothing hidden, all drained. Ends with 1 on the first
    broken promise and prints the command that replays it.

    Examples:  holdfast simulate --seed 7 --years 1        holdfast simulate --minutes 30
    Gift cards: holdfast simulate --plan value --registers 50 --days 1 --acts-per-hour 50
    """
    if plan and plan not in PLANS:
        raise typer.BadParameter(f"There is no plan of that name. There are: {', '.join(PLANS)}.")
    names = [plan] if plan else list(PLANS) if minutes else ["usual"]
    days = round(years * 365) or days or (MANY_SHORT_DAYS if minutes else DAYS)
    both = store is Store.BOTH or (store is None and minutes > 0)
    console = Console(soft_wrap=True)
    began, done = time.monotonic(), 0
    with contextlib.ExitStack() as stack:
        office = stack.enter_context(_postgres(console)) if both else None
        while done < max(1, runs) or time.monotonic() - began < minutes * 60:
            # The same seed under every plan, then the next one.
            number, name = divmod(done, len(names))
            chosen = PLANS[names[name]](days, registers)
            if acts_per_hour:
                chosen = msgspec.structs.replace(chosen, value_hours=1 / acts_per_hour)
            with console.status(f"seed {seed + number}, plan {chosen.name}, {done} runs done"):
                report = run(seed + number, chosen, office)
            done += 1
            _tell(console, report, time.monotonic() - began)
    console.print(f"{done} runs, every promise held.", style="green")


def _postgres(console: Console) -> contextlib.AbstractContextManager[Office]:
    from holdfast.simulation.postgres import postgres_office

    console.print("Starting PostgreSQL for the second head office")
    return postgres_office()


def _tell(console: Console, report: Report, elapsed_s: float) -> None:
    console.print(
        f"{elapsed_s:6.0f} s  seed {report.seed} {report.plan.name}: {report.events} events, "
        f"{report.entries} entries, {report.epochs} epochs, {report.forks} forks, "
        f"{report.quarantined} quarantined, {report.forgeries} forgeries, {report.purged} purged, "
        f"{report.value_acts} acts with value, {report.vouched} memos vouched for, "
        f"{report.released} locks released by policy, {report.differences} differences, "
        f"stores {report.stores}, trace {report.trace_hash[:12]}"
    )
    if not report.findings:
        return
    for finding in report.findings[:FINDINGS_SHOWN]:
        console.print(f"  {finding}", style="red")
    if len(report.findings) > FINDINGS_SHOWN:
        console.print(f"  … and {len(report.findings) - FINDINGS_SHOWN} more", style="red")
    console.print(f"Replay it with: {report.command}", style="bold")
    raise typer.Exit(1)
