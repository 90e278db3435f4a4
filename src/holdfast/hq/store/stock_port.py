"""What counts and settings to zero need of a store; both adapters pass one contract."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from holdfast.core.ids import Sku, StoreId
from holdfast.core.stock.marks import Derived, Mark


class StockLedger(Protocol):
    """Stock within one transaction of the store, once the batch's own rows stand."""

    def marked_ms(self, store: StoreId) -> int | None:
        """The moment of the store's newest mark; until the transaction ends nobody adds one."""
        ...

    def lock(self, store: StoreId) -> None:
        """Alone with the store's stock: nobody else adds a mark, or moves what one could miss."""
        ...

    def marks(self, store: StoreId, since_ms: int, skus: Collection[Sku] | None) -> Sequence[Mark]:
        """Marks from that moment on that speak of these products; of any, where None."""
        ...

    def before(self, mark: Mark, skus: Collection[Sku] | None) -> Mapping[Sku, int]:
        """What was there just before a mark, of those of these products that ever moved; of any, where None.
        Figures of one document have one place: one question is enough for them."""
        ...

    def timezone(self, store: StoreId) -> str:
        """The store's, as an IANA name."""
        ...

    def last_moment_ms(self, chain: int) -> int:
        """The latest of the last hundred that were put of this chain; 0: none was."""
        ...

    def put_moments(self, at_ms: Mapping[tuple[int, int], int]) -> None:
        """When documents moved stock, by chain and number of their entries, where their rows do not tell."""
        ...

    def put(self, store: StoreId, marks: Sequence[Mark], derived: Sequence[Derived], now_ms: int) -> None:
        """Store them; the level moves with what is derived."""
        ...
