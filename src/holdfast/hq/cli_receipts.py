"""`holdfast hq receipt`: what a receipt's code says, and what came back on it."""

from typing import Annotated

import typer

from holdfast.core.refusals import Refusal
from holdfast.hq.cli_parts import REFUSED, Home, money_text, services_of, stop


def receipt(
    home: Home,
    code: Annotated[str, typer.Argument(help="The code as a scanner reads it: HF1…")],
) -> None:
    """Check a receipt's signed code, and say what is known of its document and of what came back on it.

    A forged code is refused, and so is one that is older than the return window.
    """
    from holdfast.hq.receipts.doubles import returns_on

    with services_of(home) as services:
        head_office = services.head_office
        found = head_office.register_keys.look(code)
        if isinstance(found, Refusal):
            stop(found.sentence, REFUSED)
        facts = found.facts
        known = returns_on(head_office.services_pool, facts.document)
    total = money_text(facts.total_minor, facts.currency)
    typer.echo(f"{facts.document} of {facts.date}, {total}: genuine.")
    typer.echo("Its document is here." if known.is_here else "Its document has not arrived yet.")
    for back in known.returns:
        amount = money_text(back.amount_minor, facts.currency)
        typer.echo(f"Came back: {amount} by {back.document}, register {back.register}, {back.date}")
