"""A register as a process: what stops it is one sentence, and nothing that it started outlives it."""

import contextlib
import functools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import httpx
import msgspec
import pytest

from holdfast.infra.config import RegisterConfig, RegisterHome, load_config, save_config
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.sqlite import open_database
from holdfast.infra.web import free_port
from tests.damaged_pages import damage, leaf_pages
from tests.register_fixture import make_register, sell_one, selling

WAIT_S = 120.0
get = functools.partial(httpx.get, timeout=WAIT_S)
post = functools.partial(httpx.post, timeout=WAIT_S)


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    """An enrolled register on a port of its own; its head office does not answer."""
    home = make_register(tmp_path / "r01")
    config = load_config(home.config, RegisterConfig)
    save_config(home.config, msgspec.structs.replace(config, listen_port=free_port()))
    return home


def holdfast(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "holdfast", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)


@contextlib.contextmanager
def serving(home: RegisterHome) -> Iterator[subprocess.Popen[bytes]]:
    """The register's process, once its page answers."""
    command = [sys.executable, "-m", "holdfast", "register", "serve", "--home", str(home.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        assert b"The till is open at" in process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def url_of(home: RegisterHome) -> str:
    return f"http://127.0.0.1:{load_config(home.config, RegisterConfig).listen_port}"


def children_of(pid: int) -> list[int]:
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that ended meanwhile
            found |= {int(child) for child in children.read_text().split()}
    return sorted(found)


def wait_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + WAIT_S
    while any(Path(f"/proc/{pid}/exe").exists() for pid in pids):
        assert time.monotonic() < deadline, f"still there: {pids}"
        time.sleep(0.02)


def test_it_serves_and_ends_with_all_it_started(home: RegisterHome) -> None:
    with serving(home) as process:
        assert "Sign in" in get(url_of(home)).text
        children = children_of(process.pid)
        assert children, "the sync process runs beside it"
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
        wait_gone(children)


def test_a_killed_register_leaves_no_process_and_starts_again(home: RegisterHome) -> None:
    with serving(home) as process:
        children = children_of(process.pid)
        process.kill()
        process.wait()
        wait_gone(children)
    with serving(home):
        assert get(url_of(home)).status_code == 200


def test_a_sync_process_that_dies_is_started_again(home: RegisterHome) -> None:
    with serving(home) as process:
        (former,) = children_of(process.pid)
        os.kill(former, signal.SIGKILL)
        deadline = time.monotonic() + WAIT_S
        while children_of(process.pid) in ([], [former]):
            assert time.monotonic() < deadline, "no other sync process was started"
            time.sleep(0.05)
        assert get(url_of(home)).status_code == 200


def test_a_second_process_in_the_same_home_is_refused(home: RegisterHome) -> None:
    with serving(home) as process:
        refused = holdfast("register", "serve", "--home", str(home.path))
        assert refused.returncode == 3
        assert f"Another Holdfast process (pid {process.pid}) is using" in refused.stderr


def test_a_port_in_use_is_one_sentence(home: RegisterHome) -> None:
    port = load_config(home.config, RegisterConfig).listen_port
    with socket.create_server(("127.0.0.1", port)):
        refused = holdfast("register", "serve", "--home", str(home.path))
    assert refused.returncode == 3
    assert f"127.0.0.1:{port} cannot be listened on" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("harm", "code", "said"),
    [
        ("foreign key", 4, "key"),
        ("no key", 4, "is missing"),
        ("newer database", 6, "newer"),
        ("no register", 3, "There is no register in"),
    ],
)
def test_what_stops_it_is_one_sentence(home: RegisterHome, harm: str, code: int, said: str) -> None:
    match harm:
        case "foreign key":
            home.database_key.unlink()
            DatabaseKey.generate().save(home.database_key)
        case "no key":
            home.database_key.unlink()
        case "newer database":
            make_newer(home)
        case _:
            home.config.unlink()
    refused = holdfast("register", "serve", "--home", str(home.path))
    assert refused.returncode == code, refused.stderr
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_till_that_cannot_be_read_is_mended_and_sells_on(home: RegisterHome) -> None:
    """Nobody may be there to do it. Another command says what a person can do."""
    damage(home.till, leaf_pages(home.till, DatabaseKey.load(home.database_key), "register")[0])
    said = holdfast("register", "status", "--home", str(home.path))
    assert said.returncode == 5
    assert f"holdfast register mend --home {home.path}" in said.stderr
    with serving(home):
        assert get(url_of(home)).status_code == 200
        mended = holdfast("register", "mend", "--home", str(home.path))
        assert mended.returncode == 3, "it is in use"
    assert home.till.with_name("till.db.damaged").exists()


def test_mending_by_hand_says_what_is_left_and_where_the_damaged_file_is(home: RegisterHome) -> None:
    with selling(home) as checkout:
        sell_one(checkout)
    whole = holdfast("register", "mend", "--home", str(home.path))
    assert "can be read; nothing was changed" in whole.stdout
    damage(home.till, leaf_pages(home.till, DatabaseKey.load(home.database_key), "chain")[-1])
    mended = holdfast("register", "mend", "--home", str(home.path))
    assert mended.returncode == 0, mended.stderr
    assert "3 entries are whole, of 0 only the hash is left" in mended.stdout
    assert "till.db.damaged" in mended.stdout
    assert "Next: holdfast register serve" in mended.stdout


def make_newer(home: RegisterHome) -> None:
    """As the next version of Holdfast will leave it."""
    with contextlib.closing(open_database(home.till, DatabaseKey.load(home.database_key))) as connection:
        columns = [row[1] for row in connection.execute("pragma table_info(migration)")]
        last = connection.execute("select * from migration order by number desc limit 1").fetchone()
        assert last is not None
        row = dict(zip(columns, last, strict=True)) | {"number": 9_999, "name": "9999_of_tomorrow"}
        marks = ", ".join(f":{column}" for column in columns)
        connection.execute(f"insert into migration ({', '.join(columns)}) values ({marks})", row)


def test_status_reads_beside_the_running_till(home: RegisterHome) -> None:
    with serving(home):
        said = holdfast("register", "status", "--home", str(home.path))
        assert said.returncode == 0, said.stderr
        assert "Register R01 of store S1. No business day is open." in said.stdout
        assert "Nothing owed to head office" in said.stdout
        as_json = holdfast("register", "status", "--home", str(home.path), "--json")
        assert msgspec.json.decode(as_json.stdout)["owed_count"] == 0


def test_only_its_own_page_is_answered(home: RegisterHome) -> None:
    """Another site in the same browser, or a name that points here, gets nothing."""
    with serving(home):
        url = url_of(home)
        assert get(url, headers={"host": "evil.example"}).status_code == 403
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}):
            refused = post(f"{url}/sign-in", data={"staff": "1", "pin": "1"}, headers=headers)
            assert refused.status_code == 403
            assert refused.headers["content-type"] == "application/problem+json"
        policy = get(url).headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe-inline" not in policy


