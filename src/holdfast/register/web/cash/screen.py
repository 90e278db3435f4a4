"""The Cash area on the selling screen."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from litestar import Response

from holdfast.core.cash.moves import NEEDS_REASON, MoveKind
from holdfast.core.ids import DocumentNumber
from holdfast.core.receipt.report import Report
from holdfast.core.refusals import Refusal
from holdfast.register.web.carrying import parts_of
from holdfast.register.web.cash.acts import counted_currencies
from holdfast.register.web.cash.view import shift_line
from holdfast.register.web.messages import say
from holdfast.register.web.screen import Screen

_IN_ANY_CURRENCY = frozenset({"drop", "bank", "float"})


class MoveTexts(NamedTuple):
    """Keys of what one way to move cash is called."""

    name: str
    hint: str
    reasons: str


MOVES: dict[MoveKind, MoveTexts] = {
    "drop": MoveTexts("move.drop", "move.drop.hint", "reasons.move.drop"),
    "bank": MoveTexts("move.bank", "move.bank.hint", "reasons.move.bank"),
    "float": MoveTexts("move.float", "move.float.hint", "reasons.move.float"),
    "expense": MoveTexts("move.expense", "move.expense.hint", "reasons.move.expense"),
    "income": MoveTexts("move.income", "move.income.hint", "reasons.move.income"),
}


class CashScreen(Screen):
    """Answers of the Cash area for one signed-in person."""

    def work(
        self, name: str, *, refusal: Refusal | None = None, said: str = "", **more: Any
    ) -> Response[str]:
        """One of the area's own parts in the work area."""
        return self._answer(self._frame(name, refusal=refusal, said=said, **more))

    def menu(self, *, refusal: Refusal | None = None, said: str = "") -> Response[str]:
        """Which shift is open, and what can be done."""
        return self.work("cash", refusal=refusal, said=said, **self.standing())

    def arrival(self, *, said: str = "") -> Response[str]:
        """The whole page with the Cash area: a day with shifts has none open."""
        return self.page(said=said, work="cash", **self.standing())

    def standing(self) -> dict[str, Any]:
        """What the area's first sight shows."""
        services = self._services
        day, shift = services.desk.checkout.day(), services.desk.checkout.shift()
        now_ms = services.clock.now_ms()
        since = services.fmt.moment(shift.opened_at_ms, now_ms) if shift else ""
        return {
            "shift": shift.opened if shift else None,
            "shift_line": shift_line(shift.opened, since, services) if shift else "",
            "has_shifts": day.has_shifts,
            "moves": MOVES,
        }

    def move(
        self, kind: MoveKind, form: Mapping[str, str], *, refusal: Refusal | None = None
    ) -> Response[str]:
        """How much, and what for."""
        home, *others = counted_currencies(self._services)
        currencies = [home, *others] if kind in _IN_ANY_CURRENCY else [home]
        return self.work(
            "cash_move",
            refusal=refusal,
            kind=kind,
            texts=MOVES[kind],
            typed=form,
            currencies=[currency.code for currency in currencies],
            reasons=say(MOVES[kind].reasons).split(", "),
            needs_reason=kind in NEEDS_REASON,
        )

    def report(
        self, report: Report, name: DocumentNumber, *, z_number: int = 0, part: bool = True
    ) -> Response[str]:
        """An X or Z report, and how it is on its way to paper. `name`: in the queue of the printer."""
        carry = parts_of(self._services.outbox, name)
        more: dict[str, Any] = {"report": report, "z_number": z_number, "carry": carry}
        return self.work("cash_report", **more) if part else self.alone("cash_report", **more)

    def alone(self, work: str, **more: Any) -> Response[str]:
        """A report on a page of its own: no day need be open."""
        context = {"status": self._services.status(), "warning": None, "business_date": None}
        person = {"person": self._person, "work": work}
        return self._services.pages.page("cash_page.html", {**context, **person, **more})
