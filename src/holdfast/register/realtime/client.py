"""Real-time calls of the till: each has a deadline for all of it, and a line that is gone is not asked (P5).

What is asked moves no value, and is asked under a key that was journalled before (P2). So an answer that does
not come leaves nothing behind but a doubt, which is told as what it is: `Unanswered`.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from holdfast import __version__
from holdfast.core.connection import Mode
from holdfast.core.faults import Fault
from holdfast.core.sync.messages import Problem, decode, encode
from holdfast.infra.clock import Clock
from holdfast.infra.config import RegisterConfig, RegisterHome
from holdfast.infra.http import HttpClient, HttpRequest, LostFault, Reply
from holdfast.register.realtime import breaker
from holdfast.register.realtime.session import Session
from holdfast.register.sync.trust import tls_context

A = TypeVar("A", bound=msgspec.Struct)

DEADLINE_S = 2.0
CALLS_MAX = 4
"""At once; a till has one cashier, and what asks behind the scene must not keep her call waiting."""
_BUSINESS = frozenset({400, 403, 404, 409, 413, 422, 429})
"""Statuses of a refusal that says for sure that nothing was done."""


class Done(msgspec.Struct, frozen=True):
    """The answer of a call that has none but that it was done (204)."""


class Denied(msgspec.Struct, frozen=True):
    """A business answer, for sure: nothing is in doubt."""

    code: str
    sentence: str
    holder_name: str = ""
    """The register whose transaction holds what was asked for."""
    since_ms: int = 0
    retry_after_s: int = 0


class Unanswered(msgspec.Struct, frozen=True):
    """Lost, late, or no session: nothing is known."""

    cause: str


class RealTime:
    """One register's real-time calls. Thread-safe; to be used off the event loop, since it waits."""

    def __init__(
        self,
        home: RegisterHome,
        config: RegisterConfig,
        clock: Clock,
        *,
        mode: Callable[[], Mode],
        on_loss: Callable[[], None],
    ) -> None:
        """`mode`: the connection as the till works by it, offline also by hand, in a drill, and where the
        sync process is gone. `on_loss` hears of each lost call, and must not wait."""
        self._home = home
        self._config = config
        self._clock = clock
        self._mode = mode
        self._on_loss = on_loss
        self._session = Session(home, config.origin)
        self._slots = threading.BoundedSemaphore(CALLS_MAX)
        self._lock = threading.Lock()
        self._breaker = breaker.CLOSED
        self._client: HttpClient | None = None
        self._was_away = False

    def is_there(self) -> bool:
        """Whether a call would be tried. False: refuse at once; `ask` would call nothing."""
        if self._mode() is Mode.OFFLINE:
            return False
        with self._lock:
            return breaker.lets(self._breaker, self._clock.monotonic_ms())

    def is_slow(self) -> bool:
        """Answers take long (SW5): by the probes, or by the calls themselves."""
        return self._mode() is Mode.DEGRADED or self._breaker.is_slow

    def ask(
        self, path: str, body: msgspec.Struct, answer: type[A], *, deadline_s: float = DEADLINE_S
    ) -> A | Denied | Unanswered:
        """Head office's answer. Takes `deadline_s` at the most, opening a session included."""
        until_ms = self._clock.monotonic_ms() + round(deadline_s * 1_000)

        def left_s() -> float:
            return (until_ms - self._clock.monotonic_ms()) / 1_000

        if self._mode() is Mode.OFFLINE:
            return Unanswered("The register is offline.")
        if not self._slots.acquire(timeout=deadline_s):
            return Unanswered("Other calls were on their way all the while.")
        try:
            if not self._begin():
                return Unanswered("Head office did not answer a moment ago.")
            return self._counted(path, body, answer, left_s)
        finally:
            self._slots.release()

    def heard(self, mode: Mode) -> None:
        """How the line was at a look: its return closes the breaker, and old connections are let go."""
        is_away = mode is Mode.OFFLINE
        was_away, self._was_away = self._was_away, is_away
        if was_away and not is_away:
            with self._lock:
                self._breaker = breaker.CLOSED
                client = self._client
            if client is not None:
                client.forget_connections()

    def close(self) -> None:
        """Give up what is on its way."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    # ---- one call

    def _begin(self) -> bool:
        with self._lock:
            if not breaker.lets(self._breaker, self._clock.monotonic_ms()):
                return False
            self._breaker = breaker.begin(self._breaker)
            return True

    def _counted(
        self, path: str, body: msgspec.Struct, answer: type[A], left_s: Callable[[], float]
    ) -> A | Denied | Unanswered:
        """Every call that began ends the breaker's try, whatever comes of it."""
        try:
            reply = self._in_session(
                HttpRequest(method="POST", path=path, body=encode(body), deadline_s=1.0), left_s
            )
            if reply.status not in _BUSINESS and not reply.is_success:
                raise LostFault(f"Head office cannot answer now ({reply.status}).")
            told = _read(reply, answer)
        except Fault as fault:
            return self._lost(fault)
        with self._lock:
            self._breaker = breaker.answered(self._breaker, reply.latency_ms)
        return told

    def _lost(self, fault: Fault) -> Unanswered:
        is_slow = self._mode() is Mode.DEGRADED
        with self._lock:
            self._breaker = breaker.lost(self._breaker, self._clock.monotonic_ms(), is_slow=is_slow)
            client = self._client
        if client is not None:
            client.forget_connections()  # what is kept of a dead line would hold the next call up
        self._on_loss()
        return Unanswered(fault.sentence)

    def _in_session(self, request: HttpRequest, left_s: Callable[[], float]) -> Reply:
        client = self._connected()
        token = self._session.token(client, left_s)
        reply = client.call(_within(request, token, left_s()))
        if reply.status == 401 and reply.problem().code.startswith("session."):
            # Head office restarted, the register's key changed, or the session's time is over.
            self._session.forget(token)
            token = self._session.token(client, left_s)
            reply = client.call(_within(request, token, left_s()))
        return reply

    def _connected(self) -> HttpClient:
        """Made with the first call: a till that sells no cards has no such connection. ConfigurationFault."""
        with self._lock:
            if self._client is None:
                self._client = HttpClient(
                    self._config.head_office_url,
                    context=tls_context(self._home, self._config),
                    agent=f"holdfast/{__version__}",
                )
            return self._client


class _Told(Problem, frozen=True, omit_defaults=True, kw_only=True):
    """A refusal, with what services of central value say beside it."""

    holder_name: str = ""
    since_ms: int = 0


def _read(reply: Reply, answer: type[A]) -> A | Denied:
    """MalformedFault where it is neither."""
    if reply.is_success:
        return decode(reply.body or b"{}", answer)
    if reply.content_type != "application/problem+json":
        raise LostFault(f"Something else than head office answered ({reply.status}).")
    told = decode(reply.body, _Told)
    return Denied(told.code, told.detail or told.title, told.holder_name, told.since_ms, reply.retry_after_s)


def _within(request: HttpRequest, token: str, left_s: float) -> HttpRequest:
    return msgspec.structs.replace(request, token=token, deadline_s=max(0.001, left_s))
