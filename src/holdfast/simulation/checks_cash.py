"""What must hold of money in head office's books: what was counted into the drawers, to the last coin."""

from collections import Counter
from fractions import Fraction

from holdfast.core.ingest.rows import APPLIED, COLUMNS
from holdfast.core.journal.entry import decode_entry
from holdfast.core.money import CURRENCIES
from holdfast.simulation.reference import CURRENCY
from holdfast.simulation.scenario import Simulation

_TENDER = {name: place for place, name in enumerate(COLUMNS["document_tender"])}
_FOREIGN = {name: place for place, name in enumerate(COLUMNS["document_foreign_cash"])}
_DOCUMENT = {name: place for place, name in enumerate(COLUMNS["document"])}
Place = tuple[int, int]


def cash_exact(simulation: Simulation) -> list[str]:
    """Home cash of each register's day, and foreign cash of each currency, are what was counted there."""
    office = simulation.head_office.store
    home: Counter[tuple[str, str]] = Counter()
    foreign: Counter[str] = Counter()
    for entry in office.entries():
        fact = simulation.ledger.facts.get((entry.origin, entry.epoch, entry.seq, entry.hash))
        if fact is None or entry.status != APPLIED or not fact.number:
            continue
        date = fact.dated or decode_entry(fact.data).date
        home[(entry.origin, date)] += fact.drawer.home_minor
        for currency, minor in fact.drawer.foreign_minor:
            foreign[currency] += minor
    held = {key: day[3] for key, day in office.tables.days.items() if day[3]}
    counted = {key: minor for key, minor in home.items() if minor}
    found = [
        f"cash: {day[0]} has {held.get(day, 0)} for {day[1]}, counted were {counted.get(day, 0)}"
        for day in sorted(held.keys() | counted.keys())
        if held.get(day) != counted.get(day)
    ]
    booked: Counter[str] = Counter()
    for row in office.tables.appended["document_foreign_cash"]:
        booked[row[_FOREIGN["currency"]]] += row[_FOREIGN["foreign_minor"]]
    return found + [
        f"cash: {booked[currency]} of {currency} are booked, counted were {foreign[currency]}"
        for currency in sorted(booked.keys() | foreign.keys())
        if booked[currency] != foreign[currency]
    ]


def tenders_exact(simulation: Simulation) -> list[str]:
    """The tenders of a document pay its total and its rounding; foreign notes are worth their rate."""
    tables = simulation.head_office.store.tables
    paid: Counter[Place] = Counter()
    worth: dict[tuple[int, int, int], int] = {}
    for row in tables.appended["document_tender"]:
        paid[(row[0], row[1])] += row[_TENDER["amount_minor"]]
        worth[(row[0], row[1], row[_TENDER["tender"]])] = row[_TENDER["amount_minor"]]
    found = [
        f"cash: the tenders of document {row[_DOCUMENT['number']]} do not pay it"
        for row in tables.appended["document"]
        if paid[(row[0], row[1])] != row[_DOCUMENT["total_minor"]] + row[_DOCUMENT["rounding_minor"]]
    ]
    for row in tables.appended["document_foreign_cash"]:
        currency, minor = row[_FOREIGN["currency"]], row[_FOREIGN["foreign_minor"]]
        digits = CURRENCIES[CURRENCY].digits - CURRENCIES[currency].digits
        value = Fraction(minor * row[_FOREIGN["rate_e8"]], 10**8) * Fraction(10) ** digits
        booked = worth.get((row[0], row[1], row[_FOREIGN["tender"]]))
        if booked is None or abs(booked - value) > Fraction(1, 2):
            found.append(f"cash: {minor} of {currency} are booked as {booked}, and were worth {float(value)}")
    return found
