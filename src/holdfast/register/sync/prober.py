"""Probes: a tiny question to head office, twice a second while it matters, so that an outage shows in time.

What counts as a failure is half a second without any answer, not a single slow probe: on a line that is
slow but alive, answers to earlier probes keep coming in, late, and say so. Packets that vanish are
noticed after two such silences, a refusal at once.
"""

import threading

from holdfast.core.connection import Connection, Mode
from holdfast.core.faults import Fault
from holdfast.core.sync.messages import HeartbeatReply
from holdfast.infra.clock import Clock, Randomness
from holdfast.infra.http import Call, GivenUpFault, HttpClient, HttpRequest, TimedOutFault
from holdfast.register.sync.board import Board
from holdfast.register.sync.part import Part

SILENCE_S = 0.5
"""The probe's deadline."""
LATE_S = 2.0
"""An answer after this is none."""
UNDERWAY_MAX = 4
ACTIVE_MS, IDLE_MS = 500, 15_000
RETURNING_MS = 240
"""From one probe to the next while a line comes back: of one that toggles every 300 ms no half hides between
two of them, so that it is not shown as up in between."""
REPLY_BYTES_MAX = 4_096
_SLEPT_S = 2 * SILENCE_S
"""A wait that took longer than this says that the machine was busy or asleep, not the line."""


class Prober(Part):
    """Asks `GET /v1/health` and tells the board."""

    def __init__(self, client: HttpClient, board: Board, clock: Clock, randomness: Randomness) -> None:
        super().__init__("probe", board, clock, randomness)
        self._client = client
        self._heard = threading.Condition()
        self._answers = 0
        self._refused = False
        self._underway: set[Call] = set()
        self._active_ms, self._idle_ms = ACTIVE_MS, IDLE_MS
        self._slept = False

    def pace(self, reply: HeartbeatReply) -> None:
        """Head office may lengthen the pauses between probes, never shorten them."""
        self._active_ms = max(ACTIVE_MS, min(reply.probe_active_ms, IDLE_MS))
        self._idle_ms = max(IDLE_MS, min(reply.probe_idle_ms, 20 * IDLE_MS))

    def turn(self) -> float:
        began_ms = self._clock.monotonic_ms()
        with self._heard:
            before, self._refused = self._answers, False
        self._launch()
        with self._heard:
            self._heard.wait_for(lambda: self._answers > before or self._refused, SILENCE_S)
            is_silent = self._answers == before and not self._refused
            is_bad = self._answers == before
        elapsed_s = (self._clock.monotonic_ms() - began_ms) / 1000
        if is_silent and not self._was_asleep(elapsed_s):
            self._board.lost(f"no answer within {SILENCE_S:g} s")
        if is_bad:
            # What is kept of the old line may hang when it returns; the next probe takes a fresh connection.
            self._client.forget_connections()
        return max(0.0, self._pause_s() - elapsed_s)

    def interrupt(self) -> None:
        with self._heard:
            underway = tuple(self._underway)
        for call in underway:
            call.cancel()

    def _pause_s(self) -> float:
        if self._board.is_active or is_in_doubt(self._board.connection):
            return pause_ms(self._board.connection, self._active_ms) / 1000
        return self._idle_ms / 1000

    def _was_asleep(self, elapsed_s: float) -> bool:
        """Whether this silence is the machine's own; not twice in a row."""
        self._slept = elapsed_s > _SLEPT_S and not self._slept
        return self._slept

    def _launch(self) -> None:
        with self._heard:
            if len(self._underway) >= UNDERWAY_MAX:
                return
        request = HttpRequest(
            method="GET", path="/v1/health", deadline_s=LATE_S, reply_bytes_max=REPLY_BYTES_MAX
        )
        call = self._client.start(request)
        with self._heard:
            self._underway.add(call)
        call.on_end(self._ended)

    def _ended(self, call: Call) -> None:
        """In the network's thread."""
        with self._heard:
            self._underway.discard(call)
        try:
            reply = call.result()
        except (GivenUpFault, TimedOutFault):
            return  # its silence was counted when it began
        except Fault as fault:
            self._note_refusal(fault)
            return
        with self._heard:
            self._answers += 1
            self._heard.notify_all()
        # A 503 is an answer too: the line is up, and head office is alive behind it.
        self._board.answered(reply.latency_ms)

    def _note_refusal(self, fault: Fault) -> None:
        """One failure a turn at the most, however many probes end at once."""
        with self._heard:
            is_first, self._refused = not self._refused, True
            self._heard.notify_all()
        if is_first:
            self._board.lost(fault.sentence)


def is_in_doubt(connection: Connection) -> bool:
    """Whether one more probe will tell."""
    is_returning = connection.mode is Mode.OFFLINE and connection.successes > 0
    return connection.failures > 0 or (is_returning and not connection.forced)


def pause_ms(connection: Connection, active_ms: int, returning_ms: int = RETURNING_MS) -> int:
    """From one probe to the next at a till in use. Head office's wish counts while it answers; a line that is
    down costs it nothing, and its return must be noticed soon. A large chain asks less often then."""
    if not is_in_doubt(connection):
        return active_ms
    return ACTIVE_MS if connection.failures else max(returning_ms, min(active_ms // 2, ACTIVE_MS))
