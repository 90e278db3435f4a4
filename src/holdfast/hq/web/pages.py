"""What all pages of a signed-in person share: their frame, its navigation, and a person's errors."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from litestar import Response

from holdfast.core.sync.messages import Problem
from holdfast.hq.fleet import SILENCE_LIMIT_MS
from holdfast.hq.web.auth.accounts import Session
from holdfast.hq.web.auth.guard import WebRequest
from holdfast.hq.web.services import Services
from holdfast.hq.web.templating import html, render


class Place(NamedTuple):
    """An entry of the navigation."""

    path: str
    name: str


NAVIGATION = (
    Place("/", "Overview"),
    Place("/registers", "Registers"),
    Place("/readiness", "Readiness"),
    Place("/sales", "Sales"),
    Place("/closings", "Day closings"),
    Place("/customers", "Customers"),
    Place("/stock", "Stock"),
    Place("/cards", "Cards and memos"),
    Place("/locks", "Locks"),
    Place("/differences", "Differences"),
    Place("/parameters", "Parameters"),
    Place("/data", "Data"),
    Place("/alerts", "Alerts"),
    Place("/backups", "Backups"),
)
OF_A_STORE = (Place("/locks", "Locks"),)
"""For whoever is of a store."""


@dataclass(frozen=True)
class Page:
    """The frame around a page."""

    section: str
    administrator: str
    csrf: str
    alerts: int
    navigation: tuple[Place, ...] = NAVIGATION


async def page(
    request: WebRequest, services: Services, template: str, section: str, status: int = 200, **values: Any
) -> Response[str]:
    """A whole page for whoever is signed in."""
    session: Session = request.state.session
    alerts = await services.pages.run(services.alerts.open_count)
    navigation = OF_A_STORE if session.store else NAVIGATION
    frame = Page(section, session.admin, session.csrf, alerts, navigation)
    return html(render(template, _common(services) | {"page": frame} | values), status)


def fragment(services: Services, template: str, status: int = 200, **values: Any) -> Response[str]:
    """A part of a page, as htmx puts it into place."""
    return html(render(template, _common(services) | values), status)


def _common(services: Services) -> dict[str, Any]:
    return {
        "now_ms": services.clock.now_ms(),
        "zone": services.zone,
        "silence_ms": SILENCE_LIMIT_MS,
    }


_HEADINGS = {
    403: "That is not allowed",
    404: "There is nothing here",
    413: "That is too large",
    429: "Too many at once",
    503: "Head office cannot do that now",
}


def error_page(request: Any, problem: Problem) -> Response[str] | None:
    """A person's page for a problem; None for a program, which gets the problem itself."""
    asks = request.headers.get("HX-Request") == "true" or "text/html" in request.headers.get("Accept", "")
    is_page = asks and not request.url.path.startswith("/v1/")
    if not is_page:
        return None
    heading = _HEADINGS.get(problem.status, "That did not work")
    if request.headers.get("HX-Request") == "true":  # a part of a page that is there
        return html(render("error_notice.html", {"problem": problem, "heading": heading}), problem.status)
    return html(render("error.html", {"problem": problem, "heading": heading}), problem.status)
