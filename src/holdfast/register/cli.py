"""`holdfast register`: make a till, serve it, and look at it from outside."""

import ssl
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from holdfast.infra.config import RegisterHome
from holdfast.register.cli_receipts import mail, printer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "A till: one folder, one process, one page on this machine.\n\n"
        "Head office prints a code (`holdfast hq register add`); `init` makes it a till, `serve` runs it. "
        "It sells whether or not head office can be reached."
    ),
)

app.add_typer(printer, name="printer")
app.add_typer(mail, name="mail")

Home = Annotated[
    Path,
    typer.Option("--home", help="Folder of this register: its settings, keys and data.", readable=False),
]
_ENROL_DEADLINE_S = 30.0


@app.command()
def init(
    home: Home,
    hq: Annotated[str, typer.Option("--hq", help="Head office's address: https://hq.example")],
    code: Annotated[str, typer.Option("--code", help="The one-time code that head office printed.")],
    port: Annotated[
        int | None,
        typer.Option(
            "--port", help="Port of the till's page; 8470 by default.", metavar="PORT", min=1, max=65535
        ),
    ] = None,
) -> None:
    """Make this folder a register, by a one-time code.

    Head office prints the code and its own address: holdfast hq register add.

    The register makes its own keys; the private ones never leave it. Was the answer lost, run the same
    command again: the same code gives the same register.

    Example:  holdfast register init --home till --hq http://127.0.0.1:8460 --code 5pdh-zzwk-q47v-dqbd
    """
    from holdfast.register.enrolment import enrol

    _check_address(hq)  # a code is said to nobody over a line that others read
    made = enrol(home.absolute(), hq, code, _post, listen_port=port)
    typer.echo(f"{made.path} is a register now.")
    typer.echo(f"Next: holdfast register serve --home {home}")


@app.command()
def serve(home: Home) -> None:
    """Run the till and its page, until Ctrl-C or SIGTERM.

    Closing the browser stops nothing. The page is at the address that is printed, for browsers on this
    machine alone.
    """
    from holdfast.infra.logs import configure_logs
    from holdfast.register.serve import serve_register

    _need_register(home)
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

    _need_register(home)
    main(home.absolute())


@app.command(hidden=True)
def receipts(home: Home) -> None:
    """Print and mail receipts. `serve` runs this by itself, beside the till."""
    from holdfast.register.printing import main

    _need_register(home)
    main(home.absolute())


@app.command()
def rekey(
    home: Home,
    code: Annotated[str, typer.Option("--code", help="The code that head office printed for this register.")],
) -> None:
    """Give this register another signing key, where its own is lost or head office refuses it.

    Head office prints the code: holdfast hq register rekey. The register stays the one that it is, with its
    unsent sales. Stop the till first; was the answer lost, run the same command again.
    """
    from holdfast.register.enrolment import rekey as give_key

    _need_register(home)
    give_key(home.absolute(), code, _post)
    typer.echo(f"{home} signs with a key of its own again. Next: holdfast register serve --home {home}")


@app.command()
def retire(
    home: Home,
    wait_min: Annotated[
        float, typer.Option("--wait", help="Minutes to wait for head office to have everything.", min=0.0)
    ] = 30.0,
) -> None:
    """Take this register out of service for good: close its journal, send all of it, and stop.

    Then head office waits for nothing more of it. Stop the till first. It never sells again; another one goes
    on in its series: holdfast hq register add --replaces ID. Cut short, run the same command again.
    """
    from holdfast.infra.clock import SystemClock, SystemRandomness
    from holdfast.infra.config import RegisterConfig, load_config
    from holdfast.infra.logs import configure_logs
    from holdfast.register.retirement import retire as take_out

    _need_register(home)
    configure_logs()
    place = RegisterHome(home.absolute())
    config = load_config(place.config, RegisterConfig)
    take_out(
        place,
        clock=SystemClock(config.timezone),
        randomness=SystemRandomness(),
        wait_s=wait_min * 60,
        say=_say_lacking,
    )
    typer.echo(f"{config.register} ({config.origin}) is retired, and head office has everything of it.")
    typer.echo("Keep its folder until a backup of head office holds that: holdfast hq backup")


def _say_lacking(entries: int, why: str | None) -> None:
    """For a person who waits."""
    if sys.stderr.isatty():
        typer.echo(f"\r{entries} entries to send. {why or ''}\x1b[K", err=True, nl=False)


@app.command()
def recover(
    home: Home,
    answer: Annotated[
        str, typer.Option("--answer", help="What head office printed for this machine's request.")
    ] = "",
) -> None:
    """Bring a lost database key back, with head office's help. No unsent sale is lost with it.

    Without --answer it prints one word. Give it to head office (holdfast hq recover-key WORD), which prints
    another one: run this again with it. Nobody on the way can read the key.
    """
    from holdfast.register.recovery import request_recovery, take_recovery

    _need_register(home)
    place = RegisterHome(home.absolute())
    if not answer:
        typer.echo(request_recovery(place))
        typer.echo(
            "Give this to head office: holdfast hq recover-key WORD --home DIR. Then here: "
            f"holdfast register recover --home {home} --answer WORD",
            err=True,
        )
        return
    take_recovery(place, answer)
    typer.echo(f"The database key is back. Next: holdfast register serve --home {home}")


