"""Mutants of keys and sessions."""

from typing import Any

import msgspec
import pytest

from holdfast.core.sync.receiver import KeyLimit
from holdfast.hq import sessions
from holdfast.hq.entrance import Entrance
from holdfast.hq.sessions import Sessions
from tests.simulation.mutants.registry import mutant


@mutant("keys: one challenge", plan="usual", seed=5, days=2, registers=1)
def challenge_good_twice(patch: pytest.MonkeyPatch) -> None:
    """A challenge that was signed once opens a session again."""
    patch.setattr(Sessions, "spend", lambda self, nonce: self._issued.get(nonce))


@mutant("keys: a former key", seed=3, days=1, registers=1)
def former_key_opens_a_session(patch: pytest.MonkeyPatch) -> None:
    """A key that gave way still speaks for its register."""
    original = sessions.check_session

    def check_session(request: Any, *, origins: Any, **named: Any) -> Any:
        current = {origin: msgspec.structs.replace(keys, former={}) for origin, keys in origins.items()}
        return original(request, origins=current, **named)

    patch.setattr(sessions, "check_session", check_session)


@mutant("P2: head office holds", seed=4, days=1, registers=1)
def former_key_vouches_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A key that gave way signs what is written after it."""
    patch.setattr(KeyLimit, "covers", lambda self, epoch, seq: True)


@mutant("not drained", seed=3, days=1, registers=1)
def own_word_not_believed(patch: pytest.MonkeyPatch) -> None:
    """A restored head office lets nobody in whom it forgot, whatever it signed before."""
    patch.setattr(Entrance, "_own", lambda self, certificate: None)
