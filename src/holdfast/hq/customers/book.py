"""The book of customers: what head office does with them. Thread-safe; each method is one transaction.

What a register wrote of a person is sealed in its entry, and the key comes another way: an entry whose key is
not here yet makes a customer whose name is to come.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg
import structlog

from holdfast.core.bounds import id_refusal, reason_refusal
from holdfast.core.customers import CustomerRow, Details, details_refusal, open_details, words_of
from holdfast.core.faults import KeyFault, MalformedFault
from holdfast.core.ids import CustomerNumber, OriginId
from holdfast.core.journal.bodies import REGISTRY, CustomerChanged, CustomerCreated
from holdfast.core.journal.entry import decode_entry
from holdfast.core.journal.personal import PERSON_KEY_BYTES
from holdfast.core.refusals import Refusal
from holdfast.core.sync.person_keys import KeyOfPerson, PersonKeys, PersonKeysTaken
from holdfast.hq.customers.views import CustomerPage, Merge, merged_details
from holdfast.hq.feeds import Feeds
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

SETTLED_AT_ONCE = 500
PUBLISHED_AT_ONCE = 2_000
FEED = "customers"
_TABLES = ("customer", "customer_word", "person_key", "feed_row")
"""Where a person stood: swept once somebody was forgotten, so that no page of theirs has the name."""
_sql = load_queries("holdfast.hq.customers", "customers.sql", Engine.POSTGRES)
_log = structlog.get_logger(__name__)

GONE = Refusal("customer.gone", "There is no such customer any more. Search again.")
_STALE = Refusal(
    "customer.stale", "Somebody changed one of the two meanwhile, so nothing was merged. Look again."
)
_TYPED = Refusal("customer.typed", "Type the customer's number as it stands above. Nothing was forgotten.")


class CustomerBook:
    """Over a pool and the feeds."""

    def __init__(self, pool: Pool, feeds: Feeds, clock: Clock) -> None:
        self._pool = pool
        self._feeds = feeds
        self._clock = clock

    # ---- from registers --------------------------------------------------------------------------

    def take_keys(self, origin: OriginId, sent: PersonKeys) -> PersonKeysTaken:
        """Keys of persons, and who was forgotten as far as that register heard. Sent again: no effect."""
        now_ms = self._clock.now_ms()
        keys = [each for each in sent.keys if _is_key(each)]
        told = [number for number in sent.forgotten if id_refusal("", number) is None]
        with self._pool.connection() as conn:
            unheard = set(told) - _forgotten(conn, told)
            for number in sorted(unheard):
                # Head office was put back from a backup: it told this register so itself, once.
                _sql.add(conn, number=number, revision=1, origin="", chain=0, at_ms=now_ms)
                _forget(conn, [number], now_ms, str(origin), "Forgotten before head office was restored.")
            gone = _forgotten(conn, [each.customer for each in keys])
            for each in keys:
                if each.customer not in gone:
                    _sql.add_key(
                        conn,
                        person=each.person,
                        origin=origin,
                        customer=each.customer,
                        key=each.key,
                        at_ms=now_ms,
                    )
        if unheard:
            self._sweep()
        return PersonKeysTaken(forgotten=tuple(sorted(CustomerNumber(number) for number in gone)))

    def settle(self) -> int:
        """Make of entries what can be made of them now; how many were looked at."""
        with self._pool.connection() as conn:
            found = list(_sql.open_entries(conn, limit=SETTLED_AT_ONCE))
            for row in found:
                _settle(conn, row)
        return len(found)

    # ---- down ------------------------------------------------------------------------------------

    def publish(self) -> int:
        """What changed, into the feed; how many."""
        with self._pool.connection() as conn:
            found = list(_sql.unpublished(conn, limit=PUBLISHED_AT_ONCE))
        if not found:
            return 0
        rows: dict[str, CustomerRow | None] = {}
        for number, revision, name, email, phone, address, note, into, is_forgotten, _ in found:
            details = None
            if into is None and not is_forgotten and name is not None:
                details = Details(name=name, email=email, phone=phone, address=address, note=note)
            if into is not None or is_forgotten or details is not None:
                rows[number] = CustomerRow(
                    number=number, revision=revision, details=details, into=into, forgotten=is_forgotten
                )
        self._feeds.put(FEED, rows)
        with self._pool.connection() as conn:
            _sql.published(conn, numbers=[row[0] for row in found], changes=[row[-1] for row in found])
        return len(found)

    # ---- reading ---------------------------------------------------------------------------------

    def one(self, number: str) -> CustomerPage | None:
        """All that is known of one."""
        with self._pool.connection() as conn:
            return CustomerPage.read(_sql, conn, number)

    def preview(self, number: str, into: str) -> Merge | Refusal:
        """What merging would do; nothing is done."""
        with self._pool.connection() as conn:
            one, other = CustomerPage.read(_sql, conn, number), CustomerPage.read(_sql, conn, into)
        if one is None or other is None or number == into:
            return Refusal("customer.unknown", "Give the number of another customer, as its page shows it.")
        if one.is_gone or other.is_gone:
            return Refusal(
                "customer.merged", "One of the two was forgotten or merged already. Choose another one."
            )
        return Merge(one, other, merged_details(other.details, one.details))

    # ---- what people do --------------------------------------------------------------------------

    def change(self, number: str, details: Details, revision: int, by: str) -> Refusal | None:
        """Head office's own word on a customer."""
        if refusal := details_refusal(details):
            return refusal
        with self._pool.connection() as conn:
            known = _sql.lock(conn, number=number)
            if known is None or known[8] is not None:
                return GONE
            if known[1] != revision:
                return Refusal(
                    "customer.stale", "Somebody changed this customer meanwhile. Look again, then change it."
                )
            _put(conn, number, known[1] + 1, details, self._clock.now_ms(), by, 0)
        return None

    def merge(self, number: str, into: str, revisions: tuple[int, int], by: str) -> Refusal | None:
        """`number` answers with `into` from now on. `revisions`: of both, as the preview showed them."""
        now_ms = self._clock.now_ms()
        with self._pool.connection() as conn:
            locked = {each: _sql.lock(conn, number=each) for each in sorted({number, into})}
            one, other = locked[number], locked[into]
            if one is None or other is None or number == into or _is_gone(one) or _is_gone(other):
                return GONE
            if (one[1], other[1]) != revisions:
                return _STALE
            merged = merged_details(_details(other), _details(one))
            if merged is not None:
                _put(conn, into, other[1] + 1, merged, now_ms, by, 0)
            _sql.set_into(conn, number=number, into_number=into, at_ms=now_ms, by=by)
        return None

    def separate(self, number: str, by: str) -> Refusal | None:
        """Undo a merge: the number stands for itself again, with what was known of it."""
        with self._pool.connection() as conn:
            known = _sql.lock(conn, number=number)
            if known is None or known[7] is None or known[8] is not None:
                return GONE
            _sql.set_into(conn, number=number, into_number=None, at_ms=self._clock.now_ms(), by=by)
        return None

    def forget(self, number: str, reason: str, typed: str, by: str) -> Refusal | None:
        """Destroy the keys of a person and all that is known of them, under every number that was merged into
        this one. It cannot be undone; sales stay, with the bare number."""
        if typed.strip() != number:
            return _TYPED
        if refusal := reason_refusal(reason):
            return refusal
        with self._pool.connection() as conn:
            known = _sql.lock(conn, number=number)
            if known is None or known[8] is not None:
                return GONE
            numbers = [number, *(row[0] for row in _sql.merged_into(conn, number=number))]
            _forget(conn, numbers, self._clock.now_ms(), by, reason)
        self.publish()
        self._sweep()
        return None

    def load(self, rows: Mapping[str, CustomerRow], by: str = "") -> int:
        """Take the rows of a file; how many say something new. Who was forgotten or merged stays so."""
        with self._pool.connection() as conn:
            numbers = sorted(rows)
            known = {row[0]: row[1:] for row in _sql.known(conn, numbers=numbers)}
            taken = [rows[number] for number in numbers if _is_new(known.get(number), rows[number])]
            said = [row.details for row in taken if row.details is not None]
            _sql.load(
                conn,
                numbers=[row.number for row in taken],
                names=[each.name for each in said],
                emails=[each.email for each in said],
                phones=[each.phone for each in said],
                addresses=[each.address for each in said],
                notes=[each.note for each in said],
                at_ms=self._clock.now_ms(),
                by=by,
            )
            _put_words(conn, {row.number: row.details for row in taken if row.details is not None})
        while self.publish() == PUBLISHED_AT_ONCE:
            pass
        return len(taken)

    def _sweep(self) -> None:
        """Let the database give back the room of rows that are gone; what it cannot now, it does later."""
        try:
            with self._pool.connection() as conn:
                conn.commit()
                conn.autocommit = True
                try:
                    for table in _TABLES:
                        conn.execute(f"vacuum {table}".encode())
                finally:
                    conn.autocommit = False
        except psycopg.Error as error:
            _log.warning("customers.not-swept", cause=str(error))


