"""`holdfast hq`: make a head office, serve it, load it, back it up, and ask what it holds.

Commands work beside a running service, on its database; without one they start the embedded database
for as long as they take. Heavy parts are loaded by the command that needs them.
"""

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from holdfast.core.refusals import Refusal
from holdfast.hq import (
    cli_central,
    cli_credit,
    cli_parameters,
    cli_readiness,
    cli_receipts,
    cli_registers,
    cli_stock,
)
from holdfast.hq.cli_parts import (
    CONSOLE,
    DIFFERENT,
    REFUSED,
    AsJson,
    Home,
    accounts_of,
    count_rows,
    money_text,
    or_stop,
    say,
    services_of,
    stop,
    url_of,
)

if TYPE_CHECKING:
    from holdfast.hq.web.services import Services
    from holdfast.infra.config import HeadOfficeHome

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "Head office: one folder, one process, one PostgreSQL (its own, or yours by --dsn).\n\n"
        "Begin with `init`, then `serve`. Shops are added by `store add`, tills by `register add`. "
        "Load products, prices, taxes, currencies, customers, quick keys, roles and staff: `load`."
    ),
)
stores = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Shops of the chain.")
admins = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="People who sign in at head office."
)
app.add_typer(stores, name="store")
app.add_typer(cli_registers.app, name="register")
app.add_typer(admins, name="admin")
app.add_typer(cli_parameters.app, name="parameter")
app.add_typer(cli_stock.app, name="stock")
app.add_typer(cli_central.cards, name="gift-cards")
app.add_typer(cli_credit.credit, name="credit")
app.add_typer(cli_central.locks, name="locks")
app.add_typer(cli_central.central, name="central")
app.command("receipt")(cli_receipts.receipt)
app.command("readiness")(cli_readiness.readiness)


# ---- make and serve ----------------------------------------------------------------------------


@app.command()
def init(
    home: Home,
    store: Annotated[
        list[str] | None, typer.Option("--store", help="Code of a first store; may be repeated.")
    ] = None,
    currency: Annotated[str, typer.Option(help="Currency of these stores, ISO 4217.")] = "EUR",
    timezone: Annotated[
        str, typer.Option(help="Time zone of head office and these stores: Europe/Zurich.")
    ] = "UTC",
    host: Annotated[
        str, typer.Option(help="Address to listen on. Off this machine it gets a certificate.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", metavar="PORT", min=1, max=65535)] = 8460,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Name by which registers reach it; may be repeated.")
    ] = None,
    dsn: Annotated[
        str, typer.Option(help="Your PostgreSQL instead of the embedded one: postgresql://…")
    ] = "",
    admin: Annotated[str, typer.Option(help="Name of the first administrator.")] = "admin",
) -> None:
    """Make a head office in a folder, and print a link for its first administrator.

    The link works once, within a day: open it in a browser once head office is served, and choose a
    password. A folder that is a head office already is left as it is.
    """
    from holdfast.core.faults import ConfigurationFault
    from holdfast.hq.enrolment import Store, store_refusal
    from holdfast.hq.service import init_home
    from holdfast.hq.web.auth.accounts import name_refusal
    from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome, is_loopback

    place = HeadOfficeHome(home.absolute())
    if place.config.exists():
        raise ConfigurationFault(
            f"{home} is a head office already. Serve it: holdfast hq serve --home {home}\n"
            f"For a new link to sign in: holdfast hq admin link --home {home}"
        )
    # Before anything is made: a half-made head office would be in the way of the next try.
    or_stop(name_refusal(admin))
    for code in store or []:
        or_stop(store_refusal(Store(code, code, currency, timezone)))
    config = HeadOfficeConfig(dsn=dsn, listen_host=host, listen_port=port, timezone=timezone)
    if not is_loopback(host):
        config = msgspec.structs.replace(config, tls_certificate="tls/certificate.pem", tls_key="tls/key.pem")
    config.check()
    init_home(place, config)
    if config.tls_certificate:
        _make_certificate(place, host, name or [])
    with services_of(home) as services:
        for code in store or []:
            or_stop(_put_store(services, code, "", currency, timezone))
        token = or_stop(accounts_of(services).new_link(admin))
    typer.echo(f"{home} is a head office now{', with the store ' + ', '.join(store) if store else ''}.")
    typer.echo(f"Next: holdfast hq serve --home {home}")
    typer.echo(f"Then open this link, once, within a day: {url_of(config, name)}/welcome/{token}")
    if not store:
        typer.echo(f"Add a store: holdfast hq store add --home {home} --store S1 --currency {currency}")
    typer.echo(f"Keep a copy of {place.secrets} elsewhere: without it nobody can sign or recover.")


@app.command()
def serve(home: Home) -> None:
    """Run head office, until Ctrl-C or SIGTERM.

    Its pages and the registers' protocol are at the address that is printed.
    """
    from holdfast.hq.web.process import serve_head_office
    from holdfast.infra.logs import configure_logs

    configure_logs()
    serve_head_office(
        home.absolute(), on_ready=lambda url: typer.echo(f"Head office is open at {url}"), progress=say
    )


