"""Commands and the service on one embedded database: none keeps the other out for good, none cuts it off."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from holdfast.core.faults import UnavailableFault
from holdfast.hq import service
from holdfast.hq.service import HeadOffice, init_home
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome, exclusive, is_held
from holdfast.infra.postgres.lock import InUseFault
from holdfast.infra.process import end_child, spawn_child
from holdfast.infra.web import free_port

WAIT_S = 120.0


@pytest.fixture
def home(tmp_path: Path) -> HeadOfficeHome:
    for folder in (tmp_path, *tmp_path.parents):
        if "pytest" in folder.name or "pytest" in folder.parent.name:
            folder.chmod(0o755)  # where root runs PostgreSQL as another user
    home = HeadOfficeHome(tmp_path / "hq")
    init_home(home, HeadOfficeConfig(listen_port=free_port()))
    for folder in (home.path, home.postgres, home.backups):
        folder.chmod(0o711)
    return home


def test_a_service_waits_until_a_command_lets_go_of_the_database(home: HeadOfficeHome) -> None:
    """As after a `kill -9` of the service, while somebody adds a register."""
    with HeadOffice.open(home) as command:
        assert command.server is not None
        child = spawn_child(
            [sys.executable, "-m", "holdfast", "hq", "serve", "--home", str(home.path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + WAIT_S
        while not is_held(home.lock):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1.0)
        assert child.poll() is None, "it is not refused"
        assert command.totals().documents == 0, "nor is the command cut off"
    try:
        assert child.stdout is not None
        assert child.stdout.readline().startswith(b"Head office is open")
        with HeadOffice.open(home) as beside:
            assert beside.server is None
            assert beside.totals().documents == 0
    finally:
        assert end_child(child, grace_s=WAIT_S) == 0


def test_a_service_says_who_is_in_the_way_for_too_long(
    home: HeadOfficeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "COMMAND_WAIT_S", 0.3)
    with HeadOffice.open(home), pytest.raises(InUseFault, match=r"process \d+"):
        HeadOffice.open(home, beside_service=False)


def test_a_command_starts_no_database_of_its_own_while_somebody_serves(
    home: HeadOfficeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its database is starting, or down: the service's keeper must find the folder free."""
    monkeypatch.setattr(service, "SERVICE_WAIT_S", 0.3)
    with exclusive(home.lock):
        with pytest.raises(UnavailableFault, match="no database that answers"):
            HeadOffice.open(home)
        opened: list[HeadOffice] = []
        monkeypatch.setattr(service, "SERVICE_WAIT_S", WAIT_S)
        waiting = threading.Thread(target=lambda: opened.append(HeadOffice.open(home)))
        waiting.start()
        with HeadOffice.open(home, beside_service=False):
            waiting.join(WAIT_S)
            assert [command.server for command in opened] == [None]
            opened[0].close()


def test_a_command_lets_others_finish_that_came_to_use_its_database(home: HeadOfficeHome) -> None:
    first = HeadOffice.open(home)
    second = HeadOffice.open(home)
    assert first.server is not None
    assert second.server is None
    ending = threading.Thread(target=first.close)
    ending.start()
    ending.join(1.0)
    assert ending.is_alive()
    assert second.totals().documents == 0
    second.close()
    ending.join(WAIT_S)
    assert not ending.is_alive()
    with HeadOffice.open(home) as third:
        assert third.server is not None
