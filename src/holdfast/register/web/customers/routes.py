"""Acts on customers; each answers with the screen as it is afterwards."""

from typing import Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath

from holdfast.core.customers import Details, read_details
from holdfast.core.customers.details import FIELDS
from holdfast.core.refusals import Refusal
from holdfast.register.web.customers.book import FOUND_MAX, Customers, Likely
from holdfast.register.web.guards import AnyRequest, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.routes.entrance import Form
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given, Services

Number = FromPath[str]
TEXT_CHARS_MAX = 200


class CustomersPage(Controller):
    """Search, choose, create, change."""

    @get("/customers", operation="customer.find", sync_to_thread=True)
    def search(self, request: AnyRequest, services: Given) -> Response[str]:
        """Who has these words; without any, the empty page."""
        text = request.query_params.get("text", "")[:TEXT_CHARS_MAX].strip()
        return _list(request, services, text)

    @post("/customers/{number:str}/choose", operation="customer.find", status_code=200, sync_to_thread=True)
    def choose(self, request: AnyRequest, number: Number, services: Given) -> Response[str]:
        """The open transaction is this customer's."""
        chosen = _book(services).choose(number, permit_of(request).act)
        if isinstance(chosen, Refusal):
            return _list(request, services, "", refusal=chosen)
        said = say("customer.chosen", name=chosen.details.name, number=chosen.number)
        return _chosen(request, services, said)

    @post("/customers/none", operation="customer.find", status_code=200, sync_to_thread=True)
    def without(self, request: AnyRequest, services: Given) -> Response[str]:
        """The open transaction is nobody's in particular."""
        done = _book(services).without(permit_of(request).act)
        screen = _screen(request, services)
        if isinstance(done, Refusal):
            return screen.shelf(refusal=done)
        return screen.shelf(said=say("customer.removed"))

    @get("/customers/new", operation="customer.create", sync_to_thread=True)
    def ask(self, request: AnyRequest, services: Given) -> Response[str]:
        """The form, with what was searched for where it can be a name."""
        text = request.query_params.get("text", "")[:TEXT_CHARS_MAX].strip()
        return _form(request, services, _guessed(text))

    @post("/customers", operation="customer.create", status_code=200, sync_to_thread=True)
    def create(self, request: AnyRequest, data: Form, services: Given) -> Response[str]:
        """Somebody new; unless somebody here says the same of himself, which is asked first."""
        book, details = _book(services), read_details(data)
        if isinstance(details, Refusal):
            return _form(request, services, data, refusal=details)
        likely = None if data.get("anyway") else book.likely(details)
        if likely is not None:
            return _form(request, services, data, likely=likely)
        made = book.create(details, permit_of(request).act)
        if isinstance(made, Refusal):
            return _form(request, services, data, refusal=made)
        if not made.is_chosen:
            said = say("customer.made", name=details.name, number=made.number)
            return _list(request, services, made.number, said=said)
        said = say("customer.created", name=details.name, number=made.number)
        return _chosen(request, services, said)

    @get("/customers/{number:str}", operation="customer.edit", sync_to_thread=True)
    def ask_change(self, request: AnyRequest, number: Number, services: Given) -> Response[str]:
        """The form with what is known."""
        known = _book(services).one(number)
        if isinstance(known, Refusal):
            return _list(request, services, "", refusal=known)
        return _form(request, services, known.details, number=known.number)

    @post("/customers/{number:str}", operation="customer.edit", status_code=200, sync_to_thread=True)
    def change(self, request: AnyRequest, number: Number, data: Form, services: Given) -> Response[str]:
        """All that is known, anew."""
        details = read_details(data)
        if isinstance(details, Refusal):
            return _form(request, services, data, number=number, refusal=details)
        changed = _book(services).change(number, details, permit_of(request).act)
        if isinstance(changed, Refusal):
            return _form(request, services, data, number=number, refusal=changed)
        return _list(request, services, changed.number, said=say("customer.changed", name=details.name))


def _book(services: Services) -> Customers:
    return Customers(services.desk, services.shelf)


def _screen(request: AnyRequest, services: Services) -> Screen:
    return Screen(services, permit_of(request).person)


def _chosen(request: AnyRequest, services: Services, said: str) -> Response[str]:
    """Whose sale it is; and that loyalty is unavailable, where it is (LY2)."""
    return _screen(request, services).shelf(said=said, loyalty_missing=services.is_loyalty_missing())


def _list(
    request: AnyRequest, services: Services, text: str, *, refusal: Refusal | None = None, said: str = ""
) -> Response[str]:
    found = _book(services).search(text)
    return _screen(request, services).customers(
        refusal=refusal, said=said, text=text, found=found[:FOUND_MAX], more=len(found) > FOUND_MAX
    )


def _form(
    request: AnyRequest,
    services: Services,
    given: Details | dict[str, Any],
    *,
    number: str = "",
    refusal: Refusal | None = None,
    likely: Likely | None = None,
) -> Response[str]:
    known = msgspec.structs.asdict(given) if isinstance(given, Details) else given
    fields = {field: str(known.get(field, "")) for field in FIELDS}
    return _screen(request, services).customer_form(
        refusal=refusal, given=fields, number=number, likely=likely
    )


def _guessed(text: str) -> dict[str, str]:
    """What was searched for and nobody had: the field that it looks like."""
    if "@" in text:
        return {"email": text}
    if any(character.isdigit() for character in text):
        return {"phone": text} if not any(character.isalpha() for character in text) else {}
    return {"name": text}
