"""What really happened: every write that a simulated register acknowledged, whoever lost it since."""

from collections import defaultdict
from typing import NamedTuple

import msgspec

from holdfast.core.central.accounts import HoldKey
from holdfast.core.ids import EpochId, OriginId
from holdfast.simulation.payment import Drawer

FactKey = tuple[OriginId, EpochId, int, bytes]


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """One disk's unbroken life. A restore that loses something begins another, as a clone does."""

    number: int
    node: str
    copied_whole: bool
    """It began as a copy of a whole disk, high-water mark included: the one case in which equal numbers
    may be printed, for as long as no contact told the copies apart (P4)."""
    is_restored: bool = False
    """It began as an older database beside the mark of a newer one."""


class Use(NamedTuple):
    """A document that used a hold."""

    life: Life
    epoch: EpochId
    seq: int
    at_ms: int
    """In network time."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One acknowledged entry."""

    order: int
    """Facts and contacts of a run, counted together."""
    life: Life
    origin: OriginId
    epoch: EpochId
    seq: int
    hash: bytes
    previous: bytes
    data: bytes
    type: str
    number: str = ""
    reference: str = ""
    drawer: Drawer = Drawer()
    dated: str = ""
    """Business date of a document of history; else its entry's own."""
    is_sound: bool = True
    """Head office of today can read it and make its rows."""

    @property
    def key(self) -> FactKey:
        return self.origin, self.epoch, self.seq, self.hash


class Ledger:
    """The oracle of a run."""

    def __init__(self) -> None:
        self.facts: dict[FactKey, Fact] = {}
        self.lives: list[Life] = []
        self._order = 0
        self.told_apart: dict[tuple[int, EpochId], int] = {}
        """(life, epoch) → when an answer first named an entry of that epoch that this disk does not hold."""
        self.unseen: set[FactKey] = set()
        """Committed when the power failed: nobody saw them yet, so their loss breaks no word."""
        self.broken: list[str] = []
        """Promises that were seen to be broken while it happened, in words."""
        self.outcomes: dict[str, list[str]] = defaultdict(list)
        """Ticket of a command → how it went, each time that a register carried it out."""
        self.told_ms: dict[tuple[int, HoldKey], int] = {}
        """(life, key) → when this disk was last told that head office holds it, in network time."""
        self.held_ms: dict[HoldKey, int] = {}
        """When anybody was first told so."""
        self.used: dict[HoldKey, list[Use]] = defaultdict(list)
        """Keys that a document settled, whatever became of it since."""
        self.issued: dict[str, tuple[EpochId, int]] = {}
        """A memo's number → where its issue stands."""
        self.left: dict[tuple[int, EpochId], int] = {}
        """(life, epoch) → up to where its entries left this disk's machine."""
        self.damaged: set[FactKey] = set()
        """Of which some disk kept no more than the hash and a piece."""
        self.gone_whole: set[FactKey] = set()
        """Written on a disk that came back older as a whole: only what it had told somebody is known of."""

    def begin_life(self, node: str, *, copied_whole: bool = False, is_restored: bool = False) -> Life:
        number = len(self.lives)
        life = Life(number=number, node=node, copied_whole=copied_whole, is_restored=is_restored)
        self.lives.append(life)
        return life

    def next_order(self) -> int:
        self._order += 1
        return self._order

    def acknowledge(self, fact: Fact) -> None:
        assert fact.key not in self.facts, "an entry is written once"
        self.facts[fact.key] = fact

    def carried_out(self, ticket: str, outcome: str) -> None:
        self.outcomes[ticket].append(outcome)

    def tell_held(self, life: Life, key: HoldKey, now_ms: int) -> None:
        self.told_ms[life.number, key] = now_ms
        self.held_ms.setdefault(key, now_ms)

    def leave(self, life: Life, epoch: EpochId, seq: int) -> None:
        place = (life.number, epoch)
        self.left[place] = max(seq, self.left.get(place, 0))

    def tell_apart(self, life: Life, epoch: EpochId) -> None:
        self.told_apart.setdefault((life.number, epoch), self.next_order())

    def numbers(self) -> dict[tuple[OriginId, str], list[Fact]]:
        """Facts by the number printed on them, in the order in which they were."""
        found: dict[tuple[OriginId, str], list[Fact]] = defaultdict(list)
        for fact in self.facts.values():
            if fact.number:
                found[(fact.origin, fact.number)].append(fact)
        return found

    def leads_to(self, fact: Fact, seq: int, hash: bytes) -> bool:
        """Is `fact` part of the chain that has `hash` at `seq`."""
        while seq > fact.seq:
            later = self.facts.get((fact.origin, fact.epoch, seq, hash))
            if later is None:
                return False
            seq, hash = seq - 1, later.previous
        return (seq, hash) == (fact.seq, fact.hash)
