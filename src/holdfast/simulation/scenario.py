"""A run: registers sell for simulated years while everything that can go wrong does."""

from collections.abc import Callable

import msgspec

from holdfast.core.ids import EpochId, KeyId, OriginId, StoreId
from holdfast.core.journal.chain import Signer, link, sign_head
from holdfast.core.sync.batch import StoredEntry, encode_batch
from holdfast.core.sync.ports import Piece
from holdfast.register.sync.feeds import HEARTBEAT_S
from holdfast.simulation.disk import Database, Mark
from holdfast.simulation.head_office import Office, SimHeadOffice
from holdfast.simulation.ledger import Ledger, Life
from holdfast.simulation.network import Line, Weather, foul
from holdfast.simulation.register import SimRegister
from holdfast.simulation.signing import SimKey, verify
from holdfast.simulation.store_server import SimStoreServer
from holdfast.simulation.world import DAY_MS, HOUR_MS, YEAR_ON_THE_WALL_MS, World

EVENTS_PER_DAY_MAX = 10_000
"""A fleet of this size that does more talks to itself without end."""
DRAIN_LIMIT_MS = 60_000
"""Everything drains within this after healing."""
YEARS = (-7, -1, 0, 0, 1, 30)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything; rates are mean hours between events of one kind."""

    name: str = "usual"
    days: int = 60
    registers: int = 4
    stores: int = 2
    sale_hours: float = 3
    weather_hours: float = 8
    crash_hours: float = 60
    store_crash_hours: float = 80
    restore_hours: float = 400
    whole_restores: float = 0.4
    """Of the restores, how many bring the whole disk back, high-water mark included."""
    clone_hours: float = 900
    clones_max: int = 2
    clock_hours: float = 200
    clock_years: tuple[int, ...] = YEARS
    head_office_clock_hours: float = 2_000
    purge_hours: float = 24
    heartbeat_hours: float = 2
    head_office_crash_hours: float = 48
    head_office_backup_hours: float = 72
    head_office_restore_hours: float = 300
    head_office_upgrade_hours: float = 900
    forgery_hours: float = 24
    future_entry_hours: float = 150
    failing_commit_hours: float = 30


def usual(days: int, registers: int = 4) -> Plan:
    """A chain with the faults of many years in few."""
    return Plan(days=days, registers=registers)


def rough(days: int, registers: int = 4) -> Plan:
    """More of everything that goes wrong: what a fault in the code is soonest found by."""
    return Plan(
        name="rough",
        days=days,
        registers=registers,
        restore_hours=40,
        clone_hours=200,
        clock_hours=40,
        head_office_clock_hours=300,
        purge_hours=6,
        head_office_restore_hours=60,
        head_office_upgrade_hours=240,
        future_entry_hours=30,
        failing_commit_hours=8,
    )


def backwards(days: int, registers: int = 4) -> Plan:
    """Clocks that only ever jump back, between restores and clones: epochs open in another order than
    their times say."""
    return Plan(
        name="backwards",
        days=days,
        registers=registers,
        restore_hours=60,
        clone_hours=40,
        clones_max=4,
        clock_hours=12,
        clock_years=(-1, -2, -3, -5, -8, -13),
    )


PLANS: dict[str, Callable[[int, int], Plan]] = {"usual": usual, "rough": rough, "backwards": backwards}


class Backup(msgspec.Struct, frozen=True):
    """A copy of a register's disk."""

    database: Database
    mark: Mark | None
    order: int
    """When it was made, as the ledger counts."""


