"""Any bytes parse or raise the one fault, whole, cut or changed (as a protocol must)."""

import zstandard
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.faults import MalformedFault
from holdfast.core.journal.entry import decode_entry
from holdfast.core.sync import messages
from holdfast.core.sync.batch import MAGIC, Batch, decode_batch
from holdfast.core.sync.receiver import Keys, receive_batch
from holdfast.infra.keys import verify
from tests.journal_samples import ORIGIN, SampleJournal, signing_key

JOURNAL = SampleJournal().open().sell(8)
WHOLE = JOURNAL.batch()
RAW = zstandard.ZstdDecompressor().decompress(WHOLE[4:])
ORIGINS = {ORIGIN: Keys({signing_key().key_id: signing_key().public_bytes})}


@given(st.binary(max_size=400))
def test_any_bytes_are_an_entry_or_one_fault(data: bytes) -> None:
    try:
        decode_entry(data)
    except MalformedFault:
        return


@given(st.binary(max_size=400), st.sampled_from([b"", MAGIC, MAGIC + WHOLE[4:12]]))
def test_any_bytes_are_a_batch_or_one_fault(data: bytes, lead: bytes) -> None:
    try:
        decode_batch(lead + data)
    except MalformedFault:
        return


@given(
    st.sampled_from([messages.Offer, messages.OfferReply, messages.Ack, messages.SessionRequest]), st.binary()
)
def test_any_bytes_are_a_message_or_one_fault(kind: type[messages.Offer], data: bytes) -> None:
    try:
        messages.decode(data, kind)
    except MalformedFault:
        return


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_no_changed_byte_is_taken_for_the_original(at: int, flip: int) -> None:
    """What is taken is the origin's own, byte for byte; anything else is refused."""
    changed = bytearray(RAW)
    changed[at] ^= flip
    body = MAGIC + zstandard.ZstdCompressor().compress(bytes(changed))
    taken = receive_batch(body, origins=ORIGINS, verify=verify)
    if isinstance(taken, Batch):
        assert [entry.data for entry in taken.entries] == [
            entry.data for entry in JOURNAL.epochs[JOURNAL.epoch]
        ]
