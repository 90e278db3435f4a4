"""The protocol that registers and store servers speak: `/v1` (its messages: `holdfast.core.sync`).

Every request but health, enrolment and the two of a session runs in a session. Work that touches the
database runs in lanes, apart by kind, so that a batch of thousands of sales never delays a probe.
"""

from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
    SecurityScheme,
)
from litestar.params import FromPath, JSONBody, Parameter

from holdfast import __version__
from holdfast.core.ids import IncarnationId, OriginId
from holdfast.core.sync.commands import Outcome
from holdfast.core.sync.enrolment import EnrolReply, EnrolRequest
from holdfast.core.sync.feed import FEEDS
from holdfast.core.sync.limits import BODY_BYTES_MAX
from holdfast.core.sync.messages import (
    Ack,
    Challenge,
    HeartbeatReply,
    OfferReply,
    SessionOpened,
    SessionRequest,
    SignedStatement,
)
from holdfast.core.sync.person_keys import PersonKeys, PersonKeysTaken
from holdfast.core.sync.receiver import Refused
from holdfast.hq.sessions import OpenSession
from holdfast.hq.web.given import Given
from holdfast.hq.web.protocol import ApiRequest, problems
from holdfast.hq.web.service_routes import service_handlers
from holdfast.hq.web.services import PAGES, commands_key
from holdfast.infra.web import HttpProblem

BATCH_TYPE = "application/vnd.holdfast.batch"
SIGNED_TYPE = "application/vnd.holdfast.signed"
MESSAGE_BYTES_MAX = 1 << 20
WAIT_S_MAX = 55.0
MAX_KNOWN = (1 << 53) - 1
"""Who does not say which version it has is told of none."""
_BEARER = "Bearer "

T = TypeVar("T")


class Health(msgspec.Struct, frozen=True):
    """The tiny answer to a probe."""

    incarnation: IncarnationId
    time_ms: int


class ChallengeRequest(msgspec.Struct, frozen=True):
    """Who is about to open a session."""

    origin: OriginId


def _body(media_type: str, schema: Schema, description: str) -> RequestBody:
    return RequestBody(
        content={media_type: OpenAPIMediaType(schema=schema)}, description=description, required=True
    )


@dataclass
class EntriesOperation(Operation):
    """Its body is read as it came, so the document is told of it here."""

    def __post_init__(self) -> None:
        schema = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        self.request_body = _body(BATCH_TYPE, schema, "A batch: entries from signed head to signed head")


@dataclass
class OfferOperation(Operation):
    """The same for an offer, which is authenticated as it is decoded."""

    def __post_init__(self) -> None:
        schema = Schema(type=OpenAPIType.OBJECT, required=["origin", "epochs"])
        self.request_body = _body(
            "application/json", schema, "An offer: signed heads, and samples below them"
        )


async def the_session(request: ApiRequest, services: Given) -> OpenSession:
    """The session of the request's token. HttpProblem 401 `session.*`: the sender opens another."""
    header = request.headers.get("Authorization", "")
    if not header.startswith(_BEARER):
        raise HttpProblem(
            401, "session.missing", "Open a session, and send its token as Authorization: Bearer."
        )
    session = services.head_office.ingest.session(header.removeprefix(_BEARER))
    if session is None:
        raise HttpProblem(
            401, "session.unknown", "This session is over, or not of this head office. Open another."
        )
    return session


# ---- without a session -------------------------------------------------------------------------


@get("/health", sync_to_thread=False, responses=problems(503), summary="Is head office there")
def health(services: Given) -> Health:
    """Answered from memory, whatever the database does."""
    return Health(services.incarnation, services.clock.now_ms())


