"""Calls in a session, which opens anew whenever it must: what `register/sync/line.py` does, in a world where
nobody waits. What is shown, and what is tried next, is decided by the credentials that ship."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from holdfast.core.ids import KeyId, OriginId
from holdfast.core.sync.enrolment import Certificate
from holdfast.core.sync.messages import Challenge, SessionOpened, SessionRequest, decode, encode
from holdfast.core.sync.session import answer_challenge
from holdfast.register.sync.credentials import TRIES_MAX
from holdfast.simulation.network import Answer, Call, Line
from holdfast.simulation.prober import SimBoard
from holdfast.simulation.signing import SimKey

OTHER_KEY = Answer(401, b"", "session.other-key", "The session was opened by another key than signed this.")
_PERMANENT = ("key.", "protocol.")
_OF_KEYS = ("key.", "signature.")


class Credentials(Protocol):
    """What a session is asked for with (`register.sync.credentials.Credentials`)."""

    @property
    def key_id(self) -> KeyId: ...
    def begin(self) -> None: ...
    def answer(self, challenge: Challenge) -> SessionRequest: ...
    def refused(self, code: str) -> bool: ...
    def gave_up(self) -> None: ...
    def opened(self, certificate: Certificate | None) -> None: ...


class OneKey:
    """A store server's: one key, and nothing else to try."""

    def __init__(self, origin: OriginId, key: SimKey) -> None:
        self._origin = origin
        self._key = key

    @property
    def key_id(self) -> KeyId:
        return self._key.key_id

    def begin(self) -> None: ...

    def answer(self, challenge: Challenge) -> SessionRequest:
        return answer_challenge(self._origin, challenge, self._key, software="simulation")

    def refused(self, code: str) -> bool:
        return False

    def gave_up(self) -> None: ...

    def opened(self, certificate: Certificate | None) -> None: ...


class Asking(msgspec.Struct, frozen=True):
    """Body of a challenge's request."""

    origin: OriginId


OnAnswer = Callable[[Answer], None]
OnLost = Callable[[], None]
OnSend = Callable[[], None]
"""Before the first byte leaves."""


def _nobody_waits(token: str, refused: Answer | None) -> None:
    """For a session that is opened ahead."""


class Exchange:
    """One call of a sender, and the session that it may have to wait for."""

    def __init__(
        self,
        session: "SessionLine",
        kind: str,
        body: bytes,
        on_answer: OnAnswer,
        on_lost: OnLost,
        on_send: OnSend,
    ) -> None:
        self._session, self._kind, self._body = session, kind, body
        self._on_answer, self._on_lost, self._on_send = on_answer, on_lost, on_send
        self._open, self._is_second = True, False
        self._call: Call | None = None
        self._key_id = session.credentials.key_id

    def begin(self) -> None:
        """In the session that there is, or in a new one."""
        self._session.with_token(self._send)

    def cancel(self) -> None:
        """Give it up: neither end comes."""
        self._open = False
        if self._call is not None:
            self._call.cancel()

    def _send(self, token: str, refused: Answer | None) -> None:
        if not self._open:
            return
        if refused is not None:
            self._settle(refused)
        elif not token:
            self._lose()
        else:
            self._call = self._session.line.call(
                self._kind,
                self._body,
                lambda answer: self._answered(answer, token),
                self._lose,
                token=token,
                on_send=self._on_send,
            )

    def _answered(self, answer: Answer, token: str) -> None:
        if not self._open:
            return
        if answer.status == 401 and answer.code.startswith("session.") and not self._is_second:
            # Head office restarted, or the session's time is over: once more in a new one.
            self._is_second = True
            self._session.forget(token)
            self.begin()
            return
        is_of_key = answer.status == 403 and answer.code.startswith(_OF_KEYS)
        self._settle(OTHER_KEY if is_of_key and self._session.credentials.key_id != self._key_id else answer)

    def _settle(self, answer: Answer) -> None:
        self._open = False
        self._on_answer(answer)

    def _lose(self) -> None:
        if self._open:
            self._open = False
            self._on_lost()


