"""The high-water mark: it survives a kill at any byte, and never shows a mark that was not written."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.faults import DatabaseFault
from holdfast.core.ids import epoch_id
from holdfast.infra.mark import FILE_BYTES, SLOT_SPACING_BYTES, HighWaterMark, Mark

marks = st.builds(
    Mark,
    epoch=st.binary(min_size=16, max_size=16).map(epoch_id),
    seq=st.integers(0, 2**64 - 1),
    hash=st.binary(min_size=32, max_size=32),
    segment_number=st.integers(0, 2**64 - 1),
    business_date=st.dates().map(str) | st.just(""),
)


def mark(seq: int, epoch: bytes = b"e" * 16) -> Mark:
    return Mark(epoch_id(epoch), seq, bytes([seq % 256]) * 32, seq // 2, "2026-03-01")


def test_there_is_none_before_the_first(tmp_path: Path) -> None:
    with HighWaterMark(tmp_path / "mark") as high:
        assert high.read() is None
    assert (tmp_path / "mark").stat().st_size == FILE_BYTES
    assert (tmp_path / "mark").stat().st_mode & 0o777 == 0o600


@given(st.lists(marks, min_size=1, max_size=5, unique_by=lambda each: each.epoch))
@settings(max_examples=30)
def test_the_last_one_written_is_read(written: list[Mark]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mark"
        for each in written:
            with HighWaterMark(path) as high:
                assert high.write(each)
                assert high.read() == each
        with HighWaterMark(path) as high:
            assert high.read() == written[-1]


def test_settling_flushes_the_file_and_then_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    fsync = os.fsync
    with HighWaterMark(tmp_path / "mark") as high:
        high.write(mark(1))
        monkeypatch.setattr(os, "fsync", lambda fd: (flushed.append(os.fstat(fd).st_ino), fsync(fd))[1])
        high.settle()
    assert flushed == [(tmp_path / "mark").stat().st_ino, tmp_path.stat().st_ino]


def test_a_disk_that_refuses_to_settle_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with HighWaterMark(tmp_path / "mark") as high:
        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(DatabaseFault, match="cannot be stored"):
            high.settle()


def test_marks_go_into_the_slots_in_turn(tmp_path: Path) -> None:
    with HighWaterMark(tmp_path / "mark") as high:
        for seq in range(1, 6):
            before = (tmp_path / "mark").read_bytes()
            high.write(mark(seq))
            after = (tmp_path / "mark").read_bytes()
            changed = {at // SLOT_SPACING_BYTES for at in range(FILE_BYTES) if before[at] != after[at]}
            assert changed == {seq % 2}


@given(st.integers(1, 6), st.data())
@settings(max_examples=200)
def test_a_write_torn_at_any_byte_leaves_the_one_before(count: int, data: st.DataObject) -> None:
    """Torn: a prefix, or any other subset of its bytes, reached the disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mark"
        with HighWaterMark(path) as high:
            for seq in range(1, count + 1):
                high.write(mark(seq))
            before = path.read_bytes()
            high.write(mark(count + 1))
            after = path.read_bytes()
        differing = [at for at in range(FILE_BYTES) if before[at] != after[at]]
        cut = data.draw(st.integers(0, len(differing) - 1))
        chosen = data.draw(st.one_of(st.just(differing[:cut]), st.sets(st.sampled_from(differing))))
        torn = bytearray(before)
        for at in chosen:
            torn[at] = after[at]
        path.write_bytes(torn)
        with HighWaterMark(path) as high:
            whole = len(set(chosen)) == len(differing)
            assert high.read() == mark(count + 1 if whole else count)
            # And it goes on from there: the torn slot is the one that is written next.
            high.write(mark(count + 2))
        with HighWaterMark(path) as high:
            assert high.read() == mark(count + 2)


@given(st.binary(max_size=300), st.binary(max_size=300))
@settings(max_examples=50)
def test_any_bytes_are_no_mark(one: bytes, other: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mark"
        path.write_bytes(one.ljust(SLOT_SPACING_BYTES, b"\0") + other.ljust(SLOT_SPACING_BYTES, b"\0"))
        with HighWaterMark(path) as high:
            assert high.read() is None


def test_a_mark_never_goes_back_within_an_epoch(tmp_path: Path) -> None:
    with HighWaterMark(tmp_path / "mark") as high:
        high.write(mark(9))
        with pytest.raises(AssertionError, match="never goes back"):
            high.write(mark(8))
        high.write(mark(1, epoch=b"f" * 16))
        assert high.read() == mark(1, epoch=b"f" * 16)


def test_a_disk_that_refuses_does_not_fail_the_sale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(5, "Input/output error")

    with HighWaterMark(tmp_path / "mark") as high:
        assert high.write(mark(1))
        monkeypatch.setattr(os, "pwrite", refuse)
        assert not high.write(mark(2))
        monkeypatch.undo()
        assert high.read() == mark(1)
        assert high.write(mark(3))
        assert high.read() == mark(3)


def test_no_folder_is_a_fault_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(DatabaseFault, match="must exist"):
        HighWaterMark(tmp_path / "none" / "mark")


KILLED = """
import itertools, sys
from pathlib import Path
from holdfast.core.ids import epoch_id
from holdfast.infra.mark import HighWaterMark, Mark
high = HighWaterMark(Path(sys.argv[1]))
for seq in itertools.count(1):
    high.write(Mark(epoch_id(b"e" * 16), seq, bytes([seq % 256]) * 32, seq // 2, "2026-03-01"))
    print(seq, flush=True)
"""


def test_kill_9_loses_no_mark(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "mark")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for _ in range(50):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    rest = [line for line in child.stdout.read().splitlines() if line]
    child.wait()
    last = int(rest[-1]) if rest else 50
    with HighWaterMark(tmp_path / "mark") as high:
        found = high.read()
    assert found in (mark(last), mark(last + 1), mark(last + 2)), (found, last)
