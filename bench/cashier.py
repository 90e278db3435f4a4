"""A cashier at a till's page, as fast as the page answers; each act is timed from click to answer."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from holdfast.register.web.messages import say

CASHIER = ("1", "1111")
MILK, CHEDDAR, CRISPS = "2000000010076", "2000000010359", "2000000011332"
BARCODES = (MILK, CHEDDAR, CRISPS, MILK)
_TIMEOUT_S = 30.0
_RECEIPT = re.compile(r"[A-Z0-9]+-[0-9A-HJKMNP-TV-Z]{5}-[0-9]{6,}")


class Cashier:
    """Signed in, the day open. `taken_ms` grows by one for each act."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.taken_ms: list[float] = []

    def begin(self) -> None:
        """Sign in and open the day where it is not open yet."""
        deadline = time.monotonic() + _TIMEOUT_S
        while say("sign-in.nobody") in self._client.get("/").text:
            assert time.monotonic() < deadline, "head office sends the staff"
            time.sleep(0.1)
        staff, pin = CASHIER
        self._post("/sign-in", {"staff": staff, "pin": pin})
        page = self._client.get("/")
        if "/start/continue" in page.text:  # what a start without a connection tells
            page = self._post("/start/continue", {})
        if 'id="date"' in page.text:
            found = re.search(r'id="date"[^>]*value="([0-9-]+)"', page.text)
            self._post("/day/open", {"date": found[1] if found else "", "float": "0"})
        self.taken_ms.clear()

    def sell(self, barcodes: tuple[str, ...] = BARCODES) -> str:
        """Scan, ask what is due, take it exactly; the receipt's number."""
        for barcode in barcodes:
            self._post("/scan", {"text": barcode})
        self._timed("GET", "/pay", None)
        receipt = self._post("/pay", {"amount": "exact"})
        found = _RECEIPT.search(receipt.text)
        assert found is not None, f"a receipt: {receipt.text[:2_000]}"
        return found[0]

    def _post(self, path: str, form: dict[str, str]) -> httpx.Response:
        return self._timed("POST", path, form)

    def _timed(self, method: str, path: str, form: dict[str, str] | None) -> httpx.Response:
        began = time.perf_counter()
        answer = self._client.request(method, path, data=form)
        self.taken_ms.append((time.perf_counter() - began) * 1_000)
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer


@contextmanager
def cashier_at(url: str) -> Iterator[Cashier]:
    """Somebody at the till with this page."""
    with httpx.Client(base_url=url, timeout=_TIMEOUT_S, follow_redirects=True, trust_env=False) as client:
        found = Cashier(client)
        found.begin()
        yield found


def seconds_until_noticed(url: str, began: float, timeout_s: float = 30.0) -> float:
    """From `began` (perf_counter) until the page's own stream says that the till is not online any more."""
    with (
        httpx.Client(base_url=url, timeout=timeout_s, trust_env=False) as client,
        client.stream("GET", "/events") as stream,
    ):
        for line in stream.iter_lines():
            if "Offline since" in line or "Degraded since" in line:
                return time.perf_counter() - began
    raise AssertionError("the till's page never said so")
