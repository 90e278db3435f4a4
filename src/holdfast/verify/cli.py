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
    from holdfast.verify.homes import verify_home

    console = Console(soft_wrap=True)
    differing = 0
    for folder in home:
        with console.status(f"Verifying {folder.name}"):
            report = verify_home(folder.absolute())
        differing += len(report.findings)
        verdict = f"{len(report.findings)} differ" if report.findings else "in order"
        console.print(f"{folder}: {report.looked_at}: {verdict}.", markup=False, highlight=False)
        for finding in report.findings:
            console.print(f"  {finding.code}: {finding.sentence}", style="red", markup=False)
    if differing:
        console.print("Keep a copy of these folders as they are, and call support.")
    raise typer.Exit(1 if differing else 0)
