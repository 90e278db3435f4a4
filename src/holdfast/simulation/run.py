"""One seed, one run, one report; a failing seed prints the command that replays it."""

import msgspec

from holdfast.simulation.checks import findings
from holdfast.simulation.scenario import Plan, Simulation, rough


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did and what it found."""

    seed: int
    plan: Plan
    events: int
    entries: int
    epochs: int
    forks: int
    quarantined: int
    forgeries: int
    purged: int
    trace_hash: str
    findings: tuple[str, ...]

    @property
    def command(self) -> str:
        plan = self.plan
        size = f"--days {plan.days} --registers {plan.registers}"
        command = f"holdfast simulate --seed {self.seed} {size} --runs 1"
        return f"{command} --rough" if plan == rough(plan.days, plan.registers) else command


def run(seed: int, plan: Plan | None = None) -> Report:
    """Runs one seed to its end and checks every promise."""
    plan = plan or Plan()
    simulation = Simulation(seed, plan)
    simulation.run()
    office = simulation.head_office.store
    entries = office.entries()
    return Report(
        seed=seed,
        plan=plan,
        events=simulation.world.events,
        entries=len(entries),
        epochs=len({(entry.origin, entry.epoch) for entry in entries}),
        forks=office.alerts("fork"),
        quarantined=sum(entry.status == "quarantined" for entry in entries),
        forgeries=simulation.forgeries,
        purged=sum(register.database.purged for register in simulation.registers),
        trace_hash=simulation.world.trace_hash,
        findings=tuple(findings(simulation)),
    )
