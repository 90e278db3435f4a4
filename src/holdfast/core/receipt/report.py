"""An X or Z report as text: what the screen shows, and the same as lines of paper (PO5)."""

from collections.abc import Iterator

import msgspec

from holdfast.core.receipt.paper import COLUMNS_MIN, PaperLine, Weight, centred, pair, wrapped


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name and its figure; `is_total` stands out."""

    name: str
    figure: str
    is_total: bool = False


class Section(msgspec.Struct, frozen=True):
    """A heading with its lines."""

    title: str
    lines: list[Line]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An X or Z report, in the register's language."""

    title: str
    lead: str
    facts: list[tuple[str, str]]
    sections: list[Section]


def report_paper(report: Report, head: tuple[str, ...], copy: str, columns: int) -> tuple[PaperLine, ...]:
    """The report on so many columns. `head`: store and register. `copy`: that it is one; or empty."""
    assert columns >= COLUMNS_MIN, "a report's paper is no strip"
    return tuple(_lines(report, head, copy, columns))


def _lines(report: Report, head: tuple[str, ...], copy: str, columns: int) -> Iterator[PaperLine]:
    for said in head:
        yield from _centred(said, columns)
    yield PaperLine("")
    for said in (report.title, copy):
        yield from _centred(said, columns, "bold")
    yield from _centred(report.lead, columns)
    yield PaperLine("-" * columns)
    for name, value in report.facts:
        yield from (PaperLine(found) for found in pair(name, value, columns))
    for section in report.sections:
        yield PaperLine("")
        yield from (PaperLine(found, "bold") for found in wrapped(section.title, columns))
        for line in section.lines:
            weight: Weight = "bold" if line.is_total else "plain"
            yield from (PaperLine(found, weight) for found in pair(line.name, line.figure, columns))


def _centred(said: str, columns: int, weight: Weight = "plain") -> Iterator[PaperLine]:
    return (PaperLine(centred(found, columns), weight) for found in wrapped(said, columns))
