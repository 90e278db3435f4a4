"""How long after its start does a register with a long journal sell, and in how much memory?

`register serve` as a service manager starts it: the process, its sync child, the page's first answer.
"""

import contextlib
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import msgspec

from bench.figure import Figure, Size, figure
from bench.tills import fill, make_home, open_day
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config, save_config
from holdfast.infra.process import end_child, spawn_child
from tests.office import free_port

TIMEOUT_S = 60.0
_FIRST_SALE = """
import sys
from pathlib import Path
from bench.tills import first_sale
first_sale(Path(sys.argv[1]))
"""


def run(folder: Path, size: Size) -> list[Figure]:
    home = make_home(folder / "till")
    port = free_port()
    config = load_config(home.config, RegisterConfig)
    save_config(home.config, msgspec.structs.replace(config, listen_port=port))
    open_day(home)
    fill(home, size.entries)
    empty = make_home(folder / "empty")
    open_day(empty)
    name = f"register with {size.entries:,} entries"
    to_sale, to_sale_empty = first_sale_s(home), first_sale_s(empty)
    to_page, memory_mb = _serve(home, port)
    return [
        figure(
            f"{name}, start to first sale", to_sale, "s", limit=("an empty one", to_sale_empty), at_most=2.0
        ),
        figure(f"{name}, start to first page", to_page, "s", at_most=2.0),
        figure(f"{name}, memory of till and sync", memory_mb, "MB", at_most=150.0),
    ]


def first_sale_s(home: RegisterHome) -> float:
    """Seconds from the start of a process to a durable sale."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", _FIRST_SALE, home.path], check=True)
    return time.perf_counter() - began


def _serve(home: RegisterHome, port: int) -> tuple[float, float]:
    """(seconds until the page answers, megabytes that its processes hold then)."""
    with ExitStack() as stack:
        began = time.perf_counter()
        child = spawn_child(
            [sys.executable, "-m", "holdfast", "register", "serve", "--home", str(home.path)],
            stdout=subprocess.DEVNULL,
        )
        stack.callback(end_child, child)
        deadline = began + TIMEOUT_S
        while time.perf_counter() < deadline:
            assert child.poll() is None, "the register serves"
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                break
            time.sleep(0.01)
        to_page = time.perf_counter() - began
        time.sleep(2)  # sync has opened its database by then
        return to_page, sum(map(_memory_mb, [child.pid, *_children(child.pid)]))


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


def _memory_mb(pid: int) -> float:
    """Proportional set size: what is shared counts once over all that share it."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None, "the kernel counts memory"
    return int(found[1]) * 1024 / 1e6
