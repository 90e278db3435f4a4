"""`holdfast hq parameter`: what is set for the tills, setting and ending it, who runs which version (GC8)."""

import json
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from holdfast.hq.cli_parts import CONSOLE, REFUSED, AsJson, Home, or_stop, services_of, stop

if TYPE_CHECKING:
    from holdfast.core.parameters import Change
    from holdfast.hq.parameters.drafts import Typed
    from holdfast.hq.web.services import Services

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="What tills may do, and how: set for the chain, a store group, a store or a register.",
)

Name = Annotated[str, typer.Argument(help="The parameter, as `parameter list` prints it.")]
Store = Annotated[str, typer.Option("--store", help="For this store alone.")]
Group = Annotated[str, typer.Option("--group", help="For the stores of this group.")]
Series = Annotated[str, typer.Option("--register", help="For this register alone, by its series: R01.")]
From = Annotated[
    str, typer.Option("--from", help="Business date from which on it counts: 2027-01-01. Else at once.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]
Preview = Annotated[
    bool, typer.Option("--preview", help="Say which registers it touches, and change nothing.")
]


@app.command("list")
def list_parameters(
    home: Home,
    name: Annotated[
        str, typer.Argument(help="One parameter, with its history; all where none is given.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List parameters, what is set for whom, and which registers do not run the newest version yet."""
    from holdfast.core.parameters import PARAMETERS, parameter_named
    from holdfast.hq.web.parameters.view import held_of, reach_now, reach_text

    wanted = [or_stop(parameter_named(name))] if name else list(PARAMETERS)
    with services_of(home) as services:
        book, reach = services.head_office.parameters, reach_now(services)
        rows, today = book.rows(), book.today()
        said = reach_text(reach, services.zone, services.clock.now_ms())
        history = book.history(name) if name else []
    if as_json:
        found = {
            "version": reach.version,
            "set": {key: msgspec.to_builtins(row) for key, row in rows.items()},
            "registers": reach.registers,
            "current": reach.current,
            "behind": [
                {"origin": each.register.origin, "version": each.version, "since_ms": each.since_ms}
                for each in reach.behind
            ],
        }
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for parameter in wanted:
        typer.echo(f"{parameter.name}  (default {parameter.default})")
        for each in held_of(rows, parameter.name, {}, today):
            since = f" from {each.valid_from}" if each.valid_from else ""
            over = ", over" if each.is_over else ""
            typer.echo(f"    {each.who}: {each.value or 'nothing set'}{since}{over}")
    for change in history:
        typer.echo(f"    change {change.number}, version {change.version}: {_told(change)}")
    typer.echo(said)


@app.command("set")
def set_parameter(
    home: Home,
    name: Name,
    value: Annotated[str, typer.Argument(help="The value; the lines of a text stand between bars.")],
    reason: Reason = "",
    store: Store = "",
    group: Group = "",
    register: Series = "",
    valid_from: From = "",
    preview: Preview = False,
) -> None:
    """Set a parameter. Connected registers have it within seconds; nothing is started again.

    Without --store, --group or --register it is for the whole chain. At a register the narrowest counts.

    Example:  holdfast hq parameter set offline.gift-cards yes --home hq --store S01 --reason "Pilot"
    """
    _make(home, _typed(name, "set", value, store, group, register, valid_from, reason), preview=preview)


@app.command("unset")
def unset_parameter(
    home: Home,
    name: Name,
    reason: Reason = "",
    store: Store = "",
    group: Group = "",
    register: Series = "",
    valid_from: From = "",
    preview: Preview = False,
) -> None:
    """End what is set, so that the wider scope, or the default, counts again. The history stays."""
    _make(home, _typed(name, "end", "", store, group, register, valid_from, reason), preview=preview)


@app.command("undo")
def undo_change(
    home: Home,
    number: Annotated[int, typer.Argument(help="The change, as `parameter list NAME` prints it.", min=1)],
    reason: Reason = "",
) -> None:
    """Take one change back, as though it had never been made; both stay in the history."""
    with services_of(home) as services:
        made = or_stop(services.head_office.parameters.undo(number, by=CONSOLE, reason=reason))
        _say_made(services, made)


def _typed(
    name: str, act: str, value: str, store: str, group: str, register: str, valid_from: str, reason: str
) -> "Typed":
    from holdfast.hq.parameters.drafts import Typed

    given = [
        (kind, code) for kind, code in (("store", store), ("group", group), ("register", register)) if code
    ]
    if len(given) > 1:
        raise typer.BadParameter("Give one of --store, --group and --register.", param_hint="--store")
    kind, code = given[0] if given else ("chain", "")
    return Typed(
        name=name, act=act, value=value, kind=kind, code=code, valid_from=valid_from, reason=reason
    )  # fmt: skip


def _make(home: Home, typed: "Typed", *, preview: bool) -> None:
    from holdfast.hq.parameters.drafts import Wrong, read_draft

    draft = read_draft(typed)
    if isinstance(draft, Wrong):
        stop(draft.refusal.sentence, REFUSED)
    with services_of(home) as services:
        book = services.head_office.parameters
        found = or_stop(book.preview(draft))
        typer.echo(
            f"Of {found.registers:,} registers that it reaches, {found.touched:,} go by another value then; "
            f"{found.kept:,} keep what is set for them more narrowly."
        )
        if preview:
            typer.echo("Nothing was changed.")
            return
        _say_made(services, or_stop(book.make(draft, by=CONSOLE, reason=typed.reason, seen=found.seen)))


def _say_made(services: "Services", made: "Change") -> None:
    typer.echo(f"Change {made.number}, version {made.version}. Registers in touch have it within seconds.")
    typer.echo(f"To take it back: holdfast hq parameter undo {made.number}")


def _told(change: "Change") -> str:
    from holdfast.core.parameters import value_text
    from holdfast.hq.web.parameters.view import scope_text

    what = "ended" if change.value is None else value_text(change.value)
    what = what if change.undoes is None else f"undid change {change.undoes}"
    since = "" if change.is_at_once or change.undoes else f" from {change.valid_from}"
    return f"{scope_text(change.scope)}: {what}{since}, by {change.by or 'nobody known'}: {change.reason}"
