"""Mutants of what goes up: journal, cursors, receipts, ingest, and what is shown of it."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from holdfast.core import business_day
from holdfast.core.ingest import decide
from holdfast.core.journal import epochs
from holdfast.core.journal.chain import SignedHead
from holdfast.core.sync import cursors, receiver
from holdfast.core.sync.sender import Sender
from holdfast.hq import ingest, offers
from holdfast.hq.ingest import Ingest
from holdfast.simulation import disk, head_office, register, stores
from holdfast.simulation.disk import DiskJournal
from tests.simulation.mutants.registry import mutant


@mutant("P1: head office lost acknowledged state", seed=2, days=1, registers=1)
def ack_before_commit(patch: pytest.MonkeyPatch) -> None:
    """A batch is acknowledged though its transaction never committed."""
    patch.setattr(stores.SimStore, "fails_silently", True)


@mutant("P2", days=2, registers=1)
def dedupe_dropped(patch: pytest.MonkeyPatch) -> None:
    """What is stored already is not passed over."""
    original = decide._skip_known

    def skip_known(facts: Any, stretch: Any, start: Any) -> Any:
        _, _, *rest = original(facts, stretch, start)
        return (start, 0, *rest)

    patch.setattr(decide, "_skip_known", skip_known)


@mutant("P2: reference", plan="backwards", seed=3, days=6, registers=2)
def reference_dedupe_dropped(patch: pytest.MonkeyPatch) -> None:
    """A document that stands already under its external reference takes effect again."""
    original = decide.prepare_entry

    def prepare_entry(*arguments: Any) -> decide.PreparedEntry:
        entry = original(*arguments)
        return decide.PreparedEntry(entry.stored, entry.entry, entry.body, None)

    patch.setattr(decide, "prepare_entry", prepare_entry)


@mutant("P1", seed=3, days=1, registers=1)
def cursor_off_by_one(patch: pytest.MonkeyPatch) -> None:
    """The sender believes the receiver to be one entry further than it is."""
    original = Sender._common_seq

    def common_seq(self: Sender, *arguments: Any) -> int:
        return original(self, *arguments) + 1

    patch.setattr(Sender, "_common_seq", common_seq)


@mutant("dates:", seed=3, days=1, registers=1)
def clock_trusted_for_dates(patch: pytest.MonkeyPatch) -> None:
    """A business date follows the clock, wherever the last one stood, and asks nobody."""
    patch.setattr(business_day, "offered_date", lambda state, offer: business_day.date_of(offer.clock_ms, 0))
    patch.setattr(business_day, "_goes_back", lambda state, business_date: False)
    patch.setattr(business_day, "needs_manager", lambda state, offer, business_date: False)


@mutant("epochs:", plan="backwards", seed=6, days=2, registers=1)
def clock_trusted_for_order(patch: pytest.MonkeyPatch) -> None:
    """Epochs stand in the order of their times, not of their opening: the newest need not be the last."""

    def heads(self: DiskJournal) -> Sequence[SignedHead]:
        by_time = sorted(self._database.epochs, key=lambda epoch: epoch.opened_at_ms)
        return [self._sign(epoch.head.position) for epoch in by_time]

    patch.setattr(DiskJournal, "heads", heads)


@mutant("P2: head office holds", seed=2, days=1, registers=1)
def signature_unchecked(patch: pytest.MonkeyPatch) -> None:
    """Whoever names a register's key is taken for it."""
    patch.setattr(receiver, "head_holds", lambda head, public_key, verify: True)


@mutant("P4", seed=5, days=2, registers=1)
def epoch_not_opened_after_a_restore(patch: pytest.MonkeyPatch) -> None:
    """The database is believed, whatever the high-water mark remembers."""
    original = epochs.at_start

    def at_start(head: Any, mark: Any, hash_at: Any) -> Any:
        return original(head, mark, hash_at) if head is None else None

    patch.setattr(epochs, "at_start", at_start)


