"""The `holdfast` command: one word a role or a task, each loaded only when it is named.

So `holdfast --help` answers at once, and a role whose parts are missing or broken does not stop the others.
A fault ends in one sentence that a person can act on, and in an exit code that a script can read.
"""

import importlib
import sys
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from holdfast import __version__
from holdfast.core.faults import (
    ConfigurationFault,
    DatabaseFault,
    Fault,
    KeyFault,
    NewerVersionFault,
    StorageFullFault,
    UnavailableFault,
)

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
"""Empty on purpose: what it can do stands in `COMMANDS`."""


class Part(NamedTuple):
    """Where a command is, and what `--help` says of it before it is loaded."""

    module: str
    help: str


COMMANDS: dict[str, Part] = {
    "register": Part("holdfast.register.cli", "A till: enrol it, serve it, look at it."),
    "hq": Part("holdfast.hq.cli", "Head office: make it, serve it, load it, back it up."),
    "demo": Part("holdfast.demo.cli", "A small chain on this machine, with a switch to cut each line."),
    "replay": Part("holdfast.replay.cli", "Take a retailer's history through real registers."),
    "verify": Part("holdfast.verify.cli", "Walk every chain and compare every projection with it."),
    "simulate": Part("holdfast.simulation.cli", "Run a chain of years under faults from a seed."),
}
"""Each module has a typer application `app`."""

EXIT_CODES: tuple[tuple[type[Fault], int], ...] = (
    (ConfigurationFault, 3),
    (KeyFault, 4),
    (NewerVersionFault, 6),
    (DatabaseFault, 5),
    (StorageFullFault, 7),
    (UnavailableFault, 8),
)
"""The first that fits; any other fault ends with 1, and a wrong command line with 2."""


class LazyGroup(TyperGroup):
    """The table above as a group of commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A placeholder that can be listed; it is never run."""
        part = COMMANDS.get(cmd_name)
        return None if part is None else TyperGroup(name=cmd_name, help=part.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return (name, command if command is None else load_command(args[0]), rest)


def load_command(name: str) -> Any:
    """The command of `COMMANDS`, with all that it needs."""
    module = importlib.import_module(COMMANDS[name].module)
    command = typer.main.get_command(module.app)
    command.name = name
    return command


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"holdfast {__version__}")
        raise typer.Exit


@app.callback(cls=LazyGroup)
def holdfast(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    """An offline-first point of sale for retail chains. Begin with `holdfast demo`."""


def exit_code_of(fault: Fault) -> int:
    """The exit code that scripts and service managers see."""
    return next((code for kind, code in EXIT_CODES if isinstance(fault, kind)), 1)


def main() -> None:
    """Run the command line and exit; the only place where a fault becomes a sentence on the terminal."""
    try:
        app(prog_name="holdfast")
    except Fault as fault:
        typer.secho(f"{fault.sentence}", err=True, fg=typer.colors.RED)
        sys.exit(exit_code_of(fault))
    except OSError as error:
        if error.filename is None or error.strerror is None:
            raise  # no file that a person could put right
        sentence = f"{error.filename}: {error.strerror}. Check that it is there and belongs to this user."
        typer.secho(sentence, err=True, fg=typer.colors.RED)
        sys.exit(exit_code_of(ConfigurationFault(sentence)))


if __name__ == "__main__":
    main()
