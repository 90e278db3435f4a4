"""What must hold after every run: P1 to P4 and P6, each as findings in words."""

from collections import Counter, defaultdict

from holdfast.core.ids import EpochId, OriginId
from holdfast.core.ingest.rows import APPLIED, QUARANTINED, REPEATED
from holdfast.core.journal.bodies import REGISTRY
from holdfast.core.journal.entry import decode_entry
from holdfast.core.monitoring.owed import Owing
from holdfast.core.sale import Sale
from holdfast.simulation.ledger import Fact, Ledger
from holdfast.simulation.scenario import Simulation


def findings(simulation: Simulation) -> list[str]:
    """Every broken promise; empty when all hold."""
    return [
        *drained(simulation),
        *exactly_once(simulation),
        *whole(simulation),
        *numbers(simulation.ledger, simulation),
        *nothing_hidden(simulation),
        *twins_apart(simulation),
        *dates_in_order(simulation),
        *nothing_promised_in_vain(simulation),
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
        if fact is not None and entry.data != fact.data:
            found.append(f"P1: {entry.origin} {entry.seq} is not stored verbatim")
    return found


def whole(simulation: Simulation) -> list[str]:
    """P2, P3: each applied document has all of its rows, once; each reference counts once."""
    found: list[str] = []
    office = simulation.head_office.store
    documents = {(d.chain, d.seq): d for d in office.documents()}
    if len(documents) != len(office.documents()):
        found.append("P3: a document is projected twice")
    references = Counter(d.reference for d in documents.values() if d.reference)
    found += [f"P2: reference {name} counts {n} times" for name, n in references.items() if n > 1]
    expected_stock: Counter[str] = Counter()
    expected_total = 0
    applied = 0
    for entry in office.entries():
        if entry.status != APPLIED or entry.type not in ("sale", "return"):
            if (entry.chain, entry.seq) in documents:
                found.append(f"P3: {entry.status} entry {entry.seq} is projected")
            if entry.status not in (APPLIED, QUARANTINED, REPEATED):
                found.append(f"P3: an entry is {entry.status}")
            continue
        body = REGISTRY.decode(decode_entry(entry.data))
        assert isinstance(body, Sale), "an applied sale reads"
        applied += 1
        expected_total += body.total_minor
        for line in body.lines:
            expected_stock[line.sku] -= line.quantity_milli
        document = documents.get((entry.chain, entry.seq))
        if document is None or document.lines != len(body.lines) or document.total_minor != body.total_minor:
            found.append(f"P3: the document of {entry.origin} {entry.seq} is not whole")
    if len(documents) != applied:
        found.append(f"P3: {len(documents)} documents, {applied} applied entries")
    if sum(day[1] for day in office.tables.days.values()) != expected_total:
        found.append("P3: the registers' days do not add up to their documents")
    stock = {sku: n for (_, sku), n in office.tables.stock.items() if n}
    if stock != {sku: n for sku, n in expected_stock.items() if n}:
        found.append("P3: stock is not what the documents moved")
    return found


def numbers(ledger: Ledger, simulation: Simulation) -> list[str]:
    """P4: a number is printed once; within each chain numbers are gapless.

    Equal numbers are allowed only where a whole disk, mark included, came back or was copied;
    then both sales are kept and head office was told, as far as both arrived.
    """
    found: list[str] = []
    for (origin, number), facts in ledger.numbers().items():
        if len(facts) > 1 and origin not in ledger.whole_restores:
            found.append(f"P4: {number} of {origin} was printed {len(facts)} times")
    by_chain: dict[int, list[int]] = defaultdict(list)
    for document in simulation.head_office.store.documents():
        by_chain[document.chain].append(int(document.number.rsplit("-", 1)[1]))
    found += [
        f"P4: chain {chain} numbers one document twice"
        for chain, taken in by_chain.items()
        if len(set(taken)) != len(taken)
    ]
    return found


def nothing_hidden(simulation: Simulation) -> list[str]:
    """P6: an epoch of which something written never arrived is not shown as complete."""
    lost: dict[tuple[OriginId, EpochId], list[Fact]] = defaultdict(list)
    held = {(e.origin, e.epoch, e.seq, e.hash) for e in simulation.head_office.store.entries()}
    for key, fact in simulation.ledger.facts.items():
        if key not in held:
            lost[(fact.origin, fact.epoch)].append(fact)
    owing = simulation.head_office.owing()
    return [
        f"P6: {len(facts)} entries of {origin} {epoch} never arrived, shown as {owing[origin, epoch].value}"
        for (origin, epoch), facts in lost.items()
        if owing.get((origin, epoch)) in (Owing.NOTHING, Owing.COMPLETE)
        and origin not in simulation.ledger.whole_restores
    ]


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
