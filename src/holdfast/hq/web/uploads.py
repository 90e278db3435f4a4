"""Files between their check and the decision to take them: a few, for a while, in memory."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from holdfast.infra.clock import Clock

UPLOAD_BYTES_MAX = 32 << 20
"""Larger files go by `holdfast hq load`, which needs no browser."""
UPLOADS_MAX = 4
KEPT_MS = 30 * 60_000


@dataclass(frozen=True)
class Upload:
    """A file that somebody checked."""

    admin: str
    kind: str
    name: str
    data: bytes
    at_ms: int


class Uploads:
    """Used on the event loop alone; the oldest makes room."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, Upload] = OrderedDict()

    def keep(self, admin: str, kind: str, name: str, data: bytes) -> str:
        """A token by which the same person takes it."""
        token = secrets.token_urlsafe(18)
        self._kept[token] = Upload(admin, kind, name, data, self._clock.monotonic_ms())
        while len(self._kept) > UPLOADS_MAX:
            self._kept.popitem(last=False)
        return token

    def take(self, token: str, admin: str) -> Upload | None:
        """The file, once, for whoever uploaded it, while it is kept."""
        found = self._kept.get(token)
        if found is None or found.admin != admin:
            return None
        del self._kept[token]
        return None if self._clock.monotonic_ms() - found.at_ms > KEPT_MS else found
