"""One seed, one run, one report; a failing seed prints the command that replays it."""

import traceback

import msgspec

from holdfast.simulation.checks import findings
from holdfast.simulation.head_office import Office
from holdfast.simulation.plan import PLANS, Plan
from holdfast.simulation.scenario import Simulation


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did and what it found."""

    seed: int
    plan: Plan
    stores: str
    """`memory`, or `both` where PostgreSQL was asked the same."""
    events: int
    entries: int
    epochs: int
    forks: int
    quarantined: int
    forgeries: int
    purged: int
    value_acts: int
    """With central value: asked for, given up, concluded."""
    vouched: int
    """Memos that a till took without asking."""
    released: int
    """Locks, by the policy."""
    differences: int
    """Movements with a remark, each explained."""
    trace_hash: str
    findings: tuple[str, ...]

    @property
    def command(self) -> str:
        """Runs that very run again."""
        plan = self.plan
        size = f"--days {plan.days} --registers {plan.registers}"
        if plan.value_hours != PLANS[plan.name](plan.days, plan.registers).value_hours:
            size += f" --acts-per-hour {1 / plan.value_hours:g}"
        return f"holdfast simulate --seed {self.seed} {size} --plan {plan.name} --store {self.stores}"


def run(seed: int, plan: Plan | None = None, twin: Office | None = None) -> Report:
    """Runs one seed to its end and checks every promise."""
    plan = plan or Plan()
    simulation = Simulation(seed, plan, twin)
    try:
        return _report(simulation, twin)
    finally:
        simulation.end()


def _report(simulation: Simulation, twin: Office | None) -> Report:
    broken = _broken(simulation)
    found = [*broken, *findings(simulation)]
    if twin is not None:
        found += twin.compare(simulation.head_office.store)
    entries = simulation.head_office.store.entries()
    ledger = simulation.head_office.store.tables.central
    return Report(
        seed=simulation.world.seed,
        plan=simulation.plan,
        stores="memory" if twin is None else "both",
        events=simulation.world.events,
        entries=len(entries),
        epochs=len({(entry.origin, entry.epoch) for entry in entries}),
        forks=simulation.head_office.store.alerts("fork"),
        quarantined=sum(entry.status == "quarantined" for entry in entries),
        forgeries=simulation.thief.forgeries,
        purged=sum(register.database.purged for register in simulation.registers),
        value_acts=sum(register.value.acts for register in simulation.registers),
        vouched=sum(register.value.vouched for register in simulation.registers),
        released=0 if simulation.shoppers is None else len(simulation.shoppers.released_ms),
        differences=sum(bool(row.remark) for row in ledger.movements.values()),
        trace_hash=simulation.world.trace_hash,
        findings=tuple(found),
    )


def _broken(simulation: Simulation) -> list[str]:
    """What ended the run before its time: an assertion of the code that ships, or of the world's."""
    try:
        simulation.run()
    except AssertionError as broken:
        place = traceback.extract_tb(broken.__traceback__)[-1]
        said = str(broken) or f"{place.filename.rpartition('/')[2]}:{place.lineno}"
        return [said if said.startswith(("storm: ", "epochs: ")) else f"broken: {said}"]
    return []
