"""Lists of stock that are being written: one of each kind, each concluded once (P2)."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from holdfast.core.bounds import id_refusal
from holdfast.core.ids import ID_RANDOM_BYTES, DocumentNumber, encode_id
from holdfast.core.refusals import Refusal
from holdfast.core.stock.entries import StockTransferred
from holdfast.register.stock.draft import ADJUST, COUNT, Draft
from holdfast.register.web.services import Services

_TYPES = {COUNT: "stock_counted", ADJUST: "stock_adjusted"}


def type_of(kind: str) -> str:
    """The entry that a list of that kind becomes."""
    return _TYPES.get(kind, "stock_transferred")


class Concluded(NamedTuple):
    """A list that is an entry."""

    list: str
    number: DocumentNumber
    other: str = ""
    """The store at the other end of a transfer."""


class StockLists:
    """The lists of this till, whoever writes them.

    A till that stops between the entry and dropping its list finds the list again at the next start. It is
    known by its id there, so it is dropped and not concluded a second time.
    """

    def __init__(self, services: Services) -> None:
        self._stock, self._checkout = services.stock, services.desk.checkout

    def open(self, kind: str) -> tuple[Draft, Concluded | None]:
        """As it was left; with what became of the one before, where nobody was told."""
        with self._stock.writing:
            return self.current(kind)

    def change(self, kind: str, change: Callable[[Draft], Draft | Refusal]) -> tuple[Draft, Refusal | None]:
        """The list as it is afterwards."""
        with self._stock.writing:
            draft, _ = self.current(kind)
            changed = change(draft)
            if isinstance(changed, Refusal):
                return draft, changed
            return self._kept(changed), None

    def begin(self, draft: Draft) -> Draft:
        """Another list in place of the one before."""
        with self._stock.writing:
            return self._kept(draft)

    def drop(self, kind: str) -> None:
        with self._stock.writing:
            self._stock.drop_draft(kind)

    # ---- while `writing` is held -------------------------------------------------------------

    def current(self, kind: str) -> tuple[Draft, Concluded | None]:
        """The list on the disk; one that is an entry already is dropped, and told."""
        draft = self._stock.draft(kind)
        concluded = self.concluded(kind, draft.id)
        if concluded is not None:
            self._stock.drop_draft(kind)
            return Draft(kind=kind), concluded
        return (self._kept(draft) if draft.lines and not draft.id else draft), None

    def concluded(self, kind: str, list_id: str) -> Concluded | None:
        """The entry that this list became."""
        if not list_id or id_refusal("The list", list_id):
            return None
        number = self._checkout.recorded(type_of(kind), list_id)
        if number is None:
            return None
        document = self._checkout.document(number)
        return Concluded(list_id, number, document.other if isinstance(document, StockTransferred) else "")

    def _kept(self, draft: Draft) -> Draft:
        if not draft.id:
            draft = msgspec.structs.replace(draft, id=encode_id(self._checkout.random(ID_RANDOM_BYTES)))
        self._stock.keep_draft(draft)
        return draft
