"""A replaying register's side of its line: the sync child, what it asks of checkout, what is owed."""

import subprocess
import sys
from contextlib import ExitStack
from types import TracebackType

import apsw

from holdfast.core.ids import EpochId
from holdfast.infra.clock import Clock
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.process import end_child, spawn_child
from holdfast.register.checkout import Checkout
from holdfast.register.sync.database import open_reference
from holdfast.register.sync.requests import Inbox, carry_out_all
from holdfast.register.sync.status import read_status
from holdfast.register.till.database import QUERIES, read_till
from holdfast.register.till.places import seq_of

_RESTARTS_MAX = 1_000


class Link:
    """The sync child of a register that this process sells at. For use in a `with` block."""

    def __init__(self, home: RegisterHome, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._stack = ExitStack()
        self._child: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._idle_since_ms = 0

    def __enter__(self) -> "Link":
        with ExitStack() as stack:
            key = DatabaseKey.load(self._home.database_key)
            config = load_config(self._home.config, RegisterConfig)
            self._reference = open_reference(self._home, key)
            stack.callback(self._reference.close)
            self._till: apsw.Connection = read_till(self._home, key, config.origin)
            stack.callback(self._till.close)
            self._inbox = Inbox(self._reference)
            self._keep_child()
            stack.callback(self._end_child)
            self._idle_since_ms = self._clock.now_ms()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def wake(self) -> None:
        """There are new entries: send at once."""
        self._idle_since_ms = self._clock.now_ms()
        assert self._child is not None, "a link in use has a child"
        pipe = self._child.stdin
        assert pipe is not None, "it is woken by its standard input"
        try:
            pipe.write(b"w")
            pipe.flush()
        except BrokenPipeError:
            return  # the child ended; `tend` starts another, which looks for itself

    def tend(self, checkout: Checkout) -> None:
        """Do what sync asks for, and start it again where it ended."""
        if carry_out_all(self._inbox, checkout, self._clock.now_ms()):
            self.wake()
        self._keep_child()

    def owed(self) -> int:
        """Entries that head office has not confirmed in its present incarnation."""
        applied = read_status(self._reference).applied
        return sum(max(0, seq - applied.get(epoch, 0)) for epoch, seq in self._heads().items())

    def is_drained(self) -> bool:
        """Whether head office has all, as it said since the last entry was written."""
        status = read_status(self._reference)
        return (
            (status.last_contact_ms or 0) >= self._idle_since_ms
            and not self.owed()
            and not self._inbox.open()
        )

    def _heads(self) -> dict[EpochId, int]:
        return {epoch: seq_of(row_id) for _, epoch, row_id, _, _ in QUERIES.epoch_heads(self._till)}

    def _keep_child(self) -> None:
        if self._child is not None and self._child.poll() is None:
            return
        assert self._starts < _RESTARTS_MAX, "sync does not stay up; its log says why"
        self._starts += 1
        command = [sys.executable, "-m", "holdfast", "register", "sync", "--home", str(self._home.path)]
        self._child = spawn_child(command, stdin=subprocess.PIPE)

    def _end_child(self) -> None:
        assert self._child is not None, "a link in use has a child"
        end_child(self._child)
