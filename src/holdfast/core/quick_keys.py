"""Quick keys: the products that a till's screen has at hand, in head office's order (PO1)."""

import msgspec

from holdfast.core.bounds import id_refusal, text_refusal
from holdfast.core.ids import Sku
from holdfast.core.refusals import Refusal

POSITION_MAX = 200
"""Ten pages of a screen; more is a catalogue, and that has categories."""
LABEL_CHARS_MAX = 40


class QuickKey(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One row of the feed `quick_keys`."""

    position: int
    """From 1. Positions that nothing stands at leave no gap on the screen."""
    sku: Sku
    """Empty: nothing stands here any more."""
    label: str = ""
    """What the key says; empty: the product's description."""

    @property
    def key(self) -> str:
        """The row's key, in the order of positions."""
        return f"{self.position:03d}"


def quick_key_refusal(key: QuickKey) -> Refusal | None:
    """Why this key cannot be shown; None if it can."""
    if not 1 <= key.position <= POSITION_MAX:
        return Refusal(
            "quick-key.position", f"A quick key's position is from 1 to {POSITION_MAX}. Choose another one."
        )
    if key.sku and (wrong := id_refusal("The stock code", key.sku)):
        return wrong
    return text_refusal("The label", key.label, LABEL_CHARS_MAX)
