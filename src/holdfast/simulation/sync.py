"""A register's sync process in the simulation: session, uploader, feeder, commander and prober over one line,
for as long as the process lives."""

from collections.abc import Callable
from typing import Protocol

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.journal.chain import SignedHead
from holdfast.core.sync.sender import Event, Sender
from holdfast.infra.clock import Clock
from holdfast.register.sync.books import Books
from holdfast.register.sync.caller import Shared
from holdfast.register.sync.commands import POLL_S, Hands
from holdfast.register.sync.feeds import HEARTBEAT_S
from holdfast.register.till.handed import Handed
from holdfast.simulation.books import books_of
from holdfast.simulation.disk import Database, DiskJournal
from holdfast.simulation.driver import POLICY, Driver
from holdfast.simulation.errands import GAP_MS, AskingLine, Errands
from holdfast.simulation.keychain import Keychain
from holdfast.simulation.ledger import Ledger
from holdfast.simulation.network import Line
from holdfast.simulation.parts import SimCommander, SimFeeder
from holdfast.simulation.prober import SimBoard, SimProber
from holdfast.simulation.session import SessionLine
from holdfast.simulation.world import World, WorldRandomness

GAPS_MS = {"heartbeat": GAP_MS, "commands": 10 * GAP_MS}
LEAST_MS = {"heartbeat": 0, "commands": POLL_S * 1000}
"""Between two turns: a poll for commands waits at head office, which answers at once here."""
WAITING_MS = 5_000
"""Between two looks of a commander that waits; before the world is healed it looks when something comes."""


class Machine(Protocol):
    """What the process is of."""

    node: str
    origin: OriginId
    database: Database
    keychain: Keychain
    line: Line
    sessionless: frozenset[str]
    """Kinds that the next hop takes without a session."""

    def handle(self, event: Event) -> None:
        """Of the sender."""
        ...

    def left(self, epoch: EpochId, seq: int) -> None:
        """The oracle notes that entries go on the wire."""
        ...

    def compare(self, body: bytes) -> None:
        """Look at the answer to an offer."""
        ...

    def look_at_requests(self) -> None:
        """Sync may have asked checkout for something."""
        ...


class SimSync:
    """Begun with the process, and stopped with it."""

    def __init__(
        self, world: World, machine: Machine, journal: DiskJournal, ledger: Ledger, clock: Clock
    ) -> None:
        self._world, self._machine = world, machine
        self._runs = True
        keychain, self._line = machine.keychain, machine.line
        self._journal = journal
        credentials = keychain.begin()
        self._handed = Handed(keychain.handed)
        self._handed.begin(journal.heads())
        board = self.board = SimBoard(clock)
        self.session = SessionLine(
            self._line, machine.origin, credentials, board, outside=machine.sessionless
        )
        self.prober = SimProber(world, machine.node, self._line, board)
        sender = Sender(journal, policy=POLICY, jitter=world.random.random)
        driver = self.driver = Driver(
            world,
            machine.node,
            sender,
            self.session,
            board,
            machine.handle,
            on_offer_reply=machine.compare,
            on_drained=self._drained,
            on_entries=self._leave,
        )
        books = books_of(machine.database, journal)
        node, database = machine.node, machine.database

        def shared(asking: AskingLine) -> Shared:
            open_books: Callable[[], Books] = lambda: books  # noqa: E731
            trusted, randomness = keychain.head_office_keys, WorldRandomness(world)
            return Shared(machine.origin, open_books, asking.as_line(), trusted, board, clock, randomness)

        def errands(
            name: str, part: SimFeeder | SimCommander, asking: AskingLine, done: Callable[[], None]
        ) -> Errands:
            return Errands(
                world,
                f"{node} {name}",
                part,
                asking,
                self.session,
                gap_ms=GAPS_MS[name],
                least_ms=LEAST_MS[name],
                on_turn=done,
            )

        asking = AskingLine()
        feeder = SimFeeder(shared(asking), keychain, database, ledger, node, driver.heard)
        self.feeder = errands("heartbeat", feeder, asking, feeder.look)
        hands = Hands(
            sync_now=driver.sync_now,
            report=self.feeder.wake,
            resend=driver.resend,
            resending_from=driver.resending_from,
            new_session=self.session.reset,
            news=feeder.hear,
        )
        asking = AskingLine()
        self._commander = SimCommander(shared(asking), keychain, hands, database, ledger, world, node)
        self.commander = errands("commands", self._commander, asking, self._commanded)
        board.on_return(self.session.line_returned)
        board.on_return(driver.line_returned)
        board.on_return(lambda _: self._line_returned())
        self.prober.poke()
        self.feeder.wake()
        self.commander.wake()

    def stop(self) -> None:
        """The machine crashed."""
        for part in (self.driver, self.prober, self.session, self.feeder, self.commander):
            part.stop()
        if self._runs:
            self._handed.close()
        self._runs = False

    def _leave(self, head: SignedHead) -> None:
        """Entries are about to go on the wire: noted, as the uploader that ships does (GC6)."""
        if self._runs:
            self._machine.left(head.epoch, head.seq)
            self._handed.raise_to(head, lambda: [each.epoch for each in self._journal.heads()])

    def plan_all(self) -> None:
        """The world is healed: from now on all comes by time too."""
        for errands in (self.feeder, self.commander):
            errands.plan(self._world.random.randrange(int(HEARTBEAT_S * 1000)))

    def resent(self, epoch: EpochId, seq: int) -> None:
        """Head office holds the chain up to there."""
        if self.driver.resent(epoch, seq):
            self.commander.wake()

    def receipt_kept(self) -> None:
        """A command may have waited for it."""
        if self._commander.waits:
            self.commander.wake()

    def _line_returned(self) -> None:
        self.feeder.wake()
        self.commander.wake()

    def _drained(self) -> None:
        self.feeder.wake()
        self.receipt_kept()

    def _commanded(self) -> None:
        self._machine.look_at_requests()
        if self._commander.waits and self._world.healed:
            self.commander.plan(WAITING_MS)
