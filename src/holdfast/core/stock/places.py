"""Where stock can lie besides in a store: on its way to one."""

from holdfast.core.ids import StoreId

_TRANSIT = "transit:"
"""No store's code has a colon."""


def transit_to(store: StoreId) -> StoreId:
    """What was sent to a store and not yet received there lies here. Below zero: received, and never sent."""
    return StoreId(_TRANSIT + store)
