"""Offline by a person's choice: sync goes on, and Online POS comes back once what is owed is sent (SW3)."""

import pytest

from holdfast.core.basket import UNLIMITED, Act
from holdfast.core.connection import Mode as Link
from holdfast.core.reach import Where
from holdfast.core.work_mode import Work, WorkModeChanged
from tests.integration.test_register_sync.conftest import Till, eventually
from tests.integration.test_register_sync.head_office import HeadOffice
from tests.integration.test_register_sync.line_proxy import LineProxy, Mode
from tests.integration.test_register_sync.test_upload import all_arrived, nothing_owed
from tests.register_fixture import MANAGER, sell_one


def choose(till: Till, work: Work, reason: str) -> None:
    act = Act(by=MANAGER, at_ms=0, limits=UNLIMITED)
    line = till.status().mode.value
    chosen = till.checkout.choose_work_mode(work, reason, act, line=line, may=True)
    assert isinstance(chosen, WorkModeChanged)
    if till.process is not None:
        till.process.wake("m")


def test_offline_by_choice_goes_on_sending_and_outlives_a_restart(till: Till, office: HeadOffice) -> None:
    till.start_sync()
    eventually(lambda: till.status().mode is Link.ONLINE)
    choose(till, "offline", "printer works")
    assert till.process is not None
    eventually(lambda: till.status().mode is Link.OFFLINE and till.status().forced)
    assert till.status().cause == "by hand: printer works"
    assert till.status().since_ms == till.checkout.work_mode().since_ms
    till.process.wake("n")
    eventually(lambda: any(b"by hand: printer works" in said.statement for said in office.heartbeats))
    sell_one(till.checkout)
    till.sold()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    till.stop_sync()
    sell_one(till.checkout)
    till.start_sync()
    eventually(lambda: all_arrived(till, office) and nothing_owed(till))
    assert till.status().forced, "a restart does not undo a person's choice"
    choose(till, "online", "works done")
    eventually(lambda: till.status().mode is Link.ONLINE)
    eventually(lambda: all_arrived(till, office))
    kept = [row[3] for row in list(office.store.tables.entries.values())]
    assert kept.count("work_mode_changed") == 2, "head office has both, with who and why"


def test_a_choice_made_while_sync_did_not_run_holds_from_its_start(till: Till, office: HeadOffice) -> None:
    choose(till, "offline", "line works")
    till.start_sync()
    eventually(lambda: till.status().forced and till.status().last_contact_ms is not None)
    assert till.status().mode is Link.OFFLINE


def test_enabled_with_the_line_down_it_is_offline_by_the_line_alone(till: Till, line: LineProxy) -> None:
    till.start_sync()
    eventually(lambda: till.status().mode is Link.ONLINE)
    choose(till, "offline", "line works")
    eventually(lambda: till.status().forced)
    line.mode = Mode.CUT
    sell_one(till.checkout)
    choose(till, "online", "they are done")
    eventually(lambda: not till.status().forced)
    assert till.status().mode is Link.OFFLINE
    line.mode = Mode.OPEN
    eventually(lambda: till.status().mode is Link.ONLINE and nothing_owed(till))


@pytest.mark.parametrize("mode", [Mode.CUT, Mode.DROP])
def test_where_the_line_is_broken_is_found_out(till: Till, line: LineProxy, mode: Mode) -> None:
    """SW12: from what a till sees: here head office's machine takes calls and does not answer them."""
    till.start_sync()
    eventually(lambda: till.status().mode is Link.ONLINE)
    assert till.status().reach is None
    line.mode = mode
    eventually(lambda: till.status().reach is not None)
    reach = till.status().reach
    assert reach is not None
    assert (reach.where, reach.detail) == (Where.HEAD_OFFICE, "mute")
    assert till.status().past[0].code == "line.lost"
    line.mode = Mode.OPEN
    eventually(lambda: till.status().mode is Link.ONLINE and till.status().reach is None)


def test_a_program_that_does_not_run_is_told_from_a_machine_that_is_gone(till: Till, line: LineProxy) -> None:
    """SW12: somebody is there to refuse."""
    till.start_sync()
    eventually(lambda: till.status().mode is Link.ONLINE)
    line.close()
    eventually(lambda: (reach := till.status().reach) is not None and reach.detail == "refused")


def test_a_try_that_somebody_asked_for_has_an_outcome(till: Till, line: LineProxy) -> None:
    """*Sync now*."""
    till.start_sync()
    eventually(lambda: till.status().mode is Link.ONLINE)
    assert till.status().tried is None
    assert till.process is not None
    till.process.wake("n")
    eventually(lambda: (tried := till.status().tried) is not None and not tried.sentence)
    line.mode = Mode.CUT
    eventually(lambda: till.status().mode is Link.OFFLINE)
    till.process.wake("n")
    eventually(lambda: bool((tried := till.status().tried) and tried.sentence))
