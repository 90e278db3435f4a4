"""Enrolment: stores, one-time codes, and registers that trade one for an identity.

Only a code's hash is kept. The same code with the same key may come again, because an answer can
be lost on its way; with another key it is refused.

A code may also give a register that is enrolled another key: one that lost its key, or whose key is not
known here any more, goes on as the same register.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg

from holdfast.core.bounds import text_refusal
from holdfast.core.ids import ID_RANDOM_BYTES, EpochId, IncarnationId, KeyId, OriginId, StoreId, encode_id
from holdfast.core.ingest.facts import OriginFacts
from holdfast.core.journal.chain import Position, Signer
from holdfast.core.money import currency_of
from holdfast.core.refusals import Refusal
from holdfast.core.sync.enrolment import (
    CODE_TTL_MS,
    EnrolReply,
    EnrolRequest,
    Replaced,
    new_code,
    sign_certificate,
)
from holdfast.core.sync.receiver import Refused
from holdfast.hq.store.port import OriginRecord, RaceFault
from holdfast.hq.store.postgres import PostgresTransaction
from holdfast.infra.clock import Clock, Randomness, time_zone
from holdfast.infra.keys import fingerprint
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

_sql = load_queries("holdfast.hq", "enrolment.sql", Engine.POSTGRES)

PUBLIC_KEY_BYTES = 32
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")
"""What a register's settings take for a store or a series: they stand in numbers and on receipts."""
RECOVERY_BYTES_MAX = 1_024
OPEN_CODES_MAX = 500


class Store(msgspec.Struct, frozen=True):
    """A shop of the chain."""

    store: str
    name: str
    currency: str
    timezone: str


def store_refusal(store: Store) -> Refusal | None:
    """Why there cannot be such a store; None if there can. Raises ConfigurationFault for a wrong zone."""
    currency = currency_of(store.currency)
    refusal = _code_refusal("store's code", store.store) or text_refusal("The store's name", store.name)
    if refusal is None and isinstance(currency, Refusal):
        refusal = currency
    if refusal is None:
        time_zone(store.timezone)
    return refusal


def _code_refusal(what: str, text: str) -> Refusal | None:
    if not text:
        return Refusal("text.empty", f"The {what} is empty. Enter it.")
    if _CODE.match(text):
        return None
    return Refusal(
        "text.code",
        f"{text[:40]!r} cannot be a {what}: it has up to 32 letters, digits, dots, dashes and underlines, "
        "and begins with a letter or digit.",
    )


class OpenCode(msgspec.Struct, frozen=True):
    """A code that nobody used yet. The code itself is nowhere: only its hash is kept."""

    id: str
    """Names it, and cannot be used in its place."""
    kind: str
    store: str
    series: str
    name: str
    replaces: OriginId | None
    rekeys: OriginId | None
    """The register that gets another key by it; None: it makes a new one."""
    issued_at_ms: int
    issued_by: str
    expires_at_ms: int


class CodeState(msgspec.Struct, frozen=True):
    """What became of a code."""

    name: str
    rekeys: OriginId | None
    expires_at_ms: int
    used_at_ms: int | None
    origin: OriginId | None
    """The register that used it."""
    withdrawn_at_ms: int | None
    withdrawn_by: str | None


