"""A hostile line: loss, duplication, reordering, delay, cuts in either direction, late replays."""

from collections.abc import Callable

import msgspec

from holdfast.simulation.world import DAY_MS, World


class Answer(msgspec.Struct, frozen=True):
    """What a receiver says to one request."""

    status: int
    body: bytes
    code: str = ""
    detail: str = ""


Handler = Callable[[str, bytes], Answer | None]
"""(kind, body) → answer; None: the receiver is down."""


class Weather(msgspec.Struct, kw_only=True):
    """How bad the line is at the moment."""

    request_loss: float = 0.0
    reply_loss: float = 0.0
    duplication: float = 0.0
    replay: float = 0.0
    """Chance that a request arrives once more, hours to a year later."""
    delay_ms_max: int = 40
    cut_up: bool = False
    cut_down: bool = False


CALM = Weather()
TIMEOUT_MS = 5_000


class Line:
    """Carries requests from one sender to one receiver, one answer each or none."""

    def __init__(self, world: World, name: str, handler: Handler) -> None:
        self._world = world
        self._name = name
        self._handler = handler
        self.weather = Weather()
        self.carried = 0
        self.lost = 0

    def call(
        self, kind: str, body: bytes, on_answer: Callable[[Answer], None], on_lost: Callable[[], None]
    ) -> None:
        """Sends; then exactly one of `on_answer` and `on_lost` runs."""
        world, weather = self._world, self.weather
        state = {"open": True}

        def settle(answer: Answer | None) -> None:
            if not state["open"]:
                return
            state["open"] = False
            if answer is None:
                self.lost += 1
                on_lost()
            else:
                self.carried += 1
                on_answer(answer)

        def arrive() -> None:
            answer = self._handler(kind, body)
            if answer is None or self.weather.cut_down or world.chance(self.weather.reply_loss):
                return
            world.after(self._delay(), f"{self._name} reply {kind}", lambda: settle(answer))

        def arrive_again() -> None:
            self._handler(kind, body)

        world.after(TIMEOUT_MS, f"{self._name} deadline {kind}", lambda: settle(None))
        if not weather.cut_up and not world.chance(weather.request_loss):
            world.after(self._delay(), f"{self._name} request {kind}", arrive)
        if world.chance(weather.duplication):
            world.after(self._delay() * 3, f"{self._name} duplicate {kind}", arrive_again)
        if world.chance(weather.replay):
            later = world.random.randrange(3_600_000, 365 * DAY_MS)
            world.after(later, f"{self._name} replay {kind}", arrive_again)

    def _delay(self) -> int:
        return 1 + self._world.random.randrange(self.weather.delay_ms_max)


def foul(world: World) -> Weather:
    """Weather drawn at random, from a slow line to a dead one."""
    chance = world.random.random
    return Weather(
        request_loss=chance() * 0.4,
        reply_loss=chance() * 0.4,
        duplication=chance() * 0.3,
        replay=0.02,
        delay_ms_max=world.random.choice((5, 50, 500, 4_000, 9_000)),
        cut_up=world.chance(0.35),
        cut_down=world.chance(0.25),
    )
