"""Who is signed in at which browser, and whether a request is the till page's own.

Sessions live in memory: after a restart people sign in again, and find the basket as it was. One that nobody
used for the idle time is locked: its person's PIN goes on with it, and so does anybody else's sign-in.
"""

import secrets
import threading
from collections.abc import Callable
from typing import Any

import msgspec
from litestar.connection import ASGIConnection

from holdfast.infra.clock import Clock
from holdfast.infra.config import is_loopback
from holdfast.infra.web import HttpProblem
from holdfast.register.web.people import Person

COOKIE = "holdfast_till"
SESSIONS_MAX = 64
"""One browser is at the till; more come from people who clear cookies. The oldest goes."""
MINUTE_MS = 60_000
LOCK_AFTER = "till.lock-after-minutes"
"""Head office's parameter."""
LOCK_AFTER_MIN = 10
"""Minutes without use, where head office says nothing else; 0 is never."""

AnyConnection = ASGIConnection[Any, Any, Any, Any]


class Session(msgspec.Struct, kw_only=True):
    """One browser where somebody is signed in."""

    person: Person
    used_ms: int
    """When he last did something; monotonic."""
    is_locked: bool = False
    ended: str = ""
    """Why it ended, for the page to sign in; empty while it goes on."""
    notice: str = ""
    """Said once, on the next page."""
    starts: bool = True
    """Signed in, or opened the day, just now: then the state of the line is told (SW12)."""
    told: str = ""
    """The outage that was told of."""
    asked_ms: int = 0
    """When *Sync now* was pressed; 0: it was not. Wall time."""

    def take_notice(self) -> str:
        notice, self.notice = self.notice, ""
        return notice


class Sessions:
    """Sessions by token; thread-safe."""

    def __init__(self, clock: Clock, idle_min: Callable[[], int]) -> None:
        """`idle_min`: minutes without use after which a session is locked; 0: never."""
        self._clock = clock
        self._idle_min = idle_min
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, person: Person, after: Session | None = None) -> str:
        """A new session's token. `after`: the one before at this browser; who unlocks it was told already."""
        token = secrets.token_urlsafe(24)
        told = after.told if after is not None and after.person.id == person.id else ""
        with self._lock:
            while len(self._sessions) >= SESSIONS_MAX:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[token] = Session(person=person, used_ms=self._clock.monotonic_ms(), told=told)
        return token

    def find(self, token: str | None) -> Session | None:
        """The session that somebody is at; None where it is locked or over. Looking is no use of it."""
        found = self.seen(token)
        return None if found is None or found.is_locked or found.ended else found

    def use(self, token: str | None) -> Session | None:
        """As `find`, by something that its person does."""
        found = self.find(token)
        if found is not None:
            found.used_ms = self._clock.monotonic_ms()
        return found

    def seen(self, token: str | None) -> Session | None:
        """The session in whatever state it is by now."""
        with self._lock:
            found = self._sessions.get(token) if token else None
        if found is not None and not found.is_locked:
            idle_ms = self._clock.monotonic_ms() - found.used_ms
            found.is_locked = 0 < self._idle_min() * MINUTE_MS <= idle_ms
        return found

    def lock(self, token: str | None) -> None:
        """Leave the till for a moment; the basket stays."""
        found = self.find(token)
        if found is not None:
            found.is_locked = True

    def end(self, token: str | None, because: str) -> None:
        """Its person may work here no longer."""
        found = self.find(token)
        if found is not None:
            found.ended = because

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
