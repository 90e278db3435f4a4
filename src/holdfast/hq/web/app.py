"""Head office's web application: routes put together, and what holds for all of them."""

from litestar import Litestar, Router
from litestar.di import Provide

from holdfast.hq.web import live
from holdfast.hq.web.alerts import routes as alerts
from holdfast.hq.web.auth import routes as auth
from holdfast.hq.web.backups import routes as backups
from holdfast.hq.web.central import accounts, differences, locks, prepared
from holdfast.hq.web.closings import routes as closings
from holdfast.hq.web.customers import routes as customers
from holdfast.hq.web.data import routes as data
from holdfast.hq.web.home import routes as home
from holdfast.hq.web.pages import error_page
from holdfast.hq.web.parameters import routes as parameters
from holdfast.hq.web.readiness import routes as readiness
from holdfast.hq.web.registers import enrol, identity, lost
from holdfast.hq.web.registers import routes as registers
from holdfast.hq.web.sales import routes as sales
from holdfast.hq.web.services import Services
from holdfast.hq.web.stock import routes as stock
from holdfast.hq.web.sync_routes import openapi, sync_router
from holdfast.infra.web import exception_handlers, security_headers, static_router

FORM_BYTES_MAX = 64 << 10


def create_app(services: Services) -> Litestar:
    """The ASGI application over these services. It starts and stops nothing itself."""

    async def give_services() -> Services:
        return services

    pages = Router(
        "/",
        route_handlers=[
            auth.routes,
            home.routes,
            registers.routes,
            enrol.routes,
            identity.routes,
            lost.routes,
            readiness.routes,
            sales.routes,
            closings.routes,
            customers.routes,
            accounts.routes,
            prepared.routes,
            locks.routes,
            differences.routes,
            stock.routes,
            parameters.routes,
            data.routes,
            alerts.routes,
            backups.routes,
            live.routes,
        ],
        request_max_body_size=FORM_BYTES_MAX,
    )
    app = Litestar(
        route_handlers=[sync_router, pages, static_router()],
        dependencies={"services": Provide(give_services)},
        exception_handlers=exception_handlers(error_page),
        before_send=[security_headers(tls=services.tls is not None)],
        openapi_config=openapi(),
        logging_config=None,
    )
    app.state.services = services
    return app