# ---- stores, registers, people -----------------------------------------------------------------


@stores.command("add")
def add_store(
    home: Home,
    store: Annotated[str, typer.Option("--store", help="Its code, as on reports: S1.")],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217.")] = "EUR",
    timezone: Annotated[str, typer.Option(help="IANA name of its time zone.")] = "UTC",
) -> None:
    """Add a store, or change its name, currency or time zone."""
    with services_of(home) as services:
        or_stop(_put_store(services, store, name, currency, timezone))
    typer.echo(
        f"Store {store} stands. Next: holdfast hq register add --home {home} --store {store} --series R01"
    )


@stores.command("list")
def list_stores(home: Home, as_json: AsJson = False) -> None:
    """All stores."""
    with services_of(home) as services:
        found = services.head_office.enrolment.stores()
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(found)))
        return
    for item in found:
        typer.echo(f"{item.store}  {item.name}  {item.currency}  {item.timezone}")
    if not found:
        typer.echo(
            f"There is no store yet. Add one: holdfast hq store add --home {home} --store S1 --currency EUR"
        )


@admins.command("link")
def admin_link(
    home: Home,
    name: Annotated[str, typer.Argument(help="Whose password the link sets.")] = "admin",
    store: Annotated[
        str,
        typer.Option("--store", help="Somebody new is of this store: its manager, who releases its locks."),
    ] = "",
) -> None:
    """Print a new one-time link: for a new administrator, or for one who forgot the password.

    The link works once, within a day; another one for the same name takes its place.

    Example, for a second administrator:  holdfast hq admin link --home hq aoife
    """
    with services_of(home) as services:
        token = or_stop(accounts_of(services).new_link(name, store))
        url = url_of(services.head_office.config)
    typer.echo(f"{url}/welcome/{token}")


# ---- data, figures, copies ---------------------------------------------------------------------


@app.command()
def load(
    home: Home,
    kind: Annotated[
        str,
        typer.Argument(
            help="What the file holds: products, prices, taxes, currencies, customers, quick-keys, roles, "
            "staff or parameters."
        ),
    ],
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8; its first line names the columns.")],
    take_good: Annotated[
        bool, typer.Option("--take-good", help="Take the good rows though others are bad.")
    ] = False,
) -> None:
    """Load products, prices, taxes, quick keys, staff and so on from a file; registers fetch them at contact.

    With a bad row nothing is taken, unless told to: each is listed with line, column and reason. The
    columns, of which those in brackets may be missing:

    - products: sku, description, tax_code (unit, department, barcodes)
    - prices: sku, price, currency (valid_from)
    - taxes: code, percent (name, inclusive, valid_from)
    - currencies: currency, home, rate, smallest (valid_from, accepted); rate: home currency for one of it;
      smallest: note or coin taken
    - quick-keys: position, sku (label); without a sku nothing stands at that position any more
    - roles: role, currency (also_may, may_not, line_discount, total_discount, price_override,
      return_without_receipt, refund, foreign_change); what is left empty is as the role ships
    - staff: id, name (role, pin, active)
    - parameters: name, value (valid_from); name@S1 for a store, name@group:G, name@register:R01

    Example:  holdfast hq load --home hq prices prices.csv
    """
    from holdfast.hq.catalogue import BAD_ROWS_SHOWN

    try:
        data = file.read_bytes()
    except OSError as error:
        stop(f"{file} cannot be read ({error.strerror}).", REFUSED)
    with services_of(home) as services:
        report = or_stop(
            services.head_office.catalogue.load(
                kind, data, take_good=take_good, progress=count_rows, by=CONSOLE
            )
        )
    for row in report.bad:
        column = f", column {row.column}" if row.column else ""
        typer.echo(f"{file}, line {row.line}{column}: {row.reason}", err=True)
    bad = report.rows - report.good
    if bad > BAD_ROWS_SHOWN:
        typer.echo(f"… and {bad - BAD_ROWS_SHOWN} more.", err=True)
    if report.unknown_columns:
        typer.echo(f"Columns passed over: {', '.join(report.unknown_columns)}.", err=True)
    if not report.taken:
        stop(
            f"Nothing was taken: {bad} of {report.rows} rows are bad. Correct them, or add --take-good."
            if bad
            else f"{file} has no rows.",
            REFUSED,
        )
    left_out = f", {bad} left out" if bad else ""
    typer.echo(
        f"{kind.capitalize()}: {report.changed} of {report.good} rows are new or changed{left_out}; "
        f"version {report.version}."
    )


