"""Mutants of the register's sync process: a receipt that nobody checks, a purge before anything is safe."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
import pytest

from holdfast.register.sync import commands
from holdfast.register.sync.uploader import Uploader
from tests.integration.test_register_sync import conftest as line_conftest
from tests.integration.test_register_sync import test_commands, test_upload
from tests.integration.test_register_sync.conftest import Till, home, line, office, register, till
from tests.integration.test_register_sync.head_office import HeadOffice

FIXTURES = (home, line, office, register, till)
"""The ones that those tests use."""
PATIENCE_S = 4.0
"""A mutant's effect comes at once; what is waited for here is what never comes."""

Check = Callable[[Till, HeadOffice], None]


class Mutant(NamedTuple):
    """A rule broken, the test that must find it, and what that must say."""

    patch: Callable[[pytest.MonkeyPatch], None]
    caught_by: Check
    says: str
    patience_s: float


def receipt_signature_unchecked(patch: pytest.MonkeyPatch) -> None:
    """Whatever came as a receipt is relied on."""
    patch.setattr(Uploader, "_holds", lambda self, receipt: True)


def purge_at_applied(patch: pytest.MonkeyPatch) -> None:
    """An applied entry is purged though no backup of head office holds it yet."""
    patch.setattr(commands, "_good_safe", lambda books, keys: _levelled(books.reference.receipts()))


def _levelled(receipts: Any) -> list[Any]:
    return [msgspec.structs.replace(receipt, level="safe") for receipt in receipts]


MUTANTS: Mapping[str, Mutant] = {
    mutant.patch.__name__: mutant
    for mutant in (
        Mutant(
            receipt_signature_unchecked,
            test_upload.test_a_forged_receipt_is_refused,
            "it never came true",
            PATIENCE_S,
        ),
        Mutant(
            purge_at_applied,
            test_commands.test_purge_waits_for_safe_and_leaves_the_chain,
            "applied is not safe",
            line_conftest.GENEROUS_S,
        ),
    )
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_the_integration_tests_find_every_mutant(
    mutant: Mutant, till: Till, office: HeadOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.patch(monkeypatch)
    monkeypatch.setattr(line_conftest, "GENEROUS_S", mutant.patience_s)
    with pytest.raises(AssertionError, match=mutant.says):
        mutant.caught_by(till, office)
