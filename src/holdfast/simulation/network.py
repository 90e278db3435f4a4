"""A hostile line: loss, duplication, reordering, delay, cuts in either direction, late replays.

Head office's signed words (feeds, commands) come again too, in place of the answer: whoever stands between
kept an old one.
"""

from collections import defaultdict, deque
from collections.abc import Callable

import msgspec

from holdfast.register.sync.commands import POLL_GRACE_S
from holdfast.register.sync.feeds import HEARTBEAT_DEADLINE_S, PAGE_DEADLINE_S
from holdfast.register.sync.line import SESSION_DEADLINE_S
from holdfast.register.sync.uploader import ENTRIES_DEADLINE_S, OFFER_DEADLINE_S
from holdfast.simulation.world import DAY_MS, HOUR_MS, World

DEADLINES_MS = {
    "challenge": int(SESSION_DEADLINE_S * 1000),
    "session": int(SESSION_DEADLINE_S * 1000),
    "offer": int(OFFER_DEADLINE_S * 1000),
    "entries": int(ENTRIES_DEADLINE_S * 1000),
    "heartbeat": int(HEARTBEAT_DEADLINE_S * 1000),
    "feed": int(PAGE_DEADLINE_S * 1000),
    "commands": int(POLL_GRACE_S * 1000),
    "outcome": int(POLL_GRACE_S * 1000),
    "hold": 2_000,
    "release": 2_000,
    "allowance": 2_000,
}
"""The sync process's own; polls for commands are answered at once here."""
JSON_KINDS = ("challenge", "session", "offer", "heartbeat", "outcome", "hold", "release", "allowance")
SIGNED_KINDS = ("feed", "commands")
"""Answered in a form of their own, signed, which no field may be added to."""
OLD_ANSWERS_KEPT = 6
QUERY = b'"query"'
"""Before it a request says which of them it asks for."""
_OF_TOMORROW = b',"of_tomorrow":{"a":[1,null],"b":"\xc3\xa9"}}'


class Answer(msgspec.Struct, frozen=True):
    """What a receiver says to one request."""

    status: int
    body: bytes
    code: str = ""
    detail: str = ""


Handler = Callable[[str, bytes, str], Answer | None]
"""(kind, body, session's token) → answer; None: the receiver is down."""


def of_tomorrow(message: bytes) -> bytes:
    """A JSON message as a newer version would send it: with a field that today's does not know."""
    assert message.endswith(b"}"), "a message is one object"
    return message[:-1] + _OF_TOMORROW if len(message) > 2 else message


class Weather(msgspec.Struct, kw_only=True):
    """How bad the line is at the moment."""

    request_loss: float = 0.0
    reply_loss: float = 0.0
    duplication: float = 0.0
    replay: float = 0.0
    """Chance that a request arrives once more, hours to a year later."""
    old_answer: float = 0.0
    """Chance that an old signed answer comes in place of the new one."""
    delay_ms_max: int = 40
    cut_up: bool = False
    cut_down: bool = False
    """One of both alone is an asymmetric partition: what arrives is not answered, or never arrives."""

    @property
    def is_dead(self) -> bool:
        """Nothing that is asked over it is answered."""
        return self.cut_up or self.cut_down


CALM = Weather()


class Call:
    """One request on its way: one of its two ends comes, unless it is given up."""

    def __init__(self, on_answer: Callable[[Answer], None], on_lost: Callable[[], None]) -> None:
        self._on_answer, self._on_lost = on_answer, on_lost
        self._open = True

    def settle(self, answer: Answer | None) -> None:
        """The answer, or that none came in time. What comes later is nobody's."""
        if not self._open:
            return
        self._open = False
        if answer is None:
            self._on_lost()
        else:
            self._on_answer(answer)

    def cancel(self) -> None:
        """Give it up: neither end comes."""
        self._open = False


class Line:
    """Carries requests from one sender to one receiver, one answer each or none."""

    def __init__(self, world: World, name: str, handler: Handler, is_up: Callable[[], bool]) -> None:
        """`is_up`: does the receiver's process run."""
        self._world = world
        self._name = name
        self._handler = handler
        self._weather = Weather()
        self.is_up = is_up
        self._answered: dict[bytes, deque[Answer]] = defaultdict(lambda: deque(maxlen=OLD_ANSWERS_KEPT))
        self.is_of_tomorrow = False
        """The sender is newer than the receiver."""
        self.on_change: Callable[[], None] = lambda: None

    @property
    def weather(self) -> Weather:
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._weather = weather
        self.on_change()

    def call(
        self,
        kind: str,
        body: bytes,
        on_answer: Callable[[Answer], None],
        on_lost: Callable[[], None],
        *,
        token: str = "",
        on_send: Callable[[], None] = lambda: None,
    ) -> Call:
        """Sends; then one of `on_answer` and `on_lost` runs, whatever else arrives. `on_send` runs before the
        first byte leaves, where one does."""
        world, weather = self._world, self._weather
        name = kind.partition(" ")[0]
        call = Call(on_answer, on_lost)
        sent = of_tomorrow(body) if self.is_of_tomorrow and name in JSON_KINDS else body

        def arrive() -> None:
            answer = self._handler(kind, sent, token)
            if answer is None or self._weather.cut_down or world.chance(self._weather.reply_loss):
                return
            if name in SIGNED_KINDS and answer.status == 200:
                answer = self._perhaps_an_old_one(body.partition(QUERY)[0], answer)
            world.after(self._delay(), f"{self._name} reply {kind}", lambda: call.settle(answer))

        def arrive_again() -> None:
            self._handler(kind, sent, token)

        world.after(DEADLINES_MS[name], f"{self._name} deadline {kind}", lambda: call.settle(None))
        leaves = not weather.cut_up
        if not weather.cut_up and not world.chance(weather.request_loss):
            world.after(self._delay(), f"{self._name} request {kind}", arrive)
        if world.chance(weather.duplication):
            leaves = True
            world.after(self._delay() * 3, f"{self._name} duplicate {kind}", arrive_again)
        if world.chance(weather.replay):
            leaves = True
            later = world.random.randrange(HOUR_MS, 365 * DAY_MS)
            world.after(later, f"{self._name} replay {kind}", arrive_again)
        if leaves:
            on_send()
        return call

    def _perhaps_an_old_one(self, asked: bytes, answer: Answer) -> Answer:
        """Of the same feed, or of commands."""
        kept = self._answered[asked]
        if kept and self._world.chance(self._weather.old_answer):
            return self._world.random.choice(kept)
        kept.append(answer)
        return answer

    def _delay(self) -> int:
        return 1 + self._world.random.randrange(self._weather.delay_ms_max)


def foul(world: World) -> Weather:
    """Weather drawn at random, from a slow line to a dead one."""
    chance = world.random.random
    return Weather(
        request_loss=chance() * 0.4,
        reply_loss=chance() * 0.4,
        duplication=chance() * 0.3,
        replay=0.02,
        old_answer=0.2,
        delay_ms_max=world.random.choice((5, 50, 500, 4_000, 9_000, 25_000)),
        cut_up=world.chance(0.35),
        cut_down=world.chance(0.25),
    )
