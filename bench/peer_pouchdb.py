"""A peer: the same sales from PouchDB to a pouchdb-server, one document each, over HTTP on this machine.

It comes from the npm registry, pinned in `bench/peers`; without npm it is skipped. Its server keeps LevelDB
as it is by default: without a flush to the disk before it answers.
"""

import contextlib
import shutil
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.figure import Figure, Size, figure
from bench.tills import fill, make_home, open_day
from holdfast.infra.config import RegisterHome
from holdfast.infra.keys import DatabaseKey
from holdfast.infra.process import end_child, spawn_child
from holdfast.infra.sqlite import open_database
from tests.office import free_port

PEERS = Path(__file__).with_name("peers")
_ENTRIES = "select data from entry where type = 'sale' order by id"
INSTALL_TIMEOUT_S = 300.0
RUN_TIMEOUT_S = 300.0


def run(folder: Path, size: Size) -> list[Figure] | str:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return "there is no npm or node on this machine."
    packages = folder / "peers"
    shutil.copytree(PEERS, packages, ignore=shutil.ignore_patterns("node_modules"))
    try:
        subprocess.run(
            [npm, "ci", "--loglevel=error"], cwd=packages, check=True, capture_output=True, text=True,
            timeout=INSTALL_TIMEOUT_S,
        )  # fmt: skip
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return f"npm could not install PouchDB: {str(error.stderr or error).strip()[-300:]}"
    sales = folder / "sales.jsonl"
    write_sales(folder / "till", sales, size.drain)
    seconds = _replicate(packages, node, folder, sales)
    if isinstance(seconds, str):
        return seconds
    return [
        figure(
            f"peer: PouchDB to pouchdb-server, {size.drain:,} sales (not flushed to disk)",
            size.drain / seconds,
            "sales/s",
        )
    ]


def write_sales(till: Path, file: Path, count: int) -> None:
    """The same sales that `drain` sends, as their entries, one a line."""
    home = make_home(till)
    open_day(home)
    fill(home, count)
    with file.open("wb") as out:
        for data in _entries(home):
            out.write(data + b"\n")


def _entries(home: RegisterHome) -> list[bytes]:
    connection = open_database(home.till, DatabaseKey.load(home.database_key), read_only=True)
    try:
        rows: list[Any] = connection.execute(_ENTRIES).fetchall()
        return [data for (data,) in rows]
    finally:
        connection.close()


def _replicate(packages: Path, node: str, folder: Path, sales: Path) -> float | str:
    """Seconds; or why it could not be measured."""
    port = free_port()
    server_folder = folder / "server"
    server_folder.mkdir()
    with ExitStack() as stack:
        binary = packages / "node_modules" / "pouchdb-server" / "bin" / "pouchdb-server"
        child = spawn_child(
            [node, str(binary), "--port", str(port), "--dir", str(server_folder), "--no-stdout-logs"],
            cwd=server_folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(end_child, child)
        url = f"http://127.0.0.1:{port}"
        if not _answers(url):
            return "pouchdb-server does not answer."
        command = [node, str(packages / "replicate.js"), str(folder), url, str(sales)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False)
        return float(done.stdout) if done.returncode == 0 else f"PouchDB failed: {done.stderr.strip()[-300:]}"


def _answers(url: str) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return True
        time.sleep(0.1)
    return False
