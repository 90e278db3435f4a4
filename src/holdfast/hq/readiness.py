"""Which registers would survive an outage now, by their own last word (SW11)."""

from collections import Counter
from collections.abc import Iterable

from holdfast.core.readiness import Band, band_of
from holdfast.hq.standing import Register

BANDS: tuple[Band, ...] = ("fails", "weak", "unknown", "ready")
"""The worst first."""


def of_service(registers: Iterable[Register]) -> list[Register]:
    """Those that could meet an outage, the worst first; of one score the longest silent."""
    return sorted((each for each in registers if not each.is_retired), key=_rank)


def count_bands(registers: Iterable[Register]) -> dict[Band, int]:
    """How many are in each band; all four are there."""
    counted = Counter(band_of(each.readiness) for each in registers if not each.is_retired)
    return {band: counted[band] for band in BANDS}


def _rank(register: Register) -> tuple[int, int, int]:
    said = register.readiness
    return BANDS.index(band_of(said)), said.score if said else 0, register.last_word_ms or 0
