"""Batch, sender, receiver, relay, feeds: bytes and time in, bytes and events out."""

import msgspec
import pytest
import zstandard

from holdfast.core.faults import MalformedFault, SignatureFault, TooLargeFault
from holdfast.core.ids import EpochId, IncarnationId, OriginId
from holdfast.core.journal.chain import ZERO_HASH, Position
from holdfast.core.sync import feed, session
from holdfast.core.sync.batch import MAGIC, Batch, StoredEntry, decode_batch, encode_batch
from holdfast.core.sync.cursors import accept_receipt, purge_through
from holdfast.core.sync.limits import BATCH_RAW_BYTES_MAX, BODY_BYTES_MAX, OFFER_EPOCHS_MAX
from holdfast.core.sync.messages import (
    Ack,
    Challenge,
    EpochCursor,
    Offer,
    OfferReply,
    Receipt,
    decode,
    encode,
    sign_receipt,
)  # fmt: skip
from holdfast.core.sync.receiver import Keys, Refused, receive_batch, receive_offer
from holdfast.core.sync.relay import Relay, RelayedChain
from holdfast.core.sync.sender import (
    Blocked,
    EpochNeeded,
    Held,
    Idle,
    IncarnationSeen,
    Policy,
    Request,
    Sender,
    State,
    sample_seqs,
)  # fmt: skip
from holdfast.infra.keys import SigningKey, verify
from tests.journal_samples import ORIGIN, SampleJournal, signing_key

HQ = signing_key(9)
INC = IncarnationId("inc1")
TRUSTED = {HQ.key_id: HQ.public_bytes}


def keys(*pairs: tuple[OriginId, SigningKey]) -> dict[OriginId, Keys]:
    return {
        origin: Keys({key.key_id: key.public_bytes}) for origin, key in pairs or ((ORIGIN, signing_key()),)
    }


class TestBatch:
    def test_bytes_travel_verbatim(self) -> None:
        journal = SampleJournal().open().sell(20)
        batch = decode_batch(journal.batch(5, 10))
        assert list(batch.entries) == journal.epochs[journal.epoch][4:14]

    def test_an_unreadable_entry_keeps_the_chain(self) -> None:
        journal = SampleJournal().open().sell(5)
        entries = journal.epochs[journal.epoch]
        entries[2] = StoredEntry(3, entries[2].hash, b"rest", False)
        before = receive_batch(journal.batch(1), origins=keys(), verify=verify)
        batch = receive_batch(journal.batch(3), origins=keys(), verify=verify)
        assert isinstance(before, Batch)
        assert isinstance(batch, Batch)
        assert [*before.entries, *batch.entries] == entries
        assert before.header.head.seq == 2, "what stands before it has a head of its own"

    def test_a_bomb_is_not_unpacked(self) -> None:
        bomb = zstandard.ZstdCompressor().compress(bytes(BATCH_RAW_BYTES_MAX + 1))
        assert len(bomb) < 10_000
        with pytest.raises(TooLargeFault):
            decode_batch(MAGIC + bomb)
        stream = zstandard.ZstdCompressor().compressobj()
        unsized = stream.compress(bytes(1000)) + stream.flush()
        with pytest.raises(MalformedFault):
            decode_batch(MAGIC + unsized)

    def test_oversized_and_truncated_and_foreign_bytes(self) -> None:
        whole = SampleJournal().open().sell(3).batch()
        with pytest.raises(TooLargeFault):
            decode_batch(MAGIC + bytes(BODY_BYTES_MAX))
        for cut in range(0, len(whole), 7):
            with pytest.raises(MalformedFault):
                decode_batch(whole[:cut])
        with pytest.raises(MalformedFault):
            decode_batch(b"GIF89a")
        with pytest.raises(MalformedFault):
            decode_batch(whole + b"more")


