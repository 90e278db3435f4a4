"""Serving an ASGI application by granian in this very process, and ending in good order.

On SIGTERM: long polls are woken and streams ended, then the server stops within seconds. granian
itself would wait for every open poll.
"""

import asyncio
import resource
import signal
import socket
from collections.abc import Callable
from typing import Any

import structlog
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server.embed import Server

from holdfast.infra.config import is_loopback, probe_port
from holdfast.infra.web.tls import Tls
from holdfast.infra.web.wakeups import Wakeups

CONNECTIONS_MAX = 20_000
"""Requests in work at once. Waiting long polls count, so this is well above a fleet."""
_BACKLOG = 4_096
_BODIES_GRACE_S = 0.3
_STOP_TIMEOUT_S = 5.0
_READY_TIMEOUT_S = 30.0
_log = structlog.get_logger(__name__)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now; for demos and tests."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def serve(
    app: Any,
    *,
    host: str,
    port: int,
    wakeups: Wakeups,
    tls: Tls | None = None,
    on_ready: Callable[[str], None] | None = None,
    hand_stop: Callable[[Callable[[], None]], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. `on_ready` hears the URL once connections are taken.

    `hand_stop` is handed what ends the server, to be called from any thread: for a caller that is not
    the main thread and can set no signal handler. ConfigurationFault when the port is in use.
    """
    assert tls is not None or is_loopback(host), "off loopback everything is encrypted"
    probe_port(host, port)
    _raise_file_limit()
    asyncio.run(_serve(app, host, port, wakeups, tls, on_ready, hand_stop))


async def _serve(
    app: Any,
    host: str,
    port: int,
    wakeups: Wakeups,
    tls: Tls | None,
    on_ready: Callable[[str], None] | None,
    hand_stop: Callable[[Callable[[], None]], None] | None,
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    if hand_stop is None:
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, ended.set)
    else:
        hand_stop(lambda: loop.call_soon_threadsafe(ended.set) and None)
    server = _server(app, host, port, tls)
    serving = asyncio.create_task(server.serve())
    asking = asyncio.create_task(ended.wait())
    if on_ready is not None and await _answers(host, port, serving):
        on_ready(_url(host, port, tls))
    await asyncio.wait({serving, asking}, return_when=asyncio.FIRST_COMPLETED)
    wakeups.stop()
    if not serving.done():
        await asyncio.sleep(_BODIES_GRACE_S)  # woken polls write their answers
        server.stop()
        await asyncio.wait({serving}, timeout=_STOP_TIMEOUT_S)
    asking.cancel()
    if not serving.done():
        _log.warning("connections were still open and were cut", after_s=_STOP_TIMEOUT_S)
        serving.cancel()
        return
    serving.result()


def _server(app: Any, host: str, port: int, tls: Tls | None) -> Server:
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.auto if tls else HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        backpressure=CONNECTIONS_MAX,
        log_level=LogLevels.error,
        log_dictconfig={"version": 1, "disable_existing_loggers": False},
        ssl_cert=tls.certificate if tls else None,
        ssl_key=tls.key if tls else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )


def _url(host: str, port: int, tls: Tls | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


async def _answers(host: str, port: int, serving: asyncio.Task[None]) -> bool:
    """Whether the port takes connections, once it does; False when the server ended instead."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    for _ in range(int(_READY_TIMEOUT_S / 0.02)):
        if serving.done():
            return False
        try:
            _, writer = await asyncio.open_connection(near, port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return True
    return False


def _raise_file_limit() -> None:
    """As many open sockets as the system allows this process: 1,024 would end at 1,000 registers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + 1_024
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
