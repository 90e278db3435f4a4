"""A drill through the till's public face: by whom, what it cuts, what is on record, how it ends (SW11)."""

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.connection import Mode
from holdfast.core.drill import MINUTE_MS, Cause, DrillEnded
from holdfast.core.faults import StorageFullFault
from holdfast.core.ids import StaffId
from holdfast.core.readiness import band_of
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.register.sync.readiness import read_readiness
from holdfast.register.sync.reference_file import open_reference
from holdfast.register.verify import verify_register
from holdfast.register.web.drills import Drills
from tests.register_fixture import CASHIER, make_register, sell_one
from tests.staffed_till import PIN, STAFF, StaffedTill, staffed_till

AS_PART = {"hx-request": "true", "hx-target": "work"}
DRILL = {"reason": "Training", "minutes": "15"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "register"


@pytest.fixture
def till(folder: Path) -> Iterator[StaffedTill]:
    with staffed_till(folder) as made:
        line(made, Mode.ONLINE)
        yield made


def line(till: StaffedTill, mode: Mode) -> None:
    """As the sync process wrote it last, and as the watch saw it."""
    till.services.watch._connection.execute("update link_state set mode = ?", (mode.value,))
    till.work(mode)


def post(client: Any, path: str, **fields: str) -> str:
    return html.unescape(client.post(path, data=fields, headers=AS_PART).text)


def drills_of(till: StaffedTill) -> Drills:
    return till.services.watch.drills


def test_a_drill_by_approval_cuts_counts_and_is_on_record(till: StaffedTill, folder: Path) -> None:
    with till.browser("cashier") as client:
        post(client, "/day/open", date="2025-10-09", float="0", manager=STAFF["manager"], manager_pin=PIN)
        sell_one(till.checkout)
        assert "needs a manager" in post(client, "/drill", **DRILL)
        assert drills_of(till).on is None
        approved = {**DRILL, "manager": STAFF["manager"], "manager_pin": PIN}
        assert "The drill has begun" in post(client, "/drill", **approved)
        assert till.services.status().mode_text.startswith("Drill: offline since")
        assert till.services.situation().is_offline
        assert "or a drill goes on" in post(client, "/drill", **approved)
        sold = [sell_one(till.checkout), sell_one(till.checkout)]
        till.services.watch._once()
        assert till.services.watch.owed.count == 3, "and the one before it, which is owed in truth"
        assert till.services.status().owed_text.startswith("Would be owed: 3 sales")
        till.clock.advance(90_000)
        ended = post(client, "/drill/end")
    assert "The drill is over" in ended
    assert "Practise an outage: This register is offline already" in ended
    [started], [over] = till.journalled("drill_started"), till.journalled("drill_ended")
    assert (started.by, started.approved_by, started.reason) == ("cashier", "manager", "Training")
    assert (over.cause, over.by, over.lasted_ms) == ("ended", "cashier", 90_000)
    assert (over.documents, over.value_minor) == (2, sum(sale.total_minor for sale in sold))
    assert [(one.operation, one.times) for one in over.refused] == [("drill.start", 1)]
    assert not till.services.situation().is_offline
    assert verify_register(RegisterHome(folder)).differences == ()


@pytest.mark.parametrize("cause", ["time", "signed-out", "outage", "by-hand", "restart", "clock"])
def test_it_ends_by_itself_and_says_why(till: StaffedTill, folder: Path, cause: Cause) -> None:
    with till.browser("manager") as client:
        post(client, "/day/open", date="2025-10-09", float="0", manager=STAFF["manager"], manager_pin=PIN)
        post(client, "/drill", **DRILL)
        drills = drills_of(till)
        assert drills.on is not None
        match cause:
            case "time":
                till.clock.advance(15 * MINUTE_MS)
                assert drills.on is None, "it cuts nothing any more, also before its end is written"
                till.services.watch._once()
            case "clock":
                till.clock.jump_to(drills.on.started_ms - 1)
                till.services.watch._once()
            case "outage":
                line(till, Mode.OFFLINE)
                till.services.watch._once()
            case "by-hand":
                post(client, "/work-mode/offline", reason="Printer works")
                till.services.watch._once()
            case "signed-out":
                client.post("/sign-out")
            case "restart":
                drills.waited(70)
                drills.look(line_is_away=False, by_hand=False)
                drills.waited(90)  # noticed after the last look: that alone is forgotten
                drills = Drills(till.checkout, till.clock, lambda: None)
    assert drills.on is None
    [over] = till.journalled("drill_ended")
    assert over.cause == ("time" if cause == "clock" else cause)
    assert over.longest_wait_ms == (70 if cause == "restart" else 0), "noticed before"
    is_told = cause in ("time", "outage", "restart", "clock")
    assert (drills.untold is not None) == is_told
    if drills.untold is not None and cause != "restart":
        warning = till.services.warning()
        assert warning is not None
        assert warning.drill is not None
        assert ("real outage" in warning.drill.title) == (cause == "outage")
        till.services.watch.accept_outage(warning.since_ms)
        assert till.services.watch.drills.untold is None
    assert verify_register(RegisterHome(folder)).differences == ()


def test_an_end_that_cannot_be_written_ends_it_all_the_same(
    till: StaffedTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full: nothing is cut any more, and the cause on record is the one it ended for."""
    with till.browser("manager") as client:
        post(client, "/drill", **DRILL)
    drills = drills_of(till)
    assert drills.on is not None

    def full(*_: object, **__: object) -> DrillEnded:
        raise StorageFullFault("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(till.checkout, "end_drill", full)
        with pytest.raises(StorageFullFault):
            drills.look(line_is_away=True, by_hand=False)
    assert drills.on is None
    assert drills.look(line_is_away=False, by_hand=False), "the line is back meanwhile"
    assert [over.cause for over in till.journalled("drill_ended")] == ["outage"]


def test_a_retired_register_leaves_no_drill_behind(till: StaffedTill, folder: Path) -> None:
    with till.browser("manager") as client:
        post(client, "/drill", **DRILL)
    assert till.checkout.retire(by=CASHIER) is None
    assert [over.cause for over in till.journalled("drill_ended")] == ["restart"]
    assert verify_register(RegisterHome(folder)).differences == ()


def test_another_person_at_the_till_ends_what_the_former_one_began(till: StaffedTill) -> None:
    with till.browser("manager") as client:
        post(client, "/drill", **DRILL)
        client.post("/lock")
        client.post("/sign-in", data={"staff": STAFF["manager"], "pin": PIN})
        assert drills_of(till).on is not None, "the same person goes on"
        client.post("/sign-in", data={"staff": STAFF["cashier"], "pin": PIN})
    assert drills_of(till).on is None
    [over] = till.journalled("drill_ended")
    assert (over.cause, over.by) == ("signed-out", StaffId("manager"))


# ---- readiness ---------------------------------------------------------------------------------


def test_a_register_that_was_never_in_contact_would_not_survive(tmp_path: Path) -> None:
    home = make_register(tmp_path / "register")
    key = DatabaseKey.load(home.database_key)
    open_reference(home, key).close()
    with staffed_till(tmp_path / "other") as other:
        found = read_readiness(home, key, other.clock)
    assert band_of(found) == "fails"
    assert {"products.missing", "prices.missing", "staff.nobody"} <= set(found.findings)


def test_readiness_is_read_from_the_machine_itself(till: StaffedTill, folder: Path) -> None:
    home = RegisterHome(folder)
    before = till.services.readiness()
    assert "key.missing" not in before.findings
    home.signing_key.unlink()
    home.mark.rename(home.mark.with_name("elsewhere"))
    after = till.services.readiness()
    assert set(after.findings) - set(before.findings) == {"key.missing", "mark.missing"}
    assert band_of(after) == "fails"
    with till.browser("cashier") as client:
        page = html.unescape(client.get("/readiness", headers=AS_PART).text)
    assert "What is sold could not be sent" in page
    assert "Put secrets/signing.key back" in page
