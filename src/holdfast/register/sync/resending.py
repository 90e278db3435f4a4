"""Sending again what head office holds already, because it asked: after it repaired what it made of entries.

Head office passes over each entry that it holds under the same hash, so nothing has a second effect (P2).
"""

from collections.abc import Mapping
from typing import NamedTuple

from holdfast.core.faults import MalformedFault
from holdfast.core.ids import EpochId
from holdfast.register.sync.books import Books

SEQ_CHARS_MAX = 15


class Resend(NamedTuple):
    """What one command has sent again."""

    epoch: EpochId
    first_seq: int
    last_seq: int
    """The epoch's head when the command came: later entries go up by themselves."""
    applied_seq: int
    """Up to here head office had it before."""
    purged: int
    """Entries that were wanted and are here no more."""


def plan_resend(books: Books, arguments: Mapping[str, str]) -> Resend | str:
    """What to send again; a sentence where there is nothing. MalformedFault: there is no such place.

    Arguments: `epoch` (the newest by default) and `seq` (1 by default), from which on to send.
    """
    heads = books.journal.heads()
    wanted = arguments.get("epoch", "") or (heads[-1].epoch if heads else "")
    head = next((head for head in heads if head.epoch == wanted), None)
    if head is None:
        raise MalformedFault(f"this register has no epoch {wanted[:64]!r}")
    text = arguments.get("seq", "") or "1"
    if not (text.isdecimal() and text.isascii()) or len(text) > SEQ_CHARS_MAX or int(text) < 1:
        raise MalformedFault(f"seq = {text[:20]!r} is not the number of an entry")
    seq = int(text)
    if seq > head.seq:
        return f"nothing: the epoch's last entry is {head.seq:,}"
    first = books.till.first_kept_seq(head.epoch, seq)
    if first is None:
        return f"nothing: entries {seq:,} to {head.seq:,} were purged here, being safe at head office"
    applied = books.reference.applied().get(head.epoch, 0)
    return Resend(head.epoch, first, head.seq, min(applied, head.seq), first - seq)


def outcome_of(resend: Resend) -> str:
    """What was done, in numbers."""
    known = max(0, resend.applied_seq - resend.first_seq + 1)
    sent = resend.last_seq - resend.first_seq + 1
    purged = f"; {resend.purged:,} before them were purged here" if resend.purged else ""
    return (
        f"entries {resend.first_seq:,} to {resend.last_seq:,} sent again: {sent:,}, of which head office "
        f"held {known:,} before and {sent - known:,} were new to it{purged}"
    )
