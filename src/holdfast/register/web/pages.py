"""Templates to HTML: one environment for all pages of the till."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Response

from holdfast.infra.web import static_url
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.ticket import Ticket

STATIC = Path(__file__).resolve().parent / "static"


class Pages:
    """Renders the templates of one register."""

    def __init__(self, fmt: Formats, *, register: str, store: str) -> None:
        self.fmt = fmt
        self._environment = Environment(
            loader=PackageLoader("holdfast.register.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            fmt=fmt,
            t=say,
            static=lambda name: static_url(name, STATIC),
            register=register,
            store=store,
        )
        self.ticket = Ticket(lambda row: self.render("line.html", {"row": row}), fmt)

    def render(self, template: str, context: Mapping[str, Any]) -> str:
        return self._environment.get_template(template).render(context)

    def page(self, template: str, context: Mapping[str, Any], *, status: int = 200) -> Response[str]:
        """A page or a part of one as an answer."""
        return Response(self.render(template, context), media_type=MediaType.HTML, status_code=status)
