"""The demo's own page: how each register stands, and the switch of its line."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.params import FromPath

from holdfast.core.faults import Fault
from holdfast.demo.chain import Chain
from holdfast.demo.line import LineMode
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
