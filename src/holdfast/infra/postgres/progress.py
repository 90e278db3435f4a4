"""How a long step tells what it is doing."""

from collections.abc import Callable

Progress = Callable[[str, float | None], None]
"""Called with a sentence, and the fraction done (0 to 1) or None where nobody can know it."""


def silent(_sentence: str, _fraction: float | None) -> None:
    """Nobody watches."""
