"""The demo's own page: how each register stands, and the switch of its line."""

from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.params import FromPath

from holdfast.core.faults import Fault
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
from holdfast.demo.purse import (
    ACCOUNT_CUSTOMER,
    FIRST_CARD,
    PIN_CARD,
    POINTS_CUSTOMER,
    SECOND_CARD,
    Purse,
)
from holdfast.infra.config import RegisterHome, is_loopback
from holdfast.infra.web import HttpProblem, exception_handlers, security_headers, static_router, static_url
from holdfast.register.standing import read_standing

STATIC = Path(__file__).resolve().parent / "static"

MODES = (
    (LineMode.UP, "Up", "Everything passes."),
    (LineMode.CUT, "Cut", "Connections are reset, new ones refused. The till says so within 2 s."),
    (
        LineMode.SLOW,
        "Slow",
        "Every byte arrives half a second later. The till says degraded after its next few calls.",
    ),
    (LineMode.BLACK_HOLE, "Black hole", "Bytes vanish, and nobody is told: the worst kind of outage."),
)
PEOPLE = (
    ("1", "Aoife Byrne", "cashier", "1111"),
    ("2", "Conor Walsh", "cashier", "2222"),
    ("9", "Maeve Doyle", "manager", "9999"),
)
CODES = (
    ("2000000010076", "Milk, 1 l"),
    ("2000000010359", "Mature cheddar 200 g"),
    ("2000000011332", "Salted crisps 40 g"),
)

AnyRequest = Request[Any, Any, Any]


def create_board(chain: Chain) -> Litestar:
    """The page over a running chain."""
    environment = Environment(
        loader=PackageLoader("holdfast.demo"), autoescape=True, undefined=StrictUndefined
    )
    environment.globals.update(static=lambda name: static_url(name, STATIC))

    def render(template: str) -> Response[str]:
        context = {
            "registers": [_register(chain, name) for name in chain.registers],
            "modes": [(mode.value, label, hint) for mode, label, hint in MODES],
            "head_office_url": chain.head_office.url,
            "sign_in_url": chain.sign_in_url,
            "people": PEOPLE,
            "codes": CODES,
            "tries": tries(chain.purse) if chain.purse else (),
        }
        return Response(environment.get_template(template).render(context), media_type=MediaType.HTML)

    @get("/", sync_to_thread=True)
    def page() -> Response[str]:
        return render("board.html")

    @get("/lines", sync_to_thread=True)
    def lines() -> Response[str]:
        return render("lines.html")

    @post("/lines/{name:str}/{mode:str}", status_code=200, sync_to_thread=True)
    def switch(request: AnyRequest, name: FromPath[str], mode: FromPath[str]) -> Response[str]:
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise HttpProblem(403, "forbidden", "That did not come from the demo's own page.")
        if name not in chain.lines or mode not in {known.value for known in LineMode}:
            raise HttpProblem(404, "not-found", "There is no such line or mode.")
        chain.switch(name, LineMode(mode))
        return render("lines.html")

    def own_address(connection: Any, _: object) -> None:
        if not is_loopback(connection.url.hostname or ""):
            raise HttpProblem(403, "forbidden", "The demo answers on this machine's own address alone.")

    return Litestar(
        route_handlers=[page, lines, switch, static_router(STATIC)],
        guards=[own_address],
        exception_handlers=exception_handlers(),
        before_send=[security_headers(tls=False)],
        openapi_config=None,
    )


class Try(NamedTuple):
    """Something in the purse, and one thing to do with it."""

    what: str
    number: str
    pin: str
    hint: str


def tries(purse: Purse) -> tuple[Try, ...]:
    """In the order in which they make the most sense."""
    first, second, *unsold = (card.number for card in purse.cards)
    pin_card, euro = purse.pin_card, "€"
    return (
        Try("Gift card that nobody bought yet", unsold[0], "",
            "Gift cards, scan it, Sell: pay in cash, and read the new balance."),
        Try(f"Gift card with {euro}{FIRST_CARD}", first, "",
            "At R01 sell milk, F9, Gift card, scan it; cut the line, then Take: it tells what to do instead. "
            "At R02 head office allows it: the same goes through."),
        Try(f"Gift card with {euro}{SECOND_CARD}", second, "",
            "Cut the line of R02 first, then pay there with it: up to €30.00 were granted ahead. R01 says "
            "that gift cards need a connection."),
        Try(f"Gift card with {euro}{PIN_CARD}", pin_card.number, pin_card.pin,
            "Hold it at R01 for a payment, then scan it at R02: it is in use, and since when."),
        Try("Credit memo over €20.50", purse.memo, "",
            "F9, Credit memo, scan it. Bring goods back (F10) for a new one, with the line up or cut."),
        Try("Amara Brandt, 590 points", POINTS_CUSTOMER, "",
            "F11 and her number, then F9, Points. Sell to her with both lines cut: each sale earns, once."),
        Try("Bruno Castell, may owe €200.00", ACCOUNT_CUSTOMER, "",
            "F11 and his number, then F9, On account; F11 once more takes his payment."),
        Try("24 milk, 40 crisps, 12 coffee in Market", "MILK1", "",
            "Stock in the menu under your name: on hand in every store; cut the line for an estimate; "
            "send some from R02 to Harbour, and receive it at R01."),
    )  # fmt: skip


def _register(chain: Chain, name: str) -> dict[str, Any]:
    place, line = chain.registers[name], chain.lines[name]
    try:
        standing = read_standing(RegisterHome(place.home))
        mode, sentences = standing.mode, standing.sentences
    except Fault as fault:
        mode, sentences = "offline", (fault.sentence,)
    return {
        "name": name,
        "url": place.url,
        "line": line.mode.value,
        "mode": mode,
        "sentences": sentences[1:] or sentences,
        "bytes_up": line.bytes_up,
        "bytes_down": line.bytes_down,
    }
