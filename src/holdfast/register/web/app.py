"""The till's web application over its services."""

from typing import Any

from litestar import Litestar, Response, Router
from litestar.di import Provide

from holdfast.core.sync.messages import Problem
from holdfast.infra.web import exception_handlers, security_headers, static_router
from holdfast.register.web.cash.routes import Cash
from holdfast.register.web.central.routes import CentralPages
from holdfast.register.web.customers.routes import CustomersPage
from holdfast.register.web.guards import AnyRequest, Guard, SignInFirst, is_part, note_wait, to_start
from holdfast.register.web.loyalty.paying import CustomerPays
from holdfast.register.web.loyalty.routes import Loyalty
from holdfast.register.web.pages import STATIC
from holdfast.register.web.routes.carrying import Carrying
from holdfast.register.web.routes.drill import Drilling
from holdfast.register.web.routes.entrance import Entrance
from holdfast.register.web.routes.grid import GridPages
from holdfast.register.web.routes.journal import Journal
from holdfast.register.web.routes.live import Live
from holdfast.register.web.routes.operations import Operations
from holdfast.register.web.routes.receipts import Receipts
from holdfast.register.web.routes.selling import Selling
from holdfast.register.web.routes.store_operations import StoreOperations
from holdfast.register.web.routes.suspending import Suspending
from holdfast.register.web.services import Services
from holdfast.register.web.sessions import require_own_page
from holdfast.register.web.stock.routes import StockPage

BODY_BYTES_MAX = 64 * 1024


def create_app(services: Services) -> Litestar:
    """The pages of one till."""

    def provide_services() -> Services:
        return services

    return Litestar(
        route_handlers=[
            Entrance,
            Selling,
            GridPages,
            Receipts,
            Carrying,
            Cash,
            StoreOperations,
            Drilling,
            Suspending,
            CustomersPage,
            StockPage,
            CentralPages,
            Loyalty,
            CustomerPays,
            Journal,
            Operations,
            Live,
            _static(),
        ],
        dependencies={"services": Provide(provide_services, sync_to_thread=False)},
        guards=[require_own_page],
        before_request=Guard(services),
        after_response=note_wait(services),
        exception_handlers={**exception_handlers(_error_page), SignInFirst: _to_sign_in},
        before_send=[security_headers(tls=False)],
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
    )


def _static() -> Router:
    router = static_router(STATIC)
    router.opt["operation"] = "till.see"
    return router


def _to_sign_in(request: AnyRequest, _: SignInFirst) -> Response[Any]:
    # After a restart of the till program the page is still there and nobody is signed in.
    return Response("", headers={"HX-Redirect": "/"}) if is_part(request) else to_start()


def _error_page(request: AnyRequest, problem: Problem) -> Response[Any] | None:
    # The page shows the problem's own sentence (static/till.js).
    return None
