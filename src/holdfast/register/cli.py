"""`holdfast register`: make a till, serve it, and look at it from outside."""

import ssl
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from holdfast.infra.config import RegisterHome

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "A till: one folder, one process, one page on this machine.\n\n"
        "Head office prints a code (`holdfast hq register add`); `init` makes it a till, `serve` runs it. "
        "It sells whether or not head office can be reached."
    ),
)

Home = Annotated[Path, typer.Option("--home", help="Folder of this register: its settings, keys and data.")]
_ENROL_DEADLINE_S = 30.0


@app.command()
def init(
    home: Home,
    hq: Annotated[str, typer.Option("--hq", help="Head office's address: https://hq.example")],
    code: Annotated[str, typer.Option("--code", help="The one-time code that head office printed.")],
    port: Annotated[
        int | None, typer.Option("--port", help="Port of the till's page; 8470 by default.")
    ] = None,
) -> None:
    """Make this folder a register, by a one-time code.

    The register makes its own keys; the private ones never leave it. Was the answer lost, run the same
    command again: the same code gives the same register.
    """
    from holdfast.register.enrolment import enrol

    made = enrol(home.absolute(), hq, code, _post, listen_port=port)
    typer.echo(f"{made.path} is a register now.")
    typer.echo(f"Next: holdfast register serve --home {home}")


@app.command()
def serve(home: Home) -> None:
    """Run the till and its page, until Ctrl-C or SIGTERM.

    Closing the browser stops nothing. The page opens at the address that is printed, on this machine alone.
    """
    from holdfast.infra.logs import configure_logs
    from holdfast.register.serve import serve_register

    configure_logs()
    serve_register(
        RegisterHome(home.absolute()),
        on_ready=lambda url: typer.echo(f"The till is open at {url}", nl=True),
    )


@app.command()
def sync(home: Home) -> None:
    """Send what is owed and fetch what is newer. `serve` runs this by itself, beside the till.

    Run alone it goes on until Ctrl-C.
    """
    from holdfast.register.sync.process import main

    main(home.absolute())


@app.command("import")
def import_snapshot(
    home: Home,
    file: Annotated[Path, typer.Argument(help="The snapshot that head office made, from a USB stick say.")],
) -> None:
    """Take in catalogue, prices, taxes and staff from a file, where no line brings them.

    It is signed by head office; an older one than the register has, or a foreign one, is refused.
    """
    from holdfast.register.snapshot import take_snapshot

    for line in take_snapshot(RegisterHome(home.absolute()), file):
        typer.echo(line)


@app.command()
def status(
    home: Home,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for a program.")] = False,
) -> None:
    """Say how the register stands: its day, its line, and what it owes head office.

    It reads beside the running till and changes nothing.
    """
    from holdfast.register.standing import read_standing

    standing = read_standing(RegisterHome(home.absolute()))
    typer.echo(standing.as_json() if as_json else standing.as_text())


def _post(url: str, body: bytes, context: ssl.SSLContext | None) -> bytes:
    """One request to head office; a refusal is a fault with head office's own sentence."""
    from holdfast.core.faults import ConfigurationFault
    from holdfast.infra.http import HttpClient, HttpRequest

    parts = urlsplit(url)
    with HttpClient(f"{parts.scheme}://{parts.netloc}", context=context) as client:
        reply = client.call(
            HttpRequest(method="POST", path=parts.path, body=body, deadline_s=_ENROL_DEADLINE_S)
        )
    if reply.is_success:
        return reply.body
    problem = reply.problem()
    raise ConfigurationFault(f"Head office refused: {problem.detail or problem.title}")
