"""What a copy of a register claimed and never sent is shown, however far the other copy has come (P6)."""

from typing import Any

import pytest

from holdfast.core.ids import EpochId
from holdfast.core.monitoring.owed import Owing, owing_of_epoch
from holdfast.hq.knowledge import knowledge_of


def held(head_seq: int, closed_at_seq: int | None = None) -> dict[str, Any]:
    return {
        "chain": 1,
        "epoch": "e1",
        "branch": 0,
        "head_seq": head_seq,
        "closed_at_seq": closed_at_seq,
        "cause": "enrolled",
        "parent_epoch": None,
    }


@pytest.mark.parametrize(
    ("claims", "closed_at_seq", "shown"),
    [
        ({}, None, Owing.NOTHING),
        ({"e1": 60}, None, Owing.OWES),
        ({"e1": 46}, None, Owing.OWES),
        ({"e1": 53}, None, Owing.OWES),
        ({"e1": 46}, 53, Owing.MAY_OWE),
        ({"e2": 4}, None, Owing.OWES),
    ],
)
def test_a_claim_that_is_not_here_is_owed(
    claims: dict[str, int], closed_at_seq: int | None, shown: Owing
) -> None:
    known = knowledge_of([held(53, closed_at_seq)], claims)
    worst = [owing_of_epoch(item, silent_ms=0, silence_limit_ms=1_000) for item in known]
    assert shown in worst
    assert all(found in (shown, Owing.NOTHING, Owing.COMPLETE) for found in worst)


def test_what_two_people_gave_up_is_complete_in_every_branch() -> None:
    known = knowledge_of([held(53)], {"e1": 46}, {"e1"})
    assert {owing_of_epoch(item, 0, 1_000) for item in known} == {Owing.COMPLETE}


def test_only_the_epoch_that_the_register_speaks_of_is_open() -> None:
    """Two epochs of one parent: of the one that a second restore ended, nobody knows what it came to (P6)."""
    lost = held(4) | {"epoch": "e2", "parent_epoch": "e1", "chain": 2}
    lives = held(9) | {"epoch": "e3", "parent_epoch": "e1", "chain": 3}
    known = knowledge_of([held(53), lost, lives], {}, (), EpochId("e3"))
    shown = [owing_of_epoch(item, 0, 1_000) for item in known]
    assert shown == [Owing.MAY_OWE, Owing.MAY_OWE, Owing.NOTHING]
