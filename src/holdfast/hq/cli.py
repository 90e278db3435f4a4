"""`holdfast hq`: make a head office, serve it, load it, back it up, and ask what it holds.

Commands work beside a running service, on its database; without one they start the embedded database
for as long as they take. Heavy parts are loaded by the command that needs them.
"""

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import msgspec
import typer

from holdfast.core.refusals import Refusal
from holdfast.core.sync.commands import KINDS

if TYPE_CHECKING:
    from holdfast.core.ids import EpochId, OriginId
    from holdfast.hq.web.auth.accounts import Accounts
    from holdfast.hq.web.services import Services
    from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "Head office: one folder, one process, one PostgreSQL (its own, or yours by --dsn).\n\n"
        "Begin with `init`, then `serve`. Shops are added by `store add`, tills by `register add`. "
        "Load products, prices, taxes, currencies and staff: `load`."
    ),
)
stores = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Shops of the chain.")
registers = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Tills: codes to enrol them, and how they stand.",
)
admins = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="People who sign in at head office."
)
app.add_typer(stores, name="store")
app.add_typer(registers, name="register")
app.add_typer(admins, name="admin")

Home = Annotated[
    Path, typer.Option("--home", help="Folder of this head office: settings, keys, database, backups.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for a program.")]

REFUSED = 9
"""Exit code of what was refused for a reason of business: nothing was changed."""
DIFFERENT = 10
"""Exit code of `verify` where something differs."""


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
    _or_stop(name_refusal(admin))
    for code in store or []:
        _or_stop(store_refusal(Store(code, code, currency, timezone)))
    config = HeadOfficeConfig(dsn=dsn, listen_host=host, listen_port=port, timezone=timezone)
    if not is_loopback(host):
        config = msgspec.structs.replace(config, tls_certificate="tls/certificate.pem", tls_key="tls/key.pem")
    config.check()
    init_home(place, config)
    if config.tls_certificate:
        _make_certificate(place, host, name or [])
    with _services(home) as services:
        for code in store or []:
            _or_stop(_put_store(services, code, "", currency, timezone))
        token = _or_stop(_accounts(services).new_link(admin))
    typer.echo(f"{home} is a head office now{', with the store ' + ', '.join(store) if store else ''}.")
    typer.echo(f"Next: holdfast hq serve --home {home}")
    typer.echo(f"Then open this link, once, within a day: {_url(config, name)}/welcome/{token}")
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
        home.absolute(), on_ready=lambda url: typer.echo(f"Head office is open at {url}"), progress=_say
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
    with _services(home) as services:
        _or_stop(_put_store(services, store, name, currency, timezone))
    typer.echo(
        f"Store {store} stands. Next: holdfast hq register add --home {home} --store {store} --series R01"
    )


@stores.command("list")
def list_stores(home: Home, as_json: AsJson = False) -> None:
    """All stores."""
    with _services(home) as services:
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


@registers.command("add")
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

    with _services(home) as services:
        replaced = OriginId(replaces) if replaces else None
        code = services.head_office.enrolment.issue_code(store, series, name=name, replaces=replaced)
        if isinstance(code, Refusal) and code.code == "store.unknown":
            _stop(f"{code.sentence} holdfast hq store add --home {home} --store {store}", REFUSED)
        code = _or_stop(code)
        url, pin = _url(services.head_office.config), _pin(services)
    typer.echo(spell_code(CodeText(code, pin)))
    typer.echo(
        f"Use it on the register's machine: holdfast register init --home DIR --hq {url} --code CODE",
        err=True,
    )


_OWING = {"nothing": "owes nothing", "owes": "owes", "may-owe": "may owe", "complete": "complete"}


@registers.command("list")
def list_registers(home: Home, as_json: AsJson = False) -> None:
    """What head office has of each register, and what it does not."""
    from holdfast.hq.web.templating import ago, money

    with _services(home) as services:
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


@registers.command("order")
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
    with _services(home) as services:
        book = services.head_office.command_book
        given = _or_stop(book.issue(OriginId(origin), command, by="console", arguments=arguments))
    typer.echo(f"Command {given.number}, {command}, waits for {origin}.")


Epoch = Annotated[str, typer.Argument(help="Id of its epoch, as the register's page shows it.")]
By = Annotated[str, typer.Option("--by", help="Your name as an administrator; your password is asked for.")]


