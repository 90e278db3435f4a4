"""What must hold of what goes down: feeds, and commands with their outcomes."""

from collections import Counter

from holdfast.core.ids import KeyId, OriginId
from holdfast.core.journal.bodies import CommandDone
from holdfast.core.journal.entry import decode_entry
from holdfast.core.sync.feed import FEEDS
from holdfast.simulation.desk import DELETED
from holdfast.simulation.documents import TOMORROW
from holdfast.simulation.ledger import Fact
from holdfast.simulation.scenario import Simulation


def feeds_current(simulation: Simulation) -> list[str]:
    """Every register sells from the very rows that head office has, under its newest version."""
    found: list[str] = []
    store = simulation.head_office.store
    current = store.tables.incarnations[-1][0]
    if current in simulation.head_office.numbered_twice:
        return []
    for feed in FEEDS:
        newest = store.tables.feeds[feed]
        rows = {
            key: body for (of, key), (_, body) in store.feed_rows.items() if of == feed and body != DELETED
        }
        for register in simulation.registers:
            if register.keychain.key_id not in _in_force(simulation, register.origin):
                continue  # another copy of it was given a key since
            reference = register.database.reference
            have = reference.feeds.current(feed)
            if have is None or (have.incarnation, have.n) != (current, newest):
                found.append(f"feeds: {register.node} has {feed} {have}, head office {current} {newest}")
            elif reference.rows(feed) != rows:
                found.append(f"feeds: the rows of {feed} in {register.node} are not head office's")
    return found


def _in_force(simulation: Simulation, origin: OriginId) -> set[KeyId]:
    keys = simulation.head_office.keys(origin).get(origin)
    return set() if keys is None else set(keys.public) - set(keys.former)


def commands_answered(simulation: Simulation) -> list[str]:
    """A command of head office's present life has an outcome, and that is how it went. Of two copies of a
    register, one may tell of a command that a restore lost, and the other take its number's next one."""
    store, outcomes = simulation.head_office.store, simulation.ledger.outcomes
    current = store.tables.incarnations[-1][0]
    machines = Counter(register.origin for register in simulation.registers)
    copied = {origin for origin, count in machines.items() if count > 1}
    found: list[str] = []
    for (origin, life, number), given in sorted(store.commands.items()):
        went = outcomes.get(given.command.arguments["ticket"], [])
        name = f"command {number} ({given.command.kind}) to {origin}"
        if given.outcome is None and life == current:
            found.append(f"commands: {name} waits in vain")
        if given.outcome is not None and given.outcome not in went and origin not in copied:
            found.append(f"commands: {name} is shown as {given.outcome}, and went {went}")
    return found


def commands_journalled(simulation: Simulation) -> list[str]:
    """What a register carried out stands in its own journal, unless its disk lost both."""
    written = {
        (fact.origin, _done(fact).command)
        for fact in simulation.ledger.facts.values()
        if fact.type == "command_done"
    }
    return [
        f"commands: {register.node} carried out command {number} of {life} and did not write it down"
        for register in simulation.registers
        for life, number in sorted(register.database.memory.done)
        if (register.origin, str(number)) not in written
    ]


def _done(fact: Fact) -> CommandDone:
    body = TOMORROW.decode(decode_entry(fact.data))
    assert isinstance(body, CommandDone), "an entry of that type has that body"
    return body