class TestReceiver:
    def test_what_does_not_authenticate_is_refused(self) -> None:
        journal = SampleJournal().open().sell(3)
        forged = SampleJournal(signing_key(7)).open().sell(3)
        stranger = SampleJournal(signing_key(7), OriginId("reg99")).open().sell(3)
        codes = {
            name: receive_batch(body, origins=keys(), verify=verify)
            for name, body in {
                "ok": journal.batch(), "forged": forged.batch(), "stranger": stranger.batch(), "noise": b"x",
            }.items()
        }  # fmt: skip
        assert isinstance(codes.pop("ok"), Batch)
        assert {name: refused.code for name, refused in codes.items() if isinstance(refused, Refused)} == {
            "forged": "key.unknown", "stranger": "batch.foreign-origin", "noise": "batch.malformed",
        }  # fmt: skip

    def test_entries_changed_under_a_true_head_are_refused(self) -> None:
        journal = SampleJournal().open().sell(3)
        entries = journal.epochs[journal.epoch]
        head = journal.signed(journal.epoch, entries[-1])
        entries[1] = StoredEntry(2, entries[1].hash, entries[1].data.replace(b"Tea", b"Tee"))
        journal.signed = lambda epoch, entry: head  # type: ignore[method-assign]
        refused = receive_batch(journal.batch(), origins=keys(), verify=verify)
        assert isinstance(refused, Refused)
        assert refused.code == "batch.chain-broken"

    def test_entries_before_an_unreadable_one_are_refused_whoever_wrote_them(self) -> None:
        """A store server could have: the true head is reached over the hash that is only stated."""
        journal = SampleJournal().open().sell(3)
        entries = journal.epochs[journal.epoch]
        head = journal.signed(journal.epoch, entries[-1])
        changed = StoredEntry(2, entries[1].hash, entries[1].data.replace(b"Tea", b"Tee"))
        covered = StoredEntry(3, entries[2].hash, b"", False)
        body = encode_batch(
            ORIGIN, journal.epoch, ZERO_HASH, [entries[0], changed, covered, entries[3]], head
        )
        refused = receive_batch(body, origins=keys(), verify=verify)
        assert isinstance(refused, Refused)
        assert (refused.status, refused.code) == (400, "batch.unproved")

    def test_an_offer_claims_only_signed_heads(self) -> None:
        journal = SampleJournal().open().sell(3)
        sender = Sender(journal, policy=Policy(), jitter=lambda: 0.5)
        request = sender.poll(0)
        assert isinstance(request, Request)
        assert not isinstance(receive_offer(request.body, origins=keys(), verify=verify), Refused)
        refused = receive_offer(request.body, origins=keys((ORIGIN, signing_key(3))), verify=verify)
        assert isinstance(refused, Refused)


class Hop:
    """The least receiver there can be: a list of hashes, to drive a sender with."""

    def __init__(self, journal: SampleJournal, held: int = 0) -> None:
        self.journal, self.held = journal, held
        self.batches: list[tuple[int, int]] = []

    def answer(self, request: Request) -> bytes:
        epoch = self.journal.epoch
        if request.kind == "offer":
            tips = (
                (Position(epoch, self.held, self.journal.hash_at(epoch, self.held) or b""),)
                if self.held
                else ()
            )
            return encode(
                OfferReply(incarnation=INC, time_ms=5, cursors=(EpochCursor(epoch=epoch, tips=tips),))
            )
        batch = decode_batch(request.body)
        first, last = batch.header.first_seq, batch.entries[-1]
        self.batches.append((first, last.seq))
        if first > self.held + 1:
            return encode(Ack(incarnation=INC, time_ms=5, send_from=self.held + 1))
        self.held = max(self.held, last.seq)
        return encode(Ack(incarnation=INC, time_ms=5, held=Position(epoch, last.seq, last.hash)))


