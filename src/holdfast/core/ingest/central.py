"""Events of central value in the entries that come: what they move, and which keys they end."""

from holdfast.core.central.accounts import HoldKey, Kind
from holdfast.core.central.entries import (
    AllowanceReturned,
    AllowanceTaken,
    HoldAsked,
    HoldEnded,
    ValueMovement,
    expected_amount,
    movement_problem,
)
from holdfast.core.central.settle import GrantTold, KeyAsked, KeyEnded, Moved, Place
from holdfast.core.ids import TransactionId
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.ingest.rows import Rows
from holdfast.core.journal.entry import Entry, Unprojectable
from holdfast.core.sale import Sale, TransactionVoided

CentralBody = HoldAsked | HoldEnded | TransactionVoided | AllowanceTaken | AllowanceReturned
_KINDS = frozenset(Kind)
VOIDED = "voided"


def central_problem(sale: Sale) -> Unprojectable | None:
    """Why a document's movements cannot be true; None: they can. Each tender of central value has its own."""
    keys: set[str] = set()
    moved: set[int] = set()
    for movement in sale.values:
        wrong = movement_problem(movement.kind, movement.act, movement) or _beside(sale, movement)
        if wrong is None and movement.key and movement.key in keys:
            wrong = "two movements settle one hold"
        if wrong is None and movement.tender in moved:
            wrong = "two movements are one tender"
        if wrong is not None:
            return Unprojectable("central-value", wrong)
        keys.add(movement.key)
        if movement.tender:
            moved.add(movement.tender)
    for number, tender in enumerate(sale.tenders, 1):
        if tender.kind in _KINDS and number not in moved:
            return Unprojectable("central-value", f"tender {number} is {tender.kind}, and nothing moves it")
    return None


def _beside(sale: Sale, movement: ValueMovement) -> str | None:
    """What does not fit between a movement and the line or tender that it is."""
    if movement.tender:
        if not 0 < movement.tender <= len(sale.tenders):
            return f"there is no tender {movement.tender}"
        tender = sale.tenders[movement.tender - 1]
        if tender.kind != movement.kind:
            return f"tender {movement.tender} is {tender.kind}, not {movement.kind}"
        amount_minor = tender.amount_minor
    elif movement.line:
        if not 0 < movement.line <= len(sale.lines):
            return f"there is no line {movement.line}"
        amount_minor = sale.lines[movement.line - 1].amount_minor
    else:
        return None
    return None if expected_amount(movement, amount_minor) else "it moves another amount than is charged"


def project_values(
    rows: Rows, chain: int, entry: Entry, sale: Sale, origin: OriginFacts, posting_period: str
) -> None:
    """The movements of a document that was validated, to be settled with the batch."""
    for ordinal, movement in enumerate(sale.values, 1):
        rows.values.append(
            Moved(
                place=Place(chain, entry.seq, ordinal),
                origin=origin.origin,
                epoch=entry.epoch,
                store=origin.store,
                business_date=entry.date,
                posting_period=posting_period,
                at_ms=entry.at_ms,
                transaction=sale.transaction,
                currency=sale.currency,
                movement=movement,
            )
        )


def project_central(rows: Rows, chain: int, entry: Entry, body: CentralBody, origin: OriginFacts) -> None:
    """The keys that the till asked for, those that it gave up, and what it says of allowances."""
    place = Place(chain, entry.seq, 0)
    match body:
        case HoldAsked():
            rows.values.append(
                KeyAsked(
                    place=place, origin=origin.origin, key=body.key, kind=body.kind, act=body.act,
                    account=body.account, number_end=body.number_end, transaction=body.transaction,
                    at_ms=entry.at_ms,
                )
            )  # fmt: skip
        case AllowanceTaken() | AllowanceReturned():
            rows.values.append(
                GrantTold(
                    place=place, origin=origin.origin, epoch=entry.epoch, grant=body.grant,
                    returned=isinstance(body, AllowanceReturned), at_ms=entry.at_ms,
                )
            )  # fmt: skip
        case HoldEnded():
            _end_keys(rows, place, entry, origin, body.transaction, (body.key,), body.cause)
        case TransactionVoided():
            _end_keys(rows, place, entry, origin, body.transaction, body.held, VOIDED)


def _end_keys(
    rows: Rows,
    place: Place,
    entry: Entry,
    origin: OriginFacts,
    transaction: str,
    keys: tuple[HoldKey, ...],
    cause: str,
) -> None:
    for key in keys:
        rows.values.append(
            KeyEnded(
                place=place, origin=origin.origin, key=key, transaction=TransactionId(transaction),
                cause=cause, at_ms=entry.at_ms,
            )
        )  # fmt: skip
