"""Which register goes by which version of the parameters, who is behind, and since when (GC8)."""

import bisect
from collections.abc import Callable, Sequence

import msgspec

from holdfast.hq.standing import FeedAge, Register

FEED = "parameters"
IN_TOUCH_MS = 45_000
"""A register says something every 20 s: one that did not for so long is away."""
NAMED_MAX = 3


class Behind(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A register that does not go by the newest version."""

    register: Register
    version: int | None
    """None: it never said."""
    since_ms: int | None
    """Since when there is a newer one."""
    is_away: bool
    """Nothing was heard of it lately: it goes by the newest as soon as it is back."""

    @property
    def heard_ms(self) -> int | None:
        return self.register.last_word_ms


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How far the newest version has come."""

    version: int
    since_ms: int | None
    registers: int
    current: int
    behind: tuple[Behind, ...]
    """Longest first."""

    def in_words(self, clock: Callable[[int], str]) -> str:
        """`2 of 3 registers run version 12; behind: R07 (offline since 14:02).` `clock` writes a time."""
        if not self.version:
            return "No parameter was ever set; every register goes by the defaults."
        many = "register" if self.registers == 1 else "registers"
        said = f"{self.current:,} of {self.registers:,} {many} run version {self.version}"
        if not self.behind:
            return f"{said}."
        named = ", ".join(_named(each, clock) for each in self.behind[:NAMED_MAX])
        more = len(self.behind) - NAMED_MAX
        return f"{said}; behind: {named}{f' and {more:,} more' if more > 0 else ''}."


def _named(behind: Behind, clock: Callable[[int], str]) -> str:
    if not behind.is_away:
        why = "not yet"
    else:
        why = "never heard" if behind.heard_ms is None else f"offline since {clock(behind.heard_ms)}"
    return f"{behind.register.name} ({why})"


def reach_of(
    registers: Sequence[Register],
    newest: tuple[int, int | None],
    versions: Sequence[tuple[int, int]],
    now_ms: int,
) -> Reach:
    """`newest`: the feed's version and when it changed; `versions`: when each came about, in order."""
    in_service = [each for each in registers if each.kind == "register" and not each.is_retired]
    version, since_ms = newest
    if not version:
        return Reach(version=0, since_ms=None, registers=len(in_service), current=len(in_service), behind=())
    found = (behind_of(each, newest, versions, now_ms) for each in in_service)
    behind = [each for each in found if each is not None]
    behind.sort(key=lambda each: (each.since_ms or 0, each.register.store, each.register.name))
    return Reach(
        version=version,
        since_ms=since_ms,
        registers=len(in_service),
        current=len(in_service) - len(behind),
        behind=tuple(behind),
    )


def behind_of(
    register: Register, newest: tuple[int, int | None], versions: Sequence[tuple[int, int]], now_ms: int
) -> Behind | None:
    """Why a register does not go by the newest version; None where it does."""
    version, since_ms = newest
    age = age_of(register)
    if not version or (age is not None and age.is_current and age.n >= version):
        return None
    said = 0 if age is None else age.n  # who never said anything lacks the first one too
    # A number of another incarnation says nothing of when it fell behind.
    n = None if age is None or said >= version else said
    place = bisect.bisect_right(versions, said, key=lambda each: each[0])
    heard_ms = register.last_word_ms
    return Behind(
        register=register,
        version=n,
        since_ms=versions[place][1] if place < len(versions) else since_ms,
        is_away=heard_ms is None or now_ms - heard_ms > IN_TOUCH_MS,
    )


def age_of(register: Register) -> FeedAge | None:
    """Its version of the parameters, by its last word."""
    return next((age for age in register.feeds if age.feed == FEED), None)
