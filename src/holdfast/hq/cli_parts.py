"""What the commands of head office share: an open head office, refusals as sentences, addresses."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from holdfast.core.refusals import Refusal

if TYPE_CHECKING:
    from holdfast.hq.web.auth.accounts import Accounts
    from holdfast.hq.web.services import Services
    from holdfast.infra.config import HeadOfficeConfig

T = TypeVar("T")

Home = Annotated[
    Path, typer.Option("--home", help="Folder of this head office: settings, keys, database, backups.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for a program.")]

REFUSED = 9
"""Exit code of what was refused for a reason of business: nothing was changed."""
CONSOLE = "command line"
"""Who did it, where no administrator's password was asked for: whoever may read head office's secrets."""
DIFFERENT = 10
"""Exit code of `verify` where something differs."""


@contextmanager
def services_of(home: Path) -> "Iterator[Services]":
    """Head office's parts over its database, for one command."""
    from holdfast.hq.service import HeadOffice
    from holdfast.hq.web.process import home_in
    from holdfast.hq.web.services import open_services

    head_office = HeadOffice.open(home_in(home.absolute()), progress=say)
    with head_office, open_services(head_office) as services:
        yield services


def accounts_of(services: "Services") -> "Accounts":
    from holdfast.hq.web.auth.accounts import Accounts

    return Accounts(services.pool, services.clock)


def who_is(services: "Services", name: str) -> str:
    """The administrator of that name, who types the password: two people are two passwords."""
    if sys.stdin.isatty():
        password = typer.prompt(f"Password of {name}", hide_input=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    found = accounts_of(services).check(name, password)
    if found is None:
        stop("That name or password is wrong. Nothing was changed.", REFUSED)
    if accounts_of(services).store_of(found):
        stop("Only somebody of head office can do that. Nothing was changed.", REFUSED)
    return found


def spelled_for(services: "Services", code: str) -> str:
    """The code as a person copies it."""
    from holdfast.hq.invitation import spelled

    return spelled(code, services.tls)


def url_of(config: "HeadOfficeConfig", names: list[str] | None = None) -> str:
    from holdfast.hq.invitation import url_of as address

    return address(config, names)


def money_text(amount_minor: int, currency: str) -> str:
    from holdfast.hq.web.templating import money

    return money(amount_minor, currency)


def or_stop(answer: T | Refusal) -> T:
    """The answer; a refusal ends the command with its sentence."""
    if isinstance(answer, Refusal):
        stop(answer.sentence, REFUSED)
    return answer


def stop(sentence: str, code: int) -> NoReturn:
    typer.secho(sentence, err=True, fg=typer.colors.RED)
    raise typer.Exit(code)


def say(step: str, part: float | None) -> None:
    """What takes long, for people alone."""
    if sys.stderr.isatty():
        typer.echo(f"{step}{'' if part is None else f' {part:.0%}'} …", err=True)


def count_rows(done: int, rows: int) -> None:
    if sys.stderr.isatty() and (done % 50 == 0 or done == rows):
        typer.echo(f"{done} of {rows} rows …", err=True)
