"""A simulated register: the shipped journal, sender and board over a simulated disk, clock and line."""

from holdfast.core import business_day
from holdfast.core.ids import EpochId, OriginId, StaffId, epoch_id
from holdfast.core.journal import epochs, writer
from holdfast.core.journal.chain import Position, Signer, Verify
from holdfast.core.sync import messages
from holdfast.core.sync.cursors import accept_receipt, purge_through
from holdfast.core.sync.sender import EpochNeeded, Event, IncarnationSeen, ReceiptGiven, Sender
from holdfast.simulation.disk import Database, DiskJournal, Mark
from holdfast.simulation.documents import HOLOGRAM, chance_of, sample_sale
from holdfast.simulation.driver import POLICY, Driver
from holdfast.simulation.feeder import SimFeeder
from holdfast.simulation.ledger import Fact, Ledger, Life
from holdfast.simulation.network import Line
from holdfast.simulation.prober import SimBoard, SimProber
from holdfast.simulation.world import NodeClock, World, WorldRandomness

RETURN_WINDOW_ENTRIES = 10
CASHIER = StaffId("c1")
POWER_CUT_BEFORE_THE_MARK = 0.02
CUT_MS = 60_000
EPOCHS_MAX = 40
"""A disk that comes to more has not lost so much: it does not understand what it is told."""