Ready = Callable[[str, Answer | None], None]
"""(token, refusal): one of both, or neither where the line lost it."""


class SessionLine:
    """A line and the session over it, for as long as a process runs."""

    def __init__(
        self,
        line: Line,
        origin: OriginId,
        credentials: Credentials,
        board: SimBoard,
        *,
        outside: frozenset[str] = frozenset(),
    ) -> None:
        """`outside`: kinds that the next hop takes without a session."""
        self.line, self.credentials = line, credentials
        self.token = ""
        self._origin, self._board, self._outside = origin, board, outside
        self._running = True
        self._waiting: list[Ready] = []
        self._tries = 0
        self._call: Call
        """The one on its way while somebody waits."""

    def stop(self) -> None:
        self._running = False

    def call(
        self,
        kind: str,
        body: bytes,
        on_answer: OnAnswer,
        on_lost: OnLost,
        *,
        on_send: OnSend = lambda: None,
    ) -> Call | Exchange:
        """Sends; then one of both runs, unless the process ended."""
        if kind.partition(" ")[0] in self._outside:
            return self.line.call(
                kind, body, lambda answer: self._arrived(answer, on_answer), on_lost, on_send=on_send
            )
        exchange = Exchange(self, kind, body, on_answer, on_lost, on_send)
        exchange.begin()
        return exchange

    def _arrived(self, answer: Answer, on_answer: OnAnswer) -> None:
        """What needs no session. Where the key gave way, head office says in a new one which to take."""
        if answer.status == 401 and self._running:
            self.reset()
            self.with_token(_nobody_waits)
        on_answer(answer)

    def answered(self) -> None:
        """Behind a store server this says nothing of the line to it, as `lost` does not."""
        if not self._outside:
            self._board.answered(None)

    def lost(self) -> None:
        if not self._outside:
            self._board.lost("no answer in time")

    def forget(self, token: str) -> None:
        """That session is over; another one that was opened meanwhile stays."""
        if self.token == token:
            self.token = ""

    def reset(self) -> None:
        """Open a new session with the next call: the key changed."""
        self.token = ""

    def line_returned(self, was_dead: bool) -> None:
        """What asks for a session went into the dead line: ask anew."""
        if was_dead and self._waiting:
            self._call.cancel()
            self._begin()

    def with_token(self, ready: Ready) -> None:
        """Once there is a session, or none can be had; one is opened at a time."""
        if self.token:
            ready(self.token, None)
            return
        self._waiting.append(ready)
        if len(self._waiting) == 1:
            self._begin()

    def _begin(self) -> None:
        self.credentials.begin()
        self._tries = 0
        self._try()

    def _try(self) -> None:
        asking = encode(Asking(self._origin))
        self._call = self.line.call("challenge", asking, self._challenged, self._lost)

    def _challenged(self, answer: Answer) -> None:
        if not self._running:
            return
        self.answered()
        if answer.status != 200:
            self._end("", answer)
            return
        challenge = decode(answer.body, Challenge)
        self._board.contact(challenge.time_ms, 0)
        request = self.credentials.answer(challenge)
        self._call = self.line.call("session", encode(request), self._answered, self._lost)

    def _answered(self, answer: Answer) -> None:
        if not self._running:
            return
        self.answered()
        if answer.status == 200:
            opened = decode(answer.body, SessionOpened)
            self.credentials.opened(opened.certificate)
            self.token = opened.token
            self._end(opened.token, None)
            return
        self._tries += 1
        if self._tries <= TRIES_MAX and self.credentials.refused(answer.code):
            self._try()
            return
        self.credentials.gave_up()
        if answer.code.startswith(_PERMANENT):
            self._board.block(answer.code, answer.detail)
        self._end("", answer)

    def _lost(self) -> None:
        if self._running:
            self.lost()
            self._end("", None)

    def _end(self, token: str, refused: Answer | None) -> None:
        waiting, self._waiting = self._waiting, []
        for ready in waiting:
            ready(token, refused)
