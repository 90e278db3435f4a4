"""Receipts' codes at a register: signed with its own key, judged by what head office publishes (PO8)."""

import threading
from collections.abc import Callable
from pathlib import Path

from holdfast.core.faults import KeyFault
from holdfast.core.ids import KeyId
from holdfast.core.receipt.code import (
    FORGED,
    ReceiptCode,
    RegisterKey,
    code_refusal,
    facts_of,
    sign_code,
)
from holdfast.core.receipt.issued import Issued
from holdfast.core.refusals import Refusal
from holdfast.infra.config import RegisterConfig, RegisterHome
from holdfast.infra.keys import SigningKey, verify

CODE_ERROR = "m"
"""Correction level of its picture: a fingerprint or a fold may take a seventh of it away."""


class ReceiptCodes:
    """Signs and judges codes; thread-safe."""

    def __init__(
        self,
        home: RegisterHome,
        config: RegisterConfig,
        *,
        key_of: Callable[[KeyId], RegisterKey | None],
        window_days: Callable[[], int],
    ) -> None:
        """`key_of`: a row of the feed `register_keys`. `window_days`: the return window as it is now."""
        self._path: Path = home.signing_key
        self._config = config
        self._key_of = key_of
        self._window_days = window_days
        self._lock = threading.Lock()
        self._known: tuple[object, SigningKey | None] = (None, None)

    def code_of(self, issued: Issued) -> str:
        """What the code of a receipt holds: its signed facts. Its number alone where this register has no
        key to sign with: it sells on all the same, and finds that receipt in its own journal."""
        key = self._key()
        return issued.document if key is None else sign_code(facts_of(issued), key)

    def refusal(self, code: ReceiptCode, today: str) -> Refusal | None:
        """Why nothing comes back on a code; None: it is its register's word. `today`: the business date."""
        return code_refusal(code, self._row(code.key_id), verify, today, self._window_days())

    def own_refusal(self, code: ReceiptCode, issued: Issued) -> Refusal | None:
        """The same where this register has the receipt itself: its journal knows better than any key."""
        row = self._row(code.key_id)
        signed = row is None or verify(row.public_key, code.signature, code.statement)
        return None if signed and code.facts == facts_of(issued) else FORGED

    def _row(self, key_id: KeyId) -> RegisterKey | None:
        """Its own key a register knows before head office has published it."""
        found, own = self._key_of(key_id), self._key()
        if found is not None or own is None or own.key_id != key_id:
            return found
        config = self._config
        return RegisterKey(
            origin=config.origin,
            register=config.register,
            series=config.series,
            store=config.store,
            public_key=own.public_bytes,
        )

    def _key(self) -> SigningKey | None:
        """The one that signs now: the sync process may have put another in its place."""
        with self._lock:
            try:
                found = self._path.stat()
                mark = (found.st_ino, found.st_mtime_ns)
                if mark != self._known[0]:
                    self._known = (mark, SigningKey.load(self._path))
            except (OSError, KeyFault):
                return None
            return self._known[1]
