"""A thread of the service that books what nobody else does: accounts of merged customers, expired points."""

from holdfast.hq.loyalty.points import AT_ONCE, PointsBook
from holdfast.hq.regular import RegularWork

LOOK_EVERY_S = 20.0


class PointsKeeper(RegularWork):
    """Works from its making until `stop`."""

    def __init__(self, book: PointsBook, every_s: float = LOOK_EVERY_S) -> None:
        self._book = book
        self._looked = ""
        """The date whose points were all looked at."""
        self._after = ""
        super().__init__("keep-points", "points are not looked at", every_s)

    def _turn(self) -> bool:
        followed = self._book.follow_merges()
        today = self._book.today()
        if self._looked != today:
            self._after, _ = self._book.expire(self._after)
            if not self._after:
                self._looked = today
        return bool(self._after) or followed == AT_ONCE
