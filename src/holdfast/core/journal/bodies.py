"""Every entry type with its version and body: the journal's vocabulary."""

import msgspec

from holdfast.core.business_day import DayClosed, DayOpened
from holdfast.core.cash.moves import CashMoved, DrawerOpened
from holdfast.core.cash.shift import ShiftClosed, ShiftOpened
from holdfast.core.cash.z_report import ZReport
from holdfast.core.central.entries import AllowanceReturned, AllowanceTaken, HoldAsked, HoldEnded
from holdfast.core.drill import DrillEnded, DrillStarted
from holdfast.core.ids import DocumentNumber, EpochId, StaffId
from holdfast.core.journal.chain import Position
from holdfast.core.journal.entry import BodyRegistry
from holdfast.core.journal.personal import Sealed
from holdfast.core.loyalty.switched import LoyaltySwitched
from holdfast.core.operations.approval import OperationApproved
from holdfast.core.sale import AccountAdjusted, Sale, StockAdjusted, TransactionVoided
from holdfast.core.stock.entries import StockCounted, StockTransferred
from holdfast.core.work_mode import WorkModeChanged


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """Where the former epoch stood when this one opened."""

    epoch: EpochId
    seq: int
    hash: bytes
    claimed_seq: int
    """Highest head of the former epoch that this origin remembers, by its high-water mark.

    Above `seq` where a restore lost entries: head office *may owe* up to it (P6)."""


class EpochOpened(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """First entry of every epoch."""

    cause: str
    """`enrolled`, `restored`, `replaced`, `forked`, `damaged`."""
    series: str
    segment: str
    software: str
    key_id: str
    parent: Parent | None = None
    remembered: Position | None = None
    """What this origin's high-water mark names and its database lost: head office *may owe* that epoch
    up to there, even if it never heard of it (P6)."""


RETIRED = "retired"
"""The cause of an epoch's end that is its register's end too."""


class EpochClosed(msgspec.Struct, frozen=True, kw_only=True):
    """Last entry of an epoch that ended in order: nothing after it can be owed."""

    cause: str
    """`RETIRED`: its register goes on in no other one."""


class ConnectionChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The connection state changed (SW2); journalled with its cause."""

    before: str
    after: str
    cause: str


class CommandDone(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A command from head office was carried out, or could not be."""

    command: str
    kind: str
    outcome: str
    """`done` or `failed`."""
    detail: str = ""


class KeyRotated(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Once head office knows of it, this origin signs with another key."""

    key_id: str
    public_key: bytes
    replaces: str = ""
    """The key that gives way. Empty, as older versions wrote it: every one that is in force."""


class ReceiptReprinted(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Somebody had a copy of a receipt printed (PO4)."""

    of: DocumentNumber
    by: StaffId
    approved_by: StaffId = StaffId("")


class CustomerCreated(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A customer made at this origin; the personal data only under that person's key."""

    customer: str
    sealed: Sealed
    by: StaffId = StaffId("")


class CustomerChanged(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is known of a customer changed here; all of it anew, sealed as above."""

    customer: str
    sealed: Sealed
    revision: int
    """Above the one that was known here, so that the newer word wins where two meet."""
    by: StaffId = StaffId("")


TYPES: dict[tuple[str, int], type[msgspec.Struct]] = {
    ("epoch_opened", 1): EpochOpened,
    ("epoch_closed", 1): EpochClosed,
    ("day_opened", 1): DayOpened,
    ("day_closed", 1): DayClosed,
    ("shift_opened", 1): ShiftOpened,
    ("shift_closed", 1): ShiftClosed,
    ("cash_moved", 1): CashMoved,
    ("drawer_opened", 1): DrawerOpened,
    ("z_report", 1): ZReport,
    ("sale", 1): Sale,
    ("return", 1): Sale,
    ("transaction_voided", 1): TransactionVoided,
    ("stock_adjusted", 1): StockAdjusted,
    ("stock_counted", 1): StockCounted,
    ("stock_transferred", 1): StockTransferred,
    ("account_adjusted", 1): AccountAdjusted,
    ("connection_changed", 1): ConnectionChanged,
    ("work_mode_changed", 1): WorkModeChanged,
    ("drill_started", 1): DrillStarted,
    ("drill_ended", 1): DrillEnded,
    ("operation_approved", 1): OperationApproved,
    ("command_done", 1): CommandDone,
    ("key_rotated", 1): KeyRotated,
    ("customer_created", 1): CustomerCreated,
    ("customer_changed", 1): CustomerChanged,
    ("receipt_reprinted", 1): ReceiptReprinted,
    ("loyalty_switched", 1): LoyaltySwitched,
    ("hold_asked", 1): HoldAsked,
    ("hold_ended", 1): HoldEnded,
    ("allowance_taken", 1): AllowanceTaken,
    ("allowance_returned", 1): AllowanceReturned,
}

DOCUMENT_TYPES = frozenset(
    {"sale", "return", "stock_adjusted", "stock_counted", "stock_transferred", "account_adjusted"}
)
"""Types that take a document number and make rows at head office."""

REGISTRY = BodyRegistry(TYPES)
