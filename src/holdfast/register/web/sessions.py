"""Who is signed in at which browser, and whether a request is the till page's own.

Sessions live in memory: after a restart people sign in again, and find the basket as it was.
"""

import secrets
import threading
from typing import Any

import msgspec
from litestar.connection import ASGIConnection

from holdfast.infra.config import is_loopback
from holdfast.infra.web import HttpProblem
from holdfast.register.web.people import Person

COOKIE = "holdfast_till"
SESSIONS_MAX = 64
"""One browser is at the till; more come from people who clear cookies. The oldest goes."""

AnyConnection = ASGIConnection[Any, Any, Any, Any]


class Session(msgspec.Struct, kw_only=True):
    """One browser where somebody is signed in."""

    person: Person
    notice: str = ""
    """Said once, on the next page."""

    def take_notice(self) -> str:
        notice, self.notice = self.notice, ""
        return notice


class Sessions:
    """Sessions by token; thread-safe."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, person: Person) -> str:
        """A new session's token."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._sessions) >= SESSIONS_MAX:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[token] = Session(person=person)
        return token

    def find(self, token: str | None) -> Session | None:
        with self._lock:
            return self._sessions.get(token) if token else None

    def close(self, token: str | None) -> None:
        with self._lock:
            if token:
                self._sessions.pop(token, None)


def require_own_page(connection: AnyConnection, _: object) -> None:
    """Refuse what another site's page sends, or asks under a name of its own (DNS rebinding)."""
    host = connection.url.hostname or ""
    if not is_loopback(host):
        raise HttpProblem(403, "forbidden", "The till answers on this machine's own address alone.")
    if connection.scope.get("method") in ("GET", "HEAD"):
        return
    site = connection.headers.get("sec-fetch-site", "same-origin")
    origin = connection.headers.get("origin")
    if site not in ("same-origin", "none") or (
        origin and origin != f"{connection.url.scheme}://{connection.url.netloc}"
    ):
        raise HttpProblem(403, "forbidden", "That did not come from the till's own page.")
