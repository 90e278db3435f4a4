"""A refusal: something business expects to say no to, as a value.

Exceptions are for faults (`holdfast.core.faults`); a refusal is an ordinary answer with a
stable code for machines and one sentence for the person at the screen.
"""

import msgspec


class Refusal(msgspec.Struct, frozen=True):
    """Why an operation was not done. Nothing was changed."""

    code: str
    """Stable, lower case, dotted by subject: `basket.empty`, `day.not-open`."""
    sentence: str
    """What the operator reads: the cause and the cure, in one or two plain sentences."""