class SimRegister:
    """One machine. A crash loses what is in memory; the database and the mark stay."""

    def __init__(
        self,
        world: World,
        ledger: Ledger,
        node: str,
        origin: OriginId,
        series: str,
        signer: Signer,
        line: Line,
        head_office_key: bytes,
        verify: Verify,
        life: Life,
    ) -> None:
        self.world, self.ledger, self.node = world, ledger, node
        self.origin, self.series, self.signer, self.line = origin, series, signer, line
        self.life = life
        self.clock = NodeClock(world)
        self.board = SimBoard(self.clock)
        self.database = Database()
        self.mark: Mark | None = None
        self.alive = False
        self._head_office_key = head_office_key
        self._verify = verify
        self._head_office_ms: int | None = None
        self.journal = DiskJournal(origin, self.database, signer)
        self._driver: Driver | None = None
        self.prober: SimProber | None = None
        self.feeder: SimFeeder | None = None

    # Life and death

    def start(self) -> None:
        """Power on: the mark against the database, offline too; then sync as its process starts it."""
        self.alive = True
        self._head_office_ms = None
        self.ledger.unseen -= {
            (self.origin, epoch.epoch, entry.seq, entry.hash)
            for epoch in self.database.epochs[-1:]
            for entry in epoch.entries[-1:]
        }
        self._start_sync()
        head = self.database.head
        why = epochs.at_start(None if head is None else head.position, self.mark, self.database.hash_at)
        if why is not None:
            self.open_epoch(why)
        elif head is not None:
            self.mark = Mark(head.epoch, head.seq, head.hash)
        self.notify()

    def _start_sync(self) -> None:
        self.journal = DiskJournal(self.origin, self.database, self.signer)
        board = self.board = SimBoard(self.clock)
        self.prober = SimProber(self.world, self.node, self.line, board)
        sender = Sender(self.journal, policy=POLICY, jitter=self.world.random.random)
        feeder = self.feeder = SimFeeder(self.world, self.node, self.line, board, self._statement)
        driver = self._driver = Driver(
            self.world,
            self.node,
            sender,
            self.line,
            board,
            self._handle,
            on_offer_reply=self._compare,
            on_drained=feeder.wake,
        )
        feeder.on_reply = driver.heard
        board.on_return(driver.line_returned)
        board.on_return(lambda _: feeder.wake())
        self.prober.poke()

    def crash(self) -> None:
        self.alive = False
        for part in (self._driver, self.prober, self.feeder):
            if part is not None:
                part.stop()

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
            key_id=self.signer.key_id,
        )
        self._commit(written)

    def _commit(
        self, written: writer.Written, number: str = "", reference: str = "", *, is_sound: bool = True
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

    def start_if_down(self) -> None:
        if not self.alive:
            self.start()

    def sell(self, reference: str | None = None, *, description: str = "tea", version: int = 1) -> None:
        """One document: a sale, now and then a return. Entering a known reference is no operation."""
        head = self.database.head
        if not self.alive or head is None:
            return
        self.board.used()
        if reference is not None:
            if reference in self.database.references:
                return
            self.database.references.add(reference)
        stamp = self._stamp()
        chance = chance_of(self.world.random, reference)
        sign = -1 if version == 1 and chance.random() < 0.1 else 1
        number = head.next_document(self.series)
        body = sample_sale(chance, number, stamp, sign, reference, description)
        kind = "sale" if sign > 0 else "return"
        written = writer.write(self.origin, head, kind, version, body, stamp)
        sound = version == 1 and "\x00" not in description
        self._commit(written, number, reference or "", is_sound=sound)
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
        for epoch in self.database.epochs:
            receipts = self.database.receipts.values()
            keep_from = epoch.head.seq - RETURN_WINDOW_ENTRIES + 1
            self.database.purge(epoch.epoch, purge_through(receipts, epoch.epoch, keep_from))

    # Sending

    def notify(self) -> None:
        if self.alive and self._driver is not None:
            self._driver.notify()

    def look_at_line(self) -> None:
        """Whoever answers at the other end died or woke up."""
        if self.alive and self.prober is not None:
            self.prober.poke()

    def heartbeat(self) -> None:
        if self.alive and self.feeder is not None:
            self.feeder.wake()

    def _handle(self, event: Event) -> None:
        if isinstance(event, IncarnationSeen):
            self._head_office_ms = event.time_ms
        elif isinstance(event, ReceiptGiven):
            receipt = event.receipt
            if accept_receipt(receipt, self._head_office_key, self._verify, self.database.hash_at):
                self.database.receipts[(receipt.epoch, receipt.level)] = receipt
        elif isinstance(event, EpochNeeded):
            self.open_epoch(event.open)
            if self._driver is not None:
                self._driver.sender.relocate()

    def _compare(self, body: bytes) -> None:
        """The oracle's own look at an answer: does it name what this disk does not hold."""
        for cursor in messages.decode(body, messages.OfferReply).cursors:
            claimed = () if cursor.claimed is None else (cursor.claimed,)
            for tip in (*cursor.tips, *cursor.elsewhere, *claimed):
                if self.database.hash_at(EpochId(tip.epoch), tip.seq) != tip.hash:
                    self.ledger.tell_apart(self.life, tip.epoch)

    def _statement(self) -> messages.SignedStatement | None:
        """The signed word about what is here and what is owed."""
        heads = self.journal.heads()
        if not heads:
            return None
        applied = {
            epoch: given.seq for (epoch, level), given in self.database.receipts.items() if level == "applied"
        }
        owed = sum(epoch.head.seq - applied.get(epoch.epoch, 0) for epoch in self.database.epochs)
        statement = messages.encode(
            messages.Heartbeat(
                origin=self.origin,
                clock_ms=self.clock.now_ms(),
                offset_min=0,
                head=Position(heads[-1].epoch, heads[-1].seq, heads[-1].hash),
                owed_count=owed,
                owed_minor=0,
                currency="GBP",
                nonce="" if self.feeder is None else self.feeder.nonce,
            )
        )
        return messages.SignedStatement(
            statement=statement,
            key_id=self.signer.key_id,
            signature=self.signer.sign(messages.heartbeat_statement(statement)),
        )

    def drained(self) -> bool:
        """Does this register know every epoch of its own to be applied to the end."""
        return all(
            (receipt := self.database.receipts.get((epoch.epoch, "applied"))) is not None
            and receipt.seq >= epoch.head.seq
            for epoch in self.database.epochs
        )