class Enrolment:
    """Makes codes and takes them back. `keys` are head office's own public keys, former ones too."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        randomness: Randomness,
        *,
        keys: Mapping[KeyId, bytes],
        recovery_public_key: bytes,
        signer: Signer,
    ) -> None:
        """`signer`: head office's key, which certifies who a register is."""
        self._signer = signer
        self._pool = pool
        self._clock = clock
        self._randomness = randomness
        self._keys = dict(keys)
        self._recovery_public_key = recovery_public_key

    # ---- stores

    def put_store(self, store: Store) -> Refusal | None:
        """Add a store, or change its name, currency or zone. Raises ConfigurationFault for a wrong zone."""
        refusal = store_refusal(store)
        if refusal is not None:
            return refusal
        with self._pool.connection() as conn:
            _sql.put_store(conn, **msgspec.structs.asdict(store))
        return None

    def stores(self) -> list[Store]:
        with self._pool.connection() as conn:
            return [Store(*row) for row in _sql.stores(conn)]

    # ---- codes

    def issue_code(
        self,
        store: str,
        series: str,
        *,
        name: str = "",
        kind: str = "register",
        replaces: OriginId | None = None,
        by: str = "",
        ttl_ms: int = CODE_TTL_MS,
    ) -> str | Refusal:
        """A code to enrol one register with, shown once.

        A register that `replaces` another goes on in its series; its numbers stand in a segment of
        their own, and what the former one may still owe stays on record.
        """
        refusal = _code_refusal("series", series) or text_refusal("The register's name", name)
        if refusal is not None:
            return refusal
        now_ms = self._clock.now_ms()
        code = new_code(self._randomness.bytes(ID_RANDOM_BYTES))
        with self._pool.connection() as conn:
            refusal = _refuse_place(conn, store, series, replaces)
            if refusal is not None:
                return refusal
            _sql.add_code(
                conn,
                code_hash=_hash(code),
                kind=kind,
                store=store,
                series=series,
                name=name or series,
                replaces=replaces,
                rekeys=None,
                by=by,
                now_ms=now_ms,
                expires_at_ms=now_ms + ttl_ms,
            )
        return code

    def issue_rekey_code(self, origin: OriginId, *, by: str = "", ttl_ms: int = CODE_TTL_MS) -> str | Refusal:
        """A code that gives the register another key, shown once; used, it puts the others out of force."""
        now_ms = self._clock.now_ms()
        code = new_code(self._randomness.bytes(ID_RANDOM_BYTES))
        with self._pool.connection() as conn:
            found = _sql.origin(conn, origin=origin)
            if found is None:
                return Refusal("origin.unknown", f"No register {origin[:64]!r} is enrolled.")
            _, kind, store, series, _, name, retired_at_ms = found
            if retired_at_ms is not None:
                return Refusal(
                    "origin.retired",
                    f"{name} is retired, and gets no other key. Take it back into service on its page, or "
                    "enrol its machine as a new register.",
                )
            _sql.add_code(
                conn,
                code_hash=_hash(code),
                kind=kind,
                store=store,
                series=series,
                name=name,
                replaces=None,
                rekeys=origin,
                by=by,
                now_ms=now_ms,
                expires_at_ms=now_ms + ttl_ms,
            )
        return code

    def open_codes(self, limit: int = OPEN_CODES_MAX) -> list[OpenCode]:
        """Those that can still be used, newest first."""
        with self._pool.connection() as conn:
            rows = _sql.open_codes(conn, now_ms=self._clock.now_ms(), limit=limit)
        return [OpenCode(row[0].hex(), *row[1:]) for row in rows]

    def code_state(self, id: str) -> CodeState | None:
        """What became of a code; None: there is none of that id."""
        with self._pool.connection() as conn:
            row = _sql.code_state(conn, code_hash=_hash_of_id(id))
        return None if row is None else CodeState(*row)

    def withdraw_code(self, id: str, *, by: str) -> Refusal | None:
        """Nobody can use it any more. Harmless the second time."""
        code_hash, now_ms = _hash_of_id(id), self._clock.now_ms()
        with self._pool.connection() as conn:
            row = _sql.lock_code(conn, code_hash=code_hash)
            if row is None:
                return Refusal("enrol.code", "There is no such code.")
            if _Code(*row).used_at_ms is not None:
                return Refusal(
                    "enrol.code-used",
                    "That code was used already: its register is enrolled.",
                )
            _sql.withdraw_code(conn, code_hash=code_hash, by=by, now_ms=now_ms)
        return None

    # ---- registers

    def enrol(self, request: EnrolRequest) -> EnrolReply | Refused:
        """The identity that a code stands for, now bound to the register's key."""
        if len(request.public_key) != PUBLIC_KEY_BYTES or len(request.recovery) > RECOVERY_BYTES_MAX:
            return Refused(400, "enrol.malformed", "the public key or the recovery copy has not its form")
        try:
            with self._pool.connection() as conn:
                return self._enrol(conn, request)
        except RaceFault as fault:
            return Refused(409, "enrol.series", fault.sentence)

    def _enrol(self, conn: psycopg.Connection[Any], request: EnrolRequest) -> EnrolReply | Refused:
        code_hash, now_ms = _hash(request.code), self._clock.now_ms()
        row = _sql.lock_code(conn, code_hash=code_hash)
        if row is None:
            return Refused(403, "enrol.code", "This enrolment code is not known. Check it.")
        code = _Code(*row)
        if code.rekeys != request.origin:
            return _OTHER_USE if code.rekeys is None else _NOT_HERE
        if code.used_at_ms is not None and code.public_key == request.public_key:
            return self._reply(conn, code, request)
        if code.used_at_ms is not None or code.withdrawn_at_ms is not None or now_ms > code.expires_at_ms:
            said = "used already" if code.used_at_ms is not None else "too old"
            said = "withdrawn" if code.withdrawn_at_ms is not None else said
            return Refused(403, "enrol.code", f"This enrolment code was {said}. Make another one.")
        key_id = fingerprint(request.public_key)
        if _sql.origin_of_key(conn, key_id=key_id) is not None:
            return Refused(409, "enrol.key", "This key belongs to an enrolled register. Make a new one.")
        if code.rekeys is None:
            origin = self._make(conn, code, request, key_id)
        else:
            origin = self._rekey(conn, OriginId(code.rekeys), request, key_id)
        _sql.use_code(conn, code_hash=code_hash, now_ms=now_ms, origin=origin, public_key=request.public_key)
        return self._reply(conn, msgspec.structs.replace(code, origin=origin), request)

    def _make(
        self, conn: psycopg.Connection[Any], code: "_Code", request: EnrolRequest, key_id: KeyId
    ) -> OriginId:
        fresh = OriginId(encode_id(self._randomness.bytes(ID_RANDOM_BYTES)))
        facts = OriginFacts(
            origin=fresh,
            store=StoreId(code.store),
            series=code.series,
            currency=_currency(conn, code.store),
        )
        record = OriginRecord(
            facts=facts,
            kind=code.kind,
            name=code.name,
            enrolled_at_ms=self._clock.now_ms(),
            software=request.software[:200].replace("\x00", ""),
            replaces=None if code.replaces is None else OriginId(code.replaces),
        )
        PostgresTransaction(conn, None).enrol(record, key_id, request.public_key)
        return fresh

    def _rekey(
        self, conn: psycopg.Connection[Any], origin: OriginId, request: EnrolRequest, key_id: KeyId
    ) -> OriginId:
        transaction = PostgresTransaction(conn, origin)
        transaction.give_key(origin, key_id, request.public_key, self._clock.now_ms())
        transaction.alert("rekeyed", origin, f"by a code it was given the key {key_id}; others gave way")
        return origin

    def _reply(self, conn: psycopg.Connection[Any], code: "_Code", request: EnrolRequest) -> EnrolReply:
        assert code.origin is not None, "a code that was used names who used it"
        origin = OriginId(code.origin)
        if request.recovery:
            _sql.put_recovery(conn, origin=origin, recovery=request.recovery)
        _, _, currency, timezone = _sql.store(conn, store=code.store)
        transaction = PostgresTransaction(conn, None)
        identity = transaction.identity(origin, fingerprint(request.public_key))
        return EnrolReply(
            origin=origin,
            series=code.series,
            store=StoreId(code.store),
            currency=currency,
            timezone=timezone,
            incarnation=IncarnationId(transaction.incarnation()),
            head_office_keys=self._keys,
            recovery_public_key=self._recovery_public_key,
            certificate=None if identity is None else sign_certificate(identity, self._signer),
            replaces=None if code.replaces is None else _replaced(conn, OriginId(code.replaces)),
        )

    # ---- recovery

    def recovery_copy(self, origin: OriginId) -> bytes | None:
        """The register's database key, sealed to head office's recovery key, as it was sent at enrolment."""
        with self._pool.connection() as conn:
            return _sql.recovery(conn, origin=origin)

    def note_recovered(self, origin: OriginId, by: str) -> None:
        """Tell people that somebody opened a register's database key."""
        with self._pool.connection() as conn:
            detail = f"its database key was recovered with head office's recovery key, by {by}"
            PostgresTransaction(conn, None).alert("recovered-key", origin, detail)