@post(
    "/enrol",
    status_code=200,
    responses=problems(400, 403, 409, 413, 429, 500, 503),
    summary="Become a register",
)
async def enrol(request: ApiRequest, services: Given, data: JSONBody[EnrolRequest]) -> EnrolReply:
    """Trade a one-time code and a public key for an identity."""
    key = f"enrol:{request.client.host if request.client else ''}"
    wait_ms = services.throttle.wait_ms(key)
    if wait_ms:
        raise HttpProblem(
            429,
            "enrol.throttled",
            "Too many wrong codes came from there. Wait.",
            retry_after_s=1 + wait_ms // 1_000,
        )
    reply = await services.service_lane.run(services.head_office.enrol, data)
    if isinstance(reply, Refused):
        services.throttle.failed(key)
    answer = _or_problem(reply)
    services.throttle.passed(key)
    services.wakeups.wake(PAGES)
    return answer


@post(
    "/session/challenge", status_code=200, responses=problems(400, 413, 500, 503), summary="Ask what to sign"
)
async def challenge(services: Given, data: JSONBody[ChallengeRequest]) -> Challenge:
    """A nonce, good once within a minute."""
    return services.saw(await services.service_lane.run(services.head_office.ingest.challenge))


@post(
    "/session",
    status_code=200,
    responses=problems(400, 401, 403, 413, 426, 500, 503),
    summary="Open a session",
)
async def open_session(services: Given, data: JSONBody[SessionRequest]) -> SessionOpened:
    """Trade a signed challenge for a token."""
    opened = await services.service_lane.run(services.head_office.ingest.open_session, data)
    return services.saw(_or_problem(opened))


# ---- up ----------------------------------------------------------------------------------------


@post(
    "/offer",
    operation_class=OfferOperation,
    status_code=200,
    responses=problems(400, 401, 403, 413, 500, 503),
    summary="Say what is held here",
)
async def offer(request: ApiRequest, services: Given, session: NamedDependency[OpenSession]) -> OfferReply:
    """Body: `Offer`. The answer says where to go on, epoch by epoch."""
    body = await request.body()
    reply = await services.service_lane.run(services.head_office.ingest.receive_offer, session.origin, body)
    return services.saw(_or_problem(reply))


@post(
    "/entries",
    status_code=200,
    operation_class=EntriesOperation,
    request_max_body_size=BODY_BYTES_MAX,
    responses=problems(400, 401, 403, 413, 500, 503),
    summary="Send entries",
)
async def entries(request: ApiRequest, services: Given, session: NamedDependency[OpenSession]) -> Ack:
    """Body: a batch (`application/vnd.holdfast.batch`). What the answer says is on disk."""
    body = await request.body()
    ack = await services.ingest_lane.run(services.head_office.ingest.receive_batch, session.origin, body)
    services.wakeups.wake(PAGES)
    return services.saw(_or_problem(ack))


@post(
    "/heartbeat",
    status_code=200,
    responses=problems(400, 401, 403, 413, 500, 503),
    summary="Say how it is here",
)
async def heartbeat(
    services: Given, session: NamedDependency[OpenSession], data: JSONBody[SignedStatement]
) -> HeartbeatReply:
    """A signed statement of what is owed; the answer paces the register and names newer feeds."""
    reply = await services.service_lane.run(services.head_office.ingest.heartbeat, session.origin, data)
    services.wakeups.wake(PAGES)
    return services.saw(reply)


@post(
    "/person-keys",
    status_code=200,
    responses=problems(400, 401, 403, 413, 500, 503),
    summary="Hand over keys of personal data",
)
async def person_keys(
    services: Given, session: NamedDependency[OpenSession], data: JSONBody[PersonKeys]
) -> PersonKeysTaken:
    """Beside the journal, never in it. Sent again, they have no second effect."""
    customers = services.head_office.customers
    taken = await services.service_lane.run(customers.take_keys, session.origin, data)
    services.wakeups.wake(PAGES)
    return taken


# ---- down --------------------------------------------------------------------------------------


@get(
    "/feeds/{feed:str}",
    media_type=SIGNED_TYPE,
    responses=problems(400, 401, 404, 500, 503),
    summary="Pull what is newer of a feed",
)
async def feed_page(
    services: Given,
    session: NamedDependency[OpenSession],
    feed: FromPath[str],
    since: Annotated[int, Parameter(ge=0, lt=1 << 53)] = 0,
    incarnation: Annotated[str, Parameter(max_length=64)] = "",
) -> Response[bytes]:
    """A signed page; from another incarnation's number it begins anew."""
    if feed not in FEEDS:
        raise HttpProblem(
            404, "feed.unknown", f"There is no feed of that name. There are: {', '.join(FEEDS)}."
        )
    page = await services.service_lane.run(
        services.head_office.feed_page, feed, IncarnationId(incarnation), since
    )
    return Response(page, media_type=SIGNED_TYPE)