def _is_key(sent: KeyOfPerson) -> bool:
    """Whether it can be kept at all; one that cannot stops no other."""
    wrong = id_refusal("", sent.person) or id_refusal("", sent.customer)
    return wrong is None and len(sent.key) == PERSON_KEY_BYTES


# ---- within a transaction ------------------------------------------------------------------------


def _settle(conn: Any, row: Sequence[Any]) -> None:
    arrival, chain, _, origin, at_ms, kind, number, person, revision, staff, state, data, key = row
    if state == "new":
        made = _made(conn, number, origin, chain, at_ms, is_made=kind == "created")
        if made != number:
            _sql.rename(conn, arrival=arrival, number=made, person=person, origin=origin)
            number = made
    known = _sql.lock(conn, number=number)
    assert known is not None, "the customer of an entry was made"
    if known[8] is not None:
        _sql.set_state(conn, arrival=arrival, state="done")
        return
    if key is None:
        _sql.set_state(conn, arrival=arrival, state="waits")
        return
    details = _opened(bytes(data), bytes(key))
    if details is not None and arrival > known[9]:
        newer = max(revision, known[1] + 1) if known[2] is not None else max(revision, known[1])
        _put(conn, number, newer, details, at_ms, staff, arrival)
    _sql.set_state(conn, arrival=arrival, state="unreadable" if details is None else "done")


