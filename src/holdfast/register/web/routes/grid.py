"""Turning the grid of products to a category or a page (PO1)."""

from litestar import Controller, Response, get
from litestar.params import FromQuery

from holdfast.register.web.grid import Place
from holdfast.register.web.guards import AnyRequest, permit_of
from holdfast.register.web.screen import Screen
from holdfast.register.web.services import Given


class GridPages(Controller):
    """Nothing but the work area changes."""

    path = "/grid"

    @get("/quick", operation="basket.look", sync_to_thread=True)
    def quick(self, request: AnyRequest, services: Given, page: FromQuery[int] = 1) -> Response[str]:
        services.grid.turn_to(Place(None, page))
        return Screen(services, permit_of(request).person).grid()

    @get("/category", operation="basket.look", sync_to_thread=True)
    def category(
        self, request: AnyRequest, services: Given, name: FromQuery[str] = "", page: FromQuery[int] = 1
    ) -> Response[str]:
        services.grid.turn_to(Place(name, page))
        return Screen(services, permit_of(request).person).grid()
