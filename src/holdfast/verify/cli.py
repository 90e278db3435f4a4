"""`holdfast verify`: what differs in the homes that are named; nothing is changed."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def command(
    home: Annotated[
        list[Path], typer.Option("--home", help="Folder of a register or of a head office; may be repeated.")
    ],
) -> None:
    """Walk every chain and signature, and compare what is kept with a fresh fold of the journal.

    Registers may sell and head office may be served meanwhile. Ends with 1 where anything differs.

    Example:  holdfast verify --home hq --home tills/R01
    """
    from holdfast.core.faults import Fault
    from holdfast.verify.homes import verify_home

    console = Console(soft_wrap=True)
    differing, stopped = 0, None
    for folder in home:
        try:
            with console.status(f"Verifying {folder.name}"):
                report = verify_home(folder.absolute())
        except Fault as fault:
            if len(home) == 1:
                raise
            console.print(f"{folder}: not verified. {fault.sentence}", style="red", markup=False)
            stopped = stopped or fault
            continue
        differing += len(report.findings)
        verdict = f"{len(report.findings)} differ" if report.findings else "in order"
        console.print(f"{folder}: {report.looked_at}: {verdict}.", markup=False, highlight=False)
        for finding in report.findings:
            console.print(f"  {finding.code}: {finding.sentence}", style="red", markup=False)
    if differing:
        console.print("Keep a copy of these folders as they are, and call support.")
    if stopped is not None:
        raise stopped  # its sentence once more, at the end, and its exit code
    raise typer.Exit(1 if differing else 0)