class Simulation:
    """The fleet, its lines and head office, wired to one world."""

    def __init__(self, seed: int, plan: Plan, twin: Office | None = None) -> None:
        """`twin`: a second head office, over another store, that is asked the same."""
        self.plan = plan
        self.world = World(seed, events_max=(plan.days + 1) * EVENTS_PER_DAY_MAX)
        self.ledger = Ledger()
        self.head_office = SimHeadOffice(self.world, self._key(), verify)
        if twin is not None:
            twin.begin(self.head_office)
            self.head_office.twin = twin
        self.registers: list[SimRegister] = []
        self.stores = [self._store(number) for number in range(plan.stores)]
        self._backups: dict[str, list[Backup]] = {}
        self.forgeries = 0
        self._sales = 0
        for number in range(1, plan.registers + 1):
            self._enrol(number)

    def _key(self) -> SimKey:
        return SimKey(self.world.random.randbytes(32))

    def _store(self, number: int) -> SimStoreServer:
        origin = OriginId(f"srv{number}")
        self.head_office.enrol(origin, f"V{number}", StoreId(f"S{number}"), self._key(), kind="store")
        return SimStoreServer(self.world, f"s{number}", origin, self.head_office, verify)

    def _enrol(self, number: int) -> None:
        """Every third one stands in a store without a server. Every second one runs a newer version."""
        origin, series, key = OriginId(f"reg{number:02d}"), f"R{number:02d}", self._key()
        server = self.stores[number % len(self.stores)] if self.stores and number % 3 else None
        store = StoreId(f"S{number % len(self.stores)}" if server is not None else "S")
        if server is not None:
            server.behind.append(origin)
        self.head_office.enrol(origin, series, store, key, kind="register")
        life = self.ledger.begin_life(f"r{number}")
        register = self._machine(f"r{number}", origin, series, key, life, server)
        register.line.is_of_tomorrow = number % 2 == 0
        register.start()

    def _machine(
        self,
        node: str,
        origin: OriginId,
        series: str,
        key: Signer,
        life: Life,
        server: SimStoreServer | None,
    ) -> SimRegister:
        hop = server or self.head_office
        line = Line(self.world, node, lambda kind, body: hop.handle(origin, kind, body), lambda: hop.alive)
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
            life,
        )
        self.registers.append(register)
        self._backups[node] = []
        return register

    # The run

    def run(self) -> None:
        """Faults and sales for the plan's days, at times a last restore of head office, then healing, then
        the time that draining may take."""
        plan = self.plan
        for hours, label, act in (
            (plan.sale_hours / plan.registers, "sale", self.sale),
            (plan.weather_hours / plan.registers, "weather", self.weather),
            (plan.crash_hours / plan.registers, "crash", self.crash),
            (plan.store_crash_hours, "store crash", self.store_crash),
            (plan.restore_hours / plan.registers, "restore", self.restore),
            (plan.clone_hours, "clone", self.clone),
            (plan.clock_hours, "clock", self.clock_jump),
            (plan.head_office_clock_hours, "ho clock", self.head_office_clock_jump),
            (plan.purge_hours, "purge", self.purge),
            (plan.heartbeat_hours, "heartbeat", self.heartbeat),
            (plan.head_office_crash_hours, "ho crash", self.head_office_crash),
            (plan.head_office_backup_hours, "ho backup", self.head_office_backup),
            (plan.head_office_restore_hours, "ho restore", self.head_office_restore),
            (plan.head_office_upgrade_hours, "ho upgrade", self.head_office_upgrade),
            (plan.forgery_hours, "forgery", self.forge),
            (plan.future_entry_hours, "future entry", self.future_entry),
            (plan.failing_commit_hours, "failing commit", self.failing_commit),
        ):
            self._every(hours, label, act)
        end_ms = self.world.now_ms + plan.days * DAY_MS
        self.world.run_until(end_ms)
        if self.world.chance(0.5):
            self.head_office_restore()
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
        """All power on, all lines calm. Nobody is told: probes and heartbeats find it out by themselves."""
        world = self.world
        world.healed = True
        self.head_office.fail_next_commit(0)
        self.head_office.restart()
        if self.head_office.is_of_tomorrow:
            self.head_office.upgrade()
        for store in self.stores:
            if not store.alive:
                store.start()
            store.line.weather = Weather()
        for register in self.registers:
            register.start_if_down()
            register.line.weather = Weather()
            assert register.feeder is not None, "a register that runs has one"
            register.feeder.plan(world.random.randrange(int(HEARTBEAT_S * 1000)))
        self._look_at_lines()

    def _look_at_lines(self) -> None:
        for node in (*self.stores, *self.registers):
            node.look_at_line()

    # What happens

    def _pick(self) -> SimRegister:
        return self.world.random.choice(self.registers)

    def sale(self) -> None:
        """A cashier sells; now and then history is entered by its reference, at any twin."""
        self._sales += 1
        register = self._pick()
        reference = f"H{register.origin}-{self._sales % 31}" if self.world.chance(0.2) else None
        text = "bad \x00 text" if reference is None and self.world.chance(0.01) else "tea"
        register.sell(reference, description=text)

    def weather(self) -> None:
        at = self.world.random.choice([*self.registers, *self.stores])
        at.line.weather = Weather() if self.world.chance(0.5) else foul(self.world)

    def store_crash(self) -> None:
        """A store server dies; now and then its disk dies with it."""
        if not self.stores:
            return
        store = self.world.random.choice(self.stores)
        store.crash()
        self._look_at_lines()
        disk_lost = self.world.chance(0.2)
        down_ms = self.world.random.randrange(1, 6 * HOUR_MS)

        def start() -> None:
            if not store.alive:
                store.start(disk_lost=disk_lost)
                self._look_at_lines()

        self.world.after(down_ms, f"{store.node} starts", start)

    def crash(self) -> None:
        register = self._pick()
        register.crash()
        down_ms = self.world.random.randrange(1, 6 * HOUR_MS)
        self.world.after(down_ms, f"{register.node} starts", register.start_if_down)

    def restore(self) -> None:
        """A backup of the disk is made, or an older one comes back: data alone, or all of it."""
        register = self._pick()
        backups = self._backups[register.node]
        if not backups or self.world.chance(0.5):
            order = self.ledger.next_order()
            backups.append(Backup(register.database.copy(), register.mark, order))
            return
        older = self.world.random.choice(backups)
        register.crash()
        mark = register.mark
        is_lost = mark is not None and older.database.hash_at(mark.epoch, mark.seq) != mark.hash
        register.database = older.database.copy()
        if self.world.chance(self.plan.whole_restores):
            register.mark = older.mark
            register.life = self.ledger.begin_life(register.node, copied_whole=True)
            self.ledger.gone_whole |= {
                fact.key
                for fact in self.ledger.facts.values()
                if fact.life.node == register.node and fact.order > older.order
            }
        elif is_lost:
            register.life = self.ledger.begin_life(register.node, is_restored=True)
        register.start()

    def clone(self) -> None:
        """A disk is copied to a second machine, key and mark included; both go on selling."""
        original = self._pick()
        if len(self.registers) >= self.plan.registers + self.plan.clones_max:
            return
        server = next((store for store in self.stores if original.origin in store.behind), None)
        node = f"{original.node}c{len(self.registers)}"
        life = self.ledger.begin_life(node, copied_whole=True)
        server = server if self.world.chance(0.5) else None
        twin = self._machine(node, original.origin, original.series, original.signer, life, server)
        twin.database, twin.mark = original.database.copy(), original.mark
        twin.start()

    def clock_jump(self) -> None:
        """To another year, or back to nearly the right time."""
        years = self.world.random.choice(self.plan.clock_years)
        register = self._pick()
        register.clock.skew_ms = years * YEAR_ON_THE_WALL_MS + self.world.random.randrange(-5_000, 5_000)

    def head_office_clock_jump(self) -> None:
        """Head office's own clock, mostly put right again."""
        years = self.world.random.choice((-1, 0, 0, 2))
        self.head_office.clock.skew_ms = years * YEAR_ON_THE_WALL_MS

    def purge(self) -> None:
        for register in self.registers:
            if register.alive:
                register.purge()

    def heartbeat(self) -> None:
        """One by the clock: the next register whose time has come."""
        self._pick().heartbeat()

    def head_office_crash(self) -> None:
        self.head_office.crash()
        self._look_at_lines()
        self.world.after(self.world.random.randrange(1, HOUR_MS), "ho starts", self._head_office_start)

    def _head_office_start(self) -> None:
        self.head_office.restart()
        self._look_at_lines()

    def head_office_backup(self) -> None:
        self.head_office.backup()

    def head_office_restore(self) -> None:
        """Only the newest verified backup comes back: *safe* promises no more."""
        self.head_office.restore(noticed=self.world.chance(0.5))
        self._look_at_lines()

    def head_office_upgrade(self) -> None:
        """From then on it knows the entry types that newer registers write already."""
        self.head_office.upgrade()

    def failing_commit(self) -> None:
        self.head_office.fail_next_commit(self.head_office.store.failing_commits + 1)

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