@registers.command("resend")
def resend(
    home: Home,
    origin: Origin,
    epoch: Epoch,
    from_seq: Annotated[int, typer.Option("--from", help="Number of the first entry.", min=1)] = 1,
) -> None:
    """Have a register send an epoch's entries again although they are here. Nothing counts twice.

    It is done at the register's next contact; its outcome, with counts, stands on the register's page.
    """
    with _services(home) as services:
        book, (of, named) = services.head_office.command_book, _epoch(origin, epoch)
        arguments = {"epoch": str(named), "seq": str(from_seq)}
        given = _or_stop(book.issue(of, "resend_from", by="command line", arguments=arguments))
    typer.echo(f"Command {given.number} waits for {origin}.")


@registers.command("propose-lost")
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
    with _services(home) as services:
        name, of = _who(services, by), _epoch(origin, epoch)
        _or_stop(services.head_office.lost.propose(*of, by=name, reason=reason))
    typer.echo(f"Proposed by {name}. Next, by another administrator:")
    typer.echo(f"holdfast hq register confirm-lost {origin} {epoch} --home {home} --by NAME")


@registers.command("confirm-lost")
def confirm_lost(home: Home, origin: Origin, epoch: Epoch, by: By) -> None:
    """Confirm what another administrator proposed: the epoch is declared lost."""
    with _services(home) as services:
        name = _who(services, by)
        _or_stop(services.head_office.lost.confirm(*_epoch(origin, epoch), by=name))
    typer.echo(f"Epoch {epoch} of {origin} is declared lost; {name} confirmed it.")


@registers.command("withdraw-lost")
def withdraw_lost(home: Home, origin: Origin, epoch: Epoch, by: By) -> None:
    """Take a proposal back that nobody confirmed yet."""
    with _services(home) as services:
        name = _who(services, by)
        _or_stop(services.head_office.lost.withdraw(*_epoch(origin, epoch), by=name))
    typer.echo("The proposal is withdrawn.")


@admins.command("link")
def admin_link(
    home: Home, name: Annotated[str, typer.Argument(help="Whose password the link sets.")] = "admin"
) -> None:
    """Print a new one-time link: for a new administrator, or for one who forgot the password.

    The link works once, within a day; another one for the same name takes its place.

    Example, for a second administrator:  holdfast hq admin link --home hq aoife
    """
    with _services(home) as services:
        token = _or_stop(_accounts(services).new_link(name))
        url = _url(services.head_office.config)
    typer.echo(f"{url}/welcome/{token}")


# ---- data, figures, copies ---------------------------------------------------------------------


