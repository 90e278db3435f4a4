"""`docs/reference` is what the code says today."""

from holdfast.core.central.describe import switch_page
from holdfast.core.operations import OPERATIONS
from holdfast.core.operations.describe import document
from tests.conftest import ROOT


def test_the_operations_page_is_what_the_table_says() -> None:
    """SW8: printed in the docs from the code."""
    written = (ROOT / "docs" / "reference" / "operations.md").read_text()
    assert written == document(OPERATIONS), "the table changed: make docs, and look at the difference"


def test_the_page_of_the_switch_is_what_the_table_says() -> None:
    written = (ROOT / "docs" / "reference" / "switch.md").read_text()
    assert written == switch_page(), "the table changed: make docs, and look at the difference"
