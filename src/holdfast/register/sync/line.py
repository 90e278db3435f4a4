"""The line to head office: calls in the register's session, which opens anew whenever it must.

Every call's fate counts for the connection's state: an answer of any kind shows that the line is up.
"""

import threading
from collections.abc import Callable

import msgspec

from holdfast.core.faults import Fault
from holdfast.core.ids import OriginId
from holdfast.core.sync.messages import Challenge, Problem, SessionOpened, decode, encode
from holdfast.infra.http import Call, GivenUpFault, HttpClient, HttpRequest, LostFault, Reply
from holdfast.register.sync.board import Board
from holdfast.register.sync.credentials import TRIES_MAX, Credentials

SESSION_DEADLINE_S = 5.0
"""Of each of the two steps."""
_PERMANENT = ("key.", "protocol.")
"""Refusals of a session that trying again does not cure: shown as *blocked*."""

OnStart = Callable[[Call], None]


class RefusedFault(Fault):
    """Head office answered, and refused."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.code = problem.code or f"http.{problem.status}"
        self.status = problem.status


class Line:
    """Shared by all threads; each makes one call at a time."""

    def __init__(self, client: HttpClient, origin: OriginId, credentials: Credentials, board: Board) -> None:
        self._client = client
        self._origin = origin
        self._credentials = credentials
        self._board = board
        self._lock = threading.Lock()
        self._token = ""

    def call(self, request: HttpRequest, on_start: OnStart | None = None) -> Reply:
        """Head office's answer of any status, in a session. LostFault, MalformedFault or TooLargeFault.

        `on_start` is handed each call as it begins, so that another thread can give it up.
        """
        token, key_id = self._token, self._credentials.key_id
        reply = self._in_session(request, token, on_start)
        if reply.status == 401 and reply.problem().code.startswith("session."):
            # Head office restarted, or the session's time is over: once more in a new one.
            reply = self._in_session(request, self._forget(token), on_start)
        if reply.status == 403 and self._credentials.key_id != key_id and _is_of_key(reply):
            # The session opened by another key than the one that signed this: its sender signs it anew.
            return _OTHER_KEY
        return reply

    def _in_session(self, request: HttpRequest, token: str, on_start: OnStart | None) -> Reply:
        if not token:
            opened = self._open_session(on_start)
            if isinstance(opened, Reply):
                return opened
            token = opened
        return self._once(msgspec.structs.replace(request, token=token), on_start)

    def ask(self, request: HttpRequest, on_start: OnStart | None = None) -> Reply:
        """The answer to a call that must succeed. RefusedFault where it does not; faults as in `call`."""
        reply = self.call(request, on_start)
        if not reply.is_success:
            raise RefusedFault(reply.problem())
        return reply

    def reset(self) -> None:
        """Open a new session with the next call: the register's key changed."""
        self._forget(self._token)

    def _forget(self, token: str) -> str:
        """Another thread may have opened a new one meanwhile: that one, or none."""
        with self._lock:
            if self._token == token:
                self._token = ""
            return self._token

    def _open_session(self, on_start: OnStart | None) -> str | Reply:
        """The token of a new session, or the refusal."""
        with self._lock:
            if self._token:
                return self._token
            self._credentials.begin()
            reply = self._try_session(on_start)
            for _ in range(TRIES_MAX):
                if reply.is_success or not self._credentials.refused(reply.problem().code):
                    break
                reply = self._try_session(on_start)
            if not reply.is_success:
                self._credentials.gave_up()
                return self._refused(reply)
            opened = decode(reply.body, SessionOpened)
            self._credentials.opened(opened.certificate)
            self._token = opened.token
            return self._token

    def _try_session(self, on_start: OnStart | None) -> Reply:
        asked = self._once(_post("/v1/session/challenge", encode(_Asking(self._origin))), on_start)
        if not asked.is_success:
            return asked
        challenge = decode(asked.body, Challenge)
        self._board.contact(challenge.time_ms, asked.latency_ms)
        return self._once(_post("/v1/session", encode(self._credentials.answer(challenge))), on_start)

    def _refused(self, reply: Reply) -> Reply:
        problem = reply.problem()
        if problem.code.startswith(_PERMANENT):
            self._board.block(problem.code, problem.detail)
        return reply

    def _once(self, request: HttpRequest, on_start: OnStart | None) -> Reply:
        call = self._client.start(request)
        if on_start is not None:
            on_start(call)
        try:
            reply = call.result()
        except GivenUpFault:
            raise
        except LostFault as fault:
            self._board.lost(fault.sentence)
            raise
        # Batches and long polls take their time: only probes say what is slow.
        self._board.answered(None)
        return reply


_OTHER_KEY = Reply(
    status=401,
    body=encode(
        Problem(
            type="urn:holdfast:problem:session.other-key",
            title="Another key signs now",
            status=401,
            detail="The session was opened by another key than the one that signed this.",
            code="session.other-key",
        )
    ),
    content_type="application/problem+json",
    latency_ms=0,
)
"""In place of head office's refusal: as for a session that is over, a sender begins again."""


def _is_of_key(reply: Reply) -> bool:
    """Whether a refusal is for what a key signed."""
    return reply.problem().code.startswith(("key.", "signature."))


class _Asking(msgspec.Struct, frozen=True):
    """Body of `POST /v1/session/challenge`."""

    origin: OriginId


def _post(path: str, body: bytes) -> HttpRequest:
    return HttpRequest(method="POST", path=path, body=body, deadline_s=SESSION_DEADLINE_S)
