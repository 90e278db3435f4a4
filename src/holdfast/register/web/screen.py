"""What the selling screen shows now: read from the databases anew for every answer."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from litestar import Response

from holdfast.core.card_tender import CardPayment
from holdfast.core.central.accounts import Kind
from holdfast.core.central.at_till import Stage
from holdfast.core.central.sentences import BEGUN_OFFLINE
from holdfast.core.customers import Found
from holdfast.core.ids import DocumentNumber
from holdfast.core.operations.conditions import CREDIT_MEMOS_OFFLINE
from holdfast.core.pricing import Priced, price
from holdfast.core.receipt.model import Receipt
from holdfast.core.refusals import Refusal
from holdfast.core.sale import SaleLine
from holdfast.core.tender import Due
from holdfast.register.checkout import DocumentRow
from holdfast.register.web.cards import cards_to_refund, payment_name, value_to_refund
from holdfast.register.web.carrying import parts_of
from holdfast.register.web.central_view import balances, held_rows, usual_amounts
from holdfast.register.web.grid import Sheet
from holdfast.register.web.known_customers import name_of
from holdfast.register.web.messages import say
from holdfast.register.web.people import Person
from holdfast.register.web.services import Services
from holdfast.register.web.tendering import card_way, given, held_way, ways_to_pay
from holdfast.register.web.ticket import Shown

RECEIPTS_SHOWN = 20
_KINDS = {"sale": "word.sale", "return": "word.return"}
_CARRY: dict[str, Any] = {"refusal": None, "address": ""}
"""Of `work/carry.html`: nothing was asked for yet."""


class Has(NamedTuple):
    """What a page shows already, by the names that it was given for it."""

    sheet: str
    """Of the grid (grid.py)."""
    lines: str
    """Of the ticket (ticket.py)."""


NOTHING = Has("", "")


class Screen:
    """Answers of the selling screen for one signed-in person."""

    def __init__(self, services: Services, person: Person, has: Has = NOTHING) -> None:
        """`has`: what the page shows already."""
        self._services = services
        self._person = person
        self._has = has

    # ---- whole answers -----------------------------------------------------------------------

    def page(self, *, said: str = "", work: str = "shelf", **more: Any) -> Response[str]:
        """The whole page, on arrival and after a reload; of a sale that is paid in part the payment."""
        services = self._services
        if work == "shelf" and services.desk.tenders():
            work = "pay"
        context = {
            **self._frame(work, said=said, **more),
            "status": services.status(),
            "warning": services.warning(),
            "person": self._person,
            "business_date": services.desk.business_date(),
        }
        return services.pages.page("till.html", context)

    def shelf(self, *, refusal: Refusal | None = None, said: str = "", **more: Any) -> Response[str]:
        """Back to selling."""
        return self._answer(self._frame("shelf", refusal=refusal, said=said, **more))

    def next_customer(self, said: str) -> Response[str]:
        """Selling from the start: the transaction before was given up, or put aside."""
        self._services.grid.turn_home()
        return self.shelf(said=said)

    def found(self, offers: list[Any], quantity: str) -> Response[str]:
        return self._answer(self._frame("shelf", found=offers, found_quantity=quantity))

    def dialog(self, name: str, **more: Any) -> Response[str]:
        """The same screen with a question on top."""
        return self._answer(self._frame("shelf", dialog=name, **more))

    def pay(
        self,
        *,
        refusal: Refusal | None = None,
        said: str = "",
        currency: str = "",
        typed: Mapping[str, str] | None = None,
    ) -> Response[str]:
        """What is due, in home cash, in the foreign `currency`, or by card. `typed`: what was refused."""
        if self._services.desk.checkout.basket() is None:
            return self.shelf(refusal=refusal, said=said)  # nothing is to be paid
        typed = typed or {"amount": "", "reference": ""}
        return self._answer(self._frame("pay", refusal=refusal, said=said, currency=currency, typed=typed))

    def grid(self) -> Response[str]:
        """The work area alone, with the products to touch."""
        return self.part("work/shelf.html", found=None, found_quantity="", sheet=self._sheet())

    def done(self, receipt: Receipt) -> Response[str]:
        self._services.grid.turn_home()
        carry = parts_of(self._services.outbox, receipt.sale.document, expected=True)
        said = balances(receipt.sale, self._services.fmt, is_applied=False) if receipt.sale.values else []
        central = {"balances": said, "document": receipt.sale.document, "is_applied": False}
        return self._answer(self._frame("done", receipt=receipt, carry=_CARRY | carry, **central))

    def suspended(self, *, refusal: Refusal | None = None, said: str = "") -> Response[str]:
        """What waits to be recalled."""
        rows = self.suspended_rows()
        return self._answer(self._frame("suspended", refusal=refusal, said=said, waiting=rows))

    def suspended_rows(self) -> list[dict[str, str]]:
        """The longest waiting first."""
        fmt, now_ms = self._services.fmt, self._services.clock.now_ms()
        return [
            {
                "transaction": kept.basket.transaction,
                "note": kept.note,
                "at": fmt.moment(kept.at_ms, now_ms),
                "by": self._services.shelf.staff_name(kept.by),
                "kind": say(_KINDS[kept.basket.kind]),
                "lines": fmt.count(len(kept.basket.lines)),
                "first": kept.basket.lines[0].description if kept.basket.lines else "",
                "total": fmt.money(price(kept.basket).total_minor),
                "held": ", ".join(
                    hold.words for hold in kept.basket.holds if not (hold.is_own or hold.grant)
                ),
            }
            for kept in self._services.desk.checkout.suspended()
        ]

    def customers(
        self, *, refusal: Refusal | None, said: str, text: str, found: list[Found], more: bool
    ) -> Response[str]:
        """Who was found."""
        found_here = {"people": found, "asked": text, "more": more}
        return self._answer(self._frame("customers", refusal=refusal, said=said, **found_here))

    def customer_form(self, *, refusal: Refusal | None, **given: Any) -> Response[str]:
        """What is known of somebody, to be written."""
        return self._answer(self._frame("customer_form", refusal=refusal, **given))

    def overview(self, **view: Any) -> Response[str]:
        """How this register stands."""
        return self._answer(self._frame("overview", **view))

    def receipts(
        self,
        *,
        refusal: Refusal | None = None,
        found: list[DocumentRow] | None = None,
        text: str = "",
        date: str = "",
        further: DocumentNumber | None = None,
    ) -> Response[str]:
        """The last ones, or what a search for `text` and `date` found; `further`: where it goes on."""
        rows = self._services.desk.documents(RECEIPTS_SHOWN) if found is None else found
        return self._answer(
            self._frame(
                "receipts",
                refusal=refusal,
                documents=self._documents(rows),
                asked={"text": text, "date": date},
                is_search=bool(text or date),
                further=further,
            )
        )

    def receipt(self, receipt: Receipt, *, refusal: Refusal | None = None) -> Response[str]:
        carry = parts_of(self._services.outbox, receipt.sale.document)
        return self._answer(self._frame("receipt", receipt=receipt, refusal=refusal, carry=_CARRY | carry))

    def operations(self, **more: Any) -> Response[str]:
        """What works offline, for this person."""
        return self._answer(self._frame("operations", **more))

    def readiness(self, *, refusal: Refusal | None = None, said: str = "", **more: Any) -> Response[str]:
        """Whether this register would survive an outage."""
        return self._answer(self._frame("readiness", refusal=refusal, said=said, **more))

    def central(self, work: str, *, refusal: Refusal | None = None, **more: Any) -> Response[str]:
        """A page of central value in the work area."""
        fmt = self._services.fmt
        return self._answer(self._frame(work, refusal=refusal, amounts=usual_amounts(fmt), **more))

    def ticket_now(self) -> Response[str]:
        """The ticket alone, once nothing on it is in doubt any more; else nothing."""
        context = self._frame("shelf")
        if any(row.in_doubt for row in context["held"]):
            return Response("", status_code=204)
        return self._services.pages.page("central/ticket_now.html", context)

    def pay_now(self, way: str) -> Response[str]:
        """The payment page for that kind of value, where it can be asked for and nothing is in doubt any
        more; else nothing."""
        basket = self._services.desk.checkout.basket()
        is_doubtful = basket is None or any(hold.stage is Stage.IN_DOUBT for hold in basket.holds)
        if is_doubtful or not self._central_there()[way]:
            return Response("", status_code=204)
        answer = self.pay(currency=way)
        answer.headers.update({"HX-Retarget": "#work", "HX-Reswap": "innerHTML"})
        return answer

    def part(self, template: str, **more: Any) -> Response[str]:
        """A dialog alone; nothing else on the screen changes."""
        return self._services.pages.page(template, {"dialog": None, **more})

    def _answer(self, context: dict[str, Any]) -> Response[str]:
        answer = self._services.pages.page("frame.html", context)
        if context["same_work"]:
            answer.headers["HX-Reswap"] = "none"
        return answer

    # ---- what the parts of the screen are made of --------------------------------------------

    def _frame(
        self,
        work: str,
        *,
        refusal: Refusal | None = None,
        said: str = "",
        receipt: Receipt | None = None,
        found: list[Any] | None = None,
        found_quantity: str = "",
        dialog: str | None = None,
        currency: str = "",
        **more: Any,
    ) -> dict[str, Any]:
        desk = self._services.desk
        basket = desk.checkout.basket()
        priced = price(basket) if basket else None
        is_return = (basket.kind == "return") if basket else desk.is_returning
        rows = self._services.pages.ticket.lines(basket, priced) if basket and priced else ()
        shown = Shown(f"{is_return} {work == 'pay'}", rows)
        context: dict[str, Any] = {
            "work": work,
            "refusal": refusal,
            "said": said,
            "receipt": receipt,
            "found": found,
            "found_quantity": found_quantity,
            "dialog": dialog,
            "basket": basket,
            "priced": priced,
            "is_return": is_return,
            "total_minor": priced.total_minor if priced else 0,
            "suspended_count": desk.checkout.suspended_count(),
            "rows": rows,
            "ticket_name": self._services.pages.ticket.remember(shown) if rows else "",
            "changes": self._services.pages.ticket.changes(self._has.lines, shown) if not receipt else None,
            "same_work": False,
            "held": (),
            "taxes": self._taxes(priced),
            "customer": self._customer(basket.customer if basket else None),
            "points": self._services.points_of(basket.customer or "" if basket else ""),
        }
        if work == "shelf" and found is None:
            context["sheet"] = sheet = self._sheet()
            context["same_work"] = self._has.sheet == sheet.name
        if work == "pay" and priced:
            context |= self._paying(priced, currency)
        if basket and basket.holds:
            fmt, now_ms = self._services.fmt, self._services.clock.now_ms()
            context["held"] = held_rows(basket, fmt, now_ms, context.get("due"))
        if work == "receipt" and receipt:
            context["returnable"] = self._returnable(receipt)
        return context | more

    def _sheet(self) -> Sheet:
        desk = self._services.desk
        return self._services.grid.sheet(desk.business_date() or desk.offered_date())

    def _customer(self, number: str | None) -> dict[str, str] | None:
        """Whose transaction it is."""
        if number is None:
            return None
        name = name_of(self._services.desk.checkout, self._services.shelf, number)
        return {"number": number, "name": name or say("customer.nameless")}

    def _paying(self, priced: Priced, currency: str) -> dict[str, Any]:
        desk, fmt = self._services.desk, self._services.fmt
        due = desk.due(priced)
        ways = ways_to_pay(due, desk.currencies(), fmt)
        if due.amount_minor > 0:
            ways.append(card_way(due, fmt))
            ways += [held_way("gift_card", due, fmt), held_way("credit_memo", due, fmt)]
        elif due.amount_minor < 0:
            ways.append(held_way("gift_card", due, fmt))
        chosen = next((place for place, way in enumerate(ways) if way.code == currency), 0)
        return {
            "due": due,
            "tenders": [given(tender, fmt) for tender in desk.tenders()],
            "refunds": [self._refund(payment, due) for payment in cards_to_refund(desk)],
            "ways": ways,
            "way": ways[chosen],
            "is_way_chosen": bool(currency),
            "next_way": ways[(chosen + 1) % len(ways)],
            "value_first": value_to_refund(desk),
            "central_there": self._central_there(),
            "central_away": {kind.value: sentence for kind, sentence in BEGUN_OFFLINE.items()},
        }

    def _central_there(self) -> dict[str, bool]:
        """For which kinds a number can be typed: offline within an allowance, and for a memo that this
        register issued itself."""
        if self._services.central.is_there():
            return {"gift_card": True, "credit_memo": True}
        usable = self._services.central.allowances.usable()
        may_memo = self._services.rule(CREDIT_MEMOS_OFFLINE, False)
        return {"gift_card": Kind.GIFT_CARD in usable, "credit_memo": may_memo or Kind.CREDIT_MEMO in usable}

    def _refund(self, payment: CardPayment, due: Due) -> dict[str, str]:
        """What goes back to one card."""
        amount_minor = min(payment.left_minor, -due.amount_minor)
        return {
            "which": payment_name(payment),
            "amount": self._services.fmt.money(amount_minor),
            "of": say("card.refund.of", number=payment.original.document, reference=payment.reference),
        }

    def _taxes(self, priced: Priced | None) -> list[dict[str, Any]]:
        if priced is None:
            return []
        names = self._services.shelf.tax_names()
        fmt = self._services.fmt
        return [
            {
                "name": say(
                    "tax.inclusive" if tax.inclusive else "tax.exclusive",
                    name=names.get(tax.tax_code, tax.tax_code),
                    rate=fmt.rate(tax.rate_e6),
                ),
                "tax_minor": tax.tax_minor,
            }
            for tax in priced.taxes
            if tax.tax_minor
        ]

    def _documents(self, rows: list[DocumentRow]) -> list[dict[str, str]]:
        fmt, now_ms = self._services.fmt, self._services.clock.now_ms()
        return [
            {
                "number": row.document,
                "kind": say(_KINDS.get(row.type, "word.adjustment")),
                "at": fmt.moment(row.at_ms, now_ms),
                "total": fmt.money(row.total_minor),
            }
            for row in rows
        ]

    def _returnable(self, receipt: Receipt) -> list[dict[str, Any]]:
        if receipt.sale.total_minor < 0 or all(line.quantity_milli < 0 for line in receipt.sale.lines):
            return []
        return [self._returnable_row(receipt.sale.document, line) for line in receipt.sale.lines]

    def _returnable_row(self, number: DocumentNumber, line: SaleLine) -> dict[str, Any]:
        fmt = self._services.fmt
        left = self._services.desk.checkout.returnable(number, line.line)
        back_milli = 0 if isinstance(left, Refusal) else left.remaining_milli
        return {
            "line": line.line,
            "description": line.description,
            "sold": fmt.quantity(line.quantity_milli, line.unit),
            "amount": fmt.money(line.amount_minor),
            "left": _figure(back_milli) if back_milli else "",
            "note": "" if back_milli else say("return.came-back"),
        }


def _figure(quantity_milli: int) -> str:
    whole, rest = divmod(quantity_milli, 1_000)
    return f"{whole}.{rest:03d}" if rest else str(whole)
