"""The HTTP client of every role: each call states by when it must have ended, whatever the line does.

A deadline covers the whole call, name look-up and connecting included, so dropped packets end it as
surely as a refusal does. All requests of the protocol may be sent again at any time (P2), so one that dies
on a connection the other side had meanwhile closed is sent once more on a fresh one.

The network runs in one thread with an event loop of its own; callers are plain threads, and may
give up a call from any other thread.
"""

import asyncio
import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

import httpx
import msgspec

from holdfast.core.faults import MalformedFault, TooLargeFault, UnavailableFault
from holdfast.core.sync.messages import Problem

T = TypeVar("T")

REPLY_BYTES_MAX = 1 << 20
"""Of an ordinary answer; a call that expects more says so."""
CONNECTIONS_MAX = 16
_PROBLEM_TEXT_MAX = 500
_STOP_TIMEOUT_S = 5.0


class LostFault(UnavailableFault):
    """No answer: refused, cut, given up or out of time. What was sent may or may not have arrived."""

    code = "line.lost"


class TimedOutFault(LostFault):
    """The deadline passed."""

    code = "line.timed-out"


class GivenUpFault(LostFault):
    """This side gave the call up; it says nothing of the line."""

    code = "line.given-up"


class CertificateFault(LostFault):
    """Head office was reached, and its certificate is not one that this machine trusts."""

    code = "line.certificate"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the other side answered, of any status."""

    status: int
    body: bytes
    content_type: str
    latency_ms: int
    """From the call to the end of the answer, connecting included."""
    retry_after_s: int = 0
    """How long it asks to be left alone; 0: it does not say."""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def problem(self) -> Problem:
        """The refusal: RFC 9457 problem details, or what can be said where the answer is none."""
        assert not self.is_success, "a success is no problem"
        if self.content_type == "application/problem+json":
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                return msgspec.json.decode(self.body, type=Problem)
        # A proxy in between, or another program on that port.
        return Problem(
            type="about:blank",
            title="not Holdfast's answer",
            status=self.status,
            detail=self.body[:_PROBLEM_TEXT_MAX].decode("utf-8", "replace"),
            code=f"http.{self.status}",
        )


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One call, and its bounds."""

    method: str
    path: str
    deadline_s: float
    """For the whole of it."""
    connect_s: float | None = None
    """Of these for the connection alone; None: all of them."""
    body: bytes | None = None
    content_type: str = "application/json"
    token: str = ""
    query: Mapping[str, str | int] = msgspec.field(default_factory=dict)
    reply_bytes_max: int = REPLY_BYTES_MAX
    is_gated: bool = False
    """Once connected it waits for `Call.let_go`, and not a byte has left by then."""


class _Gate:
    """Between a connection and the first byte over it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = asyncio.Event()


class Call:
    """A call on its way."""

    def __init__(
        self,
        future: "Future[Reply]",
        sent: threading.Event,
        loop: asyncio.AbstractEventLoop,
        gate: _Gate | None = None,
    ) -> None:
        self._future = future
        self._sent = sent
        self._loop = loop
        self._gate = gate
        future.add_done_callback(lambda _: self._ended())

    def _ended(self) -> None:
        self._sent.set()
        if self._gate is not None:
            self._gate.reached.set()

    def wait_until_connected(self) -> bool:
        """Of a gated call: whether it would leave now. False: it ended before, or is none."""
        if self._gate is None:
            return False
        self._gate.reached.wait()
        return not self._future.done()

    def let_go(self) -> None:
        """Of a gated call: its first byte may leave."""
        assert self._gate is not None, "it was asked to wait"
        self._loop.call_soon_threadsafe(self._gate.opened.set)

    def wait_until_sent(self) -> None:
        """Until the request has left this process, or the call ended."""
        self._sent.wait()

    def result(self) -> Reply:
        """Wait for it. LostFault (CertificateFault), TooLargeFault or MalformedFault where none counts."""
        try:
            return self._future.result()
        except CancelledError:
            raise GivenUpFault("The call was given up.") from None

    def cancel(self) -> None:
        """Give it up, from any thread; its `result` then raises GivenUpFault."""
        self._future.cancel()

    def on_end(self, tell: Callable[["Call"], None]) -> None:
        """`tell` is called once it ended in any way, in the network's thread: it must not wait."""
        self._future.add_done_callback(lambda _: tell(self))


