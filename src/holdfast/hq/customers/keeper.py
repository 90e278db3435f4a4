"""A thread of the service that makes customers of what registers sent, and publishes what changed."""

from holdfast.hq.customers.book import PUBLISHED_AT_ONCE, SETTLED_AT_ONCE, CustomerBook
from holdfast.hq.regular import RegularWork

LOOK_EVERY_S = 2.0


class CustomerKeeper(RegularWork):
    """Works from its making until `stop`."""

    def __init__(self, book: CustomerBook, every_s: float = LOOK_EVERY_S) -> None:
        self._book = book
        super().__init__("keep-customers", "customers are not looked at", every_s)

    def _turn(self) -> bool:
        settled, published = self._book.settle(), self._book.publish()
        return settled == SETTLED_AT_ONCE or published == PUBLISHED_AT_ONCE
