"""The board: what is worth writing down, and what a flapping or forced line makes of the mode."""

import threading

from holdfast.core.connection import Connection, Mode, Thresholds
from holdfast.core.work_mode import WorkMode
from holdfast.infra.clock import ManualClock
from holdfast.register.sync.board import APART_MS, CONTACT_EVERY_MS, IN_USE_MS, Board, State


class Line:
    """A board, and a line whose answers and failures are far enough apart to count."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.board = online(self.clock)

    def lost(self, cause: str = "cut") -> None:
        self.clock.advance(APART_MS)
        self.board.lost(cause)

    def answered(self, latency_ms: int = 20) -> None:
        self.clock.advance(APART_MS)
        self.board.answered(latency_ms)

    def quiet(self) -> None:
        self.clock.advance(Thresholds().quiet_ms)

    @property
    def mode(self) -> Mode:
        return self.board.connection.mode


def online(clock: ManualClock) -> Board:
    board = Board(clock, State(connection=Connection(mode=Mode.ONLINE, cause="head office answers")))
    board.changes(0)
    return board


def test_two_silences_are_an_outage_and_one_is_not() -> None:
    line = Line()
    line.lost()
    assert line.mode is Mode.ONLINE
    line.answered()
    line.lost()
    assert line.mode is Mode.ONLINE
    line.lost("no answer within 0.5 s")
    assert line.board.is_offline
    changes = line.board.changes(0)
    assert changes is not None
    assert [(change.before, change.after) for change in changes.modes] == [("online", "offline")]
    assert changes.modes[0].cause == "no answer within 0.5 s"
    assert line.board.changes(0) is None


def test_an_outage_is_told_once_and_what_failed_of_it_is_no_trouble_after_it() -> None:
    line = Line()
    line.board.trouble("feeds", "line.lost", "The connection was refused.")
    line.board.trouble("storage", "storage.full", "The disk is full.")
    line.lost()
    line.lost()
    assert line.board.is_offline
    assert list(line.board.problems) == ["storage"]


def test_one_break_that_resets_every_connection_is_one_failure() -> None:
    line = Line()
    for _ in range(4):
        line.board.lost("The connection was cut.")
    assert line.mode is Mode.ONLINE
    line.answered()
    assert line.board.connection.failures == 0


def test_the_return_is_told_at_the_first_answer_and_shown_after_some_quiet() -> None:
    line = Line()
    told: list[bool] = []
    line.board.on_return(told.append)
    line.lost()
    line.answered()
    assert told == [False], "a single failure: nothing on its way is given up"
    line.lost()
    line.lost()
    line.answered()
    assert told == [False, True]
    for _ in range(4):
        line.board.answered(20)
    assert line.mode is Mode.OFFLINE, "the answers of one moment are one"
    line.answered()
    assert line.mode is Mode.OFFLINE, "not as long as a failure is fresh"
    line.quiet()
    line.answered()
    assert line.mode is Mode.ONLINE
    assert told == [False, True]


def test_only_probes_say_what_is_slow() -> None:
    board = online(ManualClock())
    slow_ms = Thresholds().slow_ms + 1
    for _ in range(3):
        board.answered(slow_ms)
        board.answered(None)
    assert board.connection.mode is Mode.DEGRADED


def test_a_forced_line_stays_offline_until_it_is_released() -> None:
    board = online(ManualClock())
    chosen = WorkMode(work="offline", since_ms=7, reason="printer works")
    assert not board.follow(chosen)
    board.answered(20)
    board.answered(20)
    assert (board.connection.mode, board.connection.since_ms) == (Mode.OFFLINE, 7)
    assert not board.is_offline, "the line itself is up, and sync goes on"
    board.follow(chosen)
    changes = board.changes(0)
    assert changes is not None
    assert [change.cause for change in changes.modes] == ["by hand: printer works"]
    board.owes(False)
    assert board.connection.forced, "nobody enabled it"
    assert board.follow(WorkMode()), "what is owed is to be sent at once"
    assert not board.follow(WorkMode())
    board.answered(20)
    assert board.connection.forced, "what is owed goes first"
    board.owes(False)
    assert not board.connection.forced
    assert board.connection.mode is Mode.ONLINE


def test_contacts_are_written_now_and_then() -> None:
    clock = ManualClock()
    board = online(clock)
    board.contact(clock.now_ms(), 10)
    assert board.changes(0) is not None
    clock.advance(CONTACT_EVERY_MS - 1)
    board.contact(clock.now_ms(), 10)
    assert board.changes(0) is None
    clock.advance(1)
    board.contact(clock.now_ms(), 10)
    assert board.changes(0) is not None
    clock.jump_to(0)
    board.contact(clock.now_ms(), 10)
    assert board.changes(0) is not None, "a clock that goes back does not stop the writing"


def test_the_skew_is_measured_against_the_middle_of_the_call() -> None:
    clock = ManualClock(1_000_000)
    board = online(clock)
    board.contact(1_500_000 - 100, 200)
    changes = board.changes(0)
    assert changes is not None
    assert changes.state.skew_ms == 500_000


def test_what_was_not_written_comes_again_in_order() -> None:
    line = Line()
    line.lost()
    line.lost()
    first = line.board.changes(0)
    assert first is not None
    line.board.not_written(first)
    line.answered()
    line.quiet()
    line.answered()
    again = line.board.changes(0)
    assert again is not None
    assert [change.after for change in again.modes] == ["offline", "online"]


def test_a_trouble_keeps_its_beginning_while_it_lasts() -> None:
    clock = ManualClock(1_000)
    board = online(clock)
    board.trouble("feeds", "signature.invalid", "first")
    clock.advance(500)
    board.trouble("feeds", "signature.invalid", "second")
    assert board.problems["feeds"].since_ms == 1_000
    assert board.problems["feeds"].sentence == "second"
    board.trouble("feeds", "feed.replayed", "third")
    assert board.problems["feeds"].since_ms == 1_500
    board.well("feeds")
    assert not board.problems


def test_a_till_is_active_while_it_is_used_or_owes() -> None:
    clock = ManualClock()
    board = online(clock)
    board.owes(False)
    assert board.is_active, "just started: somebody switched it on"
    clock.advance(IN_USE_MS)
    assert not board.is_active
    board.owes(True)
    assert board.is_active
    board.owes(False)
    board.used()
    assert board.is_active


def test_a_change_wakes_whoever_writes() -> None:
    board = online(ManualClock())
    seen: list[object] = []
    writer = threading.Thread(target=lambda: seen.append(board.changes(30)))
    writer.start()
    board.block("key.unknown", "not enrolled")
    writer.join(30)
    assert seen
    assert seen[0] is not None
