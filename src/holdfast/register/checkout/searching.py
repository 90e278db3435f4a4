"""The journal on screen: this till's own documents, searched (PO4)."""

from holdfast.core.ids import DocumentNumber
from holdfast.register.checkout.work_mode import WorkModes
from holdfast.register.till import search
from holdfast.register.till.history import DocumentRow
from holdfast.register.till.search import Query

FOUND_MAX = 50
ROWS_MAX, ROWS_INSIDE_MAX = 20_000, 2_000
"""So many rows one search looks at, and so many documents it reads: a fraction of a second."""


class Searching(WorkModes):
    """Reads alone; a sale that comes meanwhile goes between two looks."""

    def search(
        self, query: Query, before: DocumentNumber | None = None
    ) -> tuple[list[DocumentRow], DocumentNumber | None]:
        """What was found, newest first, and where to go on; None: all was looked at."""
        found: list[DocumentRow] = []
        rows_left = ROWS_INSIDE_MAX if query.looks_inside else ROWS_MAX
        while rows_left > 0:
            with self._till.reading() as connection:
                looked = search.look(connection, query, before)
            found += looked.found
            before, rows_left = looked.before, rows_left - search.ROWS_AT_ONCE
            if before is None:
                break
            if len(found) >= FOUND_MAX:
                return found[:FOUND_MAX], found[FOUND_MAX - 1].document
        return found[:FOUND_MAX], found[FOUND_MAX - 1].document if len(found) > FOUND_MAX else before
