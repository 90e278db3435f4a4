"""The session of real-time calls: apart from sync's, and opened by the same key.

The key is read anew each time a session opens, so that one which gave way is not used again. Changing keys
and keeping certificates is the sync process's work alone: nothing is written here.
"""

import threading
from collections.abc import Callable

import msgspec

from holdfast import __version__
from holdfast.core.ids import OriginId
from holdfast.core.sync.messages import Challenge, Problem, SessionOpened, decode, encode
from holdfast.core.sync.session import FORMER_KEY, UNKNOWN_KEY, answer_challenge
from holdfast.infra.config import RegisterHome
from holdfast.infra.http import HttpClient, HttpRequest, LostFault, Reply
from holdfast.register.sync.rotation import FORMER_MAX, KeyRing


class NoSessionFault(LostFault):
    """Head office answered, and opened no session: nothing was asked of it."""

    code = "realtime.no-session"


class Session:
    """A token, shared by the threads that call; opened by whichever needs it first."""

    def __init__(self, home: RegisterHome, origin: OriginId) -> None:
        self._home = home
        self._origin = origin
        self._lock = threading.Lock()
        self._token = ""

    def token(self, client: HttpClient, left_s: Callable[[], float]) -> str:
        """Of the session that is open, or of a new one. `left_s`: how long the call may take yet.

        LostFault; NoSessionFault where it is refused; KeyFault where the key cannot be read.
        """
        if self._token:
            return self._token
        if not self._lock.acquire(timeout=max(0.0, left_s())):
            raise LostFault("Another call was opening the session all the while.")
        try:
            if not self._token:
                self._token = self._open(client, left_s)
            return self._token
        finally:
            self._lock.release()

    def forget(self, token: str) -> None:
        """Head office does not know it any more; one that was opened meanwhile stays."""
        with self._lock:
            if self._token == token:
                self._token = ""

    def _open(self, client: HttpClient, left_s: Callable[[], float]) -> str:
        keys = KeyRing(self._home)
        for _ in range(FORMER_MAX + 2):
            reply = self._try(client, keys, left_s)
            if reply.is_success:
                return decode(reply.body, SessionOpened).token
            problem = reply.problem()
            if not self._has_other(keys, problem):
                raise NoSessionFault(problem.detail or problem.title)
            if problem.code == FORMER_KEY:
                keys = KeyRing(self._home)
        raise NoSessionFault("Head office accepts none of this register's keys.")

    def _has_other(self, keys: KeyRing, problem: Problem) -> bool:
        """A newer key that sync put in place meanwhile, or a former one that a restored head office knows."""
        if problem.code == FORMER_KEY:
            return KeyRing(self._home).key_id != keys.key_id
        return problem.code == UNKNOWN_KEY and keys.older()

    def _try(self, client: HttpClient, keys: KeyRing, left_s: Callable[[], float]) -> Reply:
        asked = client.call(_post("/v1/session/challenge", _Asking(self._origin), left_s()))
        if not asked.is_success:
            return asked
        challenge = decode(asked.body, Challenge)
        request = answer_challenge(self._origin, challenge, keys, software=__version__)
        return client.call(_post("/v1/session", request, left_s()))


class _Asking(msgspec.Struct, frozen=True):
    """Body of `POST /v1/session/challenge`."""

    origin: OriginId


def _post(path: str, body: msgspec.Struct, deadline_s: float) -> HttpRequest:
    return HttpRequest(method="POST", path=path, body=encode(body), deadline_s=max(0.001, deadline_s))
