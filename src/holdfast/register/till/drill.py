"""The drill that goes on, as the till's database keeps it, and what was made in it (SW11)."""

import apsw
import msgspec

from holdfast.core.drill import NOTHING_NOTICED, Drill, Made, Tally
from holdfast.infra.queries import Engine, load_queries
from holdfast.register.till import history
from holdfast.register.till.database import QUERIES

_QUERIES = load_queries(__name__.rpartition(".")[0], "drill.sql", Engine.SQLITE)
_decoder = msgspec.json.Decoder(Drill)
_tally_decoder = msgspec.json.Decoder(Tally)
_ALL = 1 << 53


def read_drill(connection: apsw.Connection) -> Drill | None:
    """The one in force; None: none is."""
    data = _QUERIES.drill(connection)
    return None if data is None else _decoder.decode(data)


def write_drill(connection: apsw.Connection, drill: Drill | None) -> None:
    """Keep it, within the transaction of its entry."""
    _QUERIES.set_drill(connection, data=None if drill is None else msgspec.json.encode(drill))


def read_tally(connection: apsw.Connection) -> Tally:
    """What was noticed in it, as far as it was kept."""
    data = _QUERIES.drill_tally(connection)
    return NOTHING_NOTICED if data is None else _tally_decoder.decode(data)


def write_tally(connection: apsw.Connection, tally: Tally) -> None:
    """Keep it; nothing where no drill goes on."""
    _QUERIES.set_drill_tally(connection, tally=msgspec.json.encode(tally))


def made_in(connection: apsw.Connection, drill: Drill) -> Made:
    """The documents of its epoch from its beginning on; a database that was restored goes on in another
    epoch, and its drill was over before."""
    before = dict.fromkeys((epoch for _, epoch in QUERIES.epochs(connection)), _ALL)
    made = history.owed(connection, {**before, drill.epoch: drill.seq})
    return Made(documents=made.count, value_minor=made.value_minor)
