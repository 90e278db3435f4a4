"""What a replay worker tells the process that started it: one JSON object a line on its output."""

import enum

import msgspec


class Stage(enum.Enum):
    """What a worker is doing."""

    ENTERING = "entering"
    DRAINING = "draining"
    DONE = "done"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one worker since it was started."""

    stage: Stage = Stage.ENTERING
    recorded: int = 0
    """Documents entered now."""
    known: int = 0
    """Documents that this register's database held already."""
    owed: int = 0
    """Entries that head office has not confirmed."""
    refused: tuple[str, ...] = ()
    """The first few documents that checkout refused, each with its reason."""
    refusals: int = 0

    @property
    def entered(self) -> int:
        return self.recorded + self.known + self.refusals


REFUSED_SHOWN = 10
NOT_DRAINED_RC = 75
"""A worker's exit code: all is entered, and head office has not confirmed all of it in the time given."""

encoder = msgspec.json.Encoder()
decoder = msgspec.json.Decoder(Progress)
