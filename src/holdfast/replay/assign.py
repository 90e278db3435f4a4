"""Which register enters which invoice: always the same one, however often and in whatever order."""

import hashlib
from collections.abc import Iterable

from holdfast.replay.history import HistoryDocument


def register_of(reference: str, registers: int) -> int:
    """0 … registers - 1. A digest rather than Python's hash, which differs from run to run."""
    assert registers > 0, "somebody must enter it"
    digest = hashlib.sha256(reference.encode()).digest()
    return int.from_bytes(digest[:8], "big") % registers


def assign(documents: Iterable[HistoryDocument], registers: int) -> list[list[HistoryDocument]]:
    """Each register's documents, in their order."""
    shares: list[list[HistoryDocument]] = [[] for _ in range(registers)]
    for document in documents:
        shares[register_of(document.reference, registers)].append(document)
    return shares