class Depot:
    """A receiver of many epochs."""

    def __init__(self, journal: SampleJournal) -> None:
        self.journal = journal
        self.incarnation = INC
        self.held: dict[EpochId, int] = {}
        self.batches: list[tuple[EpochId, int]] = []
        self.offered: list[int] = []

    def answer(self, request: Request) -> bytes:
        if request.kind == "offer":
            epochs = [offered.head.epoch for offered in decode(request.body, Offer).epochs]
            self.offered.append(len(epochs))
            assert epochs[-1] == self.journal.epoch, "the open epoch is always offered, as the last"
            cursors = tuple(EpochCursor(epoch=epoch, tips=self._tips(epoch)) for epoch in epochs)
            return encode(OfferReply(incarnation=self.incarnation, time_ms=5, cursors=cursors))
        batch = decode_batch(request.body)
        epoch, last = batch.header.epoch, batch.entries[-1]
        self.batches.append((epoch, batch.header.first_seq))
        assert batch.header.first_seq == self.held.get(epoch, 0) + 1, "no more than is lacking"
        self.held[epoch] = last.seq
        held = Position(epoch, last.seq, last.hash)
        return encode(Ack(incarnation=self.incarnation, time_ms=5, held=held))

    def _tips(self, epoch: EpochId) -> tuple[Position, ...]:
        held = self.held.get(epoch, 0)
        return (Position(epoch, held, self.journal.hash_at(epoch, held) or b""),) if held else ()


def drive(sender: Sender, hop: Hop | Depot, now_ms: int = 0, turns: int = 50) -> list[object]:
    events: list[object] = []
    for _ in range(turns):
        action = sender.poll(now_ms)
        if isinstance(action, Idle):
            break
        events += sender.on_reply(hop.answer(action), now_ms)
    return events