@app.command()
def load(
    home: Home,
    kind: Annotated[
        str, typer.Argument(help="What the file holds: products, prices, taxes, currencies, staff.")
    ],
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8; its first line names the columns.")],
    take_good: Annotated[
        bool, typer.Option("--take-good", help="Take the good rows though others are bad.")
    ] = False,
) -> None:
    """Load products, prices, taxes, currencies or staff; registers fetch them at their next contact.

    With a bad row nothing is taken, unless told to: each is listed with line, column and reason. The
    columns, of which those in brackets may be missing:

    - products: sku, description, tax_code (unit, department, barcodes)
    - prices: sku, price, currency (valid_from)
    - taxes: code, percent (name, inclusive, valid_from)
    - currencies: currency, home, rate, smallest (valid_from, accepted); rate: home currency for one of it;
      smallest: note or coin taken
    - staff: id, name (role, pin, active)

    Example:  holdfast hq load --home hq prices prices.csv
    """
    from holdfast.hq.catalogue import BAD_ROWS_SHOWN

    try:
        data = file.read_bytes()
    except OSError as error:
        _stop(f"{file} cannot be read ({error.strerror}).", REFUSED)
    with _services(home) as services:
        report = _or_stop(
            services.head_office.catalogue.load(kind, data, take_good=take_good, progress=_count)
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
        _stop(
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
    with _services(home) as services:
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
        typer.echo(f"{'charged':{width}}  {_money(charged['total_minor'], charged['currency'])}")
    for paid in found["tenders"]:
        amount, foreign = _money(paid["amount_minor"], paid["currency"]), paid["foreign_currency"]
        of = f", {_money(paid['foreign_minor'], foreign)}" if foreign else ""
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
    with _services(home) as services:
        made = services.head_office.take_backup(to.absolute() if to else None, _say)
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
        manifest = restore_backup(place, folder.absolute(), _say)
    typer.echo(f"Restored: the state of {manifest.at:%Y-%m-%d %H:%M:%S} UTC.")
    typer.echo(f"Next: holdfast hq serve --home {home}")


@app.command()
def snapshot(
    home: Home, to: Annotated[Path, typer.Option("--to", help="File to write, on a USB stick say.")]
) -> None:
    """Write all data for registers into one signed file, for where no line brings it.

    At the register: holdfast register import FILE --home DIR
    """
    with _services(home) as services:
        data = services.head_office.snapshot()
    try:
        to.write_bytes(data)
    except OSError as error:
        _stop(f"{to} cannot be written ({error.strerror}).", REFUSED)
    typer.echo(f"{to}: {len(data):,} bytes.")


@app.command()
def verify(home: Home, as_json: AsJson = False) -> None:
    """Walk every chain and signature, and hold what was projected against a fresh fold.

    Ends with 10 where anything differs. Nothing is changed, and registers may send meanwhile.
    """
    from holdfast.hq.verify import verify_head_office
    from holdfast.infra.keys import verify as verify_signature

    with _services(home) as services:
        found = verify_head_office(services.head_office.services_pool, verify_signature, _say)
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


# ---- what they share ---------------------------------------------------------------------------


@contextmanager
def _services(home: Path) -> "Iterator[Services]":
    """Head office's parts over its database, for one command."""
    from holdfast.hq.service import HeadOffice
    from holdfast.hq.web.process import home_in
    from holdfast.hq.web.services import open_services

    head_office = HeadOffice.open(home_in(home.absolute()), progress=_say)
    with head_office, open_services(head_office) as services:
        yield services


def _accounts(services: "Services") -> "Accounts":
    from holdfast.hq.web.auth.accounts import Accounts

    return Accounts(services.pool, services.clock)


def _who(services: "Services", name: str) -> str:
    """The administrator of that name, who types the password: two people are two passwords."""
    if sys.stdin.isatty():
        password = typer.prompt(f"Password of {name}", hide_input=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    found = _accounts(services).check(name, password)
    if found is None:
        _stop("That name or password is wrong. Nothing was changed.", REFUSED)
    return found


def _epoch(origin: str, epoch: str) -> "tuple[OriginId, EpochId]":
    from holdfast.core.ids import EpochId, OriginId

    return OriginId(origin), EpochId(epoch)


def _make_certificate(place: "HeadOfficeHome", host: str, names: list[str]) -> None:
    from holdfast.infra.tls import make_certificate

    own = [host] if host not in _ANY_HOST else []
    hosts: list[str] = list(dict.fromkeys([*names, *own, socket.getfqdn(), "localhost"]))
    make_certificate(place.tls / "certificate.pem", place.tls / "key.pem", hosts)


def _put_store(services: "Services", code: str, name: str, currency: str, timezone: str) -> Refusal | None:
    from holdfast.hq.enrolment import Store

    return services.head_office.enrolment.put_store(Store(code, name or code, currency, timezone))


def _pin(services: "Services") -> bytes | None:
    """The fingerprint for the code, where nobody but head office itself vouches for its certificate."""
    from holdfast.infra.tls import certificate_sha256, is_self_signed

    tls = services.tls
    return certificate_sha256(tls.certificate) if tls and is_self_signed(tls.certificate) else None


_ANY_HOST = ("0.0.0.0", "::")


def _url(config: "HeadOfficeConfig", names: list[str] | None = None) -> str:
    host = config.listen_host
    if names or host in _ANY_HOST:
        host = names[0] if names else socket.getfqdn()
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if config.tls_certificate else 'http'}://{host}:{config.listen_port}"


def _money(amount_minor: int, currency: str) -> str:
    from holdfast.hq.web.templating import money

    return money(amount_minor, currency)


def _or_stop(answer: T | Refusal) -> T:
    """The answer; a refusal ends the command with its sentence."""
    if isinstance(answer, Refusal):
        _stop(answer.sentence, REFUSED)
    return answer


def _stop(sentence: str, code: int) -> NoReturn:
    typer.secho(sentence, err=True, fg=typer.colors.RED)
    raise typer.Exit(code)


def _say(step: str, part: float | None) -> None:
    """What takes long, for people alone."""
    if sys.stderr.isatty():
        typer.echo(f"{step}{'' if part is None else f' {part:.0%}'} …", err=True)


def _count(done: int, rows: int) -> None:
    if sys.stderr.isatty() and (done % 50 == 0 or done == rows):
        typer.echo(f"{done} of {rows} rows …", err=True)
