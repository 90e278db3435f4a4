"""What really happened: every write that a simulated register acknowledged, whoever lost it since."""

from collections import defaultdict

import msgspec

from holdfast.core.ids import EpochId, OriginId


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One acknowledged entry."""

    node: str
    """Which machine wrote it: clones share an origin, not a name."""
    origin: OriginId
    epoch: EpochId
    seq: int
    hash: bytes
    data: bytes
    type: str
    number: str = ""
    reference: str = ""
    total_minor: int = 0
    readable_to_head_office: bool = True


class Ledger:
    """The oracle of a run."""

    def __init__(self) -> None:
        self.facts: dict[tuple[OriginId, EpochId, int, bytes], Fact] = {}
        self.whole_restores: set[OriginId] = set()
        """Origins whose whole disk (mark included) was restored or cloned: the one case in which
        equal numbers may be printed before any contact (P4)."""

    def acknowledge(self, fact: Fact) -> None:
        key = (fact.origin, fact.epoch, fact.seq, fact.hash)
        assert key not in self.facts, "an entry is written once"
        self.facts[key] = fact

    def numbers(self) -> dict[tuple[OriginId, str], list[Fact]]:
        """Facts by the number printed on them."""
        found: dict[tuple[OriginId, str], list[Fact]] = defaultdict(list)
        for fact in self.facts.values():
            if fact.number:
                found[(fact.origin, fact.number)].append(fact)
        return found
