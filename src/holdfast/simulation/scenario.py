"""A run: registers sell for simulated years while everything that can go wrong does."""

from collections.abc import Callable

import msgspec

from holdfast.core.ids import EpochId, KeyId, OriginId
from holdfast.core.journal.chain import Signer, link, sign_head
from holdfast.core.sync.batch import StoredEntry, encode_batch
from holdfast.core.sync.ports import Piece
from holdfast.simulation.disk import Database, Mark
from holdfast.simulation.head_office import SimHeadOffice
from holdfast.simulation.ledger import Ledger
from holdfast.simulation.network import Line, Weather, foul
from holdfast.simulation.register import SimRegister
from holdfast.simulation.signing import SimKey, verify
from holdfast.simulation.store_server import SimStoreServer
from holdfast.simulation.world import DAY_MS, World

HOUR_MS = 3_600_000
EVENTS_PER_DAY_MAX = 10_000
"""A fleet of this size that does more talks to itself without end."""
DRAIN_LIMIT_MS = 60_000
"""Everything drains within this after healing."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything; rates are mean hours between events of one kind."""

    days: int = 60
    registers: int = 4
    stores: int = 2
    sale_hours: float = 3
    weather_hours: float = 8
    crash_hours: float = 60
    store_crash_hours: float = 80
    restore_hours: float = 400
    clone_hours: float = 900
    clones_max: int = 2
    clock_hours: float = 200
    purge_hours: float = 24
    heartbeat_hours: float = 2
    head_office_crash_hours: float = 48
    head_office_backup_hours: float = 72
    head_office_restore_hours: float = 300
    forgery_hours: float = 24
    future_entry_hours: float = 150
    failing_commit_hours: float = 30


def rough(days: int, registers: int = 4) -> Plan:
    """More restores, purges and lost commits: what a fault in the code is soonest found by."""
    return Plan(
        days=days,
        registers=registers,
        restore_hours=80,
        purge_hours=6,
        head_office_restore_hours=60,
        failing_commit_hours=8,
    )


class Backup(msgspec.Struct, frozen=True):
    database: Database
    mark: Mark | None


