"""Commands from head office: they ride on the connection that the register opened.

A command is signed, numbered per origin within head office's incarnation, delivered until its outcome is
known, and carried out once: a register keeps the highest number it has carried out and refuses an older
one, and every one of a former incarnation.
"""

import msgspec

from holdfast.core.ids import IncarnationId, OriginId

KINDS = ("sync_now", "report", "resend_from", "purge", "rotate_key", "collect_diagnostics")


class Command(msgspec.Struct, frozen=True, kw_only=True):
    origin: OriginId
    incarnation: IncarnationId
    number: int
    """From 1, rising per origin and incarnation."""
    kind: str
    arguments: dict[str, str] = {}
    issued_at_ms: int


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Feeds of which a connected register is told at once: they are small, and wanted within seconds."""

    incarnation: IncarnationId
    feeds: dict[str, int]
    """Feed → its newest version."""
    time_ms: int
    """Head office's, when it knew this."""


class CommandBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What a long poll brings; signed as a whole. One that brings neither found nothing in its time."""

    commands: tuple[Command, ...]
    news: News | None = None
    """Only a hint: the pages that it names are signed themselves, and checked as any other."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /v1/sync/commands/outcome`; sending it is also the delivery's acknowledgement."""

    incarnation: IncarnationId
    """The command's."""
    number: int
    outcome: str
    detail: str = ""
