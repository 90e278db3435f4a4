"""HTTP/1.1 messages as they are on the wire: as much as a line needs to lose one, or carry it twice."""

import asyncio
from typing import NamedTuple

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 64 << 20
_BODYLESS = (b"204", b"304")


class Head(NamedTuple):
    """A request's or an answer's head."""

    raw: bytes
    first: tuple[bytes, ...]
    """Words of its first line: method, path, version; or version, status, reason."""
    headers: dict[bytes, bytes]
    """Names in lower case."""


async def read_request(reader: asyncio.StreamReader) -> bytes | None:
    """The next request, verbatim; None where the client is done.

    ValueError and asyncio.IncompleteReadError for bytes that are no request, or not a whole one.
    """
    head = await _read_head(reader)
    if head is None:
        return None
    return head.raw + await _read_body(reader, head, until_end=False)


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """A whole answer, verbatim. Raises as `read_request` does, also where there is none."""
    head = await _read_head(reader)
    if head is None:
        raise ValueError("the answer did not come")
    if head.first[1] in _BODYLESS:
        return head.raw
    return head.raw + await _read_body(reader, head, until_end=True)


async def _read_head(reader: asyncio.StreamReader) -> Head | None:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise
    except asyncio.LimitOverrunError as error:
        raise ValueError("the head is too long") from error
    first, *lines = raw[:-4].split(b"\r\n")
    words = tuple(first.split(b" ", 2))
    if len(words) < 2:
        raise ValueError("not HTTP")
    fields = (line.partition(b":") for line in lines)
    return Head(raw, words, {name.strip().lower(): value.strip() for name, _, value in fields})


async def _read_body(reader: asyncio.StreamReader, head: Head, *, until_end: bool) -> bytes:
    if head.headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return await _read_chunks(reader)
    length = head.headers.get(b"content-length")
    if length is not None:
        size = int(length)
        if not 0 <= size <= BODY_BYTES_MAX:
            raise ValueError("the body is too long")
        return await reader.readexactly(size)
    return await reader.read(BODY_BYTES_MAX) if until_end else b""


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    total = 0
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        total += size
        if not 0 <= total <= BODY_BYTES_MAX:
            raise ValueError("the body is too long")
        parts += (line, await reader.readexactly(size + 2))
        if size == 0:
            return b"".join(parts)
