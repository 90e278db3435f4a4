"""Drills at a till: begun, sold in, and ended in each way there is (SW11)."""

from holdfast.core.connection import Mode
from tests.sessions.acting import nothing
from tests.sessions.hosting import Hosting
from tests.sessions.pencil import Drill, Pencil


class Practising(Hosting):
    """The drill."""

    at_till = ""
    """Whose session the browser has, be it locked."""

    def see_readiness(self) -> None:
        self.act("till.readiness", "/readiness", how="get")

    def start_drill(self) -> None:
        chance, now_ms = self.chance, self.shop.clock.now_ms()
        minutes = chance.choice([1, 1, 15, 60])
        text = chance.choice([str(minutes)] * 6 + ["0", "61", "x"])
        reason = chance.choice(["practice", "practice", "practice", ""])

        def plan(paper: Pencil) -> None:
            made = len(paper.papers), paper.stockroom.lists.total()
            paper.drill = Drill(self.who, *made, now_ms, now_ms + minutes * 60_000)

        if chance.random() < 0.3:
            self._is_said_no()
            self._ask("/drill", "get", {})
        self._is_said_no()
        plan = plan if text == str(minutes) else nothing
        self.act("drill.start", "/drill", plan, minutes=text, reason=reason)

    def _is_said_no(self) -> None:
        """A drill cuts what begins a drill."""
        drill = self.pencil.drill
        if drill and drill.began_ms <= self.shop.clock.now_ms() < drill.ends_ms and self._is_signed_in():
            drill.refused += 1

    def end_drill(self) -> None:
        self.act("drill.end", "/drill/end", lambda paper: paper.end_drill("ended", self.who))

    def leaves(self, paper: Pencil, to: str = "") -> None:
        """Whoever was there is not any more; a drill of his ends."""
        if paper.drill and paper.drill.by == self.at_till != to:
            paper.end_drill("signed-out", self.at_till)

    def watch(self) -> None:
        """As the till looks by itself, a few times a second."""
        shop, paper, cause = self.shop, self.pencil, ""
        now_ms = shop.clock.now_ms()
        if paper.drill and paper.work == "offline":
            cause = "by-hand"
        elif paper.drill and shop.mode is Mode.OFFLINE:
            cause = "outage"
        elif paper.drill and not paper.drill.began_ms <= now_ms < paper.drill.ends_ms:
            cause = "time"
        is_over = shop.services.watch.drills.look(
            line_is_away=shop.mode is Mode.OFFLINE, by_hand=shop.checkout.work_mode().is_offline
        )
        assert is_over == bool(cause), f"a drill ended: {is_over}, and on paper: {cause}"
        if paper.drill and not cause:
            paper.drill.noted = paper.drill.refused
        if cause:
            paper.end_drill(cause)
            self.told.append(f"[drill over: {cause}]")

    def _forgotten(self) -> None:
        """A drill that went on is over; who was there need not be there any more."""
        super()._forgotten()
        self.at_till = ""
        if self.pencil.drill:
            self.pencil.drill.refused = self.pencil.drill.noted
            self.pencil.end_drill("restart")
