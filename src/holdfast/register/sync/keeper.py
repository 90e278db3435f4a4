"""Writing the board down: the line's state, and its changes for checkout to journal, in one transaction.

A full disk gives up a small reserve for this, so that the page can say that the disk is full.
"""

import apsw
import msgspec

from holdfast.core.connection import Connection
from holdfast.core.faults import DamagedFault, DatabaseFault, Fault
from holdfast.infra.clock import Clock
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import DiskReserve
from holdfast.register.sync.board import Blocked, Board, Changes, State
from holdfast.register.sync.database import QUERIES, write
from holdfast.register.sync.reference_file import ReferenceFile
from holdfast.register.sync.requests import append_request, file_request
from holdfast.register.sync.status import read_status

RESERVE_BYTES = 1 << 20
RETRY_S = 1.0


class Keeper:
    """Owned by the process's main thread."""

    def __init__(self, home: RegisterHome, key: DatabaseKey, clock: Clock) -> None:
        """KeyFault, DatabaseFault, StorageFullFault, UnavailableFault: as opening says."""
        self._clock = clock
        self._file = ReferenceFile(home, key)
        self.reserve = DiskReserve(home.reference, RESERVE_BYTES)
        self.reserve.ensure()

    @property
    def connection(self) -> apsw.Connection:
        return self._file.connection()

    @property
    def is_replaced(self) -> bool:
        """Whether another process set the file aside; what this one holds open is the former one."""
        return self._file.is_replaced

    def renew(self, fault: DamagedFault) -> bool:
        """Set the file aside that this fault met, if it was this one."""
        return self._file.renew(fault)

    def state(self) -> State:
        """As the last process left it: a restart of sync is no change of the line."""
        try:
            status = read_status(self.connection)
        except DamagedFault as fault:
            self.renew(fault)
            status = read_status(self.connection)
        blocked = None
        if status.is_blocked:
            blocked = Blocked(status.blocked_code, status.blocked_detail, status.blocked_since_ms or 0)
        return State(
            connection=Connection(
                mode=status.mode, since_ms=status.since_ms, cause=status.cause, forced=status.forced
            ),
            last_contact_ms=status.last_contact_ms,
            head_office_ms=status.head_office_ms,
            skew_ms=status.skew_ms,
            blocked=blocked,
            past=status.past,
            reach=status.reach,
            tried=status.tried,
        )

    def keep(self, board: Board, timeout_s: float) -> bool:
        """Wait for something to write and write it; False where the disk or a lock refused."""
        changes = board.changes(timeout_s)
        try:
            if changes is None:
                self.reserve.ensure()
                return True
            connection = self.connection
            self.reserve.spend_on(lambda: write(connection, lambda: self._put(connection, changes)))
        except Fault as fault:
            if changes is not None:
                board.not_written(changes)
            board.fault("storage", fault)
            if isinstance(fault, DatabaseFault):
                self._file.reopen()
            return False
        board.well("storage")
        return True

    def close(self) -> None:
        self._file.close()

    def _put(self, connection: apsw.Connection, changes: Changes) -> None:
        state = changes.state
        line, blocked = state.connection, state.blocked
        QUERIES.set_link_state(
            connection,
            mode=line.mode.value,
            since_ms=line.since_ms,
            cause=line.cause,
            forced=int(line.forced),
            last_contact_ms=state.last_contact_ms,
            head_office_ms=state.head_office_ms,
            skew_ms=state.skew_ms,
            blocked_code=blocked.code if blocked else "",
            blocked_detail=blocked.detail if blocked else "",
            blocked_since_ms=blocked.since_ms if blocked else None,
            problems=msgspec.json.encode(state.problems).decode(),
            past=msgspec.json.encode(state.past).decode(),
            reach=msgspec.json.encode(state.reach).decode(),
            tried=msgspec.json.encode(state.tried).decode(),
        )
        for change in changes.modes:
            file_request(connection, append_request("connection_changed", 1, change), self._clock.now_ms())
