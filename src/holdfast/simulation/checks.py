"""What must hold after every run: each broken promise as a finding in words, which begins with its name."""

from collections import Counter, defaultdict

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.ingest.rows import APPLIED, QUARANTINED, REPEATED
from holdfast.core.journal.bodies import DOCUMENT_TYPES, EpochOpened
from holdfast.core.journal.entry import decode_entry
from holdfast.core.monitoring.owed import Owing
from holdfast.core.sale import Sale
from holdfast.simulation.checks_cash import cash_exact, tenders_exact
from holdfast.simulation.checks_down import commands_answered, commands_journalled, feeds_current
from holdfast.simulation.checks_value import value_exact, value_kept
from holdfast.simulation.documents import TOMORROW
from holdfast.simulation.ledger import Fact, Ledger
from holdfast.simulation.scenario import Simulation


def findings(simulation: Simulation) -> list[str]:
    """Every broken promise; empty when all hold."""
    return [
        *simulation.ledger.broken,
        *drained(simulation),
        *exactly_once(simulation),
        *whole(simulation),
        *printed_once(simulation.ledger),
        *restored_apart(simulation.ledger),
        *gapless(simulation),
        *forks_reported(simulation),
        *told_apart(simulation),
        *twins_apart(simulation),
        *nothing_hidden(simulation),
        *shown_rightly(simulation),
        *dates_in_order(simulation),
        *nothing_waits_in_vain(simulation),
        *nothing_promised_in_vain(simulation),
        *feeds_current(simulation),
        *commands_answered(simulation),
        *commands_journalled(simulation),
        *cash_exact(simulation),
        *tenders_exact(simulation),
        *value_exact(simulation),
        *(() if simulation.shoppers is None else value_kept(simulation, simulation.shoppers)),
    ]


def drained(simulation: Simulation) -> list[str]:
    """Everything drains within 60 simulated seconds of healing, and every register knows it."""
    return [
        f"not drained: {register.node} owes after healing"
        for register in simulation.registers
        if not register.drained()
    ]


def exactly_once(simulation: Simulation) -> list[str]:
    """P1, P2: what a register still has, or was allowed to purge, head office has exactly once."""
    found: list[str] = []
    held = Counter((e.origin, e.epoch, e.seq, e.hash) for e in simulation.head_office.store.entries())
    found += [f"P2: {key[:3]} is held {count} times" for key, count in held.items() if count > 1]
    found += [
        f"P2: head office holds {key[:3]}, which nobody wrote"
        for key in held
        if key not in simulation.ledger.facts
    ]
    for register in simulation.registers:
        for epoch in register.database.epochs:
            found += [
                f"P1: {register.node} {epoch.epoch} {entry.seq} is not at head office"
                for entry in epoch.entries
                if (register.origin, epoch.epoch, entry.seq, entry.hash) not in held
            ]
    for entry in simulation.head_office.store.entries():
        fact = simulation.ledger.facts.get((entry.origin, entry.epoch, entry.seq, entry.hash))
        if fact is not None and entry.data != fact.data and not _came_as_hash(simulation, fact):
            found.append(f"P1: {entry.origin} {entry.seq} is not stored verbatim")
    return found


def _came_as_hash(simulation: Simulation, fact: Fact) -> bool:
    """A disk lost its bytes before they were sent, and no other one sent them since."""
    return fact.key in simulation.ledger.damaged and fact.key not in simulation.head_office.heard.bytes


