"""`holdfast hq stock`: a store set to zero, a transfer ended, and the proof that all agree (ST2, ST3)."""

import json
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from holdfast.hq.cli_parts import DIFFERENT, REFUSED, AsJson, Home, or_stop, services_of, stop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.core.stock.services import RegisterOwing

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Stock: set a store to zero, reconcile it, end a transfer.",
)

Store = Annotated[str, typer.Option("--store", help="Code of the store.")]
Reason = Annotated[str, typer.Option(help="Why; kept for the auditor.")]
Reference = Annotated[
    str, typer.Option(help="As the preview printed it: done twice under it, it is done once.")
]
By = Annotated[str, typer.Option(help="Who does it.")]


@app.command("zero")
def zero(
    home: Home,
    store: Store,
    reason: Reason = "",
    confirm: Annotated[
        str, typer.Option(help="The store's code again. Without it nothing is changed, and the figures told.")
    ] = "",
    reference: Reference = "",
    by: By = "admin",
) -> None:
    """Set every product of a store to zero, positive and negative ones, as dated movements.

    A sale from before that arrives later is netted, and leaves zero. Without --confirm it only tells what
    it would do, and which registers still owe.

    Example:  holdfast hq stock zero --home hq --store S01 --reason "Moved out" --confirm S01
    """
    with services_of(home) as services:
        book = services.head_office.zero
        preview = or_stop(book.preview(store))
        _tell_owing(preview.owing, ": what it brings is netted")
        if not confirm:
            typer.echo(
                f"{preview.above} products above zero (sum {_pieces(preview.above_milli)}) and "
                f"{preview.below} below (sum {_pieces(preview.below_milli)}) would be set to zero. "
                "Nothing was changed."
            )
            typer.echo(f"To do it: --confirm {store} --reference {preview.reference} --reason …")
            return
        done = or_stop(book.set(store, reference or preview.reference, confirm, reason, by))
    typer.echo(
        f"{store} was set to zero: {done.products} products, {_pieces(done.taken_milli)} taken off and "
        f"{_pieces(done.added_milli)} added, under the reference {done.reference}."
    )


@app.command("end-transfer")
def end_transfer(
    home: Home,
    transfer: Annotated[str, typer.Option("--transfer", help="Number of the transfer.")],
    reason: Reason = "",
    confirm: Annotated[
        str, typer.Option(help="The number again. Without it nothing is changed, and what is left is told.")
    ] = "",
    reference: Reference = "",
    by: By = "admin",
) -> None:
    """Write off what is on its way still of a transfer, and put right what came to another store.

    What lies in the stores stays as it is. Without --confirm it only tells what it would do.

    Example:  holdfast hq stock end-transfer --home hq --transfer R01-8KQ2M-000041
    """
    with services_of(home) as services:
        book = services.head_office.transfers
        ending = or_stop(book.preview(transfer))
        _tell_owing(ending.owing)
        if not confirm:
            for line in ending.lines:
                for each in line.left:
                    done = "put right" if each.left_milli < 0 else "written off"
                    typer.echo(f"{line.sku} to {each.store}: {_pieces(abs(each.left_milli))} {done}")
            typer.echo(
                f"To do it: --confirm {transfer} --reference {ending.reference} --reason …"
                if ending.lines
                else f"Nothing of {transfer} is on its way."
            )
            return
        ended = or_stop(book.end(transfer, reference or ending.reference, confirm, reason, by))
    lines = f"{len(ended.lines)} line{'' if len(ended.lines) == 1 else 's'}"
    typer.echo(f"{transfer} was ended: {lines}, under the reference {ended.reference}.")


@app.command("reconcile")
def reconcile(home: Home, store: Store, as_json: AsJson = False) -> None:
    """Hold registers, store and head office against each other; exit code 3 where they differ."""
    from holdfast.hq.stock.owing import owing_by_store
    from holdfast.hq.stock.reconcile import reconcile as prove
    from holdfast.hq.stock.views import stores

    with services_of(home) as services:
        if store not in dict(stores(services.pool)):
            stop(f"Head office knows no store {store}.", REFUSED)
        owing = {str(of): rows for of, rows in owing_by_store(services.head_office.fleet.registers()).items()}
        found = prove(services.pool, store, owing.get(store, ()))
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(found)))
    else:
        for each in found.registers:
            typer.echo(f"{each.name}: {each.proof}{f', as of entry {each.seq}' if each.seq else ''}")
            for entry in each.entries:
                typer.echo(f"    entry {entry.seq} took no effect: {entry.why}")
        for difference in found.differences:
            typer.echo(
                f"{difference.sku}: the figure is {_pieces(difference.level_milli)}, its movements come to "
                f"{_pieces(difference.moved_milli)}"
            )
        _tell_owing(found.owing)
    if not found.agrees:
        raise typer.Exit(DIFFERENT)


def _tell_owing(owing: "Iterable[RegisterOwing]", and_then: str = "") -> None:
    for each in owing:
        typer.echo(f"{each.name} {f'owes {each.count}' if each.count else 'may owe'}{and_then}.")


def _pieces(milli: int) -> str:
    return str(milli // 1_000) if milli % 1_000 == 0 else f"{milli / 1_000:.3f}"
