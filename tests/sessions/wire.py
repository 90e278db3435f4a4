"""The till's real-time calls on their way to the services of head office that ship: some get lost (SW10).

It stands where the till has its HTTP client. What head office was told, and what became of the answer, is
kept: the paper goes by it.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from holdfast.core.central.grants import GrantRequest
from holdfast.core.central.holds import Declined, Held, HoldRequest
from holdfast.core.central.services import BalanceRequest
from holdfast.core.ids import OriginId
from holdfast.core.parameters import ParameterRow
from holdfast.core.stock.services import AvailabilityRequest, StockRequest
from holdfast.core.sync.messages import SessionOpened, SessionRequest, decode, encode
from holdfast.hq.central.allowances import Allowances
from holdfast.hq.central.services import CentralServices, Throttled
from holdfast.hq.stock.desk import StockServices
from holdfast.infra.clock import Clock
from holdfast.infra.http import HttpRequest, LostFault, Reply
from holdfast.infra.postgres.connect import Pool
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.sessions.accounts import NUMBER_KEY

LOST = 0.1
"""Of requests, and again of answers."""


class Set:
    """Parameters of head office, where this session alone sets them."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._rows = {name: ParameterRow(value=value) for name, value in values.items()}  # type: ignore[arg-type]

    def rows(self) -> dict[str, ParameterRow]:
        return self._rows

    def today(self) -> str:
        return "2025-10-09"


@dataclass
class Call:
    """A hold that was asked for."""

    request: HoldRequest
    reached: bool
    """Head office heard of it."""
    answer: Held | Declined | None
    """What the till heard of it; None: nothing."""
    written: int
    """So much was on the till's disk by then."""
    is_on_paper: bool = False


class Wire:
    """One register's. Nobody but this session's thread uses it."""

    def __init__(
        self,
        office: HeadOfficeUnderTest,
        pool: Pool,
        clock: Clock,
        chance: random.Random,
        parameters: Mapping[str, object],
    ) -> None:
        self._office, self._chance = office, chance
        self._central = CentralServices(pool, clock, NUMBER_KEY)
        self._stock = StockServices(pool, lambda: (), clock)
        self._allowances = Allowances(pool, Set(parameters), clock)  # type: ignore[arg-type]
        self.holds: list[Call] = []
        self.written: Callable[[], int] = lambda: 0
        """How many writes the till's disk had since it was last asked for."""

    def call(self, request: HttpRequest) -> Reply:
        if request.path.startswith("/v1/session"):
            return self._session(request)
        session = self._office.ingest.session(request.token)
        assert session is not None, "the till opened it"
        fate = self._chance.random()
        asked = decode(request.body or b"", _BODIES[request.path])
        made = Call(asked, fate >= LOST, None, self.written()) if isinstance(asked, HoldRequest) else None
        if made:
            self.holds.append(made)
        if fate < LOST:
            raise LostFault("the request got lost")
        answer = self._answer(session.origin, asked)
        if fate < 2 * LOST:
            raise LostFault("the answer got lost")
        if made:
            made.answer = answer if isinstance(answer, Held) else _declined(answer)
        return _reply(answer)

    def forget_connections(self) -> None:
        """There are none."""

    def close(self) -> None:
        """Nothing is open."""

    def _session(self, request: HttpRequest) -> Reply:
        ingest = self._office.ingest
        if request.path.endswith("challenge"):
            return _reply(ingest.challenge())
        opened = ingest.open_session(decode(request.body or b"", SessionRequest))
        assert isinstance(opened, SessionOpened), opened
        return _reply(opened)

    def _answer(self, origin: OriginId, asked: Any) -> msgspec.Struct:
        match asked:
            case HoldRequest():
                return self._central.hold(origin, "here", asked)
            case BalanceRequest():
                return self._central.balance(origin, "here", asked)
            case GrantRequest():
                return self._allowances.ask(origin, asked)
            case AvailabilityRequest():
                return self._stock.availability(origin, asked)
            case _:
                assert isinstance(asked, StockRequest), asked
                return self._stock.page(origin, asked)


_BODIES: dict[str, type[msgspec.Struct]] = {
    "/v1/services/hold": HoldRequest,
    "/v1/services/balance": BalanceRequest,
    "/v1/services/allowance": GrantRequest,
    "/v1/services/availability": AvailabilityRequest,
    "/v1/services/stock": StockRequest,
}


def _declined(answer: msgspec.Struct) -> Declined:
    return answer if isinstance(answer, Declined) else Declined(code="number.throttled", sentence="")


def _reply(answer: msgspec.Struct) -> Reply:
    """As `hq.web.service_routes` answers."""
    if isinstance(answer, Declined | Throttled):
        status = 409 if isinstance(answer, Declined) else 429
        said = _declined(answer)
        body = {
            "type": "about:blank", "title": "refused", "status": status, "detail": said.sentence,
            "code": said.code, "holder_name": said.holder_name, "since_ms": said.since_ms,
        }  # fmt: skip
        kind = "application/problem+json"
        return Reply(status=status, body=msgspec.json.encode(body), content_type=kind, latency_ms=1)
    return Reply(status=200, body=encode(answer), content_type="application/json", latency_ms=1)