def whole(simulation: Simulation) -> list[str]:
    """P2, P3: each applied document has all of its rows, once; each reference counts once."""
    found: list[str] = []
    office = simulation.head_office.store
    stores = {origin: record.facts.store for origin, record in office.tables.origins.items()}
    documents = {(d.chain, d.seq): d for d in office.documents()}
    if len(documents) != len(office.documents()):
        found.append("P3: a document is projected twice")
    references = Counter(d.reference for d in documents.values() if d.reference)
    found += [f"P2: reference {name} counts {n} times" for name, n in references.items() if n > 1]
    expected_stock: Counter[tuple[str, str]] = Counter()
    expected_total = 0
    applied = 0
    for entry in office.entries():
        if entry.status != APPLIED or entry.type not in ("sale", "return"):
            if (entry.chain, entry.seq) in documents:
                found.append(f"P3: {entry.status} entry {entry.seq} is projected")
            if entry.status not in (APPLIED, QUARANTINED, REPEATED):
                found.append(f"P3: an entry is {entry.status}")
            continue
        body = TOMORROW.decode(decode_entry(entry.data))
        assert isinstance(body, Sale), "an applied sale reads"
        applied += 1
        expected_total += body.total_minor
        for line in body.lines:
            expected_stock[stores[entry.origin], line.sku] -= line.quantity_milli
        document = documents.get((entry.chain, entry.seq))
        if document is None or document.lines != len(body.lines) or document.total_minor != body.total_minor:
            found.append(f"P3: the document of {entry.origin} {entry.seq} is not whole")
    if len(documents) != applied:
        found.append(f"P3: {len(documents)} documents, {applied} applied entries")
    if sum(day[1] for day in office.tables.days.values()) != expected_total:
        found.append("P3: the registers' days do not add up to their documents")
    stock = {key: n for key, n in office.tables.stock.items() if n}
    if stock != {key: n for key, n in expected_stock.items() if n}:
        found.append("P3: stock is not what the documents moved")
    return found


def printed_once(ledger: Ledger) -> list[str]:
    """P4: a number is printed once.

    Equal ones are allowed on copies of whole disks alone, one each; `told_apart` says until when.
    """
    found: list[str] = []
    for (origin, number), facts in ledger.numbers().items():
        lives = {fact.life.number: fact.life for fact in facts if fact.key not in ledger.unseen}
        printed = sum(fact.key not in ledger.unseen for fact in facts)
        if printed > len(lives):
            found.append(f"P4: {number} of {origin} was printed {printed} times by {len(lives)} disks")
        elif sum(not life.copied_whole for life in lives.values()) > 1:
            nodes = ", ".join(life.node for life in lives.values())
            found.append(f"P4: {number} of {origin} was printed by {nodes}, which are no whole copies")
    return found


def told_apart(simulation: Simulation) -> list[str]:
    """P4: once an answer named what a disk does not hold, it writes nothing more in that epoch."""
    ledger = simulation.ledger
    return [
        f"P4: {fact.life.node} wrote entry {fact.seq} of {fact.epoch} after it was told of another copy"
        for fact in ledger.facts.values()
        if fact.order > ledger.told_apart.get((fact.life.number, fact.epoch), fact.order)
    ]


def restored_apart(ledger: Ledger) -> list[str]:
    """P4: a disk that lost entries to a restore, and has its mark to tell, goes on in an epoch of its own."""
    opened = {fact.epoch: fact.life for fact in ledger.facts.values() if fact.seq == 1}
    return [
        f"P4: {fact.life.node} goes on in {fact.epoch} after a restore"
        for fact in ledger.facts.values()
        if fact.life.is_restored and opened[fact.epoch].number < fact.life.number
    ]


def gapless(simulation: Simulation) -> list[str]:
    """P4: the documents of each chain are numbered 1, 2, 3, … whatever became of them since."""
    found: list[str] = []
    tables = simulation.head_office.store.tables
    taken: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for entry in simulation.head_office.store.entries():
        fact = simulation.ledger.facts.get((entry.origin, entry.epoch, entry.seq, entry.hash))
        if fact is not None and fact.type in DOCUMENT_TYPES:
            taken[entry.chain].append((entry.seq, fact.number))
    for chain in sorted(tables.chains):
        facts = tables.chains[chain].facts
        before = 0
        if facts.parent_chain is not None:
            # Parents come first, and are whole by now: their own, then those before their own fork.
            before = sum(seq <= facts.fork_seq for seq, _ in taken[facts.parent_chain])
            inherited = [item for item in taken[facts.parent_chain] if item[0] <= facts.fork_seq]
            taken[chain] = [*inherited, *taken[chain]]
        numbers = [int(number.rsplit("-", 1)[1]) for _, number in sorted(taken[chain])]
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(f"P4: chain {chain} has a gap or a double after its first {before} documents")
    return found


