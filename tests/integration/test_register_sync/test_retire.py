"""A register taken out of service in order: its journal ends, arrives whole, and nothing follows."""

import pytest

from holdfast.core.faults import ConfigurationFault, UnavailableFault
from holdfast.infra.clock import SystemClock, SystemRandomness
from holdfast.infra.config import RegisterHome
from holdfast.register.retirement import retire
from tests.integration.test_register_sync.conftest import GENEROUS_S
from tests.integration.test_register_sync.head_office import HeadOffice
from tests.integration.test_register_sync.line_proxy import LineProxy, Mode
from tests.register_fixture import CASHIER, open_checkout, scan, sell_one, selling
from tests.unit.core.shop import done


def take_out(home: RegisterHome, wait_s: float = GENEROUS_S) -> list[int]:
    """What it said while it waited."""
    said: list[int] = []
    retire(
        home,
        clock=SystemClock("UTC"),
        randomness=SystemRandomness(),
        wait_s=wait_s,
        say=lambda entries, why: said.append(entries),
    )
    return said


def test_a_retired_register_is_complete_and_sells_no_more(
    home: RegisterHome, office: HeadOffice, line: LineProxy
) -> None:
    with selling(home) as checkout:
        sell_one(checkout)
        sell_one(checkout)
    assert take_out(home)[0] > 0
    (chain,) = office.store.tables.chains.values()
    types = [row[3] for _, row in sorted(office.store.tables.entries.items())]
    assert types[-2:] == ["day_closed", "epoch_closed"]
    assert chain.closed_at_seq == chain.facts.head.seq == len(types)
    assert len(office.documents()) == 2
    with pytest.raises(ConfigurationFault, match="was retired"):
        open_checkout(home, seed=2)
    assert take_out(home) == [], "once more changes nothing"
    assert len(office.entries()) == len(types)


def test_one_that_cannot_be_reached_goes_on_later(
    home: RegisterHome, office: HeadOffice, line: LineProxy
) -> None:
    with selling(home) as checkout:
        sell_one(checkout)
    line.mode = Mode.CUT
    with pytest.raises(UnavailableFault, match="lacks 6 entries"):
        take_out(home, wait_s=1.0)
    line.mode = Mode.OPEN
    take_out(home)
    (chain,) = office.store.tables.chains.values()
    assert chain.closed_at_seq == 6  # opened epoch and day, sold, report, closed day, closed epoch


def test_an_open_transaction_is_finished_first(
    home: RegisterHome, office: HeadOffice, line: LineProxy
) -> None:
    with selling(home) as checkout:
        done(checkout.begin(by=CASHIER))
        scan(checkout)
    with pytest.raises(ConfigurationFault, match="still open"):
        take_out(home)
    with selling(home, seed=2) as checkout:
        done(checkout.conclude(cash_given_minor=100_000))
    take_out(home)
    assert len(office.documents()) == 1