class TestSender:
    def sender(self, journal: SampleJournal, **policy: int) -> Sender:
        return Sender(journal, policy=Policy(**policy), jitter=lambda: 0.5)

    def test_it_sends_what_the_receiver_lacks_and_no_more(self) -> None:
        journal = SampleJournal().open().sell(24)
        hop = Hop(journal, held=5)
        events = drive(self.sender(journal, batch_entries=10), hop)
        assert hop.batches == [(6, 15), (16, 25)]
        assert [event.position.seq for event in events if isinstance(event, Held)] == [15, 25]

    def test_a_lost_answer_is_asked_again_and_nothing_is_sent_twice(self) -> None:
        journal = SampleJournal().open().sell(4)
        hop, sender = Hop(journal), self.sender(journal)
        assert sender.on_reply(hop.answer(sender.poll(0)), 0)  # type: ignore[arg-type]
        request = sender.poll(0)
        assert isinstance(request, Request)
        hop.answer(request)
        sender.on_lost(0)
        assert isinstance(sender.poll(0), Idle)
        drive(sender, hop, now_ms=60_000)
        assert hop.batches == [(1, 5)]

    def test_more_epochs_than_fit_an_offer_are_each_sent_once(self) -> None:
        journal = SampleJournal()
        for n in range(1, 151):
            journal.open(n).sell(2)
        hop, sender = Depot(journal), self.sender(journal)
        drive(sender, hop, turns=500)
        assert hop.held == dict.fromkeys(journal.epochs, 3)
        assert len(hop.batches) == 150
        assert max(hop.offered) <= OFFER_EPOCHS_MAX
        sender.relocate()
        drive(sender, hop)
        assert len(hop.batches) == 150, "nothing is sent again"
        journal.kept = [
            sign_receipt("applied", INC, ORIGIN, Position(epoch, 3, entries[2].hash), HQ)
            for epoch, entries in journal.epochs.items()
        ]
        offers = len(hop.offered)
        journal.sell()
        sender.relocate()
        drive(sender, hop)
        assert (hop.held[journal.epoch], len(hop.batches)) == (4, 151)
        assert len(hop.offered) == offers + 1, "what is known to be applied is not asked for"

    def test_a_new_sale_is_sent_before_all_former_epochs_are_asked_for(self) -> None:
        journal = SampleJournal()
        for n in range(1, 201):
            journal.open(n)
        hop, sender = Depot(journal), self.sender(journal)
        hop.held = dict.fromkeys(journal.epochs, 1)
        journal.sell()
        drive(sender, hop)
        assert hop.batches == [(journal.epoch, 2)]
        assert len(hop.offered) < 6

    def test_of_many_epochs_a_receiver_that_lost_some_is_sent_those(self) -> None:
        journal = SampleJournal()
        for n in range(1, 101):
            journal.open(n).sell()
        hop, sender = Depot(journal), self.sender(journal)
        drive(sender, hop, turns=300)
        for epoch in list(journal.epochs)[:80]:
            hop.held[epoch] = 1
        hop.incarnation = IncarnationId("inc2")
        sender.relocate()
        drive(sender, hop, turns=300)
        assert hop.held == dict.fromkeys(journal.epochs, 2)

    def test_what_the_receiver_holds_is_sent_once_more_when_asked(self) -> None:
        journal = SampleJournal().open().sell(24)
        hop, sender = Hop(journal, held=25), self.sender(journal, batch_entries=10)
        drive(sender, hop)
        assert not hop.batches
        sender.resend(journal.epoch, 3)
        drive(sender, hop)
        assert hop.batches == [(3, 12), (13, 22), (23, 25)]
        sender.relocate()
        drive(sender, hop)
        assert len(hop.batches) == 3, "once"

    def test_sending_once_more_goes_on_where_the_last_answer_left_it(self) -> None:
        journal = SampleJournal().open().sell(24)
        hop, sender = Hop(journal, held=25), self.sender(journal, batch_entries=10)
        drive(sender, hop)
        sender.resend(journal.epoch, 3)
        drive(sender, hop, turns=2)  # an offer and a batch
        assert isinstance(sender.poll(0), Request)
        sender.on_lost(0)
        journal.sell(1)
        drive(sender, hop, now_ms=60_000)
        assert hop.batches[0] == (3, 12)
        assert hop.batches[1][0] == 13
        assert hop.batches[-1][1] == 26
        assert [first for first, _ in hop.batches[1:]] == [last + 1 for _, last in hop.batches[:-1]]

    def test_what_was_made_ahead_is_what_would_have_been_sent(self) -> None:
        journal = SampleJournal().open().sell(24)
        plain, ahead = Hop(journal), Hop(journal)
        drive(self.sender(journal, batch_entries=10), plain)
        reads: list[int] = []
        sender = self.sender(journal, batch_entries=10)
        piece = journal.piece
        journal.piece = lambda *asked: (reads.append(asked[1]), piece(*asked))[1]  # type: ignore[method-assign]
        while isinstance(action := sender.poll(0), Request):
            sender.read_ahead()
            sender.on_reply(ahead.answer(action), 0)
        assert ahead.batches == plain.batches == [(1, 10), (11, 20), (21, 25)]
        assert reads == [1, 11, 21, 26]

    def test_a_batch_that_the_line_lost_is_tried_again_smaller_and_grows_with_what_arrives(self) -> None:
        journal = SampleJournal().open().sell(499)
        sender, hop, now = self.sender(journal, batch_entries=320), Hop(journal), 0
        for _ in range(3):
            while isinstance(action := sender.poll(now), Idle) or action.kind == "offer":
                now += 60_000
                if isinstance(action, Request):
                    sender.on_reply(hop.answer(action), now)
            sender.read_ahead()
            sender.on_lost(now)
        drive(sender, hop, now_ms=now + 60_000)
        assert [last - first + 1 for first, last in hop.batches] == [20, 40, 80, 160, 200]

    def test_a_receiver_restored_from_an_older_backup_is_sent_what_it_lacks(self) -> None:
        journal = SampleJournal().open().sell(9)
        hop, sender = Hop(journal), self.sender(journal)
        drive(sender, hop)
        hop.held = 3
        journal.sell(1)
        sender.notify(0)
        drive(sender, hop)
        assert hop.batches == [(1, 10), (11, 11), (4, 11)]

    def test_a_receiver_that_never_moves_is_not_hammered(self) -> None:
        journal = SampleJournal().open().sell(2)
        sender = self.sender(journal)
        hop = Hop(journal)
        turns = 0
        while not isinstance(action := sender.poll(0), Idle):
            turns += 1
            answer = hop.answer(action) if action.kind == "offer" else encode(Ack(incarnation=INC, time_ms=1))
            sender.on_reply(answer, 0)
            assert turns < 20
        assert action.until_ms is not None

    def test_an_hour_of_answers_that_bring_nothing_is_few_requests(self) -> None:
        journal = SampleJournal().open().sell(2)
        sender, hop = self.sender(journal), Hop(journal)
        now, carried = 0, 0
        while now < 3_600_000:
            action = sender.poll(now)
            if isinstance(action, Idle):
                assert action.until_ms is not None
                now = max(now + 1, action.until_ms)
                continue
            carried += 1
            gap = encode(Ack(incarnation=INC, time_ms=1, send_from=1))
            sender.on_reply(hop.answer(action) if action.kind == "offer" else gap, now)
        assert carried < 600

    def test_backing_off_ends_at_a_local_event(self) -> None:
        sender = self.sender(SampleJournal().open())
        waits: list[int] = []
        now = 0
        for _ in range(8):
            assert isinstance(sender.poll(now), Request)
            sender.on_lost(now)
            idle = sender.poll(now)
            assert isinstance(idle, Idle)
            assert idle.until_ms is not None
            waits.append(idle.until_ms - now)
            now = idle.until_ms
        assert waits == sorted(waits)
        assert waits[-1] <= 30_000
        assert isinstance(sender.poll(now), Request)
        sender.on_lost(now)
        sender.notify(now + 300)
        assert isinstance(sender.poll(now + 300), Request)

    def test_a_refused_key_blocks_and_is_said(self) -> None:
        sender = self.sender(SampleJournal().open())
        sender.poll(0)
        assert sender.on_problem(403, "key.unknown", "no", 0) == (Blocked("key.unknown", "no"),)
        assert sender.state is State.BLOCKED
        assert sender.poll(1) == Idle(60_000)
        sender.unblock(2)
        assert isinstance(sender.poll(2), Request)

    @pytest.mark.parametrize("status", [401, 429, 500, 503])
    def test_trouble_that_passes_does_not_block(self, status: int) -> None:
        sender = self.sender(SampleJournal().open())
        sender.poll(0)
        code = "session.expired" if status == 401 else ""
        assert sender.on_problem(status, code, "", 0) == ()
        assert isinstance(sender.poll(60_000), Request)

    def test_another_copy_of_the_database_is_found_out(self) -> None:
        original = SampleJournal().open().sell(5)
        twin = original.copy().sell(2, total_minor=300)
        original.sell(4)
        sender = self.sender(twin)
        request = sender.poll(0)
        assert isinstance(request, Request)
        events = sender.on_reply(Hop(original, held=10).answer(request), 0)
        needed = [event for event in events if isinstance(event, EpochNeeded)]
        assert needed[0].open.claimed_seq == 10
        request = sender.poll(0)
        assert isinstance(request, Request)
        assert decode_batch(request.body).header.first_seq == 1

    def test_a_new_incarnation_is_told_and_located_anew(self) -> None:
        journal = SampleJournal().open().sell(2)
        sender, hop = self.sender(journal), Hop(journal)
        drive(sender, hop)
        journal.sell(1)
        sender.notify(0)
        request = sender.poll(0)
        assert isinstance(request, Request)
        ack = msgspec.json.decode(hop.answer(request), type=Ack)
        changed = msgspec.structs.replace(ack, incarnation=IncarnationId("inc2"))
        assert IncarnationSeen(IncarnationId("inc2"), 5, True) in sender.on_reply(encode(changed), 0)
        assert sender.state is State.LOCATE

    def test_what_a_relay_holds_is_asked_for_soon_again_in_a_new_life_of_head_office(self) -> None:
        """Ever less often until then: what it answers is of the former life, and counts for nothing."""
        journal = SampleJournal().open().sell(2)
        sender, hop = self.sender(journal), Hop(journal)
        drive(sender, hop)
        now_ms, waits = 0, list[int]()
        for _ in range(4):
            idle = sender.poll(now_ms)
            assert isinstance(idle, Idle)
            assert idle.until_ms is not None, "nobody gave a receipt yet"
            waits.append(idle.until_ms - now_ms)
            now_ms = idle.until_ms
            request = sender.poll(now_ms)
            assert isinstance(request, Request)
            reply = msgspec.json.decode(hop.answer(request), type=OfferReply)
            life = IncarnationId("inc2") if len(waits) == 3 else reply.incarnation
            sender.on_reply(encode(msgspec.structs.replace(reply, incarnation=life)), now_ms)
        assert waits == [1_000, 2_000, 4_000, 1_000]

    def test_garbage_answers_do_not_stop_it(self) -> None:
        sender = self.sender(SampleJournal().open())
        sender.poll(0)
        assert isinstance(sender.on_reply(b"<html>proxy</html>", 0)[0], Blocked)
        assert isinstance(sender.poll(60_000), Request)

    def test_samples_thin_out(self) -> None:
        seqs = sample_seqs(1_000_000)
        assert seqs[:4] == [1_000_000, 999_999, 999_997, 999_993]
        assert seqs[-1] == 1
        assert len(seqs) < 30
        assert sample_seqs(42) == [42, 41, 39, 35, 27, 11, 1]
        assert sample_seqs(42, first_seq=8) == [42, 41, 39, 35, 27, 11, 7, 1]
        assert sample_seqs(1) == [1]


