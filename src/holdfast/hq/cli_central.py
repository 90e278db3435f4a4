"""`holdfast hq gift-cards`, `locks`, `central`: prepared cards, locks, and the proof (GC1, GC9, GC11)."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from holdfast.core.refusals import Refusal
from holdfast.hq.cli_parts import CONSOLE, DIFFERENT, REFUSED, AsJson, Home, or_stop, say, services_of, stop

cards = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Gift cards that are prepared before a till sells them.",
)
locks = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Gift cards, memos and accounts that a transaction of a register holds.",
)
central = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="The ledger of gift cards, memos, points and credit.",
)

Store = Annotated[str, typer.Option("--store", help="Of this store's registers alone.")]


@cards.command("make")
def make_cards(
    home: Home,
    count: Annotated[int, typer.Option("--count", help="How many cards, up to 100,000.", min=1)],
    out: Annotated[Path, typer.Option("--out", help="File to write, which must not be there yet.")],
    currency: Annotated[str, typer.Option(help="Of these cards, ISO 4217; else that of the stores.")] = "",
    pin: Annotated[bool, typer.Option("--pin", help="Give each card a PIN of four digits.")] = False,
) -> None:
    """Draw numbers for new gift cards. The file alone has them in full: head office cannot tell them again.

    Hand the file to whoever prints the cards, then destroy it. A card is worth nothing until a till sells it.

    Example:  holdfast hq gift-cards make --home hq --count 500 --pin --out cards.csv
    """
    with services_of(home) as services:
        book = services.head_office.cards
        wanted = currency.upper() or _currency_of_stores(
            {each.currency for each in services.head_office.enrolment.stores()}
        )
        written: list[Path] = []

        def keep(data: bytes) -> None:
            _write_new(out, data)
            written.append(out)

        made = book.make(count, wanted, keep, with_pins=pin, by=CONSOLE, progress=_say_cards)
        if isinstance(made, Refusal):
            for path in written:
                path.unlink()
            stop(made.sentence, REFUSED)
    typer.echo(f"{out}: {made.cards:,} gift cards in {made.currency}, batch {made.batch}.")
    typer.echo("The numbers stand in this file alone. Once the cards are printed, destroy it.")


@cards.command("load")
def load_cards(
    home: Home,
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8: number, currency, and perhaps pin.")],
) -> None:
    """Take numbers of gift cards that were made elsewhere: all rows, or none.

    A number has 18 digits with its check digits, as `make` draws them. Each bad row is named by its line.
    """
    from holdfast.hq.central.cards import BadFile

    try:
        data = file.read_bytes()
    except OSError as error:
        stop(f"{file} cannot be read ({error.strerror}).", REFUSED)
    with services_of(home) as services:
        loaded = or_stop(services.head_office.cards.load(data, by=CONSOLE, progress=_say_cards))
    if isinstance(loaded, BadFile):
        for row in loaded.bad:
            column = f", column {row.column}" if row.column else ""
            typer.echo(f"{file}, line {row.line}{column}: {row.reason}", err=True)
        stop(f"Nothing was taken: {loaded.bad_rows:,} of {loaded.rows:,} rows are bad.", REFUSED)
    typer.echo(f"{loaded.cards:,} gift cards in {loaded.currency} are prepared, batch {loaded.batch}.")


@locks.command("list")
def list_locks(home: Home, store: Store = "", as_json: AsJson = False) -> None:
    """List what is locked: by which register, for how long, and what the policy makes of it."""
    with services_of(home) as services:
        found, now_ms = services.head_office.locks.locks(store), services.clock.now_ms()
        unfinished = services.head_office.locks.unfinished(store)
    if as_json:
        rows = [
            {
                "key": each.lock.key, "kind": each.lock.kind, "account": each.lock.account,
                "store": each.lock.store, "origin": each.lock.origin, "transaction": each.lock.transaction,
                "since_ms": each.lock.since_ms, "verdict": each.verdict.name.lower(),
            }
            for each in found
        ]  # fmt: skip
        typer.echo(json.dumps({"locks": rows, "unfinished": [each._asdict() for each in unfinished]}))
        return
    for each in found:
        age_min = (now_ms - each.lock.since_ms) // 60_000
        typer.echo(
            f"{each.lock.key}  {each.lock.words}, {each.lock.register} ({each.lock.store}), {age_min} min"
        )
        typer.echo(f"    {each.verdict}")
    for ask in unfinished:
        typer.echo(
            f"asked and not known: {ask.key}  {ask.register} ({ask.store}), transaction {ask.transaction}"
        )
    if not found:
        typer.echo("Nothing is locked.")


@locks.command("release")
def release_lock(
    home: Home,
    key: Annotated[str, typer.Argument(help="The lock, as `locks list` prints it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with your name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it is only said what can happen.")] = False,
) -> None:
    """Release a lock whose register does not come back; without --yes it only says what can happen.

    Example:  holdfast hq locks release KEY --home hq --reason "R03 was stolen" --yes
    """
    with services_of(home) as services:
        book = services.head_office.locks
        standing = book.one(key)
        if standing is None:
            stop("This lock has ended, or there is none of that key. Nothing was changed.", REFUSED)
        typer.echo(standing.warning)
        if not yes:
            typer.echo("Nothing was changed. To release it, add --yes.")
            return
        lock = or_stop(book.release(key, by=CONSOLE, reason=reason))
    typer.echo(f"Released: {lock.words}, which {lock.register} held.")


@central.command("check")
def check_central(home: Home, as_json: AsJson = False) -> None:
    """Prove that each balance is the sum of its movements, and that each movement comes to nothing.

    Ends with 10 where anything does not add up. Registers may go on meanwhile; nothing is changed.
    """
    with services_of(home) as services:
        proof = services.head_office.proof
        run = proof.run(lambda done: say(f"{done:,} accounts", None))
        if run is None:
            stop("Another process is proving it now. Try again in a minute.", REFUSED)
        sums = proof.sums(run.id)
    if as_json:
        typer.echo(json.dumps({**run._asdict(), "sums": [each._asdict() for each in sums]}))
    else:
        for each in sums:
            unit = f"{each.kind} {each.currency}".strip()
            typer.echo(
                f"{unit}: balances {each.balance:,}, booked {each.booked:,}, "
                f"counter {each.counter:,}, difference {each.difference:,}"
            )
        typer.echo(run.first_faults or "Everything adds up.")
        typer.echo(f"{run.accounts:,} accounts, {run.movements:,} movements, {run.faults:,} faults.")
    if run.faults:
        raise typer.Exit(DIFFERENT)


def _currency_of_stores(found: set[str]) -> str:
    if len(found) != 1:
        there = f"The stores have {', '.join(sorted(found))}." if found else "There is no store yet."
        stop(f"Say which currency the cards have, by --currency. {there}", REFUSED)
    return found.pop()


def _write_new(path: Path, data: bytes) -> None:
    """On disk when this returns, readable by its owner alone; a file that is there is left as it is."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        stop(f"{path} is there already. Give another name: numbers are never written over.", REFUSED)
    except OSError as error:
        stop(f"{path} cannot be written ({error.strerror}).", REFUSED)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _say_cards(done: int, cards_in_all: int) -> None:
    if cards_in_all > 1_000:
        say(f"{done:,} of {cards_in_all:,} cards", None)
