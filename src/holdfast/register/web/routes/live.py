"""What the page hears without asking: the status line, and one warning an outage (SW1, SW2, SW6)."""

from collections.abc import AsyncGenerator

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage

from holdfast.register.loyalty import Seen
from holdfast.register.web.carrying import event_of, signs_of
from holdfast.register.web.guards import AnyRequest
from holdfast.register.web.messages import say
from holdfast.register.web.services import Given, Services, Warning
from holdfast.register.web.sessions import COOKIE
from holdfast.register.web.start import Start
from holdfast.register.web.watch import CHANGED

STREAM_MAX_S = 3_600.0
BEAT_S = 10.0
"""A line at least this often, so that a browser notices a till program that is gone."""


class Live(Controller):
    """The stream, and what it asks for."""

    @get("/events", operation="till.see")
    async def events(self, request: AnyRequest, services: Given) -> ServerSentEvent:
        """The status line whenever it changes; also before anybody has signed in."""
        token = request.cookies.get(COOKIE)
        return ServerSentEvent(_stream(services, token if services.sessions.find(token) else None))

    @post("/outage/{since_ms:int}/continue", operation="link.continue")
    async def go_on(self, request: AnyRequest, since_ms: FromPath[int], services: Given) -> Response[str]:
        """The warning was read."""
        services.watch.accept_outage(since_ms)
        return Response("")

    @post("/send-now", operation="link.send-now", status_code=200)
    async def send_now(self, request: AnyRequest, services: Given) -> Response[str]:
        """Try to reach head office at once, and say so: whoever presses wants to know that it was heard."""
        services.send_now()
        said = say("send-now.owed" if services.status().owes else "send-now.nothing")
        return services.pages.page("notice.html", {"refusal": None, "said": said})


async def _stream(services: Services, token: str | None) -> AsyncGenerator[ServerSentEventMessage, None]:
    """`token`: of the session that looks, if anybody is signed in: he is warned, and told of the lock."""
    warned: Warning | None = None
    told: Start | None = None
    points = Seen()
    for _ in range(int(STREAM_MAX_S / 0.1)):
        seen = services.wakeups.seen(CHANGED)
        if services.wakeups.stopped:
            return
        outage = services.warning()
        yield _event("status", services.pages.render("status.html", {"status": services.status()}))
        if token is not None and services.sessions.find(token) is None:
            yield _event("locked", "locked")
            token = None
        if token is not None and (outage and outage.since_ms) != (warned and warned.since_ms):
            warned = outage
            html = services.pages.render("dialogs/outage.html", {"warning": outage}) if outage else " "
            yield _event("warning", html)
        for number in services.outbox.newest() if token is not None else ():
            signs = signs_of(services.outbox.carried(number))
            yield _event(event_of(number), services.pages.render("work/signs.html", {"signs": signs}))
        if token is not None and (now := services.points_shown()) != points:
            points = now
            yield _event("points", services.pages.render("points.html", {"points": now}))
        if (start := services.start()) != told:
            told = start
            yield _event("start", services.pages.render("start_cause.html", {"start": start}))
        await services.wakeups.wait(CHANGED, BEAT_S, seen)


def _event(name: str, html: str) -> ServerSentEventMessage:
    # One line: the stream's format ends a field at a line break.
    return ServerSentEventMessage(event=name, data=" ".join(html.split()))
