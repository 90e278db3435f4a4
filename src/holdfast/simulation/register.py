"""A simulated register: the shipped journal, sync and key ring over a simulated disk, clock and line."""

from collections.abc import Mapping

import msgspec

from holdfast.core import business_day
from holdfast.core.ids import CustomerNumber, EpochId, IncarnationId, OriginId, StaffId, epoch_id
from holdfast.core.journal import epochs, writer
from holdfast.core.sync import messages
from holdfast.core.sync.cursors import accept_receipt, purge_through
from holdfast.core.sync.sender import EpochNeeded, Event, Held, IncarnationSeen, ReceiptGiven
from holdfast.register.sync.requests import carry_out_all
from holdfast.register.till.handed import handed_seq
from holdfast.simulation.disk import Database, DiskJournal, Mark
from holdfast.simulation.documents import HISTORY_DATE, HOLOGRAM, chance_of, sample_sale, voided_sale
from holdfast.simulation.keychain import Keychain
from holdfast.simulation.ledger import Fact, Ledger, Life
from holdfast.simulation.locks import allowed_offline
from holdfast.simulation.network import Line
from holdfast.simulation.payment import Drawer, drawer_of
from holdfast.simulation.signing import verify
from holdfast.simulation.sync import SimSync
from holdfast.simulation.value_machine import Make
from holdfast.simulation.value_till import ValueTill
from holdfast.simulation.world import DAY_MS, HOUR_MS, NodeClock, World, WorldRandomness

RETURN_WINDOW_ENTRIES = 10
CASHIER = StaffId("c1")
POWER_CUT_BEFORE_THE_MARK = 0.02
CUT_MS = 60_000
CHECKOUT_LOOKS_MS = 300
EPOCHS_MAX = 40
"""A disk that comes to more has not lost so much: it does not understand what it is told."""


VOIDED = 0.05
SECTORS_LATE = 6
READS_AGAIN = 0.5
"""Of bad sectors."""
NOTHING = Drawer()
UNKNOWN = IncarnationId("unknown")
"""What a store server says of head office before it heard of it."""


class PowerCut(BaseException):
    """In the middle of what checkout does. No fault: nothing that ships may catch it."""


class Purged(msgspec.Struct, frozen=True):
    """What a purge did."""

    entries: int
    passed_over: int = 0
    next_seq: int | None = None


