"""What head office may set for its tills: for whom, from when, and how it is written (GC8, SW7, SW9)."""

import re

import msgspec
import pytest

from holdfast.core.parameters import (
    FIRST_DATE,
    PARAMETERS,
    Change,
    ParameterRow,
    Place,
    Scope,
    Step,
    Value,
    dates_refusal,
    document,
    folded,
    in_force,
    key_of,
    parameter_named,
    read_key,
    resolve,
    value_of,
    value_text,
)
from holdfast.core.refusals import Refusal
from tests.conftest import ROOT

HERE = Place("S01", "R01")


def test_the_page_of_reference_is_what_the_code_says() -> None:
    written = (ROOT / "docs" / "reference" / "parameters.md").read_text()
    assert written == document(), (
        "parameters changed: write docs/reference/parameters.md anew from core.parameters"
    )


def test_every_parameter_that_a_till_reads_can_be_set() -> None:
    sources = (ROOT / "src" / "holdfast" / "register").rglob("*.py")
    read = {
        name
        for path in sources
        for name in re.findall(r'(?:parameter|rule)\(\s*"([\w.-]+)"', path.read_text())
    }
    assert read <= {parameter.name for parameter in PARAMETERS}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("sync.warn-after-h", "48", 48),
        ("shifts", "No", False),
        ("offline.gift-cards", "yes", True),
        ("receipt.header", "Corner shop | Main street 1", ["Corner shop", "Main street 1"]),
        ("network.landmark", "dns.example:53", "dns.example:53"),
        ("store.group", "north", "north"),
    ],
)
def test_values_are_of_their_kind_and_written_as_they_were(name: str, text: str, value: Value) -> None:
    parameter = parameter_named(name)
    assert not isinstance(parameter, Refusal)
    assert value_of(parameter, text) == value
    assert value_of(parameter, value_text(value)) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sync.warn-after-h", "-1"),
        ("sync.warn-after-h", "1.5"),
        ("shifts", "perhaps"),
        ("locale", "a\nb"),
        ("store.group", "the north"),
    ],
)
def test_what_is_no_value_is_refused(name: str, text: str) -> None:
    parameter = parameter_named(name)
    assert not isinstance(parameter, Refusal)
    assert isinstance(value_of(parameter, text), Refusal)


NO_KEYS = ["sync.warn", "receipt.header@", "", "shifts@group:", "shifts@register:a b", "store.group"]


@pytest.mark.parametrize("key", [*NO_KEYS, "store.group@group:north"])
def test_what_is_no_parameter_or_for_nobody_is_refused(key: str) -> None:
    assert isinstance(read_key(key), Refusal)


@pytest.mark.parametrize(
    ("key", "scope"),
    [
        ("shifts", Scope("chain")),
        ("shifts@S01", Scope("store", "S01")),
        ("shifts@group:north", Scope("group", "north")),
        ("shifts@register:R01", Scope("register", "R01")),
    ],
)
def test_a_key_says_for_whom_it_is(key: str, scope: Scope) -> None:
    found = read_key(key)
    assert not isinstance(found, Refusal)
    assert found[1] == scope
    assert key_of("shifts", scope) == key


def test_the_narrowest_scope_that_has_a_value_on_the_date_counts() -> None:
    """GC8."""
    rows = {
        "offline.gift-cards": ParameterRow(value=False),
        "offline.gift-cards@group:north": ParameterRow(value=True),
        "offline.gift-cards@S02": ParameterRow(value=False, steps=(Step("2026-12-01", None),)),
        "offline.gift-cards@register:R09": ParameterRow(value=None, steps=(Step("2026-12-24", False),)),
        "store.group@S01": ParameterRow(value="north"),
        "store.group@S02": ParameterRow(value=None, steps=(Step("2026-12-10", "north"),)),
    }

    def said(store: str, register: str, date: str) -> tuple[Value, str] | None:
        found = resolve(rows, "offline.gift-cards", Place(store, register), date)
        return None if found is None else (found.value, found.scope.kind)

    assert said("S01", "R01", "2026-11-01") == (True, "group")
    assert said("S01", "R09", "2026-12-23") == (True, "group")
    assert said("S01", "R09", "2026-12-24") == (False, "register")
    assert said("S02", "R02", "2026-11-30") == (False, "store")
    assert said("S02", "R02", "2026-12-01") == (False, "chain")
    assert said("S02", "R02", "2026-12-10") == (True, "group")
    assert said("S03", "R03", "2026-12-10") == (False, "chain")
    assert resolve({}, "offline.gift-cards", HERE, "2026-12-10") is None


def change(
    number: int, value: Value | None, date: str = "", on: str = "2026-11-22", undoes: int | None = None
) -> Change:
    return Change(
        number=number,
        name="shifts",
        scope=Scope("chain"),
        value=value,
        valid_from=date or FIRST_DATE,
        made_on=on,
        undoes=undoes,
    )


def test_at_once_takes_the_place_of_what_counts_and_leaves_what_is_to_come() -> None:
    later = change(1, True, "2026-12-01")
    earlier = change(2, False, "2026-11-23")
    at_once = change(3, True, on="2026-11-25")
    assert folded([later, earlier, at_once]) == ParameterRow(value=True)
    assert folded([later, earlier]) == ParameterRow(
        value=None, steps=(Step("2026-11-23", False), Step("2026-12-01", True))
    )
    ended = change(4, None, "2026-12-24")
    row = folded([later, earlier, at_once, ended])
    assert row == ParameterRow(value=True, steps=(Step("2026-12-24", None),))
    assert row is not None
    assert in_force(row, "2026-12-23") is True
    assert in_force(row, "2026-12-24") is None


def test_what_is_undone_was_never_made() -> None:
    made = [change(1, False, "2026-11-23"), change(2, True, on="2026-11-25")]
    assert folded([*made, change(3, None, undoes=2)]) == folded(made[:1])
    assert folded([change(1, True), change(2, None, undoes=1)]) is None


def test_a_row_says_to_a_register_of_the_first_version_what_counts_until_the_first_date() -> None:
    """It knows `NAME` and `NAME@STORE`, and reads `value` alone."""
    body = msgspec.json.encode(ParameterRow(value=48, steps=(Step("2026-12-01", 12),)))
    assert msgspec.json.decode(body)["value"] == 48
    former = msgspec.json.decode(b'{"value":48,"valid_from":"0001-01-01"}', type=ParameterRow)
    assert former == ParameterRow(value=48)


@pytest.mark.parametrize("date", ["2026-11-21", "tomorrow", "2026-02-30"])
def test_a_date_that_is_over_or_none_is_refused(date: str) -> None:
    assert isinstance(dates_refusal(date, "2026-11-22"), Refusal)
    assert dates_refusal("2026-11-22", "2026-11-22") is None
    assert dates_refusal(FIRST_DATE, "2026-11-22") is None
