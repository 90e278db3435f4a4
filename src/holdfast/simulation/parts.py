"""Feeder and commander as they ship, held so that they take their turns in simulated time, and watched."""

from collections.abc import Callable

from holdfast.core.faults import Fault
from holdfast.core.sync.commands import Command
from holdfast.core.sync.feed import FEEDS
from holdfast.core.sync.messages import HeartbeatReply
from holdfast.register.sync.books import Books
from holdfast.register.sync.caller import Caller, Shared
from holdfast.register.sync.commands import Commander, Done, Hands, Waiting
from holdfast.register.sync.feeds import Feeder
from holdfast.simulation.disk import Database
from holdfast.simulation.keychain import Keychain
from holdfast.simulation.ledger import Ledger
from holdfast.simulation.reference import CURRENCY
from holdfast.simulation.world import World

KEY_BYTES = 32


class Stepped(Caller):
    """A part that never waits: whoever steps it says when."""

    def begin(self) -> None:
        """Another turn than the last one."""

    def try_turn(self) -> float:
        """One turn, or the rest of it; seconds until the next."""
        return self._try_turn()

    def pause(self, wait_s: float) -> None:
        """Between two turns it waits in simulated time."""

    def reset(self) -> None:
        """Its books are those of the whole machine."""

    def _tell(self, fault: Fault) -> None:
        self._board.fault(self.part, fault)


class SimFeeder(Stepped, Feeder):
    """Says how the register is, and pulls what is new."""

    def __init__(
        self,
        shared: Shared,
        keychain: Keychain,
        database: Database,
        ledger: Ledger,
        node: str,
        on_reply: Callable[[HeartbeatReply], None],
    ) -> None:
        Feeder.__init__(self, shared, currency=CURRENCY, signer=keychain, on_reply=self._heard)
        self._database, self._ledger, self._node = database, ledger, node
        self._then = on_reply
        self._replies: list[HeartbeatReply] = []
        """To the words of this turn."""
        self._said = 0

    def begin(self) -> None:
        self._replies.clear()

    def try_turn(self) -> float:
        self._said = 0
        return super().try_turn()

    def _heartbeat(self, books: Books) -> HeartbeatReply:
        if self._said == len(self._replies):
            self._replies.append(super()._heartbeat(books))
        self._said += 1
        return self._replies[self._said - 1]

    def _heard(self, reply: HeartbeatReply) -> None:
        self._database.memory.hear(reply.incarnation)
        self._then(reply)

    def look(self) -> None:
        """The oracle's own look: nothing that it sells from is older than what it sold from before."""
        memory = self._database.memory
        for feed in FEEDS:
            have = self._database.reference.feeds.current(feed)
            if have is None:
                continue
            now, before = (have.incarnation, have.n), memory.feeds.get(feed)
            if before is not None and memory.is_older(now, before):
                self._ledger.broken.append(f"feeds: {self._node} went back in {feed} from {before} to {now}")
            memory.feeds[feed] = now


class SimCommander(Stepped, Commander):
    """Hears and carries out commands."""

    def __init__(
        self,
        shared: Shared,
        keychain: Keychain,
        hands: Hands,
        database: Database,
        ledger: Ledger,
        world: World,
        node: str,
    ) -> None:
        Commander.__init__(self, shared, keys=keychain.ring, hands=hands)
        self._keychain, self._database, self._ledger = keychain, database, ledger
        self._world, self._node = world, node
        self.waits = False
        """A command is not done yet."""

    def _take(self, books: Books, commands: tuple[Command, ...]) -> None:
        memory = self._database.memory
        for command in commands:
            memory.hear(command.incarnation)
            if command.incarnation != memory.lives[-1]:
                left = f"command {command.number} of a head office that it left behind"
                self._ledger.broken.append(f"commands: {self._node} takes {left}")
        super()._take(books, commands)

    def _work_off(self, books: Books) -> bool:
        self.waits = super()._work_off(books)
        return self.waits

    def _rotate(self, books: Books, command: Waiting) -> Done | None:
        if command.request is None:
            self._keychain.offer_next(self._world.random.randbytes(KEY_BYTES))
        return super()._rotate(books, command)

    def _finish(self, books: Books, command: Waiting, done: Done) -> None:
        super()._finish(books, command, done)
        named = (command.incarnation, command.number)
        if named in self._database.memory.done:
            self._ledger.broken.append(f"commands: {self._node} carried out {named} twice")
        self._database.memory.done.add(named)
        self._ledger.carried_out(command.arguments.get("ticket", ""), done.outcome)
        self._world.trace(f"{self._node} carried out {command.kind} {command.number}: {done.outcome}")
