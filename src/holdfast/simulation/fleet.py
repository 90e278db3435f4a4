"""The machines of a run and how they are wired: registers with their disks and lines, store servers, and head
office."""

import tempfile
from pathlib import Path

import msgspec

from holdfast.core.ids import OriginId, StoreId
from holdfast.infra.keys import SigningKey
from holdfast.simulation.disk import Database, Mark
from holdfast.simulation.head_office import Office, SimHeadOffice
from holdfast.simulation.keychain import Files, Keychain
from holdfast.simulation.ledger import Ledger, Life
from holdfast.simulation.network import Line
from holdfast.simulation.plan import Plan
from holdfast.simulation.register import SimRegister
from holdfast.simulation.signing import SimKey, verify
from holdfast.simulation.store_server import TAKEN, SimStoreServer
from holdfast.simulation.world import World

EVENTS_PER_REGISTER_MAX = 3_000
EVENTS_PER_ACT_MAX = 40
KEY_BYTES = 32
NO_SESSION = frozenset(TAKEN)
_MEMORY = Path("/dev/shm")
"""What is simulated is worth nothing after the run."""


def events_per_day_max(plan: Plan) -> float:
    """A fleet of this size that does more talks to itself without end."""
    per_register = EVENTS_PER_REGISTER_MAX + 24 / plan.value_hours * EVENTS_PER_ACT_MAX
    return max(4, plan.registers) * per_register


class Backup(msgspec.Struct, frozen=True):
    """A copy of a register's disk."""

    database: Database
    mark: Mark | None
    files: Files
    """Keys and papers: a copy of the data alone leaves them out."""
    order: int
    """When it was made, as the ledger counts."""


class Fleet:
    """All machines of one run. `end` takes the folders of their keys away."""

    def __init__(self, seed: int, plan: Plan, twin: Office | None) -> None:
        self.plan = plan
        self.world = World(seed, events_max=(plan.days + 1) * events_per_day_max(plan))
        self.ledger = Ledger()
        self.head_office = SimHeadOffice(self.world, self.ledger, SimKey(self.seed()), verify)
        if twin is not None:
            twin.begin(self.head_office)
            self.head_office.twin = twin
        self._folder = tempfile.TemporaryDirectory(
            prefix="holdfast-simulation-", dir=_MEMORY if _MEMORY.is_dir() else None
        )
        self.registers: list[SimRegister] = []
        self.stores = [self._store(number) for number in range(plan.stores)]
        self.backups: dict[str, list[Backup]] = {}
        self.clones = 0
        for number in range(1, plan.registers + 1):
            self.enrol(number)

    def end(self) -> None:
        for register in self.registers:
            register.crash()
        self._folder.cleanup()

    def seed(self) -> bytes:
        """Of a key."""
        return self.world.random.randbytes(KEY_BYTES)

    def pick(self) -> SimRegister:
        return self.world.random.choice(self.registers)

    def _store(self, number: int) -> SimStoreServer:
        origin, key = OriginId(f"srv{number}"), SimKey(self.seed())
        self.head_office.enrol(origin, f"V{number}", StoreId(f"S{number}"), key, kind="store")
        return SimStoreServer(self.world, f"s{number}", origin, key, self.head_office, verify)

    def enrol(self, number: int) -> SimRegister:
        """Every third one stands in a store without a server. Every second one runs a newer version."""
        origin, series, key = OriginId(f"reg{number:02d}"), f"R{number:02d}", SigningKey(self.seed())
        server = self.stores[number % len(self.stores)] if self.stores and number % 3 else None
        store = StoreId(f"S{number % len(self.stores)}" if server is not None else "S")
        if server is not None:
            server.behind.append(origin)
        certificate = self.head_office.enrol(origin, series, store, key, kind="register")
        life = self.ledger.begin_life(f"r{number}")
        register = self._machine(f"r{number}", origin, series, life, server)
        register.keychain.hold(key, certificate)
        register.line.is_of_tomorrow = number % 2 == 0
        register.start()
        return register

    def copy(self, original: SimRegister) -> SimRegister:
        """Its whole disk in a second machine, key and mark included."""
        self.clones += 1
        server = next((store for store in self.stores if original.origin in store.behind), None)
        node = f"{original.node}c{self.clones}"
        life = self.ledger.begin_life(node, copied_whole=True)
        server = server if self.world.chance(0.5) else None
        twin = self._machine(node, original.origin, original.series, life, server)
        twin.database, twin.mark = original.database.copy(), original.mark
        twin.keychain.put(original.keychain.files())
        twin.start()
        return twin

    def _machine(
        self, node: str, origin: OriginId, series: str, life: Life, server: SimStoreServer | None
    ) -> SimRegister:
        if server is None:
            office = self.head_office
            line = Line(
                self.world,
                node,
                lambda kind, body, token: office.handle(token, kind, body),
                lambda: office.alive,
            )
        else:
            line = Line(
                self.world,
                node,
                lambda kind, body, token: server.handle(origin, token, kind, body),
                lambda: server.alive,
            )
        head_office = self.head_office.key
        folder = Path(self._folder.name) / node
        register = SimRegister(
            self.world,
            self.ledger,
            node,
            origin,
            series,
            Keychain(folder, origin, {head_office.key_id: head_office.public_bytes}),
            line,
            life,
            sessionless=frozenset() if server is None else NO_SESSION,
        )
        self.registers.append(register)
        self.backups[node] = []
        return register
