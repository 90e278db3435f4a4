"""A purge gives room back, bit by bit, and a sale never waits for it."""

import threading
from pathlib import Path

import pytest

from holdfast.register.till import purging
from holdfast.register.verify import verify_register
from tests.register_fixture import make_register, sell_one, selling


def test_purged_room_goes_back_to_the_disk_while_sales_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "ENTRIES_PER_TRANSACTION", 20)
    monkeypatch.setattr(purging, "FREE_PAGES_KEPT", 5)
    home = make_register(tmp_path / "register")
    with selling(home) as checkout:
        for _ in range(150):
            sell_one(checkout, count=3)
        checkout.tidy()
        before_bytes, head = home.till.stat().st_size, checkout.head()
        purged: list[int] = []
        purge = threading.Thread(target=lambda: purged.append(checkout.purge({head.epoch: head.seq - 2})))
        purge.start()
        sold = [sell_one(checkout) for _ in range(10)]
        purge.join()
        assert purged == [head.seq - 2]
        for _ in range(3):
            checkout.tidy()
        assert home.till.stat().st_size < before_bytes * 0.7
        assert [row.document for row in checkout.documents(10)] == [sale.document for sale in sold[::-1]]
        assert checkout.purge({head.epoch: 1 << 30}) == len(sold) + 2
    verified = verify_register(home)
    assert (verified.differences, verified.documents, verified.purged) == ((), 160, verified.entries)
