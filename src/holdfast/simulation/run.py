"""One seed, one run, one report; a failing seed prints the command that replays it."""

import msgspec

from holdfast.simulation.checks import findings
from holdfast.simulation.scenario import Plan, Simulation


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did and what it found."""

    seed: int
    days: int
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
        return f"holdfast simulate --seed {self.seed} --days {self.days} --runs 1"


def run(seed: int, plan: Plan | None = None) -> Report:
    """Runs one seed to its end and checks every promise."""
    plan = plan or Plan()
    simulation = Simulation(seed, plan)
    simulation.run()
    office = simulation.head_office.store
    entries = office.entries()
    return Report(
        seed=seed,
        days=plan.days,
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
