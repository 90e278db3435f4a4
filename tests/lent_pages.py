"""The till's pages, made once in a process and lent: making them takes longer than most tests of a till.

It is the application that ships, with its guards and routes, over services that stand for those of the till
that borrows it. All that a till remembers lies in its services, so nobody finds anything of who had the pages
before.
"""

from typing import Any

import pytest
from litestar import Litestar
from litestar.di import Provide

from holdfast.register.web import app
from holdfast.register.web.services import Services


class LentPages:
    """One till's pages at a time."""

    def __init__(self) -> None:
        self._services: Services | None = None
        with pytest.MonkeyPatch.context() as patch:
            # A handler is given the till's own services, so that it sees nothing but what ships.
            patch.setattr(app, "Provide", lambda _, **how: Provide(self.services, **how))
            self.app: Litestar = app.create_app(_Standing(self))

    def lend(self, services: Services) -> Litestar:
        """The pages of that till; `take_back` before somebody else may have them."""
        assert self._services is None, "pages are lent to one till"
        self._services = services
        return self.app

    def take_back(self) -> None:
        self._services = None

    def services(self) -> Services:
        """Those of whoever has the pages."""
        assert self._services is not None, "nobody has these pages"
        return self._services


class _Standing(Services):
    """The services of whoever has the pages."""

    def __init__(self, pages: LentPages) -> None:
        """None of its own."""
        object.__setattr__(self, "_pages", pages)

    def __getattribute__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_pages").services(), name)


_free: list[LentPages] = []
"""Two tills that are open at once have two."""


def borrow() -> LentPages:
    """Pages that nobody has. Give them back with `give_back`."""
    return _free.pop() if _free else LentPages()


def give_back(pages: LentPages) -> None:
    pages.take_back()
    _free.append(pages)
