"""A store server in the simulation: the shipped relay between some registers and head office."""

from collections.abc import Mapping

from holdfast.core.ids import OriginId
from holdfast.core.journal.chain import Verify
from holdfast.core.sync import messages
from holdfast.core.sync.receiver import Keys, Refused, receive_batch, receive_offer
from holdfast.core.sync.relay import Relay, RelayView
from holdfast.core.sync.sender import Event, Held, IncarnationSeen, ReceiptGiven, Sender
from holdfast.simulation.driver import POLICY, Driver
from holdfast.simulation.head_office import SimHeadOffice
from holdfast.simulation.network import Answer, Line
from holdfast.simulation.prober import SimBoard, SimProber
from holdfast.simulation.register import UNKNOWN
from holdfast.simulation.session import OneKey, SessionLine
from holdfast.simulation.signing import SimKey
from holdfast.simulation.world import NodeClock, World

TAKEN = ("offer", "entries")
"""Kinds that it answers itself, in no session."""
OUTDATED = ("key.unknown", "session.former-key")
"""Head office's refusals of what was signed with a key that it does not know, or not any more."""
Lane = tuple[OriginId, int]


class SimStoreServer:
    """Holds what it was sent on its own disk; loses that disk now and then, promises only *held*."""

    def __init__(
        self,
        world: World,
        node: str,
        origin: OriginId,
        key: SimKey,
        head_office: SimHeadOffice,
        verify: Verify,
    ) -> None:
        self.world, self.node, self.origin = world, node, origin
        self.alive = True
        self.behind: list[OriginId] = []
        """Registers of its store: its session may bring what they wrote."""
        self._head_office = head_office
        self._verify = verify
        self._relay = Relay()
        self._drivers: dict[Lane, Driver] = {}
        self._incarnation = UNKNOWN
        self._key = key
        self._keys: Mapping[OriginId, Keys] = {}
        """As head office last said."""
        self.line = Line(world, f"{node} up", self._carry, lambda: head_office.alive)
        self._start_process()

    def _start_process(self) -> None:
        self._board = SimBoard(NodeClock(self.world))
        self._session = SessionLine(self.line, self.origin, OneKey(self.origin, self._key), self._board)
        self._prober = SimProber(self.world, self.node, self.line, self._board)
        self._board.on_return(self._session.line_returned)
        self._board.on_return(self._line_returned)
        self._prober.poke()

    def _carry(self, kind: str, body: bytes, token: str) -> Answer | None:
        return self._head_office.handle(token, kind.partition(" ")[0], body)

    def _keys_of(self, origin: OriginId) -> Mapping[OriginId, Keys]:
        """Of that register alone. While head office is down, what it said last holds."""
        if self._head_office.alive:
            self._keys = self._head_office.keys(self.origin)
        return {origin: self._keys[origin]} if origin in self._keys else {}

    # Towards the registers

    def handle(self, origin: OriginId, token: str, kind: str, body: bytes) -> Answer | None:
        """Offers and entries it takes by their signatures; all else is between register and head office."""
        if not self.alive:
            return None
        if kind not in TAKEN:
            return self._pass_on(origin, token, kind, body)
        origins = self._keys_of(origin)
        if kind == "offer":
            offer = receive_offer(body, origins=origins, verify=self._verify)
            if isinstance(offer, Refused):
                return Answer(offer.status, b"", offer.code, offer.detail)
            reply = self._relay.answer_offer(offer, self._incarnation, self.world.now_ms)
            self._pass_up(origin, body)
            return Answer(200, messages.encode(reply))
        batch = receive_batch(body, origins=origins, verify=self._verify)
        if isinstance(batch, Refused):
            return Answer(batch.status, b"", batch.code, batch.detail)
        ack = self._relay.answer_batch(batch, self._incarnation, self.world.now_ms)
        self.pump()
        return Answer(200, messages.encode(ack))

    def _pass_on(self, origin: OriginId, token: str, kind: str, body: bytes) -> Answer | None:
        """Head office's own answer, or none."""
        weather = self.line.weather
        if weather.is_dead or self.world.chance(weather.request_loss):
            return None
        answer = self._carry(kind, body, token)
        if answer is not None and answer.status == 200 and kind == "heartbeat":
            reply = messages.decode(answer.body, messages.HeartbeatReply)
            self._incarnation = reply.incarnation
            self._locate_again(origin, reply.offer)
        return answer

    def _pass_up(self, origin: OriginId, offer: bytes) -> None:
        """A register's own offer, word for word: head office answers for that very copy of it."""

        def learn(answer: Answer) -> None:
            if self.alive and answer.status == 200:
                reply = messages.decode(answer.body, messages.OfferReply)
                self._incarnation = reply.incarnation
                self._relay.learn(origin, reply)
                lacking = any(cursor.known_sample == 0 or not cursor.tips for cursor in reply.cursors)
                self._locate_again(origin, lacking)

        def lost() -> None:
            if self.alive:
                self._board.lost("no answer in time")

        self._session.call(f"offer {origin}", offer, learn, lost)

    def _locate_again(self, origin: OriginId, unclear: bool) -> None:
        """Head office does not hold what a register says: perhaps not either what was sent for it."""
        if unclear:
            for (of, _), driver in self._drivers.items():
                if of == origin:
                    driver.locate_again()

    # Life and death

    def crash(self) -> None:
        self.alive = False
        self._prober.stop()
        self._session.stop()
        for driver in self._drivers.values():
            driver.stop()
        self._drivers.clear()

    def start(self, *, disk_lost: bool = False) -> None:
        self.alive = True
        if disk_lost:
            self._relay = Relay()
        self._start_process()
        self.pump()

    def look_at_line(self) -> None:
        """Head office died or woke up."""
        if self.alive:
            self._prober.poke()

    def _line_returned(self, was_dead: bool) -> None:
        for driver in list(self._drivers.values()):
            driver.line_returned(was_dead)

    # Towards head office

    def pump(self) -> None:
        """Sends on whatever any lane of any origin has."""
        if not self.alive:
            return
        for origin in self.behind:
            for number, view in enumerate(self._relay.lanes(origin)):
                self._driver((origin, number), view).notify()

    def _driver(self, lane: Lane, view: RelayView) -> Driver:
        known = self._drivers.get(lane)
        if known is not None:
            return known
        sender = Sender(view, policy=POLICY, jitter=self.world.random.random)
        driver = Driver(
            self.world,
            f"{self.node} {lane}",
            sender,
            self._session,
            self._board,
            lambda event: self._handle(lane, event),
            suffix=f" {lane[0]}",
            on_refusal=lambda answer: self._refused(lane[0], answer),
        )
        self._drivers[lane] = driver
        return driver

    def _refused(self, origin: OriginId, answer: Answer) -> None:
        """For signatures that head office does not take (any more), only the register can make others."""
        if answer.code in OUTDATED:
            self._relay.forget(origin)
            for lane in [lane for lane in self._drivers if lane[0] == origin]:
                self._drivers.pop(lane).stop()

    def _handle(self, lane: Lane, event: Event) -> None:
        if isinstance(event, ReceiptGiven):
            self._relay.keep(event.receipt)
        elif isinstance(event, IncarnationSeen):
            self._incarnation = event.incarnation
        elif isinstance(event, Held):
            # What a first lane has brought, a branch's lane was waiting for.
            for (origin, number), other in self._drivers.items():
                if origin == lane[0] and number > lane[1]:
                    other.locate_again()
