"""The HTTP client keeps its deadlines and bounds, whatever answers or does not."""

import contextlib
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.core.faults import MalformedFault, TooLargeFault
from holdfast.infra.http import (
    CertificateFault,
    GivenUpFault,
    HttpClient,
    HttpRequest,
    LostFault,
    TimedOutFault,
)
from holdfast.infra.tls import make_certificate, pinned_context

Serve = Callable[[socket.socket], None]
GENEROUS_S = 120.0
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\nok"


@contextlib.contextmanager
def server(serve: Serve, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A socket on loopback; `serve` is handed each connection in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if context is not None:
                with context.wrap_socket(connection, server_side=True) as secured:
                    serve(secured)
            else:
                serve(connection)

    def accept() -> None:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                connection.settimeout(GENEROUS_S)
                thread = threading.Thread(target=handle, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        acceptor.join(GENEROUS_S)
        listener.close()


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(4096)
        if not part:
            raise ConnectionError("closed")
        data += part
    return data


def answering(*answers: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        for answer in answers:
            read_request(connection)
            connection.sendall(answer)

    return serve


def get(port: int, deadline_s: float = GENEROUS_S, **fields: int) -> HttpRequest:
    return HttpRequest(method="GET", path="/x", deadline_s=deadline_s, **fields)  # pyright: ignore[reportArgumentType]


def client_of(port: int) -> HttpClient:
    return HttpClient(f"http://127.0.0.1:{port}")


def test_an_answer_and_its_problem() -> None:
    body = b'{"type":"urn:holdfast:problem:key.unknown","title":"no","status":403,"code":"key.unknown"}'
    refusal = (
        b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json; charset=utf-8\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    html = b"HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p>x"
    with server(answering(OK, refusal, html)) as port, client_of(port) as client:
        assert client.call(get(port)).body == b"ok"
        assert client.call(get(port)).problem().code == "key.unknown"
        assert client.call(get(port)).problem().code == "http.502"


def test_silence_ends_by_the_deadline() -> None:
    def say_nothing(connection: socket.socket) -> None:
        read_request(connection)
        connection.recv(1)

    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b".")
            time.sleep(0.05)

    for serve in (say_nothing, drip):
        with server(serve) as port, client_of(port) as client, pytest.raises(TimedOutFault):
            client.call(get(port, deadline_s=0.3))


def test_a_connection_that_never_comes_about_ends_by_the_deadline() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        with client_of(port) as client, contextlib.ExitStack() as full:
            for _ in range(4):  # fill the backlog: further connections get no answer at all
                waiting = full.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            with pytest.raises(TimedOutFault):
                client.call(get(port, deadline_s=0.3))


def test_a_refused_connection_is_lost_at_once() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
    with client_of(port) as client, pytest.raises(LostFault, match="refused"):
        client.call(get(port))


def test_answers_are_bounded_and_not_unpacked() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"
    with server(answering(long)) as port, client_of(port) as client, pytest.raises(TooLargeFault):
        client.call(get(port, reply_bytes_max=4999))
    with server(answering(packed)) as port, client_of(port) as client, pytest.raises(MalformedFault):
        client.call(get(port))


def test_no_bytes_make_another_fault() -> None:
    for junk in (
        b"\x00" * 100,
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        b"",
    ):
        with server(answering(junk)) as port, client_of(port) as client, pytest.raises(LostFault):
            client.call(get(port))


def test_a_kept_connection_that_died_is_replaced_within_the_call() -> None:
    connections: list[socket.socket] = []

    def serve_one(connection: socket.socket) -> None:
        connections.append(connection)
        read_request(connection)
        connection.sendall(OK)

    with server(serve_one) as port, client_of(port) as client:
        for _ in range(5):
            assert client.call(get(port)).is_success
    assert len(connections) == 5


def test_a_redirect_is_not_followed() -> None:
    away = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with server(answering(away)) as port, client_of(port) as client:
        assert client.call(get(port)).status == 302


def test_a_call_is_given_up_from_another_thread() -> None:
    began = threading.Event()

    def say_nothing(connection: socket.socket) -> None:
        read_request(connection)
        began.set()
        connection.recv(1)

    with server(say_nothing) as port, client_of(port) as client:
        call = client.start(get(port))
        assert began.wait(GENEROUS_S)
        call.cancel()
        with pytest.raises(GivenUpFault):
            call.result()


def test_fresh_connections_after_forgetting_the_kept() -> None:
    connections: list[socket.socket] = []

    def serve_all(connection: socket.socket) -> None:
        connections.append(connection)
        while True:
            read_request(connection)
            connection.sendall(OK)

    with server(serve_all) as port, client_of(port) as client:
        client.call(get(port))
        client.call(get(port))
        assert len(connections) == 1
        client.forget_connections()
        client.call(get(port))
        assert len(connections) == 2


def certificate(folder: Path, name: str, made: datetime.datetime | None = None) -> tuple[ssl.SSLContext, str]:
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    make_certificate(pem, key, ["127.0.0.1"], made=made)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context, pem.read_text()


def test_only_the_pinned_certificate_is_believed(tmp_path: Path) -> None:
    own, pem = certificate(tmp_path, "own")
    other, _ = certificate(tmp_path, "other")
    with server(answering(OK), own) as port:
        with HttpClient(f"https://127.0.0.1:{port}", context=pinned_context(pem)) as client:
            assert client.call(get(port)).is_success
        with HttpClient(f"https://127.0.0.1:{port}") as client, pytest.raises(CertificateFault):
            client.call(get(port))
    with (
        server(answering(OK), other) as port,
        HttpClient(f"https://127.0.0.1:{port}", context=pinned_context(pem)) as client,
        pytest.raises(CertificateFault),
    ):
        client.call(get(port))


@pytest.mark.parametrize("years", [-73, 7], ids=["2099", "2019"])
def test_a_wrong_clock_cuts_no_line_that_is_pinned(tmp_path: Path, years: int) -> None:
    """To a clock that is behind, a certificate is from the future; to one that is ahead it is long over."""
    made = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=365 * years)
    secured, pem = certificate(tmp_path, "own", made)
    other, _ = certificate(tmp_path, "other", made)
    with (
        server(answering(OK), secured) as port,
        HttpClient(f"https://127.0.0.1:{port}", context=pinned_context(pem)) as client,
    ):
        assert client.call(get(port)).is_success
    with (
        server(answering(OK), other) as port,
        HttpClient(f"https://127.0.0.1:{port}", context=pinned_context(pem)) as client,
        pytest.raises(CertificateFault),
    ):
        client.call(get(port))


def test_a_gated_call_sends_nothing_before_it_is_let_go() -> None:
    came = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        came.set()
        connection.sendall(OK)

    with server(serve) as port, client_of(port) as client:
        gated = HttpRequest(method="POST", path="/x", body=b"x", deadline_s=GENEROUS_S, is_gated=True)
        call = client.start(gated)
        assert call.wait_until_connected()
        assert not came.is_set()
        call.let_go()
        assert call.result().body == b"ok"
        assert not client.start(get(port)).wait_until_connected(), "it waits for nobody"
    with client_of(port) as client:
        refused = client.start(gated)
        assert not refused.wait_until_connected(), "no connection came about, so nothing leaves"
        with pytest.raises(LostFault):
            refused.result()
