"""`holdfast demo`: a small chain on this machine, to be tried by hand."""

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from holdfast.demo.chain import Chain

app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
PORTS_TRIED_MAX = 50


@app.command()
def demo(
    port: Annotated[
        int,
        typer.Option(help="Port of the page with the lines' switches.", metavar="PORT", min=1, max=65_000),
    ] = 8000,
    keep: Annotated[
        Path | None, typer.Option(help="Folder to keep the chain in; run again with it, it goes on.")
    ] = None,
) -> None:
    """Start a head office, two registers, and a page from which their lines can be cut.

    Sell on a register, cut its line, go on selling, mend the line, and see head office catch up. Ctrl-C ends
    everything; without --keep nothing is left.
    """
    from holdfast.demo.board import create_board
    from holdfast.demo.chain import Chain, scratch_folder
    from holdfast.infra.logs import configure_logs
    from holdfast.infra.web import Wakeups, serve

    configure_logs(level="warning")
    _need_port(port)
    folder_of = contextlib.nullcontext(keep.absolute()) if keep else scratch_folder()
    with folder_of as folder, Chain(folder, ports=_Ports(port), say=_step, with_purse=True) as chain:
        serve(
            create_board(chain),
            host="127.0.0.1",
            port=port,
            wakeups=Wakeups(),
            on_ready=lambda url: _welcome(url, chain),
        )
        _step("Stopping")


def _need_port(port: int) -> None:
    """ConfigurationFault where another program, an earlier demo perhaps, listens there."""
    from holdfast.core.faults import ConfigurationFault
    from holdfast.infra.config import probe_port

    try:
        probe_port("127.0.0.1", port)
    except ConfigurationFault as fault:
        raise ConfigurationFault(
            f"Port {port} of this machine is taken; does a demo run already? "
            f"Choose another: holdfast demo --port {port + 100}"
        ) from fault


class _Ports:
    """The free ports behind the page's own, so that a second demo finds others."""

    def __init__(self, port: int) -> None:
        self._last = port

    def __call__(self) -> int:
        from holdfast.core.faults import ConfigurationFault
        from holdfast.infra.config import probe_port

        for _ in range(PORTS_TRIED_MAX):
            self._last += 1
            try:
                probe_port("127.0.0.1", self._last)
            except ConfigurationFault:
                continue
            return self._last
        raise ConfigurationFault(
            f"None of {PORTS_TRIED_MAX} ports up to {self._last} is free. Choose another --port."
        )


def _step(sentence: str) -> None:
    typer.secho(f"{sentence} …", dim=True)


def _welcome(url: str, chain: "Chain") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_row("Begin here", f"{url}  (a switch for each line)")
    for name, place in chain.registers.items():
        table.add_row(f"Register {name}", place.url)
    table.add_row("Head office", chain.head_office.url)
    table.add_row("Staff", "1 with PIN 1111 (cashier), 9 with PIN 9999 (manager)")
    table.add_row("Stop", f"Ctrl-C (process {os.getpid()})")
    Console().print(table)
    # Not in the table: a link that is cut is of no use.
    typer.echo(f"  First sign-in at head office, works once: {chain.sign_in_url}")
