"""The overview."""

import datetime
import json
from collections.abc import Sequence

from litestar import Response, Router, get

from holdfast.core.money import CURRENCIES
from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.backups.view import read_state
from holdfast.hq.web.days import Day
from holdfast.hq.web.given import Given
from holdfast.hq.web.home.disk import low_disk
from holdfast.hq.web.pages import fragment, page
from holdfast.hq.web.sales.documents import Documents, Filter, Sum

ALERTS_SHOWN = 5


@get("/", include_in_schema=False)
async def show_home(request: WebRequest, services: Given) -> Response[str]:
    documents = Documents(services.pool)
    today = datetime.datetime.fromtimestamp(services.clock.now_ms() / 1_000, services.zone).date().isoformat()
    shown = await services.pages.run(documents.latest_date) or today
    date = datetime.date.fromisoformat(shown)
    values = {
        "today": today,
        "shown": shown,
        "sums": await services.pages.run(documents.sums, Filter(date_from=date, date_to=date)),
        "registers": await services.pages.run(documents.registers_on, shown),
        "fleet": await services.pages.run(services.head_office.fleet.summary),
        "attention": await services.pages.run(services.head_office.fleet.attention),
        "alerts": await services.pages.run(services.alerts.open, None, ALERTS_SHOWN),
        "backup": await services.pages.run(read_state, services.head_office, services.pool, 1),
        "disk": await services.pages.run(low_disk, services.head_office),
    }
    if request.headers.get("HX-Target") == "overview":
        return fragment(services, "home/overview.html", **values)
    days = _with_latest(await services.pages.run(services.days.get), shown, values["sums"])
    return await page(request, services, "home/home.html", "/", **values, series=series_of(days), days=days)


routes = Router("/", route_handlers=[show_home], before_request=require_session)


def _with_latest(days: Sequence[Day], date: str, sums: Sequence[Sum]) -> list[Day]:
    """The last days with the newest of them as it is now: the others may be of a minute ago."""
    former = [day for day in days if day.business_date != date]
    return [*former, *(Day(date, sum.currency, sum.documents, sum.total_minor) for sum in sums)]


def series_of(days: Sequence[Day]) -> dict[str, str]:
    """By currency: times in seconds and totals in the major unit, as the chart takes them."""
    series: dict[str, tuple[list[int], list[float]]] = {}
    for day in days:
        moment = datetime.datetime.fromisoformat(day.business_date).replace(tzinfo=datetime.UTC)
        times, totals = series.setdefault(day.currency, ([], []))
        times.append(int(moment.timestamp()))
        known = CURRENCIES.get(day.currency)
        # For a bar's height alone; figures are exact elsewhere.
        totals.append(day.total_minor / 10 ** (known.digits if known else 2))
    return {currency: json.dumps(pair) for currency, pair in series.items() if len(pair[0]) > 1}
