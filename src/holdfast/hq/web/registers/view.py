"""The fleet as the pages list it: filtered, the most urgent first; and a register's chain heads."""

from typing import NamedTuple

from holdfast.core.ids import OriginId
from holdfast.core.readiness import band_of
from holdfast.hq.fleet import Fleet
from holdfast.hq.standing import EpochStanding, Register
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

STATES = {
    "": "All",
    "attention": "Needs attention",
    "blocked": "Blocked",
    "waiting": "Entries in quarantine",
    "owes": "Owes",
    "may-owe": "May owe",
    "nothing": "Owes nothing",
    "fails": "Would not survive an outage",
    "retired": "Retired",
}
_queries = load_queries("holdfast.hq.web.registers", "heads.sql", Engine.POSTGRES)


class Branch(NamedTuple):
    """A branch of an epoch, with the hash that its chain ends in."""

    standing: EpochStanding
    fork_seq: int
    head_hash: str


def find(fleet: Fleet, search: str, state: str) -> list[Register]:
    """Registers in that state with the text in name, store, series or id, worst first; empty: any."""
    wanted = search.lower()
    return [
        register
        for register in fleet.by_urgency()
        if _is_in(register, state)
        and (
            not wanted
            or wanted in f"{register.name}\n{register.store}\n{register.series}\n{register.origin}".lower()
        )
    ]


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
    match state:
        case "":
            return True
        case "attention":
            return register.needs_attention
        case "blocked":
            return register.blocked_code is not None
        case "waiting":
            return register.waiting > 0
        case "owes" | "may-owe":
            return register.owing == state
        case "nothing":
            return register.owing in ("nothing", "complete") and not register.is_retired
        case "fails":
            return band_of(register.readiness) == "fails" and not register.is_retired
        case "retired":
            return register.is_retired
        case _:
            return False
