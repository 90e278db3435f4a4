"""Live pages: one stream a page that says *something changed*; the page then asks for its own part anew.

At most one event a second, however many sales come in, and one every few seconds without any, so that
"12 s ago" stays true.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from litestar import Response, Router, get
from litestar.response import ServerSentEvent

from holdfast.hq.web.auth.guard import WebRequest, require_session
from holdfast.hq.web.given import Given
from holdfast.hq.web.services import PAGES, Services
from holdfast.infra.web import HttpProblem

STREAMS_MAX = 200
_TICK_S = 5.0
_GAP_S = 1.0


@get("/live", include_in_schema=False)
async def live(request: WebRequest, services: Given) -> Response[Any]:
    if services.streams >= STREAMS_MAX:  # each asks again at every event
        raise HttpProblem(503, "busy", "Too many pages are live already; this one is not.", retry_after_s=30)
    return ServerSentEvent(_changes(services))


async def _changes(services: Services) -> AsyncIterator[dict[str, str]]:
    services.streams += 1
    try:
        while not services.wakeups.stopped:
            seen = services.wakeups.seen(PAGES)
            yield {"event": "changed", "data": "-"}
            await asyncio.sleep(_GAP_S)
            await services.wakeups.wait(PAGES, _TICK_S, seen)
    finally:
        services.streams -= 1


routes = Router("/", route_handlers=[live], before_request=require_session)
