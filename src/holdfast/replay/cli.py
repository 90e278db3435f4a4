"""`holdfast replay`: a history file through registers, with a bar while it runs and a summary after."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from holdfast.core.faults import ConfigurationFault
from holdfast.infra.config import RegisterHome
from holdfast.replay.columns import OPTIONAL, Columns, Reading
from holdfast.replay.crew import Member
from holdfast.replay.history import History, read_history
from holdfast.replay.homes import enrol, issue_code, names, read_codes
from holdfast.replay.outage import KINDS, Weather, weather_of
from holdfast.replay.run import Plan, Result, replay

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

BAD_ROWS_SHOWN = 20
_FIELDS = ", ".join(Columns.__struct_fields__)
_READING = Reading()


@app.command()
def command(
    file: Annotated[Path, typer.Argument(help="The history: .csv, .csv.gz or .csv.xz.")],
    hq: Annotated[str, typer.Option(help="Head office's URL.")],
    homes: Annotated[Path, typer.Option(help="Folder of the registers' homes: R01, R02, …")] = Path("tills"),
    registers: Annotated[int, typer.Option(help="How many registers share the invoices.")] = 8,
    codes: Annotated[
        Path | None, typer.Option(help="File with lines `R01 CODE`, to enrol registers that are missing.")
    ] = None,
    hq_home: Annotated[
        Path | None, typer.Option(help="Head office's home on this machine, to have codes made there.")
    ] = None,
    store: Annotated[str, typer.Option(help="Store of registers enrolled through --hq-home.")] = "S01",
    wait: Annotated[float, typer.Option(help="Seconds to wait until head office has all; 0: do not.")] = 0.0,
    outage: Annotated[
        str, typer.Option(help=f"Spoil the lines: any of {', '.join(KINDS)}, joined by commas; or all.")
    ] = "",
    seed: Annotated[int, typer.Option(help="What the spoiled lines do follows from it.")] = 1,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out invoices with bad rows instead of stopping.")
    ] = False,
    json_summary: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    column: Annotated[
        list[str],
        typer.Option(help=f"FIELD=HEADER, where headers differ; FIELD= for none. Fields: {_FIELDS}."),
    ] = [],  # noqa: B006 (typer copies it)
    time_format: Annotated[str, typer.Option(help="As strptime takes it.")] = _READING.time_format,
    timezone: Annotated[str, typer.Option(help="IANA zone of the file's times.")] = _READING.timezone,
    cancelled_prefix: Annotated[
        str, typer.Option(help="Invoices whose number begins so are returns.")
    ] = _READING.cancelled_prefix,
    adjusted_prefix: Annotated[
        str, typer.Option(help="Invoices whose number begins so adjust accounts.")
    ] = _READING.adjusted_prefix,
) -> None:
    """Take a retailer's history through real registers, each invoice always through the same one.

    Run it again at any time: what a register holds is passed over, and what its disk lost is entered anew.

    Example:  holdfast replay history.csv.xz --registers 8 --hq http://127.0.0.1:8460 --hq-home hq --wait 600
    """
    console = Console(stderr=json_summary)
    weather = _weather(outage)
    reading = Reading(
        columns=_columns(column),
        time_format=time_format,
        timezone=timezone,
        cancelled_prefix=cancelled_prefix,
        adjusted_prefix=adjusted_prefix,
    )
    with console.status(f"Reading {file.name}"):
        history = read_history(file, reading)
    _report_bad(console, history, skip_bad)
    with console.status("Enrolling registers"):
        found = _homes(homes, registers, hq, codes, hq_home, store)
    plan = Plan(homes=found, head_office_url=hq.rstrip("/"), wait_s=wait, weather=weather, seed=seed)
    result = _replay_with_bar(console, history, plan)
    _summarise(console, result)
    if json_summary:
        typer.echo(msgspec.json.encode(result).decode())
    raise typer.Exit(0 if result.is_complete else 1)


def _columns(given: list[str]) -> Columns:
    columns = Columns()
    for text in given:
        field, separator, header = text.partition("=")
        if field not in Columns.__struct_fields__ or not separator:
            raise ConfigurationFault(f"--column {text}: write FIELD=HEADER; fields are {_FIELDS}.")
        if not header and field not in OPTIONAL:
            raise ConfigurationFault(f"--column {text}: a history without {field} cannot be entered.")
        columns = msgspec.structs.replace(columns, **{field: header})
    return columns


def _weather(outage: str) -> Weather:
    kinds = list(KINDS) if outage == "all" else [kind for kind in outage.split(",") if kind]
    try:
        return weather_of(kinds)
    except KeyError as error:
        known = ", ".join(KINDS)
        raise ConfigurationFault(f"--outage {error.args[0]}: not known. Known are {known}; or all.") from None


def _report_bad(console: Console, history: History, skip_bad: bool) -> None:
    for bad in history.bad[:BAD_ROWS_SHOWN]:
        console.print(f"line {bad.line}, {bad.column or 'row'}: {bad.reason}", style="yellow", markup=False)
    if len(history.bad) > BAD_ROWS_SHOWN:
        console.print(f"… and {len(history.bad) - BAD_ROWS_SHOWN} more bad rows", style="yellow")
    if history.bad and not skip_bad:
        raise ConfigurationFault(
            f"{len(history.bad)} rows cannot be entered, so nothing was. Put them right, or leave their "
            "invoices out with --skip-bad."
        )


def _homes(
    folder: Path, registers: int, hq: str, codes: Path | None, hq_home: Path | None, store: str
) -> dict[str, RegisterHome]:
    found = {name: RegisterHome(folder / name) for name in names(registers)}
    given = read_codes(codes) if codes is not None else {}
    for name, home in found.items():
        if home.config.exists():
            continue
        code = given.get(name)
        if code is None and hq_home is not None:
            code = issue_code(hq_home, store, name)
        if code is None:
            raise ConfigurationFault(
                f"{home.path} is no register yet, and there is no code to enrol it with. Name a file of "
                "codes by --codes, or head office's home by --hq-home."
            )
        folder.mkdir(parents=True, exist_ok=True)
        enrol(home, hq, code)
    return found


def _replay_with_bar(console: Console, history: History, plan: Plan) -> Result:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console) as bar:
        entering = bar.add_task("Entering", total=len(history.documents))

        def tell(members: Sequence[Member]) -> None:
            entered = sum(member.progress.entered for member in members)
            owed = sum(member.progress.owed for member in members)
            what = "Draining" if entered == len(history.documents) else "Entering"
            bar.update(entering, completed=entered, description=f"{what}, {owed} entries owed")

        return replay(history.documents, plan, tell)


def _summarise(console: Console, result: Result) -> None:
    table = Table(title="Replay")
    for name in ("register", "documents", "recorded", "known", "refused", "owed entries", "starts"):
        table.add_column(name, justify="left" if name == "register" else "right")
    for one in result.registers:
        counts = (one.documents, one.recorded, one.known, one.refusals, one.owed, one.starts)
        table.add_row(one.name, *map(str, counts))
    console.print(table)
    rate = result.recorded / result.elapsed_s
    console.print(f"{result.recorded} documents in {result.elapsed_s:.1f} s, {rate:.0f} a second.")
    if result.line:
        console.print("The line: " + ", ".join(f"{count} {fate}" for fate, count in result.line.items()))
    for one in result.registers:
        for refused in one.refused:
            console.print(f"{one.name} refused {refused}", style="yellow", markup=False)
        if one.failure:
            console.print(f"{one.name}: {one.failure}", style="red", markup=False)
    if not result.is_complete:
        console.print("Not all of it arrived. Run the same command again: it goes on where it was.")
