"""`holdfast hq credit`: who may buy on account, and how far (OA1)."""

from typing import Annotated

import typer

from holdfast.core.central.accounts import Kind
from holdfast.core.money import CURRENCIES, parse_minor
from holdfast.core.refusals import Refusal
from holdfast.hq.cli_parts import CONSOLE, REFUSED, Home, money_text, or_stop, services_of, stop

credit = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Customers who buy on account: their limits, and what they owe.",
)
Customer = Annotated[str, typer.Argument(help="The customer's number, as its page shows it.")]


@credit.command("set")
def set_limit(
    home: Home,
    customer: Customer,
    limit: Annotated[str, typer.Argument(help="So far the customer may owe: 500 or 500.00; 0 ends it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the account.")],
    currency: Annotated[str, typer.Option(help="ISO 4217; else that of the stores.")] = "",
) -> None:
    """Set a customer's credit limit. The first one opens the account.

    Example:  holdfast hq credit set C-1001 500 --home hq --reason "Contract of March"
    """
    with services_of(home) as services:
        book = services.head_office.credit
        known = book.standing(Kind.ON_ACCOUNT, customer)
        stores = book.currencies()
        named = currency.upper() or (
            known.account.currency if known else stores[0] if len(stores) == 1 else ""
        )
        money = CURRENCIES.get(named)
        if money is None:
            stop(
                f"Name the currency with --currency; the stores have {', '.join(stores) or 'none'}.", REFUSED
            )
        amount = parse_minor(limit, money)
        done = (
            amount
            if isinstance(amount, Refusal)
            else book.set_limit(customer, amount, named, by=CONSOLE, reason=reason)
        )
        account = or_stop(done)
    typer.echo(f"{customer} may owe {money_text(account.limit, account.currency)}.")


@credit.command("show")
def show(home: Home, customer: Customer) -> None:
    """Say what a customer owes, and how much of the limit is left.

    Example:  holdfast hq credit show C-1001 --home hq
    """
    with services_of(home) as services:
        found = services.head_office.credit.standing(Kind.ON_ACCOUNT, customer)
    if found is None:
        stop(f"{customer} does not buy on account. Set a limit: holdfast hq credit set", REFUSED)
    currency = found.account.currency
    typer.echo(f"Owed:  {money_text(found.owed, currency)}")
    typer.echo(f"Limit: {money_text(found.account.limit, currency)}")
    typer.echo(f"Left:  {money_text(found.left, currency)}")