@mutant("P4", seed=8, days=1, registers=2)
def epoch_not_opened_at_contact(patch: pytest.MonkeyPatch) -> None:
    """A copy of a register is told of the other one, and goes on."""
    patch.setattr(epochs, "at_contact", lambda head, tips, hash_at: None)


@mutant("P1", seed=6, days=3, registers=2)
def purge_at_applied(patch: pytest.MonkeyPatch) -> None:
    """An applied entry is purged though no backup of head office holds it yet."""

    def purge_through(receipts: Any, epoch: Any, keep_from_seq: int) -> int:
        levelled = [msgspec.structs.replace(receipt, level="safe") for receipt in receipts]
        return cursors.purge_through(levelled, epoch, keep_from_seq)

    patch.setattr(register, "purge_through", purge_through)


@mutant("P6", days=1, registers=1)
def claims_ignored(patch: pytest.MonkeyPatch) -> None:
    """What is here is taken for all that there is, whatever a register claimed."""
    original = head_office.owing_of_epoch

    def owing_of_epoch(known: Any, *arguments: Any) -> Any:
        known = msgspec.structs.replace(known, claimed_seq=known.applied_seq, is_open=True)
        return original(known, *arguments)

    patch.setattr(head_office, "owing_of_epoch", owing_of_epoch)


@mutant("P4", plan="backwards", seed=6, days=2, registers=1)
def fork_unreported(patch: pytest.MonkeyPatch) -> None:
    """Both branches are kept, and nobody is told."""
    original = decide._place

    def place(facts: Any, prepared: Any, rows: Any, *arguments: Any) -> Any:
        found = original(facts, prepared, rows, *arguments)
        rows.appended["alert"] = [row for row in rows.appended["alert"] if row[0] != "fork"]
        return found

    patch.setattr(decide, "_place", place)


@mutant("P1", seed=8, days=1, registers=1)
def lost_state_unnoticed(patch: pytest.MonkeyPatch) -> None:
    """A restored head office asks for nothing: a register that owes nothing offers nothing."""
    patch.setattr(offers, "_is_unclear", lambda transaction, origin, head: False)


@mutant("P10", seed=6, days=2, registers=2)
def quarantine_never_tried_again(patch: pytest.MonkeyPatch) -> None:
    """What waited for an upgrade waits for ever."""
    patch.setattr(Ingest, "retry_quarantine", lambda self: (0, 0))


@mutant("P6: an old word", days=1, registers=1)
def old_word_counts(patch: pytest.MonkeyPatch) -> None:
    """A heartbeat said again refreshes what head office knows."""
    patch.setattr(ingest, "is_fresh", lambda named, given, incarnation: True)


@mutant("P6", days=1, registers=1)
def ended_epoch_owes_nothing(patch: pytest.MonkeyPatch) -> None:
    """An epoch that ended without a closing entry is taken for complete."""
    original = head_office.owing_of_epoch

    def owing_of_epoch(known: Any, *arguments: Any) -> Any:
        return original(msgspec.structs.replace(known, is_open=True), *arguments)

    patch.setattr(head_office, "owing_of_epoch", owing_of_epoch)


@mutant("not drained", seed=5, days=1, registers=3)
def cut_behind_an_unreadable_entry(patch: pytest.MonkeyPatch) -> None:
    """A batch goes on over an entry that the disk lost, though nothing proves what stands before it."""
    patch.setattr(disk, "proved_count", len)


@mutant("P10", "worn", seed=6, days=4, registers=3)
def bytes_that_come_late_ignored(patch: pytest.MonkeyPatch) -> None:
    """An entry that once came as a hash stays one."""
    original = decide._skip_known

    def skip_known(facts: Any, stretch: Any, start: Any) -> Any:
        chain, index, _ = original(facts, stretch, start)
        return chain, index, ()

    patch.setattr(decide, "_skip_known", skip_known)
