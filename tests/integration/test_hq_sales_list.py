"""The list of sales over very many: each filter is answered from an index."""

import datetime
import itertools

import msgspec
import psycopg
import pytest

from holdfast.hq.web.sales.documents import PAGE_ROWS, Documents, Filter, Place
from holdfast.infra.postgres.connect import Pool

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]

MANY = 60_000
_FILL = """
insert into document (
    chain, seq, type, number, origin, store, business_date, posting_period, at_ms, began_at_ms, currency,
    total_minor, tax_minor, rounding_minor, line_count, customer, external_reference, country, staff
)
select g %% 20 + 1, g / 20 + 1, 'sale', 'R' || (g %% 20 + 1) || '-' || (g / 20 + 1),
       'reg' || (g %% 20 + 1), 'S1',
       date '2025-01-01' + g / 6000, '2025-01', 1735689600000 + g * 30000::bigint, 0, 'GBP',
       100, 20, 0, 3, null,
       case when g %% 10 = 0 then 'X' || g end, '', 'c1'
from generate_series(0, %s) g
"""


@pytest.fixture
def documents(hq_pool: Pool, head_office_dsn: str) -> Documents:
    with psycopg.connect(head_office_dsn, autocommit=True) as conn:
        conn.execute(
            "insert into origin (origin, kind, store, series, currency, name, enrolled_at_ms)"
            " select 'reg' || g, 'register', 'S1', 'R' || g, 'GBP', 'Till ' || g, 0"
            " from generate_series(1, 20) g"
        )
        conn.execute(
            "insert into chain (chain, origin, epoch, branch, fork_seq, head_seq, head_hash)"
            " select g, 'reg' || g, 'e' || g, 0, 0, 0, '' from generate_series(1, 20) g"
        )
        conn.execute(_FILL, [MANY - 1])
        conn.execute(
            "insert into reference (type, reference, chain, seq, content)"
            " select type, external_reference, chain, seq, '' from document"
            " where external_reference is not null"
        )
        conn.execute("vacuum analyze document")
    return Documents(hq_pool)


def test_the_newest_come_first_by_index_alone(documents: Documents, head_office_dsn: str) -> None:
    rows, is_newest, has_older = documents.find(Filter())
    assert (len(rows), is_newest, has_older) == (PAGE_ROWS, True, True)
    assert [row.at_ms for row in rows] == sorted((row.at_ms for row in rows), reverse=True)
    deep = "(d.business_date, d.at_ms, d.chain, d.seq) < (date '2025-01-05', 50000, 1, 1)"
    with psycopg.connect(head_office_dsn) as conn:
        for where in ("true", "d.business_date = '2025-01-05'", deep):
            plan = conn.execute(
                f"explain select d.number from document d where {where}"  # pyright: ignore[reportArgumentType]
                " order by d.business_date desc, d.at_ms desc, d.chain desc, d.seq desc limit 101"
            ).fetchall()
            said = "\n".join(line for (line,) in plan)
            assert "document_recent" in said, said
            assert "Sort" not in said, said


def test_one_is_found_by_its_number_or_another_systems(documents: Documents) -> None:
    assert [row.number for row in documents.find(Filter(number="R7-30")).rows] == ["R7-30"]
    assert [row.reference for row in documents.find(Filter(number="X500")).rows] == ["X500"]
    assert not documents.find(Filter(number="X500", type="return")).rows
    assert not documents.find(Filter(number="X501")).rows


@pytest.mark.parametrize("origins", [None, ("reg3", "reg7")])
def test_pages_of_a_selection_hold_each_document_once_in_both_directions(
    documents: Documents, origins: tuple[str, ...] | None
) -> None:
    day = datetime.date(2025, 1, 5)
    wanted = Filter(date_from=day, date_to=day, origins=origins)
    pages = [documents.find(wanted)]
    while pages[-1].has_older:
        last = pages[-1].rows[-1].place
        pages.append(documents.find(msgspec.structs.replace(wanted, older=last)))
    rows = [row for page in pages for row in page.rows]
    assert len(pages) > 2
    assert len({(row.chain, row.seq) for row in rows}) == len(rows)
    assert rows == sorted(rows, key=lambda row: (row.at_ms, row.chain, row.seq), reverse=True)
    assert {row.origin for row in rows} == set(origins or {row.origin for row in rows})
    for before, page in itertools.pairwise(pages):
        back = documents.find(msgspec.structs.replace(wanted, newer=page.rows[0].place))
        assert back.rows == before.rows
        assert (back.is_newest, back.has_older) == (before is pages[0], True)


def test_a_place_is_read_as_it_was_written_and_nothing_else_is_one(documents: Documents) -> None:
    place = documents.find(Filter()).rows[0].place
    assert Place.read(str(place)) == place
    for text in ("", "1", "2025-13-01.1.1.1", "2025-01-01.1.1", f"{place}x", "2025-01-01.1.99999999999.1"):
        assert Place.read(text) is None, text


def test_registers_are_called_by_what_people_call_them(documents: Documents) -> None:
    def found(text: str) -> list[str]:
        return [choice.origin for choice in documents.called(text)]

    assert found("reg3") == ["reg3"]
    assert found("r3") == ["reg3"], "its series, whole, before those that only begin so"
    assert found("till 12") == ["reg12"]
    assert len(found("S1")) == 20, "a store"
    assert len(found("ill 1")) == 11
    assert not found("%")
