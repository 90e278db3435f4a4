"""`holdfast hq register`: codes for tills, how they stand, orders, and epochs that are given up."""

import json
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from holdfast.core.refusals import Refusal
from holdfast.core.sync.commands import KINDS
from holdfast.hq.cli_parts import REFUSED, AsJson, Home, or_stop, pin_of, services_of, stop, url_of, who_is

if TYPE_CHECKING:
    from holdfast.core.ids import EpochId, OriginId

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Tills: codes to enrol them, and how they stand.",
)


@app.command("add")
def add_register(
    home: Home,
    store: Annotated[str, typer.Option("--store", help="Code of its store.")],
    series: Annotated[str, typer.Option(help="Prefix of its document numbers, unique in the chain: R01.")],
    name: Annotated[str, typer.Option(help="What people call it; the series by default.")] = "",
    replaces: Annotated[str, typer.Option(help="Id of the register whose series it goes on in.")] = "",
) -> None:
    """Print a code that makes one machine a register. It works once, within a week.

    On that machine: holdfast register init --home DIR --hq URL --code CODE

    A till that is lost or broken goes on in its series on another machine: give the id that
    `holdfast hq register list` shows for it as --replaces.
    """
    from holdfast.core.ids import OriginId
    from holdfast.core.sync.enrolment import CodeText, spell_code

    with services_of(home) as services:
        replaced = OriginId(replaces) if replaces else None
        code = services.head_office.enrolment.issue_code(store, series, name=name, replaces=replaced)
        if isinstance(code, Refusal) and code.code == "store.unknown":
            stop(f"{code.sentence} holdfast hq store add --home {home} --store {store}", REFUSED)
        code = or_stop(code)
        url, pin = url_of(services.head_office.config), pin_of(services)
    typer.echo(spell_code(CodeText(code, pin)))
    typer.echo(
        f"Use it on the register's machine: holdfast register init --home DIR --hq {url} --code CODE",
        err=True,
    )


@app.command("rekey")
def rekey_register(
    home: Home,
    origin: Annotated[str, typer.Argument(help="Id of the register, as `register list` prints it.")],
) -> None:
    """Print a code that gives a register another key: its own is lost, or refused here.

    It stays the same register, with its series and its unsent sales; its former keys are not taken any more
    once the code was used. On its machine: holdfast register rekey --home DIR --code CODE
    """
    from holdfast.core.ids import OriginId
    from holdfast.core.sync.enrolment import CodeText, spell_code

    with services_of(home) as services:
        code = or_stop(services.head_office.enrolment.issue_rekey_code(OriginId(origin)))
        pin = pin_of(services)
    typer.echo(spell_code(CodeText(code, pin)))
    typer.echo("Use it on that register's machine: holdfast register rekey --home DIR --code CODE", err=True)


_OWING = {"nothing": "owes nothing", "owes": "owes", "may-owe": "may owe", "complete": "complete"}


@app.command("list")
def list_registers(home: Home, as_json: AsJson = False) -> None:
    """What head office has of each register, and what it does not."""
    from holdfast.hq.web.templating import ago, money

    with services_of(home) as services:
        found = services.head_office.fleet.registers()
        now_ms = services.clock.now_ms()
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(found)))
        return
    for item in found:
        owing = _OWING[item.owing]
        owed = f" {item.owed_count} ({money(item.owed_minor, item.currency)})" if item.owed_count else ""
        blocked = f"  blocked: {item.blocked_code}" if item.blocked_code else ""
        typer.echo(
            f"{item.origin}  {item.store}  {item.name}  {owing}{owed}  applied {item.applied_seq}"
            f"  last contact {ago(item.last_contact_ms, now_ms)}{blocked}"
        )
    if not found:
        typer.echo("No register is enrolled yet.")
        typer.echo(f"Next: holdfast hq register add --home {home} --store S1 --series R01")


Origin = Annotated[str, typer.Argument(help="Id of the register, as `register list` prints it.")]


@app.command("order")
def order(
    home: Home,
    origin: Origin,
    command: Annotated[str, typer.Argument(help=f"One of: {', '.join(KINDS)}.")],
    keep_days: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="For purge: days whose documents stay.")
    ] = None,
) -> None:
    """Give a register a command. It leaves when the register asks next, within half a minute of contact.

    Only what is safe in a verified backup is ever purged. The register's page shows the outcome.
    """
    from holdfast.core.ids import OriginId

    if keep_days is not None and command != "purge":
        raise typer.BadParameter("only a purge keeps days", param_hint="--keep-days")
    arguments = {} if keep_days is None else {"keep_days": str(keep_days)}
    with services_of(home) as services:
        book = services.head_office.command_book
        given = or_stop(book.issue(OriginId(origin), command, by="console", arguments=arguments))
    typer.echo(f"Command {given.number}, {command}, waits for {origin}.")


Epoch = Annotated[str, typer.Argument(help="Id of its epoch, as the register's page shows it.")]
By = Annotated[str, typer.Option("--by", help="Your name as an administrator; your password is asked for.")]


@app.command("resend")
def resend(
    home: Home,
    origin: Origin,
    epoch: Epoch,
    from_seq: Annotated[int, typer.Option("--from", help="Number of the first entry.", min=1)] = 1,
) -> None:
    """Have a register send an epoch's entries again although they are here. Nothing counts twice.

    It is done at the register's next contact; its outcome, with counts, stands on the register's page.
    """
    with services_of(home) as services:
        book, (of, named) = services.head_office.command_book, _epoch(origin, epoch)
        arguments = {"epoch": str(named), "seq": str(from_seq)}
        given = or_stop(book.issue(of, "resend_from", by="command line", arguments=arguments))
    typer.echo(f"Command {given.number} waits for {origin}.")


@app.command("propose-lost")
def propose_lost(
    home: Home,
    origin: Origin,
    epoch: Epoch,
    by: By,
    reason: Annotated[str, typer.Option(help="What happened to the register or its disk.")],
) -> None:
    """Propose to give up what an epoch may still owe. Another administrator must confirm it.

    Then nobody waits for it any more. Should its sales arrive all the same, they are taken in.
    """
    with services_of(home) as services:
        name, of = who_is(services, by), _epoch(origin, epoch)
        or_stop(services.head_office.lost.propose(*of, by=name, reason=reason))
    typer.echo(f"Proposed by {name}. Next, by another administrator:")
    typer.echo(f"holdfast hq register confirm-lost {origin} {epoch} --home {home} --by NAME")


@app.command("confirm-lost")
def confirm_lost(home: Home, origin: Origin, epoch: Epoch, by: By) -> None:
    """Confirm what another administrator proposed: the epoch is declared lost."""
    with services_of(home) as services:
        name = who_is(services, by)
        or_stop(services.head_office.lost.confirm(*_epoch(origin, epoch), by=name))
    typer.echo(f"Epoch {epoch} of {origin} is declared lost; {name} confirmed it.")


@app.command("withdraw-lost")
def withdraw_lost(home: Home, origin: Origin, epoch: Epoch, by: By) -> None:
    """Take a proposal back that nobody confirmed yet."""
    with services_of(home) as services:
        name = who_is(services, by)
        or_stop(services.head_office.lost.withdraw(*_epoch(origin, epoch), by=name))
    typer.echo("The proposal is withdrawn.")


def _epoch(origin: str, epoch: str) -> "tuple[OriginId, EpochId]":
    from holdfast.core.ids import EpochId, OriginId

    return OriginId(origin), EpochId(epoch)