def _made(conn: Any, number: str, origin: str, chain: int, at_ms: int, *, is_made: bool) -> str:
    """The customer is there; its number, marked where two copies of one register gave it to two people."""
    known = _sql.lock(conn, number=number)
    if is_made and known is not None and known[10] not in (0, chain):
        number = f"{number}~{chain}"
        known = _sql.lock(conn, number=number)
    if known is None:
        _sql.add(conn, number=number, revision=1, origin=origin, chain=chain if is_made else 0, at_ms=at_ms)
    elif is_made and known[10] == 0 and known[8] is None:
        _sql.made_in(conn, number=number, origin=origin, chain=chain, at_ms=at_ms)
    return number


def _opened(data: bytes, key: bytes) -> Details | None:
    """What the entry says of the person; None: it cannot be read, and stops no other (P10)."""
    body = REGISTRY.decode(decode_entry(data))
    if not isinstance(body, CustomerCreated | CustomerChanged):
        return None
    try:
        details = open_details(body.sealed, key)
    except (KeyFault, MalformedFault):
        return None
    return None if details is None or details_refusal(details) else details


def _put(conn: Any, number: str, revision: int, details: Details, at_ms: int, by: str, arrival: int) -> None:
    _sql.set_details(
        conn,
        number=number,
        revision=revision,
        name=details.name,
        email=details.email,
        phone=details.phone,
        address=details.address,
        note=details.note,
        at_ms=at_ms,
        by=by,
        arrival=arrival,
    )
    _put_words(conn, {CustomerNumber(number): details})


def _put_words(conn: Any, customers: Mapping[CustomerNumber, Details]) -> None:
    pairs = [(word, number) for number, details in customers.items() for word in words_of(number, details)]
    _sql.drop_words(conn, numbers=list(customers))
    _sql.add_words(conn, words=[word for word, _ in pairs], numbers=[number for _, number in pairs])


def _forget(conn: Any, numbers: list[str], at_ms: int, by: str, reason: str) -> None:
    _sql.destroy_keys(conn, numbers=numbers)
    _sql.drop_words(conn, numbers=numbers)
    _sql.forget(conn, numbers=numbers, at_ms=at_ms, by=by, reason=reason)


def _forgotten(conn: Any, numbers: Collection[str]) -> set[str]:
    return {number for (number,) in _sql.forgotten_of(conn, numbers=list(numbers))}


def _is_gone(known: Sequence[Any]) -> bool:
    return known[7] is not None or known[8] is not None


def _details(known: Sequence[Any]) -> Details | None:
    name, email, phone, address, note = known[2:7]
    if name is None:
        return None
    return Details(name=name, email=email, phone=phone, address=address, note=note)


def _is_new(known: Sequence[Any] | None, row: CustomerRow) -> bool:
    if known is None:
        return True
    *said, is_gone = known
    details = row.details
    assert details is not None, "a file has customers"
    return not is_gone and said != [
        details.name, details.email, details.phone, details.address, details.note,
    ]  # fmt: skip
