"""`holdfast register printer` and `holdfast register mail`: where receipts go, and whether they get there."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from holdfast.core.receipt.paper import PaperLine, centred
from holdfast.infra.config import RegisterConfig, RegisterHome

printer = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help=(
        "The receipt printer (ESC/POS) of this register.\n\n"
        "It is named by how it is connected:\n\n"
        "- `network:192.0.2.7`: on the network; its address is on the page that it prints when it is "
        "switched on with the feed button held down. Behind another port than 9100: "
        "`network:192.0.2.7:9101`.\n\n"
        "- `usb:04b8:0e15`: on USB; `lsusb` shows the two numbers behind *ID*. This user must be allowed to "
        "write to it.\n\n"
        "- `serial:/dev/ttyS0:9600`: on a serial line, with the speed that its switches are set to.\n\n"
        "- `file:/dev/usb/lp0`: behind a device file of the system, or any file.\n\n"
        "`set` names it, `test` prints a page and says what is wrong if none comes. No sale waits for a "
        "printer: receipts wait, and print when it is back, for up to an hour."
    ),
)
mail = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help=(
        "Receipts by e-mail: the mail server of this register.\n\n"
        "`set` names the server, the sender and, where it asks for one, the user; `test` mails a page there. "
        "A customer's address is kept until the mail is sent, and no longer."
    ),
)

Home = Annotated[
    Path,
    typer.Option("--home", help="Folder of this register: its settings, keys and data.", readable=False),
]
_RESTART = "A till that is being served takes it up when it is started again: holdfast register serve --home"


@printer.command("set")
def set_printer(
    home: Home,
    address: Annotated[str, typer.Argument(help="How it is connected, as network:192.0.2.7")],
    columns: Annotated[
        int,
        typer.Option(
            "--columns", help="Characters of a line: 42 or 48 on 80 mm, 32 on 58 mm.", min=24, max=80
        ),
    ] = 42,
    charset: Annotated[
        str,
        typer.Option("--charset", help="Code page of its text: CP858 has western letters and the euro sign."),
    ] = "CP858",
    answers: Annotated[
        bool,
        typer.Option(
            "--answers/--silent", help="Whether it tells how it stands; test says so where it does not."
        ),
    ] = True,
    cuts: Annotated[bool, typer.Option("--cutter/--no-cutter", help="Whether it has a cutter.")] = True,
    drawer: Annotated[
        int,
        typer.Option(
            "--drawer", help="The socket that opens the cash drawer: 2 or 5; 0 where none hangs there."
        ),
    ] = 2,
) -> None:
    """Name the printer of this register.

    Example:  holdfast register printer set --home till network:192.0.2.7 --columns 48
    """
    from holdfast.register.receipts.ink import choose_charset, escpos
    from holdfast.register.receipts.printers import check_address

    check_address(address)
    choose_charset(escpos().printer.Dummy(), charset)
    _change(
        home,
        printer=address,
        printer_columns=columns,
        printer_charset=charset,
        printer_answers=answers,
        printer_cuts=cuts,
        printer_drawer=drawer,
    )
    typer.echo(f"Receipts of this register are printed at {address}.")
    typer.echo(f"Next: holdfast register printer test --home {home}")
    typer.echo(f"{_RESTART} {home}")


@printer.command("off")
def no_printer(home: Home) -> None:
    """Print no receipts: they are shown, and mailed where a mail server is set."""
    _change(home, printer="")
    typer.echo(f"This register prints no receipts. {_RESTART} {home}")


@printer.command("show")
def show_printer(home: Home) -> None:
    """Say which printer is set, and how it stands."""
    from holdfast.register.receipts.printers import NotReady, open_printer

    config = _config(home)
    if not config.printer:
        typer.echo(f"No printer is set. Next: holdfast register printer set --home {home} ADDRESS")
        return
    typer.echo(f"{config.printer}, {config.printer_columns} columns, {config.printer_charset}.")
    try:
        with open_printer(config) as device:
            typer.echo(_READY[device.check()] if config.printer_answers else _READY[""])
    except NotReady as fault:
        typer.echo(fault.sentence)
        raise typer.Exit(1) from fault


@printer.command("test")
def print_test_page(
    home: Home,
    drawer: Annotated[bool, typer.Option("--drawer", help="Open the cash drawer too.")] = False,
) -> None:
    """Print a page: its width, letters, bold, a code to scan, the cut. Says what is wrong if none comes."""
    from holdfast.register.receipts.ink import ink
    from holdfast.register.receipts.printers import BrokeOff, NotReady, open_printer

    config = _config(home)
    if not config.printer:
        typer.echo(f"No printer is set. Next: holdfast register printer set --home {home} ADDRESS")
        raise typer.Exit(1)
    data = ink(
        _test_page(config),
        f"HOLDFAST {config.register}",
        charset=config.printer_charset,
        cuts=config.printer_cuts,
    )
    try:
        with open_printer(config) as device:
            state = device.check()
            if drawer and config.printer_drawer:
                device.kick(config.printer_drawer)
            device.send(data)
    except (NotReady, BrokeOff) as fault:
        typer.echo(fault.sentence)
        if fault.cause == "silent":
            typer.echo(
                "Did the page come out all the same? Then it is a printer that never answers: set it again "
                "with --silent."
            )
        raise typer.Exit(1) from fault
    typer.echo(
        "It printed." if config.printer_answers and not config.printer.startswith("file:") else _BELIEVED
    )
    if state == "low":
        typer.echo(_READY["low"])


_READY = {
    "": "It is ready.",
    "low": "It is ready, and its paper is nearly at an end: have a new roll at hand.",
}
_BELIEVED = "The page was sent. Look whether it came out: this printer does not tell."


def _test_page(config: RegisterConfig) -> list[PaperLine]:
    columns = config.printer_columns
    ruler = "".join(str(place % 10) for place in range(1, columns + 1))
    return [
        PaperLine(centred("Holdfast", columns), "bold"),
        PaperLine(centred(f"Register {config.register}, store {config.store}", columns)),
        PaperLine(ruler),
        PaperLine("The line above is one line, without a break."),
        PaperLine("Letters: äöü éèç ñ ß å ø £ € ×"),
        PaperLine(centred("A code to scan", columns), "code"),
    ]


# ---- mail --------------------------------------------------------------------------------------


@mail.command("set")
def set_mail(
    home: Home,
    server: Annotated[str, typer.Argument(help="The mail server, as smtp.example:587")],
    sender: Annotated[str, typer.Option("--from", help="The sender's address, as receipts@shop.example")],
    user: Annotated[str, typer.Option("--user", help="Who signs in there; its password is asked for.")] = "",
    security: Annotated[
        str, typer.Option("--security", help="starttls (587), tls (465), or none for this machine itself.")
    ] = "starttls",
) -> None:
    """Name the mail server of this register.

    Example:  holdfast register mail set --home till smtp.example --from receipts@shop.example --user till7
    """
    from holdfast.infra.keys import write_file
    from holdfast.register.receipts.post import account_of

    if user:
        password = typer.prompt("Password", hide_input=True)
        write_file(RegisterHome(home.absolute()).mail_password, str(password).encode())
    changed = _change(home, mail_server=server, mail_from=sender, mail_user=user, mail_security=security)
    account_of(RegisterHome(home.absolute()), changed)
    typer.echo(f"Receipts are mailed by {server}, from {sender}.")
    typer.echo(f"Next: holdfast register mail test --home {home} YOUR@ADDRESS")
    typer.echo(f"{_RESTART} {home}")


@mail.command("off")
def no_mail(home: Home) -> None:
    """Mail no receipts."""
    _change(home, mail_server="")
    typer.echo(f"This register mails no receipts. {_RESTART} {home}")


@mail.command("test")
def test_mail(
    home: Home, address: Annotated[str, typer.Argument(help="Your own address: the mail goes there.")]
) -> None:
    """Mail a page, and say what is wrong where it does not go."""
    from email.message import EmailMessage

    from holdfast.core.receipt.address import address_refusal
    from holdfast.register.receipts.post import NotSent, Refused, account_of, send

    config = _config(home)
    if not config.mail_server:
        typer.echo(f"No mail server is set. Next: holdfast register mail set --home {home} --help")
        raise typer.Exit(1)
    if refusal := address_refusal(address):
        typer.echo(refusal.sentence)
        raise typer.Exit(1)
    account = account_of(RegisterHome(home.absolute()), config)
    message = EmailMessage()
    message["From"], message["To"] = account.sender, address
    message["Subject"] = f"Holdfast: register {config.register} can send mail"
    message.set_content(f"Register {config.register} of store {config.store} mails receipts like this one.\n")
    try:
        asyncio.run(send(message, account))
    except (NotSent, Refused) as fault:
        typer.echo(f"{fault.sentence} Server: {account.host}, port {account.port}, {account.security}.")
        raise typer.Exit(1) from fault
    typer.echo("The mail server took the mail.")


# ---- settings ----------------------------------------------------------------------------------


def _config(home: Path) -> RegisterConfig:
    from holdfast.infra.config import load_config

    return load_config(RegisterHome(home.absolute()).config, RegisterConfig)


def _change(home: Path, **settings: str | int | bool) -> RegisterConfig:
    """Change some settings; the file's other lines stay as people wrote them."""
    from holdfast.infra.config import change_settings

    return change_settings(RegisterHome(home.absolute()).config, RegisterConfig, settings)
