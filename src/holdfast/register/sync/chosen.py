"""What somebody chose at the till, read from its database: so a person's word reaches the sync process (SW3).

Not over the pipe: a byte is lost with a process that dies, and the choice must outlive both.
"""

import apsw

from holdfast.core.faults import Fault
from holdfast.core.ids import OriginId
from holdfast.core.work_mode import WorkMode
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import faults
from holdfast.register.till.database import read_till
from holdfast.register.till.work_mode import read_work_mode


class Chosen:
    """For one thread, which asks about once a second."""

    def __init__(self, home: RegisterHome, key: DatabaseKey, origin: OriginId) -> None:
        self._home = home
        self._key = key
        self._origin = origin
        self._connection: apsw.Connection | None = None

    def work_mode(self) -> WorkMode | None:
        """The choice in force; None: it cannot be read now, so what holds goes on to hold."""
        try:
            if self._connection is None:
                self._connection = read_till(self._home, self._key, self._origin)
            with faults(self._connection):
                return read_work_mode(self._connection)
        except Fault:
            self.close()  # the parts that cannot do without say what is wrong with the file
            return None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