def forks_reported(simulation: Simulation) -> list[str]:
    """P4: of copies that both sold, both branches are kept apart, and people are told."""
    store = simulation.head_office.store
    told = {(row[1], row[2]) for row in store.tables.appended["alert"] if row[0] == "fork"}
    found = [
        f"P4: branch {record.facts.branch} of {record.facts.epoch} was not reported"
        for number, record in store.tables.chains.items()
        if record.facts.branch and (record.facts.origin, number) not in told
    ]
    branches: dict[tuple[OriginId, EpochId, int], set[int]] = defaultdict(set)
    hashes: dict[tuple[OriginId, EpochId, int], set[bytes]] = defaultdict(set)
    for entry in store.entries():
        place = (entry.origin, entry.epoch, entry.seq)
        branches[place].add(entry.chain)
        hashes[place].add(entry.hash)
    return found + [
        f"P4: two entries {place[2]} of {place[1]} are in one branch"
        for place, different in hashes.items()
        if len(different) != len(branches[place])
    ]


def nothing_hidden(simulation: Simulation) -> list[str]:
    """P6: an epoch of which something written never arrived is not shown as complete.

    What went with a whole disk before anybody was told of it, nobody can know. What one lost epoch says
    of another is known once that one comes, and until then that one is shown as owed.
    """
    office, ledger = simulation.head_office, simulation.ledger
    held = {(e.origin, e.epoch, e.seq, e.hash) for e in office.store.entries()}
    told: dict[tuple[OriginId, EpochId], set[tuple[int, bytes]]] = defaultdict(set)
    for origin, epoch, seq, hash in office.heard.heads:
        told[(origin, epoch)].add((seq, hash))
    owing = office.owing()
    found: list[str] = []
    hidden: dict[tuple[OriginId, EpochId], list[Fact]] = defaultdict(list)
    for key, fact in ledger.facts.items():
        place = (fact.origin, fact.epoch)
        if key in held or key in ledger.unseen or owing.get(place) in (Owing.OWES, Owing.MAY_OWE):
            continue
        was_told = any(seq >= fact.seq and ledger.leads_to(fact, seq, hash) for seq, hash in told[place])
        if was_told or key not in ledger.gone_whole:
            hidden[place].append(fact)
    named = _named_by(ledger)
    for (origin, epoch), facts in hidden.items():
        shown = owing.get((origin, epoch))
        by = {(origin, other) for other in named[epoch]}
        if shown is None and any(owing.get(place) in (Owing.OWES, Owing.MAY_OWE) for place in by):
            continue
        words = "unheard of" if shown is None else shown.value
        found.append(f"P6: {len(facts)} entries of {origin} {epoch} never arrived, shown as {words}")
    return found


