"""A replaying register's side of its line: the sync child, what it asks of checkout, what is owed."""

from contextlib import ExitStack
from types import TracebackType

from holdfast.core.ids import EpochId
from holdfast.infra.clock import Clock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.register.checkout import Checkout
from holdfast.register.keeper import SyncKeeper
from holdfast.register.sync.board import CONTACT_EVERY_MS
from holdfast.register.sync.reference_file import open_reference
from holdfast.register.sync.requests import Inbox, carry_out_all
from holdfast.register.sync.status import read_status
from holdfast.register.till.database import QUERIES, read_till
from holdfast.register.till.places import seq_of


class Link:
    """For use in a `with` block, by the process that sells."""

    def __init__(self, home: RegisterHome, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._stack = ExitStack()
        self._began_ms = 0

    def __enter__(self) -> "Link":
        with ExitStack() as stack:
            key = DatabaseKey.load(self._home.database_key)
            config = load_config(self._home.config, RegisterConfig)
            self._reference = open_reference(self._home, key)
            stack.callback(self._reference.close)
            self._till = read_till(self._home, key, config.origin)
            stack.callback(self._till.close)
            self._inbox = Inbox(self._reference)
            self._keeper = SyncKeeper(self._home, self._clock)
            self._keeper.start()
            stack.callback(self._keeper.stop)
            self._began_ms = self._clock.now_ms()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def wake(self) -> None:
        """There are new entries: send at once."""
        self._keeper.wake()

    def tend(self, checkout: Checkout) -> None:
        """Do what sync asks of checkout."""
        if carry_out_all(self._inbox, checkout, self._clock.now_ms()):
            self.wake()

    def owed(self) -> int:
        """Entries that head office has not confirmed in its present incarnation."""
        applied = read_status(self._reference).applied
        return sum(max(0, seq - applied.get(epoch, 0)) for epoch, seq in self._heads().items())

    def is_drained(self) -> bool:
        """Whether head office has all, as it said since this link began.

        What it said before may be of an incarnation that is no more.
        """
        heard_ms = read_status(self._reference).last_contact_ms or 0
        is_heard = heard_ms >= self._began_ms - CONTACT_EVERY_MS
        return is_heard and not self.owed() and not self._inbox.open()

    def _heads(self) -> dict[EpochId, int]:
        return {epoch: seq_of(row_id) for _, epoch, row_id, _, _ in QUERIES.epoch_heads(self._till)}
