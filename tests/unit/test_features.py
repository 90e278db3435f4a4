"""`docs/features.md` tells the truth: each feature is there once, and names tests that exist or *planned*."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "features.md"

# A feature is neither dropped nor renumbered: other people's tests, commits and contracts name it.
LAST_ID = {"SW": 12, "GC": 11, "LY": 4, "OA": 2, "ST": 4, "CP": 17, "MO": 13, "SV": 15, "PO": 9}
IDS = [f"{section}{number}" for section, last in LAST_ID.items() for number in range(1, last + 1)]

ROW = re.compile(r"\| (?P<id>\w+) \| (?P<origin>[^|]*) \| (?P<behaviour>[^|]*) \| (?P<test>[^|]*) \|")
PLANNED_PART = re.compile(r"<br>\*planned\*: [\w ,]+\Z")
"""What of a row is not built yet, behind the tests of what is."""
TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<name>test_\w+)`")


class Feature(NamedTuple):
    """One row of the table."""

    id: str
    origin: str
    behaviour: str
    test: str


def features() -> list[Feature]:
    lines = (line for line in TABLE.read_text().splitlines() if re.match(r"^\| *[A-Z]{2}\d+", line))
    matches = [(line, ROW.fullmatch(line)) for line in lines]
    broken = [line for line, match in matches if not match]
    assert not broken, "a row has four columns: id, from, behaviour, test"
    return [Feature(**match.groupdict()) for _, match in matches if match]


@cache
def names_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = ast.walk(ast.parse(path.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, functions))


def faults_of(cell: str) -> list[str]:
    """What is wrong with the last column of a row."""
    if cell == "*planned*":
        return []
    cell = PLANNED_PART.sub("", cell)
    named = TEST.findall(cell)
    faults = [f"no such test: {file}::{name}" for file, name in named if name not in names_in(file)]
    rest = TEST.sub("", cell).replace("<br>", "").strip()
    if rest or not named:
        faults.append(f"neither *planned* nor `tests/...py::test_name`: {cell!r}")
    return faults


def test_every_feature_is_there_once() -> None:
    assert Counter(feature.id for feature in features()) == Counter(IDS)


def test_every_feature_says_where_it_is_from_and_what_it_does() -> None:
    origin = re.compile(r"[DMVCL+]( [DMVCL+])*")
    assert not [f.id for f in features() if not origin.fullmatch(f.origin) or not f.behaviour.strip()]


def test_every_named_test_exists() -> None:
    faults = [f"{feature.id}: {fault}" for feature in features() for fault in faults_of(feature.test)]
    assert not faults


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        ("*planned*", 0),
        ("`tests/unit/test_features.py::test_every_named_test_exists`<br>*planned*: foreign cash", 0),
        ("<br>*planned*: all of it", 1),
        ("`tests/unit/test_features.py::test_every_named_test_exists`", 0),
        ("`tests/unit/test_features.py::test_nobody_wrote_this`", 1),
        ("`tests/unit/no_such_file.py::test_x`", 1),
        ("", 1),
        ("soon", 1),
    ],
)
def test_a_wrong_cell_is_noticed(cell: str, count: int) -> None:
    assert len(faults_of(cell)) == count
