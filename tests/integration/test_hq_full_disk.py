"""A disk that is really full at head office: nothing lost, said plainly, and over once there is room.

PostgreSQL's folder lies on a small tmpfs in a mount namespace of its own; the test fills it by hand.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from holdfast.core.sync.enrolment import EnrolReply, EnrolRequest, read_code
from holdfast.core.sync.messages import Ack, Challenge, Problem, SessionOpened, decode, encode
from holdfast.core.sync.session import answer_challenge
from holdfast.infra.process import end_child, spawn_child
from holdfast.infra.web import free_port
from tests.journal_samples import SampleJournal, signing_key

WAIT_S = 120.0
DISK_MB = 260
ROOM_BYTES = 14 << 20
"""Less than the next segment of PostgreSQL's log: it ends there and then, rather than to lose a commit."""
BATCH = 500
AS_A_PERSON = {"Accept": "text/html"}
_SERVE = """
set -e
mount -t tmpfs -o size={size}m,mode=711 tmpfs {home}/postgres
{hq} init --home {home} --store S1 --currency GBP --port {port} > {home}/said
{hq} register add --home {home} --store S1 --series R01 >> {home}/said
exec {hq} serve --home {home} > {home}/log 2>&1
"""


class FullOffice:
    """A head office whose database has a small disk, and a register that sends to it."""

    def __init__(self, home: Path, child: "subprocess.Popen[bytes]", port: int) -> None:
        self.home = home
        self._disk = Path(f"/proc/{child.pid}/root{home}/postgres")
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)
        self._key = signing_key()
        self.journal = SampleJournal(self._key)
        self._session: dict[str, str] = {}

    def enrol(self) -> None:
        found = re.search(r"^[0-9a-z]{4}(-[0-9a-z]{4}){3}", (self.home / "said").read_text(), re.MULTILINE)
        assert found
        request = EnrolRequest(
            code=read_code(found[0]).code, public_key=self._key.public_bytes, software="test"
        )
        reply = decode(self.client.post("/v1/enrol", content=encode(request)).content, EnrolReply)
        self.journal = SampleJournal(self._key, reply.origin).open()
        asked = self.client.post("/v1/session/challenge", json={"origin": reply.origin}).content
        answer = answer_challenge(reply.origin, decode(asked, Challenge), self._key, software="test")
        opened = decode(self.client.post("/v1/session", content=encode(answer)).content, SessionOpened)
        self._session = {"Authorization": f"Bearer {opened.token}"}

    def send(self, seq: int) -> httpx.Response:
        while len(self.journal.epochs[self.journal.epoch]) < seq + BATCH:
            self.journal.sell(BATCH)
        body = self.journal.batch(seq, BATCH)
        return self.client.post("/v1/sync/entries", content=body, headers=self._session)

    def fill(self) -> None:
        disk = os.statvfs(self._disk)
        free = disk.f_bavail * disk.f_frsize
        assert free > ROOM_BYTES
        (self._disk / "ballast").write_bytes(bytes(free - ROOM_BYTES))

    def make_room(self) -> None:
        (self._disk / "ballast").unlink()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[FullOffice]:
    probe = ["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=1m tmpfs {tmp_path}"]
    refused = subprocess.run(probe, capture_output=True, text=True, check=False)
    if refused.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {refused.stderr.strip()}")
    for folder in (tmp_path, *tmp_path.parents):
        if "pytest" in folder.name or "pytest" in folder.parent.name:
            folder.chmod(0o755)  # where root runs PostgreSQL as another user
    home, port = tmp_path / "hq", free_port()
    (home / "postgres").mkdir(parents=True)
    script = _SERVE.format(size=DISK_MB, home=home, port=port, hq=f"{sys.executable} -m holdfast hq")
    child = spawn_child(["unshare", "-m", "sh", "-c", script])
    office = FullOffice(home, child, port)
    try:
        deadline = time.monotonic() + WAIT_S
        while not (home / "log").exists() or b"is open at" not in (home / "log").read_bytes():
            assert child.poll() is None, (home / "said").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        office.enrol()
        yield office
    finally:
        office.client.close()
        assert end_child(child, grace_s=60) == 0


def test_a_full_disk_is_said_and_all_flows_again_once_there_is_room(office: FullOffice) -> None:
    seq, said = 1, list[Problem]()
    office.fill()
    deadline = time.monotonic() + WAIT_S
    while not said or said[-1].code != "storage.full":
        answer = office.send(seq)
        if answer.status_code == 200:
            seq = taken(answer)
            continue
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"]
        said.append(decode(answer.content, Problem))
        assert time.monotonic() < deadline, said
        time.sleep(0.3)
    assert "disk" in said[-1].detail
    assert "Make room" in said[-1].detail
    assert {problem.code for problem in said} <= {"unavailable", "storage.full"}

    # A statement may be refused before PostgreSQL ends over its log, and the page says so once it did.
    deadline = time.monotonic() + WAIT_S
    while "Make room on it" not in (page := office.client.get("/login", headers=AS_A_PERSON)).text:
        assert page.status_code in (200, 503), page.text
        assert time.monotonic() < deadline, page.text
        if (answer := office.send(seq)).status_code == 200:
            seq = taken(answer)
        time.sleep(0.3)
    began = time.monotonic()
    assert office.client.get("/login", headers=AS_A_PERSON).status_code == 503
    assert office.client.get("/v1/health").status_code == 200
    assert time.monotonic() - began < WAIT_S / 4, "nobody waits for what is known to be down"
    assert "storage.full" in (office.home / "log").read_text()

    office.make_room()
    deadline = time.monotonic() + WAIT_S
    while (answer := office.send(seq)).status_code != 200:
        assert answer.status_code == 503, answer.text
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.3)
    seq = taken(answer)
    command = [sys.executable, "-m", "holdfast", "hq", "verify", "--home", str(office.home), "--json"]
    inside = ["nsenter", "-m", "-t", str(pid_of(office)), *command]
    verified = subprocess.run(inside, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert f'"entries": {seq - 1}' in verified.stdout
    assert '"differences": []' in verified.stdout


def taken(answer: httpx.Response) -> int:
    held = decode(answer.content, Ack).held
    assert held is not None
    return held.seq + 1


def pid_of(office: FullOffice) -> str:
    return office._disk.parts[2]