class TestRelay:
    def test_what_it_forgets_is_missing_there_and_comes_again_under_another_signature(self) -> None:
        journal = SampleJournal().open().sell(5)
        relay = Relay()
        relay.take(decode_batch(journal.batch(1, 6)))
        relay.forget(journal.origin)
        assert relay.chains(journal.origin, journal.epoch) == ()
        assert relay.lanes(journal.origin) == []
        taken = relay.take(decode_batch(journal.batch(1, 6)))
        assert taken is not None
        assert taken.head.seq == 6

    def test_pieces_are_cut_only_at_signed_heads_and_travel_verbatim(self) -> None:
        journal = SampleJournal().open().sell(30)
        relay = Relay()
        for first in (1, 11, 21):
            chain = relay.take(decode_batch(journal.batch(first, 10)))
            assert chain is not None
        assert relay.take(decode_batch(journal.batch(1, 10))) is chain
        piece = chain.piece(5, 100, 1 << 22)
        assert piece is not None
        assert (piece.entries[0].seq, piece.head.seq) == (5, 30)
        assert list(piece.entries) == journal.epochs[journal.epoch][4:30]
        short = chain.piece(5, 3, 1 << 22)
        assert short is not None
        assert short.head.seq == 10

    def test_pieces_are_not_joined_before_an_unreadable_entry_and_it_is_completed(self) -> None:
        whole = SampleJournal().open().sell(9)
        damaged = whole.copy()
        entries = damaged.epochs[whole.epoch]
        for seq in (4, 5, 8):
            entries[seq - 1] = StoredEntry(seq, entries[seq - 1].hash, b"", False)
        relay = Relay()
        for first in (1, 4, 8):
            chain = relay.take(decode_batch(damaged.batch(first)))
            assert chain is not None
        assert _seqs(chain, 10) == [[1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]
        assert relay.take(decode_batch(whole.batch(2, 3))) is chain
        assert _seqs(chain, 10) == [[1, 2, 3, 4], [5, 6, 7], [8, 9, 10]]
        assert relay.take(decode_batch(damaged.batch(1))) is chain
        assert relay.take(decode_batch(whole.batch(1))) is chain
        assert _seqs(chain, 10) == [list(range(1, 11))]
        piece = chain.piece(1, 100, 1 << 22)
        assert piece is not None
        assert list(piece.entries) == whole.epochs[whole.epoch]

    def test_pieces_end_at_an_earlier_head_where_more_would_pass_the_bytes(self) -> None:
        journal = SampleJournal().open()
        for _ in range(6):
            journal.sell(description="x" * 500_000).sell(description="y" * 400_000)
        relay = Relay()
        for first in (1, 4, 6, 8, 10, 12):
            count = 3 if first == 1 else 2
            assert relay.take(decode_batch(journal.batch(first, count))) is not None
        hop = Depot(journal)
        sender = Sender(relay.lanes(ORIGIN)[0], policy=Policy(batch_bytes=2_000_000), jitter=lambda: 0.5)
        drive(sender, hop)
        assert hop.held == {journal.epoch: 13}
        assert [first for _, first in hop.batches] == [1, 6, 10]
        chain = relay.chains(ORIGIN, journal.epoch)[0]
        alone = chain.piece(1, 100, 1)
        assert alone is not None
        assert alone.head.seq == 3, (
            "what one batch brought goes on in one, whatever the bound: it is not stuck"
        )

    def test_what_is_sent_once_more_gets_an_answer_that_its_sender_can_check(self) -> None:
        """Though the relay holds the chain as another copy of the register went on with it."""
        journal = SampleJournal().open().sell(5)
        twin = journal.copy().sell(9, total_minor=300)
        journal.sell(2)
        relay = Relay()
        relay.take(decode_batch(twin.batch()))
        ack = relay.answer_batch(decode_batch(journal.batch(3, 4)), INC, 5)
        assert ack.held == Position(journal.epoch, 6, journal.hash_at(journal.epoch, 6) or b"")
        assert not ack.send_from
        fork = relay.answer_batch(decode_batch(journal.batch(7, 2)), INC, 5)
        assert (fork.held, fork.fork) == (journal.position, True)
        gap = relay.answer_batch(decode_batch(SampleJournal().open(7).sell(3).batch(3, 2)), INC, 5)
        assert (gap.held, gap.send_from) == (None, 1)

    def test_a_branch_is_joined_where_both_part_though_no_sample_that_thins_out_is_there(self) -> None:
        journal = SampleJournal().open().sell(6)
        twin = journal.copy().sell(35, total_minor=300)
        journal.sell(19)
        relay = Relay()
        for batch in (journal.batch(1, 7), journal.batch(8), twin.batch(8)):
            assert relay.take(decode_batch(batch)) is not None
        trunk, branch = relay.lanes(ORIGIN)
        assert (trunk.first_seq(journal.epoch), branch.first_seq(journal.epoch)) == (1, 8)
        sender = Sender(branch, policy=Policy(), jitter=lambda: 0.5)
        request = sender.poll(0)
        assert isinstance(request, Request)
        samples = decode(request.body, Offer).epochs[0].samples
        assert (7, journal.hash_at(journal.epoch, 7)) in samples

    def test_a_claim_that_went_past_a_relay_tells_copies_apart_behind_it(self) -> None:
        journal = SampleJournal().open().sell(5)
        relay = Relay()
        relay.take(decode_batch(journal.batch()))
        claimed = Position(journal.epoch, 9, bytes(32))
        cursor = EpochCursor(epoch=journal.epoch, tips=(journal.position,), claimed=claimed)
        relay.learn(ORIGIN, OfferReply(incarnation=INC, time_ms=5, cursors=(cursor,)))
        sender = Sender(journal, policy=Policy(), jitter=lambda: 0.5)
        request = sender.poll(0)
        assert isinstance(request, Request)
        reply = relay.answer_offer(decode(request.body, Offer), INC, 5)
        needed = [e for e in sender.on_reply(encode(reply), 0) if isinstance(e, EpochNeeded)]
        assert [event.open.claimed_seq for event in needed] == [9]

    def test_a_gap_is_not_taken_and_a_twin_is_kept_apart(self) -> None:
        journal = SampleJournal().open().sell(10)
        twin = journal.copy().sell(3, total_minor=300)
        journal.sell(3)
        relay = Relay()
        assert relay.take(decode_batch(journal.batch(5, 5))) is None
        assert relay.take(decode_batch(journal.batch())) is not None
        assert relay.take(decode_batch(twin.batch(12, 3))) is not None
        assert [lane.heads()[0].seq for lane in relay.lanes(ORIGIN)] == [14, 14]


def _seqs(chain: RelayedChain, last: int) -> list[list[int]]:
    """The entries of each piece that the relay sends on; every receiver takes them."""
    pieces: list[list[int]] = []
    while not pieces or pieces[-1][-1] < last:
        piece = chain.piece(pieces[-1][-1] + 1 if pieces else 1, 100, 1 << 22)
        assert piece is not None
        decode_batch(encode_batch(ORIGIN, chain.epoch, piece.previous_hash, piece.entries, piece.head))
        pieces.append([entry.seq for entry in piece.entries])
    return pieces


def test_only_head_office_s_word_over_this_chain_counts() -> None:
    journal = SampleJournal().open().sell(5)
    receipt = sign_receipt("applied", INC, ORIGIN, journal.position, HQ)
    assert accept_receipt(receipt, HQ.public_bytes, verify, journal.hash_at)
    assert not accept_receipt(receipt, signing_key(8).public_bytes, verify, journal.hash_at)
    assert not accept_receipt(
        msgspec.structs.replace(receipt, level="safe"), HQ.public_bytes, verify, journal.hash_at
    )
    twin = SampleJournal(signing_key()).open().sell(5, total_minor=300)
    assert not accept_receipt(receipt, HQ.public_bytes, verify, twin.hash_at)


def test_only_safe_entries_outside_the_return_window_may_be_purged() -> None:
    def receipt(level: str, seq: int) -> Receipt:
        return sign_receipt(level, INC, ORIGIN, Position(EpochId("e"), seq, ZERO_HASH), HQ)

    given = [receipt("applied", 90), receipt("safe", 50)]
    assert purge_through(given, EpochId("e"), keep_from_seq=100) == 50
    assert purge_through(given, EpochId("e"), keep_from_seq=31) == 30
    assert purge_through(given[:1], EpochId("e"), keep_from_seq=100) == 0
    assert purge_through(given, EpochId("f"), keep_from_seq=100) == 0


def test_a_session_is_opened_by_signing_a_fresh_challenge() -> None:
    key = signing_key()
    challenge = Challenge(nonce=b"n" * 32, incarnation=INC, time_ms=0)
    request = session.answer_challenge(ORIGIN, challenge, key, software="1")

    def check(**changes: object) -> str | None:
        arguments: dict[str, object] = {"issued_at_ms": 100, "now_ms": 200, "origins": keys(), **changes}
        refused = session.check_session(request, verify=verify, **arguments)  # type: ignore[arg-type]
        return None if refused is None else refused.code

    assert check() is None
    assert check(issued_at_ms=None) == "session.challenge"
    assert check(now_ms=10**9) == "session.challenge"
    assert check(origins={}) == "key.unknown-origin"
    assert check(origins=keys((ORIGIN, signing_key(2)))) == "key.unknown"


class TestFeeds:
    page = feed.FeedPage(
        feed="prices",
        incarnation=INC,
        since_n=3,
        to_n=5,
        more=False,
        rows=(feed.FeedRow("a", msgspec.Raw(b"1")),),
    )

    def test_signed_by_head_office_or_refused(self) -> None:
        data = feed.pack("feed", self.page, HQ)
        assert feed.unpack(data, "feed", feed.FeedPage, TRUSTED, verify) == self.page
        forged = feed.pack("feed", self.page, signing_key(1))
        for bad in (forged, feed.pack("snapshot", self.page, HQ)):
            with pytest.raises(SignatureFault):
                feed.unpack(bad, "feed", feed.FeedPage, TRUSTED, verify)
        with pytest.raises(MalformedFault):
            feed.unpack(data[:-5], "feed", feed.FeedPage, TRUSTED, verify)

    def test_older_pages_and_gaps_are_not_taken(self) -> None:
        assert feed.is_newer((INC, 3), self.page)
        assert feed.is_newer((INC, 4), self.page)
        assert not feed.is_newer((INC, 5), self.page)
        assert not feed.is_newer((INC, 2), self.page)
        assert not feed.is_newer(None, self.page)
        assert not feed.is_newer((IncarnationId("other"), 9), self.page)
