"""Routes of the Cash area: shifts, moved cash, the drawer, X and Z reports (PO5)."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from holdfast.core.cash.moves import WAYS, is_kind
from holdfast.core.cash.shift import NEEDS_SOMEBODY_ELSE, NO_SHIFT
from holdfast.core.operations import Permission
from holdfast.core.refusals import Refusal
from holdfast.register.receipts.jobs import x_name, z_name
from holdfast.register.web.cash.acts import CashActs, counts_in, proposed_float
from holdfast.register.web.cash.reports import (
    Books,
    differences,
    staff_name,
    verdict,
    x_report,
    z_report,
)
from holdfast.register.web.cash.screen import MOVES, CashScreen
from holdfast.register.web.cash.view import count_form, count_review
from holdfast.register.web.guards import AnyRequest, Asks, ByPath, ask_approval, is_part, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.services import Given, Services

Kind = FromPath[str]
Number = FromPath[int]
_MOVE = ByPath("kind", {kind: f"cash.{kind}" for kind in WAYS}, "cash.drop")
REPORTS_SHOWN = 30
NUMBER_MAX = 1 << 53


class Cash(Controller):
    """Each act answers with the screen as it is afterwards."""

    path = "/cash"

    @get("/", operation="cash.see", sync_to_thread=True)
    def menu(self, request: AnyRequest, services: Given) -> Response[str]:
        """Which shift is open, and what can be done."""
        return _screen(request, services).menu()

    # ---- shifts ------------------------------------------------------------------------------

    @get("/shift", operation=Asks("shift.open"), sync_to_thread=True)
    def ask_float(self, request: AnyRequest, services: Given) -> Response[str]:
        """The float of the next shift."""
        return _screen(request, services).work("cash_open", **proposed_float(services))

    @post("/shift", operation="shift.open", sync_to_thread=True)
    def open_shift(self, request: AnyRequest, services: Given) -> Response[str]:
        """Begin a shift; then sell."""
        screen, form = _screen(request, services), _form(request)
        opened = _acts(request, services).open_shift(form.get("float", ""))
        if isinstance(opened, Refusal):
            typed = {"typed": form.get("float", "")}
            return screen.work("cash_open", refusal=opened, **proposed_float(services) | typed)
        amount = services.fmt.money(opened.float_minor)
        return screen.shelf(said=say("shift.opened", number=opened.shift, amount=amount))

    @get("/count", operation=Asks("shift.close"), sync_to_thread=True)
    def count(self, request: AnyRequest, services: Given) -> Response[str]:
        """A blind count: nothing that is expected is shown."""
        return _count(request, services, {})

    @post("/count/again", operation=Asks("shift.close"), sync_to_thread=True)
    def count_again(self, request: AnyRequest, services: Given) -> Response[str]:
        """The same with what was entered."""
        return _count(request, services, _form(request))

    @post("/count", operation=Asks("shift.close"), sync_to_thread=True)
    def review(self, request: AnyRequest, services: Given) -> Response[str]:
        """What was counted, before it counts."""
        form = _form(request)
        counts = counts_in(form, services)
        if isinstance(counts, Refusal):
            return _count(request, services, form, counts)
        return _screen(request, services).work("cash_review", **count_review(counts, form, services))

    @post("/shift/close", operation="shift.close", sync_to_thread=True)
    def close_shift(self, request: AnyRequest, services: Given) -> Response[str]:
        """The count stands: over or short is told now."""
        permit, form = permit_of(request), _form(request)
        may_any = permit.person.role.may(Permission.APPROVE)
        closed = _acts(request, services).close_shift(form, may_any=may_any)
        if isinstance(closed, Refusal):
            if closed.code == NEEDS_SOMEBODY_ELSE:
                return ask_approval(services, request, permit.fields, closed.sentence)
            return _count(request, services, form, closed)
        home = closed.declared[0]
        return _screen(request, services).work(
            "cash_closed",
            closed=closed,
            declared=differences(closed, services.fmt),
            verdict=verdict(home.over_short_minor),
            over_short_minor=home.over_short_minor,
        )

    # ---- cash without a sale -----------------------------------------------------------------

    @get("/move/{kind:str}", operation=Asks(_MOVE), sync_to_thread=True)
    def ask_move(self, request: AnyRequest, kind: Kind, services: Given) -> Response[str]:
        """How much, and what for."""
        screen = _screen(request, services)
        return screen.move(kind, {}) if is_kind(kind) else screen.menu()

    @post("/move/{kind:str}", operation=_MOVE, sync_to_thread=True)
    def move(self, request: AnyRequest, kind: Kind, services: Given) -> Response[str]:
        """Record it."""
        screen, form = _screen(request, services), _form(request)
        moved = _acts(request, services).move(kind, form)
        if not is_kind(kind):
            return screen.menu(refusal=moved if isinstance(moved, Refusal) else None)
        if isinstance(moved, Refusal):
            return screen.move(kind, form, refusal=moved)
        services.outbox.open_drawer(kind)
        amount = services.fmt.foreign_of(abs(moved.amount_minor), moved.currency)
        return screen.menu(said=say("move.done", what=say(MOVES[kind].name), amount=amount))

    @get("/no-sale", operation=Asks("drawer.open"), sync_to_thread=True)
    def ask_no_sale(self, request: AnyRequest, services: Given) -> Response[str]:
        """Why."""
        return _screen(request, services).part("dialogs/no_sale.html")

    @post("/no-sale", operation="drawer.open", sync_to_thread=True)
    def no_sale(self, request: AnyRequest, services: Given) -> Response[str]:
        """Open the drawer."""
        screen = _screen(request, services)
        opened = _acts(request, services).open_drawer(_form(request).get("reason", ""))
        if isinstance(opened, Refusal):
            return screen.menu(refusal=opened)
        services.outbox.open_drawer("no-sale")
        return screen.menu(said=say("no-sale.opens" if services.outbox.has_drawer else "no-sale.done"))

    # ---- reports -----------------------------------------------------------------------------

    @post("/x", operation="report.x", status_code=200, sync_to_thread=True)
    def x(self, request: AnyRequest, services: Given) -> Response[str]:
        """The day so far; it changes nothing."""
        return _x(request, services, prints=False)

    @post("/x/print", operation="report.x", status_code=200, sync_to_thread=True)
    def print_x(self, request: AnyRequest, services: Given) -> Response[str]:
        """The same as of now, on paper too: what is shown is what is printed."""
        return _x(request, services, prints=True)

    @post("/z", operation="report.z", status_code=200, sync_to_thread=True)
    def z_list(self, request: AnyRequest, services: Given) -> Response[str]:
        """Closed days, newest first."""
        return _z_list(request, services)

    @post("/z/{number:int}", operation="report.z", status_code=200, sync_to_thread=True)
    def z(self, request: AnyRequest, number: Number, services: Given) -> Response[str]:
        """One of them again."""
        return _z(request, services, number, prints=False)

    @post("/z/{number:int}/print", operation="report.z", status_code=200, sync_to_thread=True)
    def print_z(self, request: AnyRequest, number: Number, services: Given) -> Response[str]:
        """The same, on paper again: a copy that says so."""
        return _z(request, services, number, prints=True)


def _x(request: AnyRequest, services: Services, *, prints: bool) -> Response[str]:
    screen = _screen(request, services)
    found = services.desk.checkout.x_report()
    if isinstance(found, Refusal):
        return screen.menu(refusal=found)
    report = x_report(found, _books(services))
    name = x_name(found.at_ms)
    if prints and services.outbox.has_printer:
        services.outbox.print_x(name, report)
    return screen.report(report, name)


def _z(request: AnyRequest, services: Services, number: int, *, prints: bool) -> Response[str]:
    row = services.desk.checkout.z_report(number) if 0 < number < NUMBER_MAX else None
    if row is None:
        return _z_list(request, services)
    if prints and services.outbox.has_printer:
        services.outbox.print_z(number)
    report = z_report(row, _books(services))
    return _screen(request, services).report(report, z_name(number), z_number=number, part=is_part(request))


def _books(services: Services) -> Books:
    return Books(services.fmt, services.shelf, services.desk.checkout.closed_shift)


def _z_list(request: AnyRequest, services: Services) -> Response[str]:
    text = _form(request).get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
    rows = services.desk.checkout.z_reports(REPORTS_SHOWN + 1, before)
    reports = [
        {
            "number": row.report.number,
            "date": services.fmt.date(row.report.business_date),
            "total": services.fmt.money(row.report.totals.total_minor),
            "by": staff_name(services.shelf, row.report.by),
        }
        for row in rows[:REPORTS_SHOWN]
    ]
    more = reports[-1]["number"] if len(rows) > REPORTS_SHOWN else None
    return _report_page(request, services, "cash_reports", reports=reports, more=more)


def _screen(request: AnyRequest, services: Services) -> CashScreen:
    return CashScreen(services, permit_of(request).person)


def _acts(request: AnyRequest, services: Services) -> CashActs:
    return CashActs(services, permit_of(request).act)


def _form(request: AnyRequest) -> dict[str, str]:
    return dict(permit_of(request).fields)


def _count(
    request: AnyRequest, services: Services, form: Mapping[str, str], refusal: Refusal | None = None
) -> Response[str]:
    screen = _screen(request, services)
    shift = services.desk.checkout.shift()
    if shift is None:
        return screen.menu(refusal=refusal or NO_SHIFT)
    name = staff_name(services.shelf, shift.opened.by)
    title = say("count.title", number=shift.opened.shift, name=name)
    return screen.work("cash_count", refusal=refusal, title=title, **count_form(services, form))


def _report_page(request: AnyRequest, services: Services, work: str, **more: Any) -> Response[str]:
    """In the work area, or as a page of its own where no day is open."""
    screen = _screen(request, services)
    return screen.work(work, **more) if is_part(request) else screen.alone(work, **more)