class HttpClient:
    """Calls to one server; safe to use from many threads."""

    def __init__(
        self, base_url: str, *, context: ssl.SSLContext | None = None, agent: str = "holdfast"
    ) -> None:
        """`context`: what vouches for the server; None: the system's list. Redirects are not followed, and no
        proxy is taken from the environment: a till talks to head office and to nobody else."""
        self._base_url = base_url
        self._context = context or ssl.create_default_context()
        self._agent = agent
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="holdfast-network", daemon=True)
        self._thread.start()
        self._pool = self._on_loop(self._new_pool())

    def start(self, request: HttpRequest) -> Call:
        """Begin a call without waiting for it."""
        sent, gate = threading.Event(), _Gate() if request.is_gated else None
        future = asyncio.run_coroutine_threadsafe(self._call(request, _Trace(sent, gate)), self._loop)
        return Call(future, sent, self._loop, gate)

    def call(self, request: HttpRequest) -> Reply:
        """Make a call and wait for its end. Faults as `Call.result` says."""
        return self.start(request).result()

    def forget_connections(self) -> None:
        """Use fresh connections from now on: kept ones may have died with the line that just returned.

        Calls on their way keep theirs.
        """
        self._loop.call_soon_threadsafe(self._renew)

    def close(self) -> None:
        """Give up what is on its way and end the network's thread."""
        if not self._thread.is_alive():
            return
        self._on_loop(self._shut_down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_TIMEOUT_S)
        self._loop.close()

    def __enter__(self) -> "HttpClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- in the network's thread ---------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_STOP_TIMEOUT_S)

    async def _new_pool(self) -> "_Pool":
        return _Pool(self._base_url, self._context, self._agent)

    def _renew(self) -> None:
        self._pool.retire()
        self._pool = _Pool(self._base_url, self._context, self._agent)

    async def _shut_down(self) -> None:
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._pool.close()

    async def _call(self, request: HttpRequest, trace: "_Trace") -> Reply:
        began = time.monotonic()
        try:
            async with asyncio.timeout(request.deadline_s):
                try:
                    return await self._pool.send(request, began, trace)
                except _StaleConnection:
                    self._renew()  # its neighbours are as old
                    return await self._pool.send(request, began, trace)
        except TimeoutError:
            raise TimedOutFault(f"There was no answer within {_spell_s(request.deadline_s)}.") from None
        except _StaleConnection as stale:
            raise LostFault(f"The connection was cut ({stale}).") from None


class _StaleConnection(Exception):
    """A kept connection turned out to be closed."""


class _Pool:
    """Connections of one generation; closed when retired and no call uses it any more."""

    def __init__(self, base_url: str, context: ssl.SSLContext, agent: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url,
            verify=context,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
            headers={"User-Agent": agent, "Accept-Encoding": "identity"},
        )
        self._uses = 0
        self._retired = False
        self._closing: asyncio.Task[None] | None = None

    def retire(self) -> None:
        self._retired = True
        self._close_if_done()

    async def close(self) -> None:
        await self._client.aclose()

    def _close_if_done(self) -> None:
        if self._retired and self._uses == 0 and self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self.close())

    async def send(self, request: HttpRequest, began: float, trace: "_Trace") -> Reply:
        """The answer; LostFault, or _StaleConnection where a kept connection was closed meanwhile."""
        self._uses += 1
        try:
            return await self._send(request, began, trace)
        finally:
            self._uses -= 1
            self._close_if_done()

    async def _send(self, request: HttpRequest, began: float, trace: "_Trace") -> Reply:
        trace.connected = False
        try:
            return await self._exchange(request, began, trace)
        except httpx.ConnectTimeout:
            raise TimedOutFault(
                f"No connection came about within {_spell_s(request.connect_s or request.deadline_s)}."
            ) from None
        except httpx.ConnectError as error:
            raise _connect_fault(error) from error
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError, httpx.CloseError) as error:
            if not trace.connected:
                raise _StaleConnection(type(error).__name__) from error
            raise LostFault(f"The connection was cut ({type(error).__name__}).") from error
        except httpx.HTTPError as error:
            raise LostFault(f"The call failed ({type(error).__name__}).") from error

    async def _exchange(self, request: HttpRequest, began: float, trace: "_Trace") -> Reply:
        headers = {"Content-Type": request.content_type} if request.body is not None else {}
        if request.token:
            headers["Authorization"] = f"Bearer {request.token}"
        built = self._client.build_request(
            request.method,
            request.path,
            params=dict(request.query) or None,
            content=request.body,
            headers=headers,
            timeout=httpx.Timeout(request.deadline_s, connect=request.connect_s or request.deadline_s),
            extensions={"trace": trace},
        )
        response = await self._client.send(built, stream=True)
        try:
            body = await _bounded_body(response, request.reply_bytes_max)
        finally:
            await response.aclose()
        return Reply(
            status=response.status_code,
            body=body,
            content_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
            latency_ms=round((time.monotonic() - began) * 1000),
            retry_after_s=_seconds(response.headers.get("retry-after", "")),
        )


class _Trace:
    """Learns whether a call made its connection or was given a kept one, and when its request was sent."""

    def __init__(self, sent: threading.Event, gate: _Gate | None) -> None:
        self.connected = False
        self._sent = sent
        self._gate = gate

    async def __call__(self, event: str, _: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self.connected = True
        elif event == "http11.send_request_headers.started" and self._gate is not None:
            self._gate.reached.set()
            await self._gate.opened.wait()
        elif event == "http11.send_request_body.complete":
            self._sent.set()


def _seconds(text: str) -> int:
    """Of a Retry-After; one that names a date says nothing here."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0


async def _bounded_body(response: httpx.Response, bytes_max: int) -> bytes:
    encoding = response.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise MalformedFault(f"An answer came encoded as {encoding[:40]!r}, which was not asked for.")
    parts: list[bytes] = []
    total = 0
    async for part in response.aiter_raw():
        total += len(part)
        if total > bytes_max:
            raise TooLargeFault(f"An answer is longer than the {bytes_max} bytes that were expected.")
        parts.append(part)
    return b"".join(parts)


def _connect_fault(error: BaseException) -> LostFault:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateFault(
                f"Head office's certificate is not trusted ({cause.verify_message}). Check this machine's "
                "clock and the certificate that was pinned at enrolment."
            )
        if isinstance(cause, ConnectionRefusedError):
            return LostFault("The connection was refused.")
        cause = cause.__cause__ or cause.__context__
    return LostFault(f"No connection came about ({str(error)[:200]}).")


def _spell_s(seconds: float) -> str:
    return f"{seconds:g} s"
