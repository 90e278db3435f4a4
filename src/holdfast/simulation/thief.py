"""Somebody on the wire, or with an old disk: rewrites batches, and uses keys that gave way."""

import msgspec

from holdfast.core.ids import EpochId, KeyId, OriginId, epoch_id
from holdfast.core.journal import writer
from holdfast.core.journal.chain import ZERO_HASH, Signer, link, sign_head
from holdfast.core.journal.epochs import OpenEpoch
from holdfast.core.sync.batch import StoredEntry, encode_batch
from holdfast.core.sync.messages import Challenge, decode, encode
from holdfast.core.sync.ports import Piece
from holdfast.core.sync.receiver import KeyLimit
from holdfast.core.sync.session import answer_challenge
from holdfast.infra.keys import SigningKey
from holdfast.simulation.documents import HOLOGRAM
from holdfast.simulation.fleet import Fleet
from holdfast.simulation.people import People
from holdfast.simulation.register import SimRegister
from holdfast.simulation.session import Asking
from holdfast.simulation.signing import SimKey

STAMP = writer.Stamp(at_ms=1_790_000_000_000, offset_min=0, date="2026-09-21")


class Thief:
    """Of one run."""

    def __init__(self, fleet: Fleet, people: People) -> None:
        self._fleet, self._people = fleet, people
        self._office = fleet.head_office
        self.forgeries = 0
        self.thefts = 0

    def forge(self) -> None:
        """Rewrites a register's own batch on the wire and signs it with a key of theirs."""
        victim = self._fleet.pick()
        head = victim.database.head
        if head is None:
            return
        piece = victim.journal.piece(head.epoch, max(1, head.seq - 3), 10, 1 << 20)
        if piece is None:
            return
        self.forgeries += 1
        attacker = SimKey(self._fleet.seed())
        body = _rewritten(victim.origin, head.epoch, piece, attacker, victim.keychain.key_id)
        self._office.handle_within(victim.origin, "entries", body)

    def steal(self) -> None:
        """Uses a key that gave way, as head office knows: for a session, and for entries."""
        if not self._people.given_up or not self._office.alive:
            return
        victim, key = self._fleet.world.random.choice(self._people.given_up)
        keys = self._office.keys(victim.origin).get(victim.origin)
        limit = None if keys is None else keys.former.get(key.key_id)
        if limit is None:
            return  # it was restored to before, and takes the key for the one in force
        self.thefts += 1
        if self._opens_session(victim.origin, key):
            self._fleet.ledger.broken.append(f"keys: a former key of {victim.origin} opened a session")
        body = self._goes_on(victim, limit, key) or self._begins_anew(victim, key)
        self._office.handle_within(victim.origin, "entries", body)

    def _opens_session(self, origin: OriginId, key: SigningKey) -> bool:
        asked = self._office.handle("", "challenge", encode(Asking(origin)))
        if asked is None or asked.status != 200:
            return False
        request = answer_challenge(origin, decode(asked.body, Challenge), key, software="simulation")
        answer = self._office.handle("", "session", encode(request))
        return answer is not None and answer.status == 200

    def _goes_on(self, victim: SimRegister, limit: KeyLimit, key: Signer) -> bytes | None:
        """After what the key may vouch for; None where the thief's disk does not hold that epoch's end."""
        epoch = None if limit.epoch is None else victim.database.epoch(limit.epoch)
        if epoch is None or self._fleet.world.chance(0.5):
            return None
        written = writer.write(victim.origin, epoch.head, "hologram", 1, HOLOGRAM, STAMP)
        return None if written.seq <= limit.seq else _batch(victim.origin, epoch.head.hash, written, key)

    def _begins_anew(self, victim: SimRegister, key: Signer) -> bytes:
        fresh = epoch_id(self._fleet.world.random.randbytes(16))
        why = OpenEpoch("enrolled", 0, "")
        written = writer.open_epoch(
            victim.origin, victim.series, fresh, None, why, STAMP, software="thief", key_id=key.key_id
        )
        return _batch(victim.origin, ZERO_HASH, written, key)


def _batch(origin: OriginId, previous: bytes, written: writer.Written, key: Signer) -> bytes:
    entry = StoredEntry(written.seq, written.hash, written.data)
    head = sign_head(origin, written.head.epoch, written.seq, written.hash, key)
    return encode_batch(origin, written.head.epoch, previous, [entry], head)


def _rewritten(origin: OriginId, epoch: EpochId, piece: Piece, attacker: SimKey, key_id: KeyId) -> bytes:
    """The piece with its last entry rewritten, under a head of the attacker's that claims the
    victim's key."""
    entries = list(piece.entries)
    previous = piece.previous_hash if len(entries) == 1 else entries[-2].hash
    data = entries[-1].data.replace(b'"at_ms":', b'"at_ms":1')
    entries[-1] = StoredEntry(entries[-1].seq, link(previous, data), data)
    head = sign_head(origin, epoch, entries[-1].seq, entries[-1].hash, attacker)
    head = msgspec.structs.replace(head, key_id=key_id)
    return encode_batch(origin, epoch, piece.previous_hash, entries, head)
