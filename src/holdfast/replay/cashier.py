"""The cashier who types a history into one register: opens its days and enters its documents."""

from holdfast.core.business_day import DayOpened
from holdfast.core.faults import ConfigurationFault
from holdfast.core.ids import DocumentNumber
from holdfast.core.refusals import Refusal
from holdfast.register.checkout import AlreadyRecorded, Checkout, Document
from holdfast.replay.document import BY, body_maker
from holdfast.replay.history import HistoryDocument

_OTHER_DAY = Refusal("replay.other-day", "The document is of a later day than the one that is open.")
_DAY_CODES = frozenset({_OTHER_DAY.code, "day.not-open"})


class Cashier:
    """Enters documents into one register, each once."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._date = checkout.day().business_date or ""

    def enter(self, document: HistoryDocument) -> Document | AlreadyRecorded | Refusal:
        """Enter it, on its own business day or, where that is over in this register, on the present one.

        One that the register's database holds already is left alone, and opens no day.
        """
        answer = self._record(document)
        if isinstance(answer, Refusal) and answer.code in _DAY_CODES:
            self._go_to(max(document.business_date, self._date))
            answer = self._record(document)
        return answer

    def finish(self) -> None:
        """Close the day, if one is open."""
        if self._checkout.day().open:
            self._require(self._checkout.close_day(by=BY))

    def _record(self, document: HistoryDocument) -> Document | AlreadyRecorded | Refusal:
        make = body_maker(document, self._checkout.config.currency)

        def on_its_day(number: DocumentNumber) -> Document | Refusal:
            # A new epoch may have closed the day, and a former run may have left a later one open.
            return make(number) if document.business_date <= self._date else _OTHER_DAY

        return self._checkout.record(document.type, on_its_day, reference=document.reference)

    def _go_to(self, date: str) -> None:
        if self._checkout.day().open:
            self._require(self._checkout.close_day(by=BY))
        opened = self._checkout.open_day(date, by=BY, approved_by=BY)
        self._require(opened)
        assert isinstance(opened, DayOpened), "a day that was not refused is open"
        self._date = opened.business_date

    def _require(self, answer: object) -> None:
        if isinstance(answer, Refusal):
            raise ConfigurationFault(f"The register cannot go on with the replay: {answer.sentence}")
