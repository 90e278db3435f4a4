"""The register that a page's address names."""

from holdfast.core.ids import OriginId
from holdfast.hq.fleet import Register
from holdfast.hq.web.services import Services
from holdfast.infra.web import HttpProblem


async def known_register(services: Services, origin: str) -> Register:
    """HttpProblem 404 where none is enrolled under that id."""
    known = None
    if "\x00" not in origin and len(origin) <= 64:
        known = await services.pages.run(services.head_office.fleet.register, OriginId(origin))
    if known is None:
        raise HttpProblem(404, "register.unknown", "No register of that id is enrolled here.")
    return known