@get("/snapshot", media_type=SIGNED_TYPE, responses=problems(401, 500, 503), summary="All feeds as one file")
async def snapshot(services: Given, session: NamedDependency[OpenSession]) -> Response[bytes]:
    """Signed; the same file that an admin carries on a USB stick."""
    data = await services.service_lane.run(services.head_office.snapshot)
    return Response(data, media_type=SIGNED_TYPE)


@get("/commands", media_type=SIGNED_TYPE, responses=problems(400, 401, 500, 503), summary="Wait for commands")
async def commands(
    services: Given,
    session: NamedDependency[OpenSession],
    after: Annotated[int, Parameter(ge=0, lt=1 << 53)] = 0,
    incarnation: Annotated[str, Parameter(max_length=64)] = "",
    wait_s: Annotated[float, Parameter(ge=0, le=WAIT_S_MAX)] = 25.0,
    parameters: Annotated[int, Parameter(ge=0, lt=1 << 53)] = MAX_KNOWN,
) -> Response[bytes]:
    """Commands above `after` of `incarnation`, signed, as soon as there are any; else an empty batch.

    Or news, as soon as there is a newer version of the parameters than `parameters`, which the register has
    or was told of.
    """
    key = commands_key(session.origin)
    seen = services.wakeups.seen(key)
    asked, news = (session.origin, IncarnationId(incarnation), after), services.news
    found = await services.service_lane.run(services.head_office.commands, *asked)
    found = found or news.after(incarnation, parameters)
    if found is None and await services.wakeups.wait(key, wait_s, seen) and not services.wakeups.stopped:
        found = news.after(incarnation, parameters)
        found = found or await services.service_lane.run(services.head_office.commands, *asked)
    return Response(found or services.head_office.no_commands, media_type=SIGNED_TYPE)


@post(
    "/commands/outcome",
    status_code=204,
    responses=problems(400, 401, 404, 413, 500, 503),
    summary="Say how a command went",
)
async def command_outcome(
    services: Given, session: NamedDependency[OpenSession], data: JSONBody[Outcome]
) -> None:
    """Also the acknowledgement of its delivery; sent again, it changes nothing."""
    refusal = await services.service_lane.run(services.head_office.command_book.finish, session.origin, data)
    if refusal is not None:
        raise HttpProblem(404, refusal.code, refusal.sentence)
    services.wakeups.wake(PAGES)


sync_router = Router(
    "/v1",
    route_handlers=[
        health,
        enrol,
        challenge,
        open_session,
        Router(
            "/sync",
            route_handlers=[
                offer,
                entries,
                heartbeat,
                person_keys,
                feed_page,
                snapshot,
                commands,
                command_outcome,
            ],
            dependencies={"session": Provide(the_session)},
            security=[{"session": []}],
        ),
        Router(
            "/services",
            route_handlers=service_handlers,
            dependencies={"session": Provide(the_session)},
            security=[{"session": []}],
        ),
    ],
    request_max_body_size=MESSAGE_BYTES_MAX,
)


def openapi() -> OpenAPIConfig:
    """The document at `/v1/openapi.json`."""
    return OpenAPIConfig(
        title="Holdfast head office",
        version=__version__,
        description="What registers and store servers say. Refusals are RFC 9457 problem details.",
        path="/v1/openapi.json",
        render_plugins=[JsonRenderPlugin(path="/")],
        components=Components(
            security_schemes={
                "session": SecurityScheme(
                    type="http", scheme="bearer", description="The token of `POST /v1/session`."
                )
            }
        ),
    )


def _or_problem(answer: T | Refused) -> T:
    if isinstance(answer, Refused):
        raise HttpProblem(answer.status, answer.code, answer.detail)
    return answer
