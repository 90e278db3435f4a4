"""Everything that a register sells reaches head office exactly once, whatever the line does."""

from holdfast.core.connection import Mode as Link
from holdfast.core.sync.receiver import Refused
from holdfast.infra.keys import SigningKey
from tests.integration.test_register_sync.conftest import Till, eventually
from tests.integration.test_register_sync.head_office import HeadOffice
from tests.integration.test_register_sync.line_proxy import LineProxy, Mode
from tests.register_fixture import HEAD_OFFICE, sell_one


def numbers_of(till: Till) -> list[str]:
    return sorted(row.document for row in till.checkout.documents(1000))


def all_arrived(till: Till, office: HeadOffice) -> bool:
    head = till.checkout.head()
    return office.heads().get(head.epoch) == head.seq and office.documents() == numbers_of(till)


def nothing_owed(till: Till) -> bool:
    head = till.checkout.head()
    return till.status().applied.get(head.epoch) == head.seq and not till.checkout.owed(till.status().applied).count


def test_sales_arrive_and_are_receipted(till: Till, office: HeadOffice) -> None:
    for _ in range(5):
        sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert till.status().mode is Link.ONLINE
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert till.status().incarnation == "inc1"
    assert not till.status().problems
