"""Rows of customers' entries: who and where, never what is known of a person (PO7)."""

import msgspec

from holdfast.core.bounds import id_refusal
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.ingest.rows import Rows
from holdfast.core.journal.bodies import CustomerChanged, CustomerCreated
from holdfast.core.journal.entry import Entry, Unprojectable
from holdfast.core.journal.personal import NONCE_BYTES

CustomerBody = CustomerCreated | CustomerChanged
CREATED, CHANGED = "created", "changed"


def customer_problem(body: msgspec.Struct) -> Unprojectable | None:
    """Why an entry of a customer can make no row; None: it can, or it is none."""
    if not isinstance(body, CustomerBody):
        return None
    wrong = id_refusal("the customer's number", body.customer) or id_refusal(
        "the person's id", body.sealed.person
    )
    if wrong is not None:
        return Unprojectable("invalid-customer", wrong.sentence)
    if len(body.sealed.nonce) != NONCE_BYTES:
        return Unprojectable("invalid-customer", "the personal data is not sealed as it must be")
    return None


def project_customer(rows: Rows, chain: int, entry: Entry, body: CustomerBody, origin: OriginFacts) -> None:
    """Adds the row of one entry. Its key comes another way, so what it seals is looked at later."""
    kind = CREATED if isinstance(body, CustomerCreated) else CHANGED
    revision = 1 if isinstance(body, CustomerCreated) else body.revision
    place = (chain, entry.seq, origin.origin, entry.at_ms)
    rows.appended["customer_entry"].append(
        (*place, kind, body.customer, body.sealed.person, revision, body.by)
    )
