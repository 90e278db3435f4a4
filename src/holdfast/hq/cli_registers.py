"""`holdfast hq register`: codes for tills, how they stand, orders, and epochs that are given up."""

import json
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from holdfast.core.refusals import Refusal
from holdfast.core.sync.commands import KINDS
from holdfast.hq.cli_parts import (
    CONSOLE,
    REFUSED,
    AsJson,
    Home,
    or_stop,
    services_of,
    spelled_for,
    stop,
    url_of,
    who_is,
)

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

    with services_of(home) as services:
        replaced = OriginId(replaces) if replaces else None
        enrolment = services.head_office.enrolment
        code = enrolment.issue_code(store, series, name=name, replaces=replaced, by=CONSOLE)
        if isinstance(code, Refusal) and code.code == "store.unknown":
            stop(f"{code.sentence} holdfast hq store add --home {home} --store {store}", REFUSED)
        text, url = spelled_for(services, or_stop(code)), url_of(services.head_office.config)
    typer.echo(text)
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

    with services_of(home) as services:
        code = or_stop(services.head_office.enrolment.issue_rekey_code(OriginId(origin), by=CONSOLE))
        text = spelled_for(services, code)
    typer.echo(text)
    typer.echo("Use it on that register's machine: holdfast register rekey --home DIR --code CODE", err=True)


ID_CHARS = 12
"""Of a code's id, as `register codes` prints it."""


@app.command("codes")
def list_codes(home: Home, as_json: AsJson = False) -> None:
    """Codes that nobody used yet: what for, and for how long. The codes themselves are nowhere."""
    from holdfast.hq.web.templating import ago, span

    with services_of(home) as services:
        found = services.head_office.enrolment.open_codes()
        now_ms = services.clock.now_ms()
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(found)))
        return
    for code in found:
        use = f"another key for {code.rekeys}" if code.rekeys else f"{code.store} {code.series} {code.name}"
        typer.echo(
            f"{code.id[:ID_CHARS]}  {use}  made {ago(code.issued_at_ms, now_ms)} by {code.issued_by or '?'}"
            f"  good for {span(code.expires_at_ms - now_ms)}"
        )
    if not found:
        typer.echo("No code waits to be used.")


@app.command("withdraw-code")
def withdraw_code(
    home: Home, code: Annotated[str, typer.Argument(help="Its id, as `register codes` prints it.")]
) -> None:
    """Take back a code that nobody used yet: lost, mistyped, or sent to the wrong shop."""
    with services_of(home) as services:
        enrolment = services.head_office.enrolment
        meant = [found.id for found in enrolment.open_codes() if found.id.startswith(code.strip().lower())]
        if len(meant) != 1 or not code.strip():
            stop("That names no one open code. List them: holdfast hq register codes", REFUSED)
        if refusal := enrolment.withdraw_code(meant[0], by=CONSOLE):
            stop(refusal.sentence, REFUSED)
    typer.echo("The code is withdrawn.")


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
        retired = "  retired" if item.is_retired else ""
        typer.echo(
            f"{item.origin}  {item.store}  {item.name}  {owing}{owed}  applied {item.applied_seq}"
            f"  last contact {ago(item.last_contact_ms, now_ms)}{retired}{blocked}"
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
        given = or_stop(book.issue(OriginId(origin), command, by=CONSOLE, arguments=arguments))
    typer.echo(f"Command {given.number}, {command}, waits for {origin}.")


By = Annotated[str, typer.Option("--by", help="Your name as an administrator; your password is asked for.")]


@app.command("retire")
def retire_register(
    home: Home,
    origin: Origin,
    by: By,
    reason: Annotated[str, typer.Option(help="Where the register is, and what happened to it.")],
) -> None:
    """Declare a register out of service that cannot say so itself: broken, stolen, given away.

    One that still runs closes its own journal: holdfast register retire --home DIR. What a register owes or
    may owe stays shown either way, until it comes or two people declare it lost.
    """
    from holdfast.core.ids import OriginId

    with services_of(home) as services:
        name = who_is(services, by)
        if refusal := services.retirements.declare(OriginId(origin), by=name, reason=reason):
            stop(refusal.sentence, REFUSED)
        register = services.head_office.fleet.register(OriginId(origin))
    typer.echo(f"{origin} is retired; its series is free.")
    if register is not None and register.owing in ("owes", "may-owe"):
        typer.echo(f"It {_OWING[register.owing]} all the same. Two people may give that up: its epochs, by")
        typer.echo(f"holdfast hq register propose-lost {origin} EPOCH --home {home} --by NAME --reason …")


@app.command("take-back")
def take_back(home: Home, origin: Origin, by: By) -> None:
    """Put a register back into service that was declared retired, while its series is free."""
    from holdfast.core.ids import OriginId

    with services_of(home) as services:
        who_is(services, by)
        if refusal := services.retirements.take_back(OriginId(origin)):
            stop(refusal.sentence, REFUSED)
    typer.echo(f"{origin} is in service again.")


Epoch = Annotated[str, typer.Argument(help="Id of its epoch, as the register's page shows it.")]


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
        given = or_stop(book.issue(of, "resend_from", by=CONSOLE, arguments=arguments))
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