def test_nobody_sells_without_having_signed_in(home: RegisterHome) -> None:
    with serving(home):
        for method, path in (("GET", "/pay"), ("POST", "/scan"), ("POST", "/void"), ("GET", "/receipts")):
            answer = httpx.request(
                method,
                url_of(home) + path,
                data={"text": "x"} if method == "POST" else None,
                timeout=WAIT_S,
            )
            assert answer.status_code == 303, (path, answer.text)
            assert answer.headers["location"] == "/"


def test_wrong_pins_are_slowed_down(home: RegisterHome) -> None:
    with serving(home):
        said = [""]
        while "Too many wrong PINs" not in said[-1]:  # each wait is twice the last
            assert len(said) < 20
            answer = post(f"{url_of(home)}/sign-in", data={"staff": "1", "pin": str(1_000 + len(said))})
            said.append(answer.text)
    assert "do not belong together" in said[1]


def test_help_teaches() -> None:
    for command in ([], ["register"], ["register", "serve"], ["register", "init"], ["demo"]):
        said = holdfast(*command, "--help")
        assert said.returncode == 0
        assert "Usage" in said.stdout
    assert "Closing the browser stops nothing" in holdfast("register", "serve", "--help").stdout


def test_a_database_of_another_key_is_not_touched(home: RegisterHome) -> None:
    before = home.till.read_bytes()
    home.database_key.unlink()
    DatabaseKey.generate().save(home.database_key)
    holdfast("register", "serve", "--home", str(home.path))
    assert home.till.read_bytes() == before
    with pytest.raises(apsw.NotADBError):
        apsw.Connection(str(home.till)).execute("select * from sqlite_schema").fetchall()
