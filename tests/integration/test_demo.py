"""`holdfast demo`: up by itself, its switches work, and nothing it started outlives it."""

import contextlib
import functools
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bench.cashier import cashier_at
from holdfast.demo.chain import scratch_folder
from holdfast.infra.web import free_port

WAIT_S = 120.0
get = functools.partial(httpx.get, timeout=WAIT_S)
post = functools.partial(httpx.post, timeout=WAIT_S)


@contextlib.contextmanager
def demo() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a person runs it, and the address of its page."""
    with scratch_folder() as folder:
        yield from _demo(folder)


def _demo(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port = free_port()
    command = [sys.executable, "-m", "holdfast", "demo", "--port", str(port), "--keep", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: process.poll() is not None or answers(url))
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        yield process, url
    finally:
        process.kill()
        process.communicate()


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return get(url).status_code == 200
    return False


def wait_for(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def family(pid: int) -> set[int]:
    """The process's children, theirs, and so on."""
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                found |= {child} | family(child)
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that run: a zombie waits for its parent and runs no more."""
    found: set[int] = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z":
                found.add(pid)
    return found


def test_the_switches_cut_and_mend_a_register_that_sells() -> None:
    with demo() as (process, url):
        page = get(url).text
        assert all(label in page for label in ("Up", "Cut", "Slow", "Black hole", "1111", "9999"))
        till = re.findall(r'href="(http://127\.0\.0\.1:\d+)"[^>]*>Open the till', page)
        assert len(till) == 2
        assert all("Sign in" in get(each).text for each in till)
        wait_for(lambda: get(f"{url}/lines").text.count("tag--ok") == 2)
        assert post(f"{url}/lines/R01/cut").status_code == 200
        wait_for(lambda: "tag--bad" in get(f"{url}/lines").text)
        assert post(f"{url}/lines/R01/up").status_code == 200
        wait_for(lambda: "tag--bad" not in get(f"{url}/lines").text)
        assert post(f"{url}/lines/R01/sideways").status_code == 404
        with cashier_at(till[0]) as cashier:
            assert cashier.sell()
        expect_purse(page, till)
        started = family(process.pid)
        assert len(started) >= 6, "head office with its database, and two registers with their sync processes"
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_S) == 0
        wait_for(lambda: not alive(started))


def expect_purse(page: str, till: list[str]) -> None:
    """The page's numbers are what it says of them: asked at the first till, where nothing was prepared."""
    unsold, first, second, with_pin, memo = re.findall(r'<span class="mono number">(\d{18})<', page)
    [pin] = re.findall(r'PIN <span class="mono">(\d{4})<', page)
    with httpx.Client(base_url=till[0], timeout=WAIT_S, follow_redirects=True, trust_env=False) as client:
        client.post("/sign-in", data={"staff": "9", "pin": "9999"})

        def look(number: str, pin: str = "") -> str:
            return client.post("/gift-cards/balance", data={"number": number, "pin": pin}).text

        assert "Not sold yet" in look(unsold)
        assert "€50.00" in look(first)
        assert "€25.00" in look(second)
        assert "€30.00" in look(with_pin, pin)
        client.post("/customers/C-1001/choose")
        client.post("/scan", data={"text": "MILK1"})
        held = client.post("/pay/held", data={"kind": "credit_memo", "number": memo}).text
        assert "Balance €20.50" in held
        client.post("/void", data={"reason": "Looked at"})
        on_hand = client.get("/stock/on-hand", params={"sku": "MILK1"}).text
        assert "Market" in on_hand
        assert "24" in on_hand


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_demo(wanted: signal.Signals) -> None:
    with demo() as (process, _):
        started = family(process.pid)
        process.send_signal(wanted)
        process.wait(WAIT_S)
        wait_for(lambda: not alive(started))
