"""Real-time calls of the till: each has a deadline for all of it, and a line that is gone is not asked (P5).

What is asked moves no value, and is asked under a key that was journalled before (P2). So an answer that does
not come leaves nothing behind but a doubt, which is told as what it is: `Unanswered`.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack
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
"""At once."""
BEHIND_MAX = 2
"""Of these for what asks behind the scene: a till has one cashier, and her call finds a place."""
LEFT_MIN = 0.25
"""Of its deadline a call must have left when it finds its place; else it is not sent at all."""
_BUSINESS = frozenset({400, 403, 404, 409, 413, 422, 429})
"""Statuses of a refusal that says for sure that nothing was done."""
_TOO_MANY = 429


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
    is_busy: bool = False
    """Head office did not look at it, for too many came: of what was asked before it says nothing."""


class Unanswered(msgspec.Struct, frozen=True):
    """Lost, late, or no session: nothing is known."""

    cause: str
    is_sent: bool = True
    """False: for sure it never left this register, so head office did nothing."""


_CROWDED = Unanswered("Other calls were on their way all the while.", is_sent=False)


class _Try:
    """One call: how long it may take yet, and whether it may have left."""

    def __init__(self, left_s: Callable[[], float]) -> None:
        self.left_s = left_s
        self.is_sent = False


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
        self._behind = threading.BoundedSemaphore(BEHIND_MAX)
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
        self,
        path: str,
        body: msgspec.Struct,
        answer: type[A],
        *,
        deadline_s: float = DEADLINE_S,
        is_behind: bool = False,
    ) -> A | Denied | Unanswered:
        """Head office's answer. Takes `deadline_s` at the most, opening a session included.

        `is_behind`: no cashier waits for it.
        """
        until_ms = self._clock.monotonic_ms() + round(deadline_s * 1_000)

        def left_s() -> float:
            return (until_ms - self._clock.monotonic_ms()) / 1_000

        if self._mode() is Mode.OFFLINE:
            return Unanswered("The register is offline.", is_sent=False)
        with ExitStack() as taken:
            for slots in (self._behind, self._slots) if is_behind else (self._slots,):
                if not slots.acquire(timeout=max(0.0, left_s())):
                    return _CROWDED
                taken.callback(slots.release)
            if left_s() < LEFT_MIN * deadline_s:
                return _CROWDED
            if not self._begin():
                return Unanswered("Head office did not answer a moment ago.", is_sent=False)
            return self._counted(path, body, answer, _Try(left_s))

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
        self, path: str, body: msgspec.Struct, answer: type[A], this: _Try
    ) -> A | Denied | Unanswered:
        """Every call that began ends the breaker's try, whatever comes of it."""
        is_over = False
        try:
            reply = self._in_session(
                HttpRequest(method="POST", path=path, body=encode(body), deadline_s=1.0), this
            )
            if reply.status not in _BUSINESS and not reply.is_success:
                raise LostFault(f"Head office cannot answer now ({reply.status}).")
            told = _read(reply, answer)
            with self._lock:
                self._breaker = breaker.answered(self._breaker, reply.latency_ms)
            is_over = True
        except Fault as fault:
            is_over = True
            return self._lost(fault, this)
        finally:
            if not is_over:  # a bug, which its caller hears of
                with self._lock:
                    self._breaker = breaker.left(self._breaker)
        return told

    def _lost(self, fault: Fault, this: _Try) -> Unanswered:
        is_slow = self._mode() is Mode.DEGRADED
        with self._lock:
            self._breaker = breaker.lost(self._breaker, self._clock.monotonic_ms(), is_slow=is_slow)
            client = self._client
        if client is not None:
            client.forget_connections()  # what is kept of a dead line would hold the next call up
        self._on_loss()
        return Unanswered(fault.sentence, is_sent=this.is_sent)

    def _in_session(self, request: HttpRequest, this: _Try) -> Reply:
        client = self._connected()
        token = self._session.token(client, this.left_s)
        this.is_sent = True
        reply = client.call(_within(request, token, this.left_s()))
        if reply.status == 401 and reply.problem().code.startswith("session."):
            # Head office restarted, the register's key changed, or the session's time is over.
            self._session.forget(token)
            token = self._session.token(client, this.left_s)
            reply = client.call(_within(request, token, this.left_s()))
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
    return Denied(
        code=told.code,
        sentence=told.detail or told.title,
        holder_name=told.holder_name,
        since_ms=told.since_ms,
        retry_after_s=reply.retry_after_s,
        is_busy=reply.status == _TOO_MANY,
    )


def _within(request: HttpRequest, token: str, left_s: float) -> HttpRequest:
    return msgspec.structs.replace(request, token=token, deadline_s=max(0.001, left_s))
