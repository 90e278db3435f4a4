"""Mutants of the shipped code that the simulation must catch: each breaks one rule in one place."""

from collections.abc import Callable
from typing import Any

import pytest

from holdfast.core import business_day
from holdfast.core.ingest import decide
from holdfast.core.journal import epochs
from holdfast.core.sync import cursors, receiver
from holdfast.core.sync.messages import Receipt
from holdfast.core.sync.sender import Sender
from holdfast.simulation import register, stores

Patch = Callable[[pytest.MonkeyPatch], None]


def ack_before_commit(patch: pytest.MonkeyPatch) -> None:
    """A batch is acknowledged though its transaction never committed."""
    patch.setattr(stores.SimStore, "fails_silently", True)


def dedupe_dropped(patch: pytest.MonkeyPatch) -> None:
    """What is stored already is not passed over."""
    patch.setattr(decide, "_skip_known", lambda facts, prepared, chain: (chain, 0))


def reference_dedupe_dropped(patch: pytest.MonkeyPatch) -> None:
    """A document that stands already under its external reference takes effect again."""
    original = decide.prepare_entry

    def prepare_entry(*arguments: Any) -> decide.PreparedEntry:
        entry = original(*arguments)
        return decide.PreparedEntry(entry.stored, entry.entry, entry.body, None)

    patch.setattr(decide, "prepare_entry", prepare_entry)


def cursor_off_by_one(patch: pytest.MonkeyPatch) -> None:
    """The sender believes the receiver to be one entry further than it is."""
    original = Sender._common_seq

    def common_seq(self: Sender, *arguments: Any) -> int:
        return original(self, *arguments) + 1

    patch.setattr(Sender, "_common_seq", common_seq)


def clock_trusted_for_order(patch: pytest.MonkeyPatch) -> None:
    """A business date follows the clock, wherever the last one stood."""
    patch.setattr(business_day, "offered_date", lambda state, offer: business_day.date_of(offer.clock_ms, 0))


def signature_unchecked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(receiver, "head_holds", lambda head, public_key, verify: True)


def epoch_not_opened_after_a_restore(patch: pytest.MonkeyPatch) -> None:
    original = epochs.at_start

    def at_start(head: Any, mark: Any, hash_at: Any) -> Any:
        return original(head, mark, hash_at) if head is None else None

    patch.setattr(epochs, "at_start", at_start)


def epoch_not_opened_at_contact(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(epochs, "at_contact", lambda head, tips, hash_at: None)


def purge_at_applied(patch: pytest.MonkeyPatch) -> None:
    """An applied entry is purged though no backup of head office holds it yet."""
    original = cursors.purge_through

    def purge_through(receipts: Any, epoch: Any, keep_from_seq: int) -> int:
        levelled = [
            Receipt(**{**{f: getattr(r, f) for f in r.__struct_fields__}, "level": "safe"}) for r in receipts
        ]
        return original(levelled, epoch, keep_from_seq)

    patch.setattr(register, "purge_through", purge_through)


MUTANTS: dict[str, Patch] = {
    mutant.__name__: mutant
    for mutant in (
        ack_before_commit,
        dedupe_dropped,
        reference_dedupe_dropped,
        cursor_off_by_one,
        clock_trusted_for_order,
        signature_unchecked,
        epoch_not_opened_after_a_restore,
        epoch_not_opened_at_contact,
        purge_at_applied,
    )
}
