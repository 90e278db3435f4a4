"""Routes of the Stock area; each answers with the screen as it is afterwards."""

import re
from collections.abc import Callable, Mapping

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from holdfast.core.ids import Sku
from holdfast.core.money import parse_milli
from holdfast.core.refusals import Refusal
from holdfast.register.realtime.client import Denied, Unanswered
from holdfast.register.stock.draft import KINDS, RECEIVE, Draft, add, put, without
from holdfast.register.web.guards import AnyRequest, Asks, ByPath, permit_of
from holdfast.register.web.messages import say
from holdfast.register.web.services import Given, Services
from holdfast.register.web.stock.acts import StockActs
from holdfast.register.web.stock.lists import Concluded, StockLists
from holdfast.register.web.stock.screen import WORDS, StockScreen

Kind = FromPath[str]
_OF_KIND = ByPath(
    "kind",
    {"count": "stock.count", "adjust": "stock.adjust", "send": "stock.transfer", "receive": "stock.transfer"},
    "stock.count",
)
_TIMES = re.compile(r"\s*([0-9]+(?:[.,][0-9]{1,3})?)\s*[*×x]\s*(\S.*)", re.IGNORECASE)
_Change = Callable[[Draft, Mapping[str, str]], Draft | Refusal]
TEXT_CHARS_MAX = 200
ONE_MILLI = 1_000


class StockPage(Controller):
    """Look up, count, adjust, send, receive."""

    path = "/stock"

    @get("/", operation="stock.estimate", sync_to_thread=True)
    def menu(self, request: AnyRequest, services: Given) -> Response[str]:
        """What can be done, and a search."""
        services.stock.hurry()
        return _screen(request, services).menu(_text(request.query_params.get("text", "")))

    @get("/of", operation="stock.estimate", sync_to_thread=True)
    def of(self, request: AnyRequest, services: Given) -> Response[str]:
        """One product: the estimate at once, and what head office says as soon as it says it."""
        return _screen(request, services).of(_text(request.query_params.get("sku", "")))

    @get("/on-hand", operation="stock.look-up", sync_to_thread=True)
    def on_hand(self, request: AnyRequest, services: Given) -> Response[str]:
        """What head office says of it, in every store."""
        sku = Sku(_text(request.query_params.get("sku", "")))
        screen, told = _screen(request, services), services.stock.availability(sku)
        if isinstance(told, Denied):
            return screen.stores(sku, None, told.sentence)
        if isinstance(told, Unanswered):
            return screen.stores(sku, None, say("stock.unanswered"))
        return screen.stores(sku, told)

    # ---- lists -------------------------------------------------------------------------------

    @get("/{kind:str}", operation=Asks(_OF_KIND), sync_to_thread=True)
    def begin(self, request: AnyRequest, kind: Kind, services: Given) -> Response[str]:
        """The list as it was left."""
        services.stock.hurry()
        screen = _screen(request, services)
        if kind not in KINDS:
            return screen.menu("")
        draft, concluded = StockLists(services).open(kind)
        return screen.draft(draft, {}, said=_said(kind, concluded) if concluded else "")

    @post("/{kind:str}/add", operation=Asks(_OF_KIND), status_code=200, sync_to_thread=True)
    def add(self, request: AnyRequest, kind: Kind, services: Given) -> Response[str]:
        """One more of what was scanned, or so many."""
        return _change(
            request, services, kind, lambda draft, form: _added(services, draft, form.get("text", ""))
        )

    @post("/{kind:str}/put", operation=Asks(_OF_KIND), status_code=200, sync_to_thread=True)
    def put(self, request: AnyRequest, kind: Kind, services: Given) -> Response[str]:
        """So many of a product, and no other figure."""

        def changed(draft: Draft, form: Mapping[str, str]) -> Draft | Refusal:
            milli = parse_milli(form.get("quantity", "").replace(",", ".").strip() or "0")
            return milli if isinstance(milli, Refusal) else put(draft, form.get("sku", ""), milli)

        return _change(request, services, kind, changed)

    @post("/{kind:str}/remove", operation=Asks(_OF_KIND), status_code=200, sync_to_thread=True)
    def remove(self, request: AnyRequest, kind: Kind, services: Given) -> Response[str]:
        """It is not on the list any more."""
        return _change(request, services, kind, lambda draft, form: without(draft, form.get("sku", "")))

    @post("/{kind:str}/drop", operation=Asks(_OF_KIND), status_code=200, sync_to_thread=True)
    def drop(self, request: AnyRequest, kind: Kind, services: Given) -> Response[str]:
        """The list from the start."""
        screen = _screen(request, services)
        if kind not in KINDS:
            return screen.menu("")
        StockLists(services).drop(kind)
        return screen.draft(Draft(kind=kind), {}, said=say("stock.dropped"))

    @post("/{kind:str}/take", operation=Asks(_OF_KIND), status_code=200, sync_to_thread=True)
    def take(self, request: AnyRequest, kind: Kind, services: Given) -> Response[str]:
        """All of a transfer that is on its way here, to be compared with what came."""
        form = dict(permit_of(request).fields)
        found = next(
            (each for each in services.stock.incoming() if each.transfer == form.get("transfer")), None
        )
        draft = Draft(kind=RECEIVE)
        if found is not None:
            draft = Draft(kind=RECEIVE, transfer=found.transfer, other=found.origin)
            for sku, description, milli in found.lines:
                more = add(draft, sku, description, "each", milli)
                draft = draft if isinstance(more, Refusal) else more
            draft = StockLists(services).begin(draft)
        return _screen(request, services).draft(draft, {})

    @post("/{kind:str}", operation=_OF_KIND, status_code=200, sync_to_thread=True)
    def conclude(self, request: AnyRequest, kind: Kind, services: Given) -> Response[str]:
        """Journal it."""
        permit = permit_of(request)
        screen, form = _screen(request, services), dict(permit.fields)
        if kind not in KINDS:
            return screen.menu("")
        draft, done = StockActs(services, permit.act).conclude(kind, form)
        if isinstance(done, Refusal):
            return screen.draft(draft, form, refusal=done)
        return screen.menu("", said=_said(kind, done))


def _screen(request: AnyRequest, services: Services) -> StockScreen:
    return StockScreen(services, permit_of(request).person)


def _said(kind: str, done: Concluded) -> str:
    return say(WORDS[kind].done, number=done.number, store=done.other)


def _text(given: str) -> str:
    return given[:TEXT_CHARS_MAX].strip()


def _change(request: AnyRequest, services: Services, kind: str, change: _Change) -> Response[str]:
    screen, form = _screen(request, services), dict(permit_of(request).fields)
    if kind not in KINDS:
        return screen.menu("")
    draft, refusal = StockLists(services).change(kind, lambda draft: change(draft, form))
    return screen.draft(draft, form, refusal=refusal)


def _added(services: Services, draft: Draft, text: str) -> Draft | Refusal:
    """As at the till: `12*code`, a barcode, a stock code, or a name that one product has."""
    milli, text = ONE_MILLI, _text(text)
    if times := _TIMES.match(text):
        found = parse_milli(times[1].replace(",", "."))
        if isinstance(found, Refusal):
            return found
        milli, text = found, times[2].strip()
    product = services.shelf.by_code(text) if text else None
    if product is None:
        offers = services.shelf.search(text, services.desk.offered_date()) if text else []
        if len(offers) != 1:
            several = say("stock.several", text=text, count=len(offers))
            return Refusal("stock.several", several if offers else say("stock.none", text=text))
        return add(draft, offers[0].sku, offers[0].description, offers[0].unit, milli)
    return add(draft, product.sku, product.description, product.unit, milli)
