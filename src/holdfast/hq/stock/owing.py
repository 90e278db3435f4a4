"""Which registers of a store may still bring something, as people are told of it (P6)."""

from collections.abc import Iterable

from holdfast.core.ids import StoreId
from holdfast.core.monitoring.owed import Owing
from holdfast.core.stock.services import RegisterOwing
from holdfast.hq.standing import Register

_OWES = frozenset({Owing.OWES.value, Owing.MAY_OWE.value})


def owing_by_store(registers: Iterable[Register]) -> dict[StoreId, tuple[RegisterOwing, ...]]:
    """By store, those that owe or may owe, how much and since when. A store where none does is missing."""
    found: dict[StoreId, list[RegisterOwing]] = {}
    for register in registers:
        if register.owing in _OWES or register.waiting:
            found.setdefault(StoreId(register.store), []).append(_owing(register))
    return {store: tuple(rows) for store, rows in found.items()}


def _owing(register: Register) -> RegisterOwing:
    since_ms = register.owed_oldest_ms if register.owed_count else register.may_owe_since_ms
    return RegisterOwing(
        name=register.name or register.series,
        count=register.owed_count + register.waiting,
        since_ms=since_ms,
    )
