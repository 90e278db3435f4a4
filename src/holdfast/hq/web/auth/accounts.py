"""Administrators, the one-time links by which they set a password, and the sessions of their browsers.

A password is kept as argon2id; of a link or a session only the SHA-256 of its token, so that whoever
reads the database or a backup can use none of them. Every call is one transaction.
"""

import hashlib
import hmac
import re
import secrets

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.core.refusals import Refusal
from holdfast.infra.clock import Clock
from holdfast.infra.postgres.connect import Pool
from holdfast.infra.queries import Engine, load_queries

LINK_TTL_MS = 24 * 3_600_000
SESSION_TTL_MS = 12 * 3_600_000
PASSWORD_CHARS_MIN = 12
PASSWORD_CHARS_MAX = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}\Z")
_queries = load_queries("holdfast.hq.web.auth", "accounts.sql", Engine.POSTGRES)
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_urlsafe(32))
"""Checked where no such administrator is, so that the time taken does not tell who exists."""


class Link(msgspec.Struct, frozen=True):
    """An unused link: whose password it sets."""

    admin: str
    expires_at_ms: int


class Session(msgspec.Struct, frozen=True):
    """A signed-in browser: who it is, and the token that each of its forms carries."""

    admin: str
    csrf: str
    store: str = ""
    """Whose people this is one of; empty: head office's."""


def name_refusal(admin: str) -> Refusal | None:
    """Why nobody can sign in by this name; None if somebody can."""
    if _NAME.match(admin.strip().lower()):
        return None
    return Refusal(
        "admin.name",
        "An administrator's name has 1 to 64 letters, digits or . _ @ - and begins with a letter or digit.",
    )


class Accounts:
    """The administrators of one head office."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def new_link(self, admin: str, store: str = "") -> str | Refusal:
        """A token that lets its bearer set this person's password once, within a day.

        `store`: somebody new is of that store, and sees and releases the locks of its registers alone.
        """
        name = admin.strip().lower()
        refusal = name_refusal(name)
        if refusal is not None:
            return refusal
        token = secrets.token_urlsafe(24)
        now_ms = self._clock.now_ms()
        with self._pool.connection() as conn:
            if store and not _queries.has_store(conn, store=store):
                return Refusal("admin.store", f"There is no store {store[:64]!r}.")
            _queries.add_admin(conn, admin=name, now_ms=now_ms, store=store)
            if store and _queries.store_of(conn, admin=name) != store:
                return Refusal(
                    "admin.known",
                    f"{name} is known already, and not as one of store {store}. Take another name.",
                )
            _queries.drop_links(conn, admin=name)
            _queries.add_link(
                conn, token_hash=_digest(token), admin=name, now_ms=now_ms, expires_at_ms=now_ms + LINK_TTL_MS
            )
        return token

    def link(self, token: str) -> Link | None:
        """The link of that token, if it is still good."""
        with self._pool.connection() as conn:
            row = _queries.link(conn, token_hash=_digest(token), now_ms=self._clock.now_ms())
        return Link(*row) if row else None

    def set_password(self, token: str, password: str) -> str | Refusal:
        """Use the link up; the administrator's name. Whoever knew an old password is signed out."""
        if refusal := password_refusal(password):
            return refusal
        hashed = _hasher.hash(password)
        with self._pool.connection() as conn:
            row = _queries.use_link(conn, token_hash=_digest(token), now_ms=self._clock.now_ms())
            if row is None:
                return Refusal(
                    "admin.link-used",
                    "This link was used or is too old. Make another: holdfast hq admin link.",
                )
            _queries.set_password(conn, admin=row[0], password_hash=hashed)
            _queries.end_sessions_of(conn, admin=row[0])
        return row[0]

    def check(self, admin: str, password: str) -> str | None:
        """The administrator's name when the password is theirs. Takes as long either way."""
        name = admin.strip().lower()
        with self._pool.connection() as conn:
            found = _queries.password_hash(conn, admin=name)
        try:
            _hasher.verify(found or _NOBODY, password[:PASSWORD_CHARS_MAX])
        except (VerificationError, InvalidHashError):
            return None
        return name if found else None

    def store_of(self, admin: str) -> str:
        """Whose people this is one of; empty: head office's."""
        with self._pool.connection() as conn:
            return _queries.store_of(conn, admin=admin) or ""

    def anybody(self) -> bool:
        """Whether anybody can sign in at all."""
        with self._pool.connection() as conn:
            return _queries.with_password(conn) > 0

    def begin_session(self, admin: str) -> str:
        """The token of a new session."""
        token = secrets.token_urlsafe(32)
        now_ms = self._clock.now_ms()
        with self._pool.connection() as conn:
            _queries.forget_sessions(conn, now_ms=now_ms)
            _queries.signed_in(conn, admin=admin, now_ms=now_ms)
            _queries.add_session(
                conn,
                token_hash=_digest(token),
                admin=admin,
                csrf=secrets.token_urlsafe(24),
                now_ms=now_ms,
                expires_at_ms=now_ms + SESSION_TTL_MS,
            )
        return token

    def session(self, token: str) -> Session | None:
        """The session of that token, if it still runs."""
        with self._pool.connection() as conn:
            row = _queries.session(conn, token_hash=_digest(token), now_ms=self._clock.now_ms())
        return Session(*row) if row else None

    def end_session(self, token: str) -> None:
        """Sign out."""
        with self._pool.connection() as conn:
            _queries.end_session(conn, token_hash=_digest(token))


def password_refusal(password: str) -> Refusal | None:
    """Why this password does not do."""
    if len(password) < PASSWORD_CHARS_MIN:
        return Refusal(
            "admin.password-short", f"Use at least {PASSWORD_CHARS_MIN} characters; a few words do well."
        )
    if len(password) > PASSWORD_CHARS_MAX:
        return Refusal("admin.password-long", f"Use at most {PASSWORD_CHARS_MAX} characters.")
    if len(set(password)) < 5:
        return Refusal("admin.password-weak", "Use more than a few different characters.")
    return None


def same(one: str, other: str) -> bool:
    """Whether two tokens are one, compared in a time that tells nothing; an empty one never is."""
    return bool(one) and hmac.compare_digest(one.encode(), other.encode())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