class _Code(msgspec.Struct, frozen=True):
    """A code as it is stored."""

    kind: str
    store: str
    series: str
    name: str
    replaces: str | None
    rekeys: str | None
    expires_at_ms: int
    used_at_ms: int | None
    origin: str | None
    public_key: bytes | None
    withdrawn_at_ms: int | None


_OTHER_USE = Refused(
    409,
    "enrol.other-use",
    "This code makes a new register. For another key of a register that is enrolled: "
    "holdfast hq register rekey prints a code.",
)
_NOT_HERE = Refused(
    409,
    "enrol.other-use",
    "This code gives another key to a register that is enrolled, and not to this machine. On the register's "
    "own machine: holdfast register rekey",
)


def _replaced(conn: psycopg.Connection[Any], origin: OriginId) -> Replaced:
    head = _sql.newest_head(conn, origin=origin)
    return Replaced(origin=origin, at=None if head is None else Position(EpochId(head[0]), head[1], head[2]))


def _refuse_place(
    conn: psycopg.Connection[Any], store: str, series: str, replaces: OriginId | None
) -> Refusal | None:
    """Why no register can be enrolled there."""
    if _sql.store(conn, store=store) is None:
        return Refusal("store.unknown", f"There is no store {store[:64]!r}. Add it first.")
    if replaces is not None:
        former = _sql.origin(conn, origin=replaces)
        if former is None or former[3] != series:
            return Refusal("enrol.replaces", f"No register {replaces[:64]!r} has the series {series}.")
    active = _sql.active_in_series(conn, series=series)
    if active is not None and active[0] != replaces:
        return Refusal(
            "enrol.series",
            f"Series {series} belongs to register {active[1]}. Choose another, or replace that register.",
        )
    return None


def _currency(conn: psycopg.Connection[Any], store: str) -> str:
    return _sql.store(conn, store=store)[2]


def code_id(code: str) -> str:
    """The id of a code that was just made."""
    return _hash(code).hex()


def _hash_of_id(id: str) -> bytes:
    try:
        return bytes.fromhex(id)
    except ValueError:
        return b""


def _hash(code: str) -> bytes:
    # 80 random bits cannot be guessed, so a plain hash keeps them.
    return hashlib.sha256(b"holdfast enrolment code\0" + code.encode("utf-8", "replace")).digest()
