"""Customers as the till's database keeps them: sealed, and their keys in a table of its own (PO7).

All that writes is within the caller's transaction.
"""

from typing import NamedTuple

import apsw

from holdfast.core.customers import CustomerRow, Details, open_details
from holdfast.core.faults import KeyFault, MalformedFault
from holdfast.core.ids import CustomerNumber, EpochId, customer_number
from holdfast.core.journal.personal import Sealed
from holdfast.infra.queries import Engine, load_queries
from holdfast.infra.sqlite import faults
from holdfast.register.till.places import last_place, place, seq_of

_QUERIES = load_queries(__name__.rpartition(".")[0], "customers.sql", Engine.SQLITE)


class PersonKey(NamedTuple):
    """A key as it is sent to head office."""

    person: str
    customer: CustomerNumber
    key: bytes


class Kept(NamedTuple):
    """What this register last wrote of a customer."""

    revision: int
    sealed: Sealed


def mark(connection: apsw.Connection) -> tuple[int, ...]:
    """Another one after each change."""
    return tuple(_QUERIES.customers_mark(connection))


def revisions(connection: apsw.Connection) -> dict[CustomerNumber, int]:
    """Every customer that was made or changed here."""
    return {CustomerNumber(number): revision for number, revision in _QUERIES.revisions(connection)}


def all_customers(connection: apsw.Connection) -> dict[CustomerNumber, Kept]:
    """All that is kept of them, as entries say it."""
    return {
        CustomerNumber(number): Kept(revision, Sealed(person=person, nonce=nonce, sealed=sealed))
        for number, revision, person, nonce, sealed in _QUERIES.all_customers(connection)
    }


def all_numbers(connection: apsw.Connection) -> set[CustomerNumber]:
    """Every number that this register gave."""
    return {CustomerNumber(number) for (number,) in _QUERIES.all_numbers(connection)}


def read_customer(connection: apsw.Connection, number: CustomerNumber) -> CustomerRow | None:
    """What this register last wrote of a customer; None: nothing, or nothing that can be read any more."""
    row = _QUERIES.customer(connection, number=number)
    if row is None:
        return None
    _, revision, person, nonce, sealed, key = row
    details = _open(Sealed(person=person, nonce=nonce, sealed=sealed), key)
    return None if details is None else CustomerRow(number=number, revision=revision, details=details)


def _open(sealed: Sealed, key: bytes | None) -> Details | None:
    try:
        return open_details(sealed, key)
    except (KeyFault, MalformedFault):
        return None  # one that cannot be read stops nobody from finding the others (P10)


def put_customer(connection: apsw.Connection, number: CustomerNumber, revision: int, sealed: Sealed) -> None:
    """Keep what an entry says."""
    _QUERIES.put_customer(
        connection,
        number=number,
        revision=revision,
        person=sealed.person,
        nonce=sealed.nonce,
        sealed=sealed.sealed,
    )


def take_number(connection: apsw.Connection, series: str, n: int, epoch: EpochId) -> CustomerNumber:
    """The next number of this epoch, which is the `n`-th here; taken."""
    last = _QUERIES.last_number(connection, first=place(n, 0), last=last_place(n))
    following = 1 if last is None else seq_of(last) + 1
    number = customer_number(series, epoch, following)
    _QUERIES.add_number(connection, id=place(n, following), number=number)
    return number


def key_of(connection: apsw.Connection, customer: CustomerNumber) -> tuple[str, bytes] | None:
    """The person's id and key that this customer's data is sealed with here."""
    return _QUERIES.key_of(connection, customer=customer)


def add_key(connection: apsw.Connection, person: str, customer: CustomerNumber, key: bytes) -> None:
    _QUERIES.add_key(connection, person=person, customer=customer, key=key)


def keys_mark(connection: apsw.Connection) -> tuple[int, ...]:
    """Another one whenever a key was made, or somebody forgotten."""
    with faults(connection):
        return tuple(_QUERIES.keys_mark(connection))


def persons(connection: apsw.Connection) -> list[str]:
    """Whose key was not destroyed."""
    with faults(connection):
        return [person for (person,) in _QUERIES.persons(connection)]


def person_key(connection: apsw.Connection, person: str) -> PersonKey | None:
    """The key; None: it was destroyed."""
    with faults(connection):
        row = _QUERIES.person_key(connection, person=person)
    return None if row is None else PersonKey(*row)


def forget(connection: apsw.Connection, number: CustomerNumber, at_ms: int) -> None:
    """Destroy the keys of this customer; entries stay, and the chain with them. Again: no effect."""
    _QUERIES.destroy_keys(connection, customer=number)
    _QUERIES.drop_customer(connection, number=number)
    _QUERIES.add_forgotten(connection, number=number, at_ms=at_ms)


def is_forgotten(connection: apsw.Connection, number: CustomerNumber) -> bool:
    return _QUERIES.is_forgotten(connection, number=number) is not None


def forgotten(connection: apsw.Connection) -> list[CustomerNumber]:
    """Everybody who was forgotten here."""
    with faults(connection):
        return [CustomerNumber(number) for (number,) in _QUERIES.forgotten(connection)]


def waits_for_erasing(connection: apsw.Connection) -> bool:
    """Whether the log may still hold a key that was destroyed."""
    return bool(_QUERIES.unerased(connection))


def erased(connection: apsw.Connection) -> None:
    """The log was emptied since."""
    _QUERIES.set_erased(connection)
