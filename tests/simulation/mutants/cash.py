"""Mutants of money."""

from typing import Any

import pytest

from holdfast.core import foreign_cash, totals
from holdfast.core.ingest import project
from tests.simulation.mutants.registry import mutant


@mutant("cash:", plan="usual", days=1, registers=1)
def foreign_notes_counted_as_home_cash(patch: pytest.MonkeyPatch) -> None:
    """What a foreign note is worth is taken for coins in the drawer."""
    patch.setattr(totals, "_DRAWER_KINDS", frozenset({"cash", "change", "foreign_cash"}))


@mutant("cash:", plan="usual", days=1, registers=1)
def foreign_notes_not_booked(patch: pytest.MonkeyPatch) -> None:
    """That they lie in the drawer is forgotten, what they were worth is not."""
    original = project._project_payment

    def project_payment(rows: Any, *arguments: Any) -> None:
        original(rows, *arguments)
        rows.appended["document_foreign_cash"].clear()

    patch.setattr(project, "_project_payment", project_payment)


@mutant("cash:", plan="usual", days=1, registers=1)
def foreign_notes_valued_downwards(patch: pytest.MonkeyPatch) -> None:
    """A foreign note counts a coin less than it is worth, each time."""
    original = foreign_cash.home_value_minor
    patch.setattr(foreign_cash, "home_value_minor", lambda *arguments: original(*arguments) - 1)


@mutant("cash:", plan="usual", days=1, registers=1)
def change_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What was given back is still counted as in the drawer."""
    patch.setattr(totals, "_DRAWER_KINDS", frozenset({"cash"}))
