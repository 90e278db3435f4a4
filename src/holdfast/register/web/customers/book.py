"""Customers as this till knows them: head office's feed, and what was made or changed here since.

All of it lies on this machine, so nothing here waits for anybody (P5).
"""

from typing import NamedTuple

from holdfast.core.basket import Act, Basket
from holdfast.core.customers import CustomerRow, Details, terms_of
from holdfast.core.customers.search import Found, contact_terms, fits, same_person, words_of
from holdfast.core.ids import CustomerNumber
from holdfast.core.refusals import Refusal
from holdfast.register.checkout.customers import FORGOTTEN
from holdfast.register.web.desk import Desk
from holdfast.register.web.known_customers import row_of
from holdfast.register.web.messages import say
from holdfast.register.web.shelf import Shelf

FOUND_MAX = 50


class Known(Found, frozen=True, kw_only=True):
    """A customer, and the revision that was shown."""

    revision: int


class Likely(Found, frozen=True, kw_only=True):
    """Somebody who says the same of himself as a new customer: the same `email` or `phone`."""

    same: str


class Made(NamedTuple):
    """Somebody new."""

    number: CustomerNumber
    is_chosen: bool


class Customers:
    """Over the desk, which writes, and the shelf, which knows the feed."""

    def __init__(self, desk: Desk, shelf: Shelf) -> None:
        self._desk = desk
        self._shelf = shelf

    def one(self, number: str) -> Known | Refusal:
        """The customer of that number, or whom it was merged into."""
        row = row_of(self._desk.checkout, self._shelf, number)
        if row is None:
            return Refusal("customer.unknown", say("customer.unknown", number=number[:64]))
        if row.details is None:
            return FORGOTTEN
        return Known(number=row.number, details=row.details, revision=row.revision)

    def search(self, text: str) -> list[Found]:
        """Whoever has a word that begins with each word of `text`, by name."""
        return self._find(terms_of(text))

    def _find(self, terms: tuple[str, ...]) -> list[Found]:
        if not terms:
            return []
        fed = self._shelf.customers(terms, FOUND_MAX + 1)
        here = self._desk.checkout.customers_here(terms, FOUND_MAX + 1)
        numbers = dict.fromkeys([*(row.number for row in here), *(found.number for found in fed)])
        known = (self.one(number) for number in numbers)
        found = [
            Found(number=each.number, details=each.details)
            for each in known
            if isinstance(each, Known) and fits(words_of(each.number, each.details), terms)
        ]
        unique = {each.number: each for each in found}
        return sorted(unique.values(), key=lambda each: (each.details.name.casefold(), each.number))

    def likely(self, details: Details) -> Likely | None:
        """Somebody known here with the same e-mail address or phone number."""
        for term in contact_terms(details):
            for found in self._find((term,)):
                same = same_person(found.details, details)
                if same:
                    return Likely(number=found.number, details=found.details, same=same)
        return None

    # ---- acts ------------------------------------------------------------------------------------

    def choose(self, number: str, act: Act) -> Known | Refusal:
        """The open transaction is this customer's; one opens where there is none."""
        found = self.one(number)
        if isinstance(found, Refusal):
            return found
        changed = self._desk.set_customer(found.number, act)
        return changed if isinstance(changed, Refusal) else found

    def without(self, act: Act) -> Basket | Refusal | None:
        """The open transaction is nobody's in particular."""
        return self._desk.set_customer(None, act)

    def create(self, details: Details, act: Act) -> Made | Refusal:
        """Somebody new, who is the customer of the open transaction where there can be one."""
        made = self._desk.create_customer(details, act)
        if isinstance(made, Refusal):
            return made
        # While nothing can be sold nobody can be chosen; he is made all the same, and not a second time.
        chosen = self._desk.set_customer(made.number, act)
        return Made(made.number, not isinstance(chosen, Refusal))

    def change(self, number: str, details: Details, act: Act) -> CustomerRow | Refusal:
        """All that is known of somebody, anew."""
        known = self.one(number)
        if isinstance(known, Refusal):
            return known
        row = CustomerRow(number=known.number, revision=known.revision, details=known.details)
        return row if known.details == details else self._desk.change_customer(row, details, act)
