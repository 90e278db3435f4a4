"""`holdfast hq readiness`: which registers would survive an outage now."""

import json

import typer

from holdfast.core.readiness import band_of, findings_of
from holdfast.hq.cli_parts import AsJson, Home, services_of


def readiness(home: Home, as_json: AsJson = False) -> None:
    """List the registers in service by what would fail in an outage now, the worst first.

    By their own last signed word; card terminals are not counted.
    """
    from holdfast.hq.readiness import of_service

    with services_of(home) as services:
        rows = of_service(services.head_office.fleet.registers())
    if as_json:
        found = [
            {
                "origin": each.origin,
                "register": each.name,
                "store": each.store,
                "band": band_of(each.readiness),
                "score": each.readiness.score if each.readiness else None,
                "findings": list(each.readiness.findings) if each.readiness else [],
                "said_at_ms": each.last_word_ms,
            }
            for each in rows
        ]
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for each in rows:
        said = each.readiness
        figure = f"{said.score:3} of 100" if said else "not known "
        typer.echo(f"{figure}  {each.name}, store {each.store}")
        for finding in findings_of(said) if said else ():
            typer.echo(f"            {finding.what}: {finding.why} {finding.cure}")
