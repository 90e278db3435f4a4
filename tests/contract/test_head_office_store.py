"""The port's contract: both stores end in the same state, whatever came in, in whatever order."""

from holdfast.core.sync.receiver import Refused
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.journal_samples import SampleJournal

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures"]


def test_a_smoke(memory_hq: HeadOfficeUnderTest, postgres_hq: HeadOfficeUnderTest) -> None:
    for hq in (memory_hq, postgres_hq):
        journal = SampleJournal().open().sell(5)
        hq.enrol(journal)
        ack = hq.ingest.receive_batch(journal.origin, journal.batch())
        assert not isinstance(ack, Refused), ack
    assert memory_hq.dump() == postgres_hq.dump()
