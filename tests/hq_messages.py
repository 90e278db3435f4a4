"""What a sample journal says to head office beside its batches."""

from holdfast.core.ids import OriginId
from holdfast.core.sync.messages import (
    EpochOffer,
    Heartbeat,
    Offer,
    SignedStatement,
    encode,
    heartbeat_statement,
)
from holdfast.core.sync.sender import sample_seqs
from tests.journal_samples import SampleJournal

HEARD: dict[OriginId, str] = {}
"""What head office's last answer told each origin to name in its next word."""


def offer_of(journal: SampleJournal) -> Offer:
    """All that it has, as a sender offers it."""
    return Offer(
        origin=journal.origin,
        epochs=tuple(
            EpochOffer(
                head=head,
                samples=tuple(
                    (seq, hash)
                    for seq in sample_seqs(head.seq)
                    if (hash := journal.hash_at(head.epoch, seq)) is not None
                ),
            )
            for head in journal.heads()
        ),
        receipts=tuple(journal.kept),
    )


def heartbeat_of(journal: SampleJournal, clock_ms: int, **fields: object) -> SignedStatement:
    """Its signed word, at its own clock."""
    said: dict[str, object] = {"owed_count": 0, "owed_minor": 0, "currency": "GBP", "offset_min": 0}
    statement = encode(
        Heartbeat(
            origin=journal.origin,
            clock_ms=clock_ms,
            head=None if journal.head is None else journal.position,
            **({"nonce": HEARD.get(journal.origin, "life1")} | said | fields),  # type: ignore[arg-type]
        )
    )
    return SignedStatement(
        statement=statement,
        key_id=journal.key.key_id,
        signature=journal.key.sign(heartbeat_statement(statement)),
    )
