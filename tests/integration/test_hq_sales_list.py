"""The list of sales over very many: each filter is answered from an index."""

import psycopg
import pytest

from holdfast.hq.web.sales.documents import PAGE_ROWS, Documents, Filter
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
        conn.execute(_FILL, [MANY - 1])
        conn.execute(
            "insert into reference (type, reference, chain, seq, content)"
            " select type, external_reference, chain, seq, '' from document"
            " where external_reference is not null"
        )
        conn.execute("vacuum analyze document")
    return Documents(hq_pool)


def test_the_newest_come_first_by_index_alone(documents: Documents, head_office_dsn: str) -> None:
    rows = documents.find(Filter())
    assert len(rows) == PAGE_ROWS + 1
    assert [row.at_ms for row in rows] == sorted((row.at_ms for row in rows), reverse=True)
    with psycopg.connect(head_office_dsn) as conn:
        for where in ("true", "d.business_date = '2025-01-05'"):
            plan = conn.execute(
                f"explain select d.number from document d where {where}"  # pyright: ignore[reportArgumentType]
                " order by d.business_date desc, d.at_ms desc, d.chain desc, d.seq desc limit 101"
            ).fetchall()
            said = "\n".join(line for (line,) in plan)
            assert "document_recent" in said, said
            assert "Sort" not in said, said


def test_one_is_found_by_its_number_or_another_systems(documents: Documents) -> None:
    assert [row.number for row in documents.find(Filter(number="R7-30"))] == ["R7-30"]
    assert [row.reference for row in documents.find(Filter(number="X500"))] == ["X500"]
    assert not documents.find(Filter(number="X500", type="return"))
    assert not documents.find(Filter(number="X501"))
