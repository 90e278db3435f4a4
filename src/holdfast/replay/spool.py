"""A register's share of a history as a file between two processes: one JSON document a line."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from holdfast.replay.history import HistoryDocument


def write_documents(path: Path, documents: Iterable[HistoryDocument]) -> None:
    with path.open("wb") as file:
        file.writelines(msgspec.json.encode(document) + b"\n" for document in documents)


def read_documents(path: Path) -> Iterator[HistoryDocument]:
    """What `write_documents` wrote, one at a time: a year does not fit a till's memory."""
    decoder = msgspec.json.Decoder(HistoryDocument)
    with path.open("rb") as file:
        for line in file:
            yield decoder.decode(line)
