"""Mutants of what goes down: feeds and commands."""

from typing import Any

import pytest

from holdfast.core.sync.sender import Sender
from holdfast.hq.ingest import Ingest
from holdfast.register.sync import commands, feed_store
from holdfast.register.sync.commands import Commander
from holdfast.register.sync.reference import Reference
from holdfast.register.sync.requests import AppendRequest
from tests.simulation.mutants.registry import mutant


@mutant("feeds:", seed=7, days=2, registers=4)
def older_page_taken(patch: pytest.MonkeyPatch) -> None:
    """Any page of this life of head office that is well signed is taken."""
    patch.setattr(feed_store, "is_newer", lambda have, page: True)


@mutant("feeds:", "quiet", days=1, registers=1)
def lost_feeds_unnoticed(patch: pytest.MonkeyPatch) -> None:
    """A restored head office goes on numbering where registers have been already."""
    patch.setattr(Ingest, "_shows_loss", lambda self, *arguments: False)


@mutant("commands:", seed=3, days=1, registers=2)
def command_of_a_former_life_done(patch: pytest.MonkeyPatch) -> None:
    """Whatever head office once signed is its word of today."""
    original = Reference.see_incarnation

    def see_incarnation(self: Reference, *arguments: Any) -> bool:
        original(self, *arguments)
        return True

    patch.setattr(Reference, "see_incarnation", see_incarnation)


@mutant("commands:", days=1, registers=1)
def outcome_never_told(patch: pytest.MonkeyPatch) -> None:
    """What was done is kept to itself."""
    patch.setattr(Commander, "_report", lambda self, books: None)


@mutant("commands:", days=1, registers=1)
def done_and_not_written_down(patch: pytest.MonkeyPatch) -> None:
    """A command leaves no entry."""
    original = commands.file_request

    def file_request(connection: Any, payload: Any, now_ms: int) -> int:
        if isinstance(payload, AppendRequest) and payload.type == "command_done":
            return 0
        return original(connection, payload, now_ms)

    patch.setattr(commands, "file_request", file_request)


@mutant("commands:", days=2, registers=2)
def resending_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What was sent once is not sent again, whoever asks."""
    patch.setattr(Sender, "resend", lambda self, epoch, from_seq: None)