class Simulation:
    """The fleet, its lines and head office, wired to one world."""

    def __init__(self, seed: int, plan: Plan) -> None:
        self.plan = plan
        self.world = World(seed, events_max=plan.days * EVENTS_PER_DAY_MAX)
        self.ledger = Ledger()
        self.head_office = SimHeadOffice(self.world, self._key(), verify)
        self.registers: list[SimRegister] = []
        self.stores = [
            SimStoreServer(self.world, f"s{number}", self.head_office, verify)
            for number in range(plan.stores)
        ]
        self._backups: dict[str, list[Backup]] = {}
        self.forgeries = 0
        self._sales = 0
        for number in range(1, plan.registers + 1):
            self._enrol(number)

    def _key(self) -> SimKey:
        return SimKey(self.world.random.randbytes(32))

    def _enrol(self, number: int) -> None:
        origin, series, key = OriginId(f"reg{number:02d}"), f"R{number:02d}", self._key()
        self.head_office.enrol(origin, series, key)
        register = self._machine(f"r{number}", origin, series, key)
        register.start()

    def _machine(self, node: str, origin: OriginId, series: str, key: Signer) -> SimRegister:
        hop = self._hop(len(self.registers))
        line = Line(self.world, node, lambda kind, body: hop.handle(origin, kind, body))
        register = SimRegister(
            self.world,
            self.ledger,
            node,
            origin,
            series,
            key,
            line,
            self.head_office.key.public_bytes,
            verify,
        )
        self.registers.append(register)
        self._backups[node] = []
        return register

    def _hop(self, number: int) -> SimHeadOffice | SimStoreServer:
        """Every third machine talks to head office directly, the others through a store server."""
        return self.stores[number % len(self.stores)] if self.stores and number % 3 else self.head_office

    # The run

    def run(self) -> None:
        """Faults and sales for the plan's days, then healing, then the time that draining may take."""
        plan = self.plan
        for hours, label, act in (
            (plan.sale_hours / plan.registers, "sale", self.sale),
            (plan.weather_hours / plan.registers, "weather", self.weather),
            (plan.crash_hours / plan.registers, "crash", self.crash),
            (plan.store_crash_hours, "store crash", self.store_crash),
            (plan.restore_hours / plan.registers, "restore", self.restore),
            (plan.clone_hours, "clone", self.clone),
            (plan.clock_hours, "clock", self.clock_jump),
            (plan.purge_hours, "purge", self.purge),
            (plan.heartbeat_hours, "heartbeat", self.heartbeat),
            (plan.head_office_crash_hours, "ho crash", self.head_office_crash),
            (plan.head_office_backup_hours, "ho backup", self.head_office_backup),
            (plan.head_office_restore_hours, "ho restore", self.head_office_restore),
            (plan.forgery_hours, "forgery", self.forge),
            (plan.future_entry_hours, "future entry", self.future_entry),
            (plan.failing_commit_hours, "failing commit", self.failing_commit),
        ):
            self._every(hours, label, act)
        end_ms = self.world.now_ms + plan.days * DAY_MS
        self.world.run_until(end_ms)
        self.heal()
        self.world.run_until(end_ms + DRAIN_LIMIT_MS)

    def _every(self, mean_hours: float, label: str, act: Callable[[], None]) -> None:
        def happen() -> None:
            if not self.world.healed:
                act()
                self._every(mean_hours, label, act)

        delay = self.world.random.expovariate(1 / (mean_hours * HOUR_MS))
        self.world.after(int(delay), label, happen)

    def heal(self) -> None:
        """All power on, all lines calm. A probe finds the line up within its interval."""
        world = self.world
        world.healed = True
        self.head_office.restart()
        self.head_office.store.failing_commits = 0
        for store in self.stores:
            store.line.weather = Weather()
            if not store.alive:
                store.start()
            world.after(world.random.randrange(500, 1_000), f"{store.node} link up", store.link_up)
        for register in self.registers:
            register.line.weather = Weather()
            if not register.alive:
                register.start()
            world.after(world.random.randrange(500, 1_000), f"{register.node} link up", register.link_up)
            for delay_ms in (15_000, 30_000, 45_000):
                world.after(delay_ms, f"{register.node} heartbeat", register.heartbeat)

    # What happens

    def _pick(self) -> SimRegister:
        return self.world.random.choice(self.registers)

    def sale(self) -> None:
        """A cashier sells; now and then history is entered by its reference, at any twin."""
        self._sales += 1
        register = self._pick()
        reference = f"H{register.origin}-{self._sales % 97}" if self.world.chance(0.2) else None
        text = "bad \x00 text" if reference is None and self.world.chance(0.01) else "tea"
        register.sell(reference, description=text)

    def weather(self) -> None:
        at = self.world.random.choice([*self.registers, *self.stores])
        at.line.weather = Weather() if self.world.chance(0.5) else foul(self.world)
        at.link_up()

    def store_crash(self) -> None:
        """A store server dies; now and then its disk dies with it."""
        if not self.stores:
            return
        store = self.world.random.choice(self.stores)
        store.crash()
        disk_lost = self.world.chance(0.2)
        down_ms = self.world.random.randrange(1, 6 * HOUR_MS)

        def start() -> None:
            if not store.alive:
                store.start(disk_lost=disk_lost)

        self.world.after(down_ms, f"{store.node} starts", start)

    def crash(self) -> None:
        register = self._pick()
        register.crash()
        down_ms = self.world.random.randrange(1, 6 * HOUR_MS)
        self.world.after(down_ms, f"{register.node} starts", lambda: self._start(register))

    def _start(self, register: SimRegister) -> None:
        if not register.alive:
            register.start()

    def restore(self) -> None:
        """A backup of the disk is made, or an older one comes back: data alone, or all of it."""
        register = self._pick()
        backups = self._backups[register.node]
        if not backups or self.world.chance(0.5):
            backups.append(Backup(register.database.copy(), register.mark))
            return
        older = self.world.random.choice(backups)
        register.crash()
        register.database = older.database.copy()
        if self.world.chance(0.4):
            register.mark = older.mark
            self.ledger.whole_restores.add(register.origin)
        register.start()

    def clone(self) -> None:
        """A disk is copied to a second machine, key and mark included; both go on selling."""
        original = self._pick()
        if len(self.registers) >= self.plan.registers + self.plan.clones_max:
            return
        twin = self._machine(f"{original.node}c", original.origin, original.series, original.signer)
        twin.database, twin.mark = original.database.copy(), original.mark
        self.ledger.whole_restores.add(original.origin)
        twin.start()

    def clock_jump(self) -> None:
        years = self.world.random.choice((-7, -1, 0, 0, 1, 30))
        register = self._pick()
        register.clock.skew_ms = years * 365 * DAY_MS + self.world.random.randrange(-5_000, 5_000)

    def purge(self) -> None:
        for register in self.registers:
            if register.alive:
                register.purge()

    def heartbeat(self) -> None:
        self._pick().heartbeat()

    def head_office_crash(self) -> None:
        self.head_office.alive = False
        self.world.after(self.world.random.randrange(1, HOUR_MS), "ho starts", self._head_office_start)

    def _head_office_start(self) -> None:
        self.head_office.restart()

    def head_office_backup(self) -> None:
        self.head_office.backup()

    def head_office_restore(self) -> None:
        """Only the newest verified backup comes back: *safe* promises no more."""
        self.head_office.restore(noticed=self.world.chance(0.5))

    def failing_commit(self) -> None:
        self.head_office.store.failing_commits += 1

    def future_entry(self) -> None:
        self._pick().write_future_entry()

    def forge(self) -> None:
        """Somebody on the wire rewrites a register's own batch and signs it with a key of theirs."""
        victim = self._pick()
        head = victim.database.head
        if head is None:
            return
        piece = victim.journal.piece(head.epoch, max(1, head.seq - 3), 10, 1 << 20)
        if piece is None:
            return
        self.forgeries += 1
        body = _rewritten(victim.origin, head.epoch, piece, self._key(), victim.signer.key_id)
        self.head_office.handle(victim.origin, "entries", body)


def _rewritten(origin: OriginId, epoch: EpochId, piece: Piece, attacker: SimKey, key_id: KeyId) -> bytes:
    """The piece with its last entry rewritten, under a head of the attacker's that claims the
    victim's key."""
    entries = list(piece.entries)
    previous = piece.previous_hash if len(entries) == 1 else entries[-2].hash
    data = entries[-1].data.replace(b'"at_ms":', b'"at_ms":1')
    entries[-1] = StoredEntry(entries[-1].seq, link(previous, data), data)
    head = sign_head(origin, epoch, entries[-1].seq, entries[-1].hash, attacker)
    head = msgspec.structs.replace(head, key_id=key_id)
    return encode_batch(origin, epoch, piece.previous_hash, entries, head)