@app.command()
def totals(home: Home, as_json: AsJson = False) -> None:
    """Counts and exact sums of everything that head office holds."""
    with services_of(home) as services:
        found = msgspec.to_builtins(services.head_office.totals())
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    width = max(len(name) for name in found)
    for name, value in found.items():
        if name in ("charged", "tenders"):
            continue
        shown = f"{value:,}" if isinstance(value, int) else value
        typer.echo(f"{name.replace('_', ' '):{width}}  {shown}")
    for charged in found["charged"]:
        typer.echo(f"{'charged':{width}}  {money_text(charged['total_minor'], charged['currency'])}")
    for paid in found["tenders"]:
        amount, foreign = money_text(paid["amount_minor"], paid["currency"]), paid["foreign_currency"]
        of = f", {money_text(paid['foreign_minor'], foreign)}" if foreign else ""
        typer.echo(f"{'paid by':{width}}  {amount} {paid['kind'].replace('_', ' ')}{of}")


@app.command()
def backup(
    home: Home,
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder to put it into; the home's own backups by default.")
    ] = None,
) -> None:
    """Back the database up while it is served. It counts only once it was restored and compared.

    What a verified backup holds is *safe*: registers may delete it then. Keep backups, and a copy of the
    secrets folder, on another machine.
    """
    with services_of(home) as services:
        made = services.head_office.take_backup(to.absolute() if to else None, say)
    typer.echo(f"{made.path} is verified: {made.bytes / 1e6:,.1f} MB.")
    typer.echo(f"Its mark, to notice a changed one: {made.manifest_sha256}")


@app.command()
def restore(home: Home, folder: Annotated[Path, typer.Argument(help="The folder of a backup.")]) -> None:
    """Bring a backup back. Head office must be stopped; what registers still hold comes back by itself.

    A new incarnation begins, so that every register notices and sends again what the backup lacks.
    """
    from holdfast.hq.service import restore as restore_backup
    from holdfast.hq.web.process import home_in
    from holdfast.infra.config import exclusive

    place = home_in(home.absolute())
    with exclusive(place.lock):
        manifest = restore_backup(place, folder.absolute(), say)
    typer.echo(f"Restored: the state of {manifest.at:%Y-%m-%d %H:%M:%S} UTC.")
    typer.echo(f"Next: holdfast hq serve --home {home}")


@app.command("recover-key")
def recover_key(
    home: Home,
    word: Annotated[str, typer.Argument(help="What `holdfast register recover` printed on that machine.")],
) -> None:
    """Open a register's lost database key, and print it for that machine alone.

    The key is in the recovery copy beside the register's database, or in the one kept here since enrolment.
    On the register's machine: holdfast register recover --home DIR --answer WORD
    """
    from holdfast.hq.recovery import answer_recovery

    with services_of(home) as services:
        answer = or_stop(answer_recovery(services.head_office, word, by=CONSOLE))
    typer.echo(answer)
    typer.echo("On that machine: holdfast register recover --home DIR --answer WORD", err=True)


@app.command()
def snapshot(
    home: Home, to: Annotated[Path, typer.Option("--to", help="File to write, on a USB stick say.")]
) -> None:
    """Write all data for registers into one signed file, for where no line brings it.

    At the register: holdfast register import FILE --home DIR
    """
    with services_of(home) as services:
        data = services.head_office.snapshot()
    try:
        to.write_bytes(data)
    except OSError as error:
        stop(f"{to} cannot be written ({error.strerror}).", REFUSED)
    typer.echo(f"{to}: {len(data):,} bytes.")


@app.command()
def verify(home: Home, as_json: AsJson = False) -> None:
    """Walk every chain and signature, and hold what was projected against a fresh fold.

    Ends with 10 where anything differs. Nothing is changed, and registers may send meanwhile.
    """
    from holdfast.hq.verify import verify_head_office
    from holdfast.infra.keys import verify as verify_signature

    with services_of(home) as services:
        found = verify_head_office(services.head_office.services_pool, verify_signature, say)
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(found)))
    else:
        for difference in found.differences:
            typer.echo(f"{difference.code}: {difference.sentence}", err=True)
        typer.echo(
            f"{found.chains:,} chains, {found.entries:,} entries, {found.documents:,} documents, "
            f"{found.signatures:,} signatures; {found.waiting:,} in quarantine: "
            + (f"{len(found.differences):,} differences." if found.differences else "nothing differs.")
        )
    if found.differences:
        raise typer.Exit(DIFFERENT)


def _make_certificate(place: "HeadOfficeHome", host: str, names: list[str]) -> None:
    from holdfast.hq.invitation import ANY_HOST
    from holdfast.infra.tls import make_certificate

    own = [host] if host not in ANY_HOST else []
    hosts: list[str] = list(dict.fromkeys([*names, *own, socket.getfqdn(), "localhost"]))
    make_certificate(place.tls / "certificate.pem", place.tls / "key.pem", hosts)


def _put_store(services: "Services", code: str, name: str, currency: str, timezone: str) -> Refusal | None:
    from holdfast.hq.enrolment import Store

    return services.head_office.enrolment.put_store(Store(code, name or code, currency, timezone))
