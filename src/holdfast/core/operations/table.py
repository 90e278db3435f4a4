"""The operations table: everything that somebody can do at a till, once (SW8).

Enforced by one guard (`register/web/guards.py`), shown on the till's page *What works offline*, and printed
into `docs/reference/operations.md`.
"""

from collections.abc import Iterator, Mapping

from holdfast.core.operations import rows_central, rows_selling, rows_till
from holdfast.core.operations.operation import Operation

OPERATIONS: Mapping[str, Operation] = {
    row.id: row for row in (*rows_selling.ROWS, *rows_till.ROWS, *rows_central.ROWS)
}


def groups(operations: Mapping[str, Operation]) -> Iterator[tuple[str, list[Operation]]]:
    """The rows by group, both in the table's order."""
    for name in dict.fromkeys(row.group for row in operations.values()):
        yield name, [row for row in operations.values() if row.group == name]
