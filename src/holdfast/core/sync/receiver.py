"""The receiver: authenticates a batch before anyone looks into it.

A batch that does not authenticate is no record: it is refused and the register is shown as
*blocked: key*. What authenticates is stored, whatever is in it (P10).

Keys change. A current key opens sessions and signs any head of its origin, also one far back: a register
signs anew whatever it sends again (P2). A former key gave way at one place of the journal, the entry that
announced its successor; it opens no session, and vouches for heads up to there alone, so that batches
signed before it gave way may still come, by whatever way, and nothing new can be signed with it. A head
office that does not know the successor (yet, or any more, after a restore) takes the older key as current.
"""

from collections.abc import Mapping

import msgspec

from holdfast.core.faults import MalformedFault, TooLargeFault
from holdfast.core.ids import EpochId, KeyId, OriginId
from holdfast.core.journal.chain import SignedHead, Verify, head_holds
from holdfast.core.journal.entry import SEQ_END, is_id
from holdfast.core.sync.batch import Batch, UnprovedFault, decode_batch
from holdfast.core.sync.limits import OFFER_EPOCHS_MAX, OFFER_SAMPLES_MAX
from holdfast.core.sync.messages import Offer, decode

FORMER_KEY = "session.former-key"
"""As for a session that is over, the sender opens another, by its newest key, and signs anew."""


class Refused(msgspec.Struct, frozen=True):
    """Nothing was taken. Answered as problem details; the sender keeps what it has."""

    status: int
    code: str
    detail: str


class KeyLimit(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where a former key vouches."""

    epoch: EpochId | None = None
    """Of the entry that announced its successor; None where head office itself gave the origin another."""
    seq: int = 0
    """Of that entry."""
    epochs: frozenset[EpochId] = frozenset()
    """Other epochs that were here before the key gave way: what is written there was written before."""

    def covers(self, epoch: EpochId, seq: int) -> bool:
        return seq <= self.seq if epoch == self.epoch else epoch in self.epochs


class Keys(msgspec.Struct, frozen=True):
    """Public keys of one origin, former ones too: they stay valid for what they signed."""

    public: Mapping[KeyId, bytes]
    former: Mapping[KeyId, KeyLimit] = {}
    """Those of them that gave way to another, and where."""


def receive_batch(body: bytes, *, origins: Mapping[OriginId, Keys], verify: Verify) -> Batch | Refused:
    """The authenticated batch in `body`.

    `origins` are those that this session may speak for: a register for itself, a store server
    for the registers behind it.
    """
    try:
        batch = decode_batch(body)
    except TooLargeFault as fault:
        return Refused(413, "batch.too-large", fault.sentence)
    except UnprovedFault as fault:
        return Refused(400, fault.code, fault.sentence)
    except MalformedFault as fault:
        return Refused(400, "batch.malformed", fault.sentence)
    header, last = batch.header, batch.entries[-1]
    head = header.head
    if header.origin not in origins:
        return Refused(403, "batch.foreign-origin", f"this session may not send for {header.origin}")
    if (head.origin, head.epoch, head.seq) != (header.origin, header.epoch, last.seq):
        return Refused(400, "batch.head-elsewhere", "the signed head is not that of the batch's last entry")
    refused = _refuse_head(head, origins[header.origin], verify)
    if refused is not None:
        return refused
    if head.hash != last.hash:
        return Refused(400, "batch.chain-broken", "the batch's entries do not lead to its signed head")
    return batch


def receive_offer(body: bytes, *, origins: Mapping[OriginId, Keys], verify: Verify) -> Offer | Refused:
    """The authenticated offer in `body`: every head that it claims is signed."""
    try:
        offer = decode(body, Offer)
    except MalformedFault as fault:
        return Refused(400, "offer.malformed", fault.sentence)
    if offer.origin not in origins:
        return Refused(403, "offer.foreign-origin", f"this session may not offer for {offer.origin}")
    if not 1 <= len(offer.epochs) <= OFFER_EPOCHS_MAX:
        return Refused(413, "offer.too-large", f"an offer has 1 to {OFFER_EPOCHS_MAX} epochs")
    for epoch in offer.epochs:
        if len(epoch.samples) > OFFER_SAMPLES_MAX or epoch.head.origin != offer.origin:
            return Refused(400, "offer.malformed", "an offer's epoch has not the form it must have")
        refused = _refuse_head(epoch.head, origins[offer.origin], verify)
        if refused is not None:
            return refused
    return offer


def _refuse_head(head: SignedHead, keys: Keys, verify: Verify) -> Refused | None:
    if not (is_id(head.origin) and is_id(head.epoch) and 1 <= head.seq < SEQ_END):
        return Refused(400, "head.malformed", "a signed head has not the form it must have")
    public_key = keys.public.get(head.key_id)
    if public_key is None:
        return Refused(403, "key.unknown", f"key {head.key_id} is not one of {head.origin}")
    if not head_holds(head, public_key, verify):
        return Refused(403, "key.signature", f"the signed head of {head.origin} does not verify")
    limit = keys.former.get(head.key_id)
    if limit is not None and not limit.covers(head.epoch, head.seq):
        return Refused(401, FORMER_KEY, f"{head.origin} signs with another key than {head.key_id} by now")
    return None
