"""Real-time services that registers ask in a session: `/v1/services`. No call moves value.

A refusal is a problem of status 409 with the sentence as its detail; `holder_name` and `since_ms` stand
beside it where another transaction holds the account. 429: too many wrong numbers came from there.
"""

from typing import TypeVar

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody

from holdfast.core.central.grants import Granted, GrantRequest
from holdfast.core.central.holds import Declined, Held, HoldRequest
from holdfast.core.central.services import Balance, BalanceRequest, ReleaseRequest
from holdfast.core.stock.services import Availability, AvailabilityRequest, StockPage, StockRequest
from holdfast.core.sync.messages import Problem
from holdfast.hq.central.services import Throttled
from holdfast.hq.sessions import OpenSession
from holdfast.hq.web.given import Given
from holdfast.hq.web.protocol import ApiRequest, problems
from holdfast.infra.web import HttpProblem, problem_of

A = TypeVar("A", Held, Balance, Granted)


class CentralProblem(Problem, frozen=True, omit_defaults=True, kw_only=True):
    """A refusal, with who holds the account."""

    holder_name: str = ""
    since_ms: int = 0


_DEADLINE = (
    "A till waits 2 s for the whole call, its session included, and goes on without; head office itself "
    "gives up after 5 s, with 503. "
)
_KEY = (
    "The key is made by the till, and journalled before the call leaves. Head office keeps it for good: sent "
    "again, a year later too, it gets the same answer and has one effect. Under a key that has ended nothing "
    "is given any more (`hold.ended`, `allowance.ended`), and one that was used for another thing is refused "
    "(`hold.key-used`, `allowance.key-used`). "
)
_NO_VALUE = "No call moves value: only an applied entry does."


def refusals(*codes: int) -> dict[int, ResponseSpec]:
    """Problems of these services: a 409 says no for sure, in a sentence for the cashier."""
    said = ResponseSpec(
        CentralProblem,
        media_type="application/problem+json",
        generate_examples=False,
        description=(
            "A business answer, known for sure: nothing is in doubt. `code` is stable, `detail` is the "
            "sentence that a cashier reads; `{holder}` and `{since}` in it stand for `holder_name` and "
            "`since_ms`"
        ),
    )
    return problems(*codes) | {409: said}


@post(
    "/hold",
    status_code=200,
    responses=refusals(400, 401, 413, 429, 500, 503),
    summary="Hold value for a transaction",
    description=f"Keeps an account for one transaction of this register. {_DEADLINE}{_KEY}{_NO_VALUE}",
)
async def hold(
    request: ApiRequest, services: Given, session: NamedDependency[OpenSession], data: JSONBody[HoldRequest]
) -> Response[Held] | Response[CentralProblem]:
    """Under a key that is the till's; asked again it gives the same answer, and nothing moves."""
    central, address = services.head_office.central, _address(request)
    return _answer(await services.central_lane.run(central.hold, session.origin, address, data))


@post(
    "/balance",
    status_code=200,
    responses=refusals(400, 401, 413, 429, 500, 503),
    summary="Tell a balance",
    description=f"As of now; nothing is held by it, and it may be asked again at will. {_DEADLINE}",
)
async def balance(
    request: ApiRequest,
    services: Given,
    session: NamedDependency[OpenSession],
    data: JSONBody[BalanceRequest],
) -> Response[Balance] | Response[CentralProblem]:
    """As of now; nothing is held by it."""
    central, address = services.head_office.central, _address(request)
    return _answer(await services.central_lane.run(central.balance, session.origin, address, data))


@post(
    "/release",
    status_code=204,
    responses=problems(400, 401, 413, 500, 503),
    summary="Let go of a hold",
    description=(
        f"Ahead of the entry that says the same, which counts also where this call is lost. {_DEADLINE}"
        "Again, or of a key that is not this register's, it has no effect."
    ),
)
async def release(
    services: Given, session: NamedDependency[OpenSession], data: JSONBody[ReleaseRequest]
) -> None:
    """Ahead of the entry that says the same; a key that is not held is left as it is."""
    await services.central_lane.run(services.head_office.central.release, session.origin, data)


@post(
    "/availability",
    status_code=200,
    responses=problems(400, 401, 413, 500, 503),
    summary="Tell what is on hand of a product",
)
async def availability(
    services: Given, session: NamedDependency[OpenSession], data: JSONBody[AvailabilityRequest]
) -> Response[Availability]:
    """In each store, with what is on its way to it and which of its registers still owe."""
    ask = services.head_office.stock.availability
    return Response(await services.central_lane.run(ask, session.origin, data))


@post(
    "/stock",
    status_code=200,
    responses=problems(400, 401, 413, 500, 503),
    summary="Tell what changed in the register's own store",
)
async def stock(
    services: Given, session: NamedDependency[OpenSession], data: JSONBody[StockRequest]
) -> Response[StockPage]:
    """All as of one moment, for an estimate while offline. What the register says of itself is kept."""
    return Response(await services.stock_lane.run(services.head_office.stock.page, session.origin, data))


@post(
    "/allowance",
    status_code=200,
    responses=refusals(400, 401, 413, 500, 503),
    summary="Ask ahead for what may be taken begun offline",
    description=(
        "Grants an amount for a time to the epoch that asks, and ends with that epoch: a register that "
        f"was restored cannot use it. {_DEADLINE}{_KEY}{_NO_VALUE}"
    ),
)
async def allowance(
    services: Given, session: NamedDependency[OpenSession], data: JSONBody[GrantRequest]
) -> Response[Granted] | Response[CentralProblem]:
    """Bound to the epoch that asks, bounded by parameters, over after its time; nothing moves by it."""
    allowances = services.head_office.allowances
    return _answer(await services.central_lane.run(allowances.ask, session.origin, data))


service_handlers = [hold, balance, release, allowance, availability, stock]


def _address(request: ApiRequest) -> str:
    return request.client.host if request.client else ""


def _answer(answer: A | Declined | Throttled) -> Response[A] | Response[CentralProblem]:
    if isinstance(answer, Throttled):
        raise HttpProblem(
            429,
            "number.throttled",
            "Too many wrong numbers came from there. Wait a little.",
            retry_after_s=1 + answer.wait_ms // 1_000,
        )
    if not isinstance(answer, Declined):
        return Response(answer)
    plain = msgspec.structs.asdict(problem_of(409, answer.code, answer.sentence))
    problem = CentralProblem(**plain, holder_name=answer.holder_name, since_ms=answer.since_ms)
    return Response(problem, status_code=409, media_type="application/problem+json")
