"""Old data never stops selling; how far somebody may go alone can depend on its age (SW9)."""

import msgspec

from holdfast.core.basket.limits import Limits
from holdfast.core.bounds import PERCENT_E2_WHOLE

HALVE_AFTER_H = "limits.halve-when-prices-older-h"
"""Parameter: with prices older than so many hours, the limit for changing a price is halved; 0: never."""
HALVE_AFTER_H_DEFAULT = 0
_HOUR_MS = 3_600_000


def are_old(age_ms: int | None, after_h: int) -> bool:
    """Whether data of this age counts as old. None: it never came, so there is nothing to doubt."""
    return after_h > 0 and age_ms is not None and age_ms > after_h * _HOUR_MS


def limits_at(limits: Limits, prices_age_ms: int | None, after_h: int) -> Limits:
    """What a person may do alone while prices are of this age; who is unlimited stays so."""
    if not are_old(prices_age_ms, after_h) or limits.override_e2_max >= PERCENT_E2_WHOLE:
        return limits
    return msgspec.structs.replace(limits, override_e2_max=limits.override_e2_max // 2)
