"""What head office may set for its tills, and how it is written (SW7, SW9, SW12)."""

import re

import pytest

from holdfast.core.parameters import PARAMETERS, document, parameter_named, value_of
from holdfast.core.refusals import Refusal
from tests.conftest import ROOT


def test_the_page_of_reference_is_what_the_code_says() -> None:
    written = (ROOT / "docs" / "reference" / "parameters.md").read_text()
    assert written == document(), (
        "parameters changed: write docs/reference/parameters.md anew from core.parameters"
    )


def test_every_parameter_that_a_till_reads_can_be_set() -> None:
    sources = (ROOT / "src" / "holdfast" / "register").rglob("*.py")
    read = {name for path in sources for name in re.findall(r'parameter\(\s*"([\w.-]+)"', path.read_text())}
    assert read <= {parameter.name for parameter in PARAMETERS}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("sync.warn-after-h", "48", 48),
        ("shifts", "No", False),
        ("offline.gift-cards", "yes", True),
        ("receipt.header@S01", "Corner shop | Main street 1", ["Corner shop", "Main street 1"]),
        ("network.landmark", "dns.example:53", "dns.example:53"),
    ],
)
def test_values_are_of_their_kind(name: str, text: str, value: object) -> None:
    parameter = parameter_named(name)
    assert not isinstance(parameter, Refusal)
    assert value_of(parameter, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("sync.warn-after-h", "-1"), ("sync.warn-after-h", "1.5"), ("shifts", "perhaps"), ("locale", "a\nb")],
)
def test_what_is_no_value_is_refused(name: str, text: str) -> None:
    parameter = parameter_named(name)
    assert not isinstance(parameter, Refusal)
    assert isinstance(value_of(parameter, text), Refusal)


@pytest.mark.parametrize("name", ["sync.warn", "shifts@S01", "receipt.header@", ""])
def test_what_is_no_parameter_is_refused(name: str) -> None:
    assert isinstance(parameter_named(name), Refusal)
