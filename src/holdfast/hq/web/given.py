"""How a handler asks for services; in a module of its own, for commands use them without a web server."""

from litestar.di import NamedDependency

from holdfast.hq.web.services import Services

Given = NamedDependency[Services]
"""The type of a handler's argument `services`."""