def shown_rightly(simulation: Simulation) -> list[str]:
    """P6: an epoch that ended without a closing entry may owe, for ever; what is drained and has said so owes
    nothing. Of copies of one register it is the one that spoke last whose epoch is the open one; where a disk
    goes on in an epoch after another disk forked from it, nobody can tell which of the two is away; and of
    what went with a whole disk, after it was claimed by a signed word, head office knows that it is missing.
    """
    owing = simulation.head_office.owing()
    heads = [(register, register.database.head) for register in simulation.registers]
    opened = {(register.origin, head.epoch) for register, head in heads if head is not None}
    found = [
        f"P6: {epoch} of {origin} ended nobody knows how, and is shown as {shown.value}"
        for (origin, epoch), shown in owing.items()
        if (origin, epoch) not in opened and shown not in (Owing.OWES, Owing.MAY_OWE)
    ]
    machines = Counter(register.origin for register in simulation.registers)
    openings = simulation.head_office.store.tables.opened.values()
    parents = {(opened.get("parent") or {}).get("epoch") for opened in openings}
    ledger = simulation.ledger
    gone = {(ledger.facts[key].origin, ledger.facts[key].epoch) for key in ledger.gone_whole}
    for register, head in heads:
        shown = None if head is None else owing.get((register.origin, head.epoch))
        expected = [Owing.NOTHING]
        if head is not None:
            expected += [Owing.MAY_OWE] * (head.epoch in parents)
            expected += [Owing.OWES] * ((register.origin, head.epoch) in gone)
        if machines[register.origin] == 1 and register.drained() and shown not in expected:
            words = "unheard of" if shown is None else shown.value
            found.append(f"P6: {register.node} owes nothing, and is shown as {words}")
    return found


def _named_by(ledger: Ledger) -> dict[EpochId, set[EpochId]]:
    """Epoch → those whose openings name it, themselves or through others."""
    named: dict[EpochId, set[EpochId]] = defaultdict(set)
    for fact in ledger.facts.values():
        if fact.type != "epoch_opened":
            continue
        body = TOMORROW.decode(decode_entry(fact.data))
        assert isinstance(body, EpochOpened), "an epoch begins with its opening"
        for former in filter(None, (body.parent, body.remembered)):
            named[former.epoch].add(fact.epoch)
    # In order of opening, so that what names a later one is complete before.
    for epoch in reversed(list(named)):
        for other in list(named[epoch]):
            named[epoch] |= named.get(other, set())
    return named


def nothing_waits_in_vain(simulation: Simulation) -> list[str]:
    """P10: what head office's version can read took effect; only what it cannot waits, and what came as a
    hash alone."""
    office, found = simulation.head_office, list[str]()
    for entry in office.store.entries():
        fact = simulation.ledger.facts.get((entry.origin, entry.epoch, entry.seq, entry.hash))
        readable = fact is not None and (fact.is_sound or (office.is_of_tomorrow and not _is_garbled(fact)))
        if fact is not None and _came_as_hash(simulation, fact) and entry.data != fact.data:
            readable = False
        if readable and entry.status == QUARANTINED:
            found.append(f"P10: entry {entry.seq} of {entry.origin} waits though it can be read")
        if not readable and entry.status != QUARANTINED:
            found.append(f"P10: entry {entry.seq} of {entry.origin} took effect though it cannot be read")
    return found


def _is_garbled(fact: Fact) -> bool:
    return b"\\u0000" in fact.data


def nothing_promised_in_vain(simulation: Simulation) -> list[str]:
    """P1: no receipt was given over what was not committed. Registers hand their receipts back, so
    head office heals from that too; but it must have a restore to blame."""
    losses = simulation.head_office.losses_unexplained
    return [f"P1: head office lost acknowledged state {losses} times"] if losses else []


def dates_in_order(simulation: Simulation) -> list[str]:
    """Business dates never go back in a chain, whatever the register's clock says."""
    found: list[str] = []
    last: dict[int, str] = {}
    for entry in simulation.head_office.store.entries():
        if entry.status != QUARANTINED:
            date = decode_entry(entry.data).date
            if date < last.get(entry.chain, ""):
                found.append(f"dates: {entry.origin} {entry.seq} goes back to {date}")
            last[entry.chain] = date
    return found


def twins_apart(simulation: Simulation) -> list[str]:
    """P4: after contact, no two machines go on in one epoch from different heads."""
    found: list[str] = []
    heads: dict[tuple[OriginId, EpochId], tuple[str, bytes]] = {}
    for register in simulation.registers:
        head = register.database.head
        assert head is not None, "a started register has a journal"
        node, hash = heads.setdefault((register.origin, head.epoch), (register.node, head.hash))
        if hash != head.hash:
            found.append(f"P4: {node} and {register.node} both number in {head.epoch}")
    return found