@app.command()
def mend(home: Home) -> None:
    """Put right a till of which the disk does not give all back. Stop it first.

    `serve` does this by itself where it cannot go on without. All that can be read goes into a new file, and
    the damaged one is kept beside it. Then look at the disk.
    """
    from rich.console import Console

    from holdfast.infra.clock import SystemClock, SystemRandomness
    from holdfast.infra.config import RegisterConfig, exclusive, load_config
    from holdfast.infra.logs import configure_logs
    from holdfast.register.opening import is_whole
    from holdfast.register.till import mending

    _need_register(home)
    configure_logs(level="error")
    place = RegisterHome(home.absolute())
    config = load_config(place.config, RegisterConfig)
    with exclusive(place.lock), Console(stderr=True).status("Reading every page, then copying"):
        if mending.finish(place) is None and is_whole(place):
            typer.echo(f"All of {place.till} can be read; nothing was changed.")
            return
        done = mending.mend(place, clock=SystemClock(config.timezone), randomness=SystemRandomness())
    typer.echo(
        f"{done.entries} entries are whole, of {done.hashes} only the hash is left (purged ones among them), "
        f"and {done.lost} places are lost. The damaged file is {done.aside}."
    )
    typer.echo(f"Next: holdfast register serve --home {home}")


@app.command("import")
def import_snapshot(
    home: Home,
    file: Annotated[Path, typer.Argument(help="The snapshot that head office made, from a USB stick say.")],
) -> None:
    """Take in catalogue, prices, taxes and staff from a file, where no line brings them.

    Head office writes it: holdfast hq snapshot. It is signed; an older one than the register has, or one
    of another head office, is refused.
    """
    from holdfast.core.faults import ConfigurationFault, MalformedFault
    from holdfast.register.snapshot import take_snapshot

    _need_register(home)
    try:
        for line in take_snapshot(RegisterHome(home.absolute()), file):
            typer.echo(line)
    except MalformedFault as fault:
        raise ConfigurationFault(
            f"{file} is no snapshot ({fault.sentence}). Make one at head office: "
            "holdfast hq snapshot --home DIR --to FILE"
        ) from fault


@app.command()
def status(
    home: Home,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for a program.")] = False,
) -> None:
    """Say how the register stands: its day, its line, and what it owes head office.

    It reads beside the running till and changes nothing.
    """
    from holdfast.register.standing import read_standing

    _need_register(home)
    standing = read_standing(RegisterHome(home.absolute()))
    typer.echo(standing.as_json() if as_json else standing.as_text())


def _need_register(home: Path) -> None:
    """ConfigurationFault with the way on where this folder is no register."""
    from holdfast.core.faults import ConfigurationFault

    place = RegisterHome(home.absolute())
    try:
        is_one = place.config.exists()
    except OSError as error:
        raise ConfigurationFault(
            f"{home} cannot be read ({error.strerror}). Run this as the user who owns it."
        ) from error
    if not is_one:
        raise ConfigurationFault(
            f"There is no register in {place.path}. Have head office print a code (holdfast hq register "
            f"add), then: holdfast register init --home {home} --hq URL --code CODE"
        )


def _check_address(hq: str) -> None:
    """ConfigurationFault for an address that is none, or that is not safe."""
    from holdfast.core.faults import ConfigurationFault
    from holdfast.infra.config import is_loopback

    url = urlsplit(hq)
    is_plain = url.scheme == "http"
    if not url.hostname or not (url.scheme == "https" or is_plain):
        raise ConfigurationFault(
            f"{hq!r} is no address of a head office. Write it whole, as https://hq.example or "
            "http://127.0.0.1:8460."
        )
    if is_plain and not is_loopback(url.hostname):
        raise ConfigurationFault(
            f"{hq!r} would send everything in the clear. Write https://; plain http is for a head office on "
            "this machine itself alone."
        )


def _post(url: str, body: bytes, context: ssl.SSLContext | None) -> bytes:
    """One request to head office; a refusal is a fault with head office's own sentence."""
    from holdfast.core.faults import ConfigurationFault, UnavailableFault
    from holdfast.infra.http import HttpClient, HttpRequest

    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc}"
    with HttpClient(address, context=context) as client:
        try:
            reply = client.call(
                HttpRequest(method="POST", path=parts.path, body=body, deadline_s=_ENROL_DEADLINE_S)
            )
        except UnavailableFault as fault:
            raise UnavailableFault(
                f"Head office does not answer at {address}: {fault.sentence} Is it served there "
                "(holdfast hq serve), and can this machine reach it? Then run the same command again."
            ) from fault
    if reply.is_success:
        return reply.body
    problem = reply.problem()
    raise ConfigurationFault(f"Head office refused: {problem.detail or problem.title}")