class SimRegister:
    """One machine. A crash loses what is in memory; the database and the mark stay."""

    def __init__(
        self,
        world: World,
        ledger: Ledger,
        node: str,
        origin: OriginId,
        series: str,
        keychain: Keychain,
        line: Line,
        life: Life,
        *,
        sessionless: frozenset[str],
    ) -> None:
        self.world, self.ledger, self.node = world, ledger, node
        self.origin, self.series, self.keychain, self.line = origin, series, keychain, line
        self.life, self.sessionless = life, sessionless
        self.clock = NodeClock(world)
        self.database = Database(origin)
        self.mark: Mark | None = None
        self.alive = False
        self._head_office_ms: int | None = None
        self._is_current = True
        self.journal = DiskJournal(origin, self.database, keychain)
        self.sync: SimSync | None = None
        self.cashier = CASHIER
        self.value = ValueTill(world, self, allowed_offline(origin))

    # Life and death

    def start(self) -> None:
        """Power on: the mark against the database, offline too; then sync as its process starts it."""
        self.alive = True
        self._head_office_ms, self._is_current = None, True
        self.ledger.unseen -= {
            (self.origin, epoch.epoch, entry.seq, entry.hash)
            for epoch in self.database.epochs[-1:]
            for entry in epoch.entries[-1:]
        }
        self.journal = DiskJournal(self.origin, self.database, self.keychain)
        self.sync = SimSync(self.world, self, self.journal, self.ledger, self.clock)
        head = self.database.head
        why = epochs.at_start(None if head is None else head.position, self.mark, self.database.hash_at)
        self.value.started(is_other_epoch=False)
        if why is not None:
            self.open_epoch(why)
        elif head is not None:
            self.mark = Mark(head.epoch, head.seq, head.hash)
        self.notify()
        self.look_at_requests()

    def start_if_down(self) -> None:
        if not self.alive:
            self.start()

    def crash(self) -> None:
        self.alive = False
        if self.sync is not None:
            self.sync.stop()

    @property
    def is_shut_out(self) -> bool:
        """Head office refuses its key, as its page says: a person is needed."""
        blocked = None if self.sync is None else self.sync.board.blocked
        return blocked is not None and blocked.code.startswith("key.")

    # Writing

    def _stamp(self) -> writer.Stamp:
        at_ms = self.clock.now_ms()
        state = business_day.DayState(business_date=self.database.business_date or None)
        offer = business_day.DayOffer(at_ms, head_office_ms=self._head_office_ms, offset_min=0)
        opened = business_day.open_day(state, offer, by=CASHIER)
        if isinstance(opened, business_day.DayOpened):
            self.database.business_date = opened.business_date
        elif not self.database.business_date:
            self.database.business_date = business_day.offered_date(state, offer)
        # Else the last day goes on: nobody is here to approve a date that is far off, or lies before it.
        return writer.Stamp(at_ms=at_ms, offset_min=0, date=self.database.business_date)

    def open_epoch(self, why: epochs.OpenEpoch) -> None:
        assert len(self.database.epochs) < EPOCHS_MAX, f"epochs: {self.node} opens one after the other"
        head = self.database.head
        written = writer.open_epoch(
            self.origin,
            self.series,
            epoch_id(WorldRandomness(self.world).bytes(16)),
            None if head is None else head.position,
            why,
            self._stamp(),
            software="simulation",
            key_id=self.keychain.key_id,
        )
        self._commit(written)
        self.value.started(is_other_epoch=head is not None)

    def _commit(
        self,
        written: writer.Written,
        number: str = "",
        reference: str = "",
        *,
        is_sound: bool = True,
        drawer: Drawer = NOTHING,
    ) -> None:
        """The transaction, then the mark, then the receipt; the power may fail between the first two."""
        epoch, seq = written.head.epoch, written.seq
        previous = self.database.hash_at(epoch, seq - 1) or b""
        self.database.store(written)
        fact = Fact(
            order=self.ledger.next_order(),
            life=self.life,
            origin=self.origin,
            epoch=epoch,
            seq=seq,
            hash=written.hash,
            previous=previous,
            data=written.data,
            type=written.type,
            number=number,
            reference=reference,
            drawer=drawer,
            dated=HISTORY_DATE if reference else "",
            is_sound=is_sound,
        )
        self.ledger.acknowledge(fact)
        self.world.trace(f"{self.node} writes {written.type} {seq}")
        if self.world.healed or not self.world.chance(POWER_CUT_BEFORE_THE_MARK):
            self.mark = Mark(epoch, seq, written.hash)
            return
        self.ledger.unseen.add(fact.key)
        self.crash()
        self.world.after(CUT_MS, f"{self.node} has power again", self.start_if_down)

    def sell(self, reference: str | None = None, *, description: str = "tea", version: int = 1) -> None:
        """One document: a sale, now and then a return. Entering a known reference is no operation."""
        head = self.database.head
        if not self.alive or head is None:
            return
        if self.sync is not None:
            self.sync.board.used()
        if reference is not None:
            if reference in self.database.references:
                return
            self.database.references.add(reference)
        stamp = self._stamp()
        chance = chance_of(self.world.random, reference)
        sign = -1 if version == 1 and chance.random() < 0.1 else 1
        number = head.next_document(self.series)
        rates = self.database.reference.catalogue.currencies(stamp.date)
        body = sample_sale(chance, number, stamp, sign, reference, description, rates)
        if reference is None and version == 1 and chance.random() < VOIDED:
            voided = writer.write(
                self.origin, head, "transaction_voided", 1, voided_sale(chance, body, rates), stamp
            )
            self._commit(voided, is_sound="\x00" not in description)
            self.notify()
            return
        kind = "sale" if sign > 0 else "return"
        written = writer.write(self.origin, head, kind, version, body, stamp)
        sound = version == 1 and "\x00" not in description
        drawer = drawer_of(body.tenders)
        self._commit(written, number, reference or "", is_sound=sound, drawer=drawer)
        self.notify()

    def write_value(self, type: str, body: msgspec.Struct) -> None:
        """An entry of central value, without a number."""
        head = self.database.head
        assert self.alive, "a till that is off writes nothing"
        assert head is not None, "a register that runs has an epoch"
        self._commit(writer.write(self.origin, head, type, 1, body, self._stamp()))
        self.notify()

    def write_document(self, type: str, make: Make) -> None:
        """A document that moves central value."""
        head, stamp = self.database.head, self._stamp()
        assert self.alive, "a till that is off writes nothing"
        assert head is not None, "a register that runs has an epoch"
        number = head.next_document(self.series)
        body = make(number, stamp)
        written = writer.write(self.origin, head, type, 1, body, stamp)
        self._commit(written, number, drawer=drawer_of(body.tenders))
        self.notify()

    def write_future_entry(self) -> None:
        """An entry of a type, or a version, that head office of today does not know."""
        head = self.database.head
        if not self.alive or head is None:
            return
        kind, version = self.world.random.choice((("sale", 2), ("day_opened", 9), ("hologram", 1)))
        if kind == "sale":
            self.sell(version=version)
            return
        written = writer.write(self.origin, head, kind, version, HOLOGRAM, self._stamp())
        self._commit(written, is_sound=False)
        self.notify()

    def purge(self) -> None:
        """Deletes what head office holds safe and no return can ask for."""
        held = self.database.reference.reference
        receipts = (*held.receipts(), *held.safe_receipts())
        for epoch in self.database.epochs:
            keep_from = epoch.head.seq - RETURN_WINDOW_ENTRIES + 1
            self.database.purge(epoch.epoch, purge_through(receipts, epoch.epoch, keep_from))

    def lose_a_sector(self) -> None:
        """The disk does not give back one of the last documents any more; or only after many tries."""
        head = self.database.head
        known = None if head is None else self.database.epoch(head.epoch)
        if known is None:
            return
        entry = self.world.random.choice(known.entries[-SECTORS_LATE:])
        fact = self.ledger.facts.get((self.origin, known.epoch, entry.seq, entry.hash))
        if fact is None or not fact.number or self.database.damage(known.epoch, entry.seq) is None:
            return
        self.ledger.damaged.add(fact.key)
        self.world.trace(f"{self.node} loses entry {entry.seq}")
        if self.world.chance(READS_AGAIN):
            epoch, wait_ms = known.epoch, self.world.random.randrange(HOUR_MS, DAY_MS)
            words = f"{self.node} reads entry {entry.seq} again"
            self.world.after(wait_ms, words, lambda: self.database.mend(epoch, entry))

    # What sync asks of checkout (`register.sync.requests.CheckoutPort`)

    def look_at_requests(self) -> None:
        """It looks a moment later, unless the machine has gone down by then."""
        if self.alive and self.database.reference.inbox.open():
            sync = self.sync
            wait_ms = self.world.random.randrange(1, CHECKOUT_LOOKS_MS)
            self.world.after(wait_ms, f"{self.node} checkout", lambda: self._carry_out(sync))

    def _carry_out(self, sync: SimSync | None) -> None:
        if not self.alive or self.sync is not sync or sync is None:
            return
        try:
            while carry_out_all(self.database.reference.inbox, self, self.clock.now_ms()):
                pass
        except PowerCut:
            return
        sync.receipt_kept()

    def append(self, type: str, version: int, body: msgspec.Struct) -> writer.Written:
        head = self.database.head
        assert head is not None, "a register that runs has an epoch"
        written = writer.write(self.origin, head, type, version, body, self._stamp())
        self._commit(written)
        if not self.alive:
            raise PowerCut
        self.notify()
        return written

    def open_new_epoch(
        self, why: epochs.OpenEpoch, *, instead_of: EpochId | None = None
    ) -> writer.Written | None:
        raise NotImplementedError("here the uploader's own process opens epochs")

    def purge_part(self, through: Mapping[EpochId, int]) -> Purged:
        return Purged(sum(self.database.purge(epoch, seq) for epoch, seq in through.items()))

    def forget_customers(self, numbers: tuple[CustomerNumber, ...]) -> int:
        raise NotImplementedError("nobody here is a customer by name")

    # Sending

    def notify(self) -> None:
        if self.alive and self.sync is not None:
            self.sync.driver.notify()

    def look_at_line(self) -> None:
        """Whoever answers at the other end died or woke up."""
        if self.alive and self.sync is not None:
            self.sync.prober.poke()

    def heartbeat(self) -> None:
        if self.alive and self.sync is not None:
            self.sync.feeder.wake()

    def ask_for_commands(self) -> None:
        """Its poll came back, or is due."""
        if self.alive and self.sync is not None:
            self.sync.commander.wake()

    def handle(self, event: Event) -> None:
        """What `register/sync/uploader.py` does with what its sender says."""
        reference, sync = self.database.reference.reference, self.sync
        assert sync is not None, "events come from a process that runs"
        if isinstance(event, IncarnationSeen):
            self._head_office_ms = event.time_ms
            if event.incarnation != UNKNOWN:
                self.database.memory.hear(event.incarnation)
                self._is_current = reference.see_incarnation(event.incarnation, self.clock.now_ms())
        elif isinstance(event, ReceiptGiven):
            if self._is_current and self._relies_on(event.receipt):
                reference.keep([event.receipt], None, self.clock.now_ms())
                sync.receipt_kept()
        elif isinstance(event, Held):
            sync.resent(event.position.epoch, event.position.seq)
        elif isinstance(event, EpochNeeded):
            self.open_epoch(event.open)
            sync.driver.sender.relocate()

    def _relies_on(self, receipt: messages.Receipt) -> bool:
        public_key = self.keychain.head_office_keys.get(receipt.key_id)
        return public_key is not None and accept_receipt(receipt, public_key, verify, self.database.hash_at)

    def left(self, epoch: EpochId, seq: int) -> None:
        self.ledger.leave(self.life, epoch, seq)

    def handed_seq(self) -> int | None:
        """Up to where entries of the open epoch may have left, by the note on its disk."""
        head = self.database.head
        return None if head is None else handed_seq(self.keychain.handed, head.epoch)

    def compare(self, body: bytes) -> None:
        """The oracle's own look at an answer: does it name what this disk does not hold."""
        for cursor in messages.decode(body, messages.OfferReply).cursors:
            claimed = () if cursor.claimed is None else (cursor.claimed,)
            for tip in (*cursor.tips, *cursor.elsewhere, *claimed):
                if self.database.hash_at(EpochId(tip.epoch), tip.seq) != tip.hash:
                    self.ledger.tell_apart(self.life, tip.epoch)

    def drained(self) -> bool:
        """Does this register know every epoch of its own to be applied to the end."""
        applied = self.database.reference.applied()
        return all(
            epoch.epoch in applied and applied[epoch.epoch].seq >= epoch.head.seq
            for epoch in self.database.epochs
        )
