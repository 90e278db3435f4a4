"""Places in the till: an epoch's ordinal and a seq, or a number, as one integer that sorts."""

from typing import Final

_SEQ_BITS: Final = 40
_SEQ_MASK: Final = (1 << _SEQ_BITS) - 1


def place(n: int, seq: int) -> int:
    """The row id of `seq` (or document number) in the epoch that was opened `n`-th here."""
    assert n >= 1, "epochs count from 1"
    assert 0 <= seq <= _SEQ_MASK, "a seq has 40 bits"
    return n << _SEQ_BITS | seq


def last_place(n: int) -> int:
    """A row id that no row of that epoch is above."""
    return n << _SEQ_BITS | _SEQ_MASK


def epoch_of(row_id: int) -> int:
    return row_id >> _SEQ_BITS


def seq_of(row_id: int) -> int:
    return row_id & _SEQ_MASK
