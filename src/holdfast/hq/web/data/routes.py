"""stub"""

from litestar import Router

routes = Router("/", route_handlers=[])
