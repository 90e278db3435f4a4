"""A run: registers sell for simulated years while everything that can go wrong does."""

from collections.abc import Callable

from holdfast.simulation.fleet import Backup, Fleet
from holdfast.simulation.head_office import Office
from holdfast.simulation.network import Weather, foul
from holdfast.simulation.people import People
from holdfast.simulation.plan import NEVER, Plan
from holdfast.simulation.shoppers import Shoppers
from holdfast.simulation.thief import Thief
from holdfast.simulation.world import DAY_MS, HOUR_MS, YEAR_ON_THE_WALL_MS

DRAIN_LIMIT_MS = 60_000
"""Everything drains within this after healing."""

SLIP_MS = 20_000


class Simulation(Fleet):
    """A fleet, and what happens to it."""

    def __init__(self, seed: int, plan: Plan, twin: Office | None = None) -> None:
        """`twin`: a second head office, over another store, that is asked the same."""
        super().__init__(seed, plan, twin)
        self.people = People(self)
        self.thief = Thief(self, self.people)
        self.shoppers = Shoppers(self) if plan.value_hours < NEVER else None
        for late in range(plan.late_registers):
            number = plan.registers + 1 + late
            self._enrol_at(number, self.world.random.randrange(1, plan.days * DAY_MS * 3 // 4))

    # The run

    def run(self) -> None:
        """Faults and sales for the plan's days, at times a last restore of head office, then healing, then
        the time that draining may take."""
        plan = self.plan
        for hours, label, act in (
            (plan.sale_hours / plan.registers, "sale", self.people.sale),
            (plan.weather_hours / plan.registers, "weather", self.weather),
            (plan.crash_hours / plan.registers, "crash", self.crash),
            (plan.store_crash_hours, "store crash", self.store_crash),
            (plan.restore_hours / plan.registers, "restore", self.restore),
            (plan.clone_hours, "clone", self.clone),
            (plan.damage_hours, "damage", self.damage),
            (plan.clock_hours, "clock", self.clock_jump),
            (plan.head_office_clock_hours, "ho clock", self.head_office_clock_jump),
            (plan.purge_hours, "purge", self.purge),
            (plan.heartbeat_hours, "heartbeat", self.heartbeat),
            (plan.poll_hours, "poll", self.poll),
            (plan.command_hours, "command", self.people.command),
            (plan.feed_hours, "load", self.people.load),
            (plan.key_hours, "key", self.people.change_key),
            (plan.help_hours, "help", self.people.help),
            (plan.head_office_crash_hours, "ho crash", self.head_office_crash),
            (plan.head_office_backup_hours, "ho backup", self.head_office_backup),
            (plan.head_office_restore_hours, "ho restore", self.head_office_restore),
            (plan.slip_hours, "slip", self.slip),
            (plan.head_office_upgrade_hours, "ho upgrade", self.head_office_upgrade),
            (plan.forgery_hours, "forgery", self.thief.forge),
            (plan.theft_hours, "theft", self.thief.steal),
            (plan.future_entry_hours, "future entry", self.people.future_entry),
            (plan.failing_commit_hours, "failing commit", self.failing_commit),
        ):
            self._every(hours, label, act)
        if self.shoppers is not None:
            self._every(plan.value_hours / plan.registers, "value", self.shoppers.visit)
            self._every(plan.take_back_hours, "take back", self.shoppers.release_stale)
            self._every(plan.policy_hours, "policy", self.shoppers.release_by_policy)
            self._every(plan.open_hours, "open value", self.shoppers.open_value)
        end_ms = self.world.now_ms + plan.days * DAY_MS
        self.world.run_until(end_ms)
        if self.world.chance(0.5):
            self.head_office_restore()
        self.heal()
        self.world.run_until(end_ms + DRAIN_LIMIT_MS)

    def _enrol_at(self, number: int, wait_ms: int) -> None:
        """Head office has to be there for it."""

        def enrol() -> None:
            if self.head_office.alive:
                self.enrol(number)
            else:
                self._enrol_at(number, HOUR_MS)

        self.world.after(wait_ms, f"enrolment of r{number}", enrol)

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
            assert register.sync is not None, "a register that runs has one"
            register.sync.plan_all()
        self._look_at_lines()
        self.people.help_on()
        if self.shoppers is not None:
            self.shoppers.finish_all()

    def _look_at_lines(self) -> None:
        for node in (*self.stores, *self.registers):
            node.look_at_line()

    # What happens

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
        register = self.pick()
        register.crash()
        down_ms = self.world.random.randrange(1, 6 * HOUR_MS)
        self.world.after(down_ms, f"{register.node} starts", register.start_if_down)

    def restore(self) -> None:
        """A backup of the disk is made, or an older one comes back: data alone, or all of it."""
        register = self.pick()
        backups = self.backups[register.node]
        if not backups or self.world.chance(0.5):
            order = self.ledger.next_order()
            files = register.keychain.files()
            backups.append(Backup(register.database.copy(), register.mark, files, order))
            return
        older = self.world.random.choice(backups)
        register.crash()
        mark = register.mark
        is_lost = mark is not None and older.database.hash_at(mark.epoch, mark.seq) != mark.hash
        register.database = older.database.copy()
        if self.world.chance(self.plan.whole_restores):
            register.mark = older.mark
            register.keychain.put(older.files)
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
        original = self.pick()
        if self.clones < self.plan.clones_max:
            self.copy(original)

    def damage(self) -> None:
        """A bad sector, most often before what it holds was sent."""
        register = self.pick()
        register.lose_a_sector()

    def clock_jump(self) -> None:
        """To another year, or back to nearly the right time."""
        years = self.world.random.choice(self.plan.clock_years)
        register = self.pick()
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
        self.pick().heartbeat()

    def poll(self) -> None:
        """A register's poll for commands came back empty, and it polls again."""
        self.pick().ask_for_commands()

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

    def slip(self) -> None:
        """Somebody puts head office's database back by a few minutes and tells nobody: perhaps no entry came
        meanwhile to show it."""
        if not self.head_office.alive:
            return
        self.head_office.backup()
        self.people.load()
        for register in self.registers:
            register.heartbeat()
        self.world.after(SLIP_MS, "slipped", lambda: self.head_office.restore(noticed=False))

    def head_office_upgrade(self) -> None:
        """From then on it knows the entry types that newer registers write already."""
        self.head_office.upgrade()

    def failing_commit(self) -> None:
        self.head_office.fail_next_commit(self.head_office.store.failing_commits + 1)
