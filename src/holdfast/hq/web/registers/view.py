"""The fleet as the pages list it: filtered, the most urgent first; and a register's chain heads."""

from typing import NamedTuple

from holdfast.core.ids import OriginId
from holdfast.hq.fleet import EpochStanding, Fleet, Register
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

STATES = {
    "": "All",
    "blocked": "Blocked",
    "owes": "Owes",
    "may-owe": "May owe",
    "nothing": "Owes nothing",
    "waiting": "Entries in quarantine",
    "retired": "Retired",
}
_ORDER = {"blocked": 0, "owes": 1, "may-owe": 2, "nothing": 3, "complete": 4, "retired": 5}
_queries = load_queries("holdfast.hq.web.registers", "heads.sql", Engine.POSTGRES)


class Branch(NamedTuple):
    """A branch of an epoch, with the hash that its chain ends in."""

    standing: EpochStanding
    fork_seq: int
    head_hash: str


def state_of(register: Register) -> str:
    """The one word that the list is ordered by."""
    if register.blocked_code is not None:
        return "blocked"
    if register.retired_at_ms is not None and register.owing in ("nothing", "complete"):
        return "retired"
    return register.owing


def find(fleet: Fleet, search: str, state: str) -> list[Register]:
    """Registers in that state with the text in name, store or series; empty: any."""
    wanted = search.lower()
    found = [
        register
        for register in fleet.registers()
        if _is_in(register, state)
        and (not wanted or wanted in f"{register.name}\n{register.store}\n{register.series}".lower())
    ]
    return sorted(found, key=lambda register: _ORDER.get(state_of(register), 0))  # stable: store, name


def branches(pool: Pool, register: Register) -> list[Branch]:
    """The newest first."""
    with pool.connection() as conn:
        heads = {
            (epoch, branch): (fork_seq, head_hash.hex())
            for epoch, branch, fork_seq, head_hash in _queries.heads(conn, origin=OriginId(register.origin))
        }
    return [
        Branch(standing, *heads.get((standing.epoch, standing.branch), (0, "")))
        for standing in reversed(register.epochs)
    ]


def _is_in(register: Register, state: str) -> bool:
    if state == "waiting":
        return register.waiting > 0
    if not state:
        return True
    return state_of(register) == state or (state == "nothing" and state_of(register) == "complete")
