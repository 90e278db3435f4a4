"""What connected registers are told at once: that there is a newer version of the parameters (GC8).

A thread looks at the version, whoever changed it: a page, a file, or a command in another process. Registers
hear of it in the answer of the poll that they hold open anyway, so nothing is sent while nothing changes.
"""

from holdfast.core.faults import Fault
from holdfast.core.ids import IncarnationId
from holdfast.core.sync.commands import News
from holdfast.hq.commands import CommandBook
from holdfast.hq.feeds import Feeds
from holdfast.hq.regular import RegularWork
from holdfast.infra.clock import Clock
from holdfast.infra.web import Wakeups

FEED = "parameters"
LOOK_S = 0.5
COMMANDS = "commands:"
"""What the keys of all polls begin with."""


class NewsWatch(RegularWork):
    """Keeps the newest version at hand, and wakes the polls when it moves."""

    def __init__(self, feeds: Feeds, book: CommandBook, wakeups: Wakeups, clock: Clock) -> None:
        self._feeds, self._book, self._wakeups, self._clock = feeds, book, wakeups, clock
        self._newest: tuple[IncarnationId, int] = (IncarnationId(""), 0)
        self._packed = b""
        self._is_blind = False
        super().__init__("watch-news", "whether parameters changed could not be seen", LOOK_S)

    def after(self, incarnation: str, known_n: int) -> bytes | None:
        """The signed answer for who knows of that version; None: there is no newer one.

        Of another incarnation's numbers nothing is said: the heartbeat brings those registers up to date.
        """
        (current, n), packed = self._newest, self._packed
        return packed if incarnation == current and n > known_n else None

    def _turn(self) -> bool:
        try:
            incarnation, n = self._feeds.newest(FEED)
        except Fault:
            was_blind, self._is_blind = self._is_blind, True
            if was_blind:  # it was said once; the database's keeper says the rest
                return False
            raise
        self._is_blind = False
        if (incarnation, n) != self._newest:
            news = News(incarnation=incarnation, feeds={FEED: n}, time_ms=self._clock.now_ms())
            self._packed, self._newest = self._book.told(news), (incarnation, n)
            self._wakeups.wake_all(COMMANDS)
        return False
