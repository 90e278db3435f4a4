"""Customers on paper: what the till knows of each, what head office knows, and what is on its way (PO7)."""

from dataclasses import dataclass, field

NEXT = "next customer"
"""One whose number the till has not given yet."""


@dataclass(frozen=True)
class Person:
    """What was said of somebody."""

    name: str
    email: str = ""
    phone: str = ""
    address: str = ""
    note: str = ""

    def findable(self) -> set[str]:
        """What the person is found by: words that nobody else has."""
        return _own((self.name, self.email)) | ({self.phone} - {""})

    def secrets(self) -> set[str]:
        """What must be nowhere once the person was forgotten."""
        return self.findable() | _own((self.note,))


def _own(texts: tuple[str, ...]) -> set[str]:
    words = {word for text in texts for word in text.lower().split()}
    return {word.split("@")[0] for word in words if len(word) >= 8}


@dataclass
class Card:
    """One number."""

    person: Person | None = None
    into: str = ""
    gone: bool = False


@dataclass
class People:
    """All numbers of one session."""

    till: dict[str, Card] = field(default_factory=dict)
    office: dict[str, Card] = field(default_factory=dict)
    owed: list[tuple[str, Person]] = field(default_factory=list)
    """Written at the till, and not heard at head office."""
    said: dict[str, set[str]] = field(default_factory=dict)
    """Secrets that were ever said of a number."""

    def resolved(self, number: str) -> str:
        """Whom this number leads to, as the till knows it."""
        while number in self.till and self.till[number].into:
            number = self.till[number].into
        return number

    def view(self) -> dict[str, object]:
        """What the till says of each number."""
        found: dict[str, object] = {}
        for number in sorted({*self.till, *self.office}):
            last = self.resolved(number)
            card = self.till.get(last)
            found[number] = "forgotten" if card and card.gone else (last, card and card.person)
        return found

    def living(self) -> list[str]:
        """Numbers that the till knows somebody of."""
        return [number for number, card in self.till.items() if not card.gone]

    def same_contact(self, person: Person) -> bool:
        """Somebody at the till has this e-mail address or phone number."""
        others = [self.till[self.resolved(number)].person for number in self.living()]
        return any(
            one and ((one.email and one.email == person.email) or (one.phone and one.phone == person.phone))
            for one in others
        )

    # ---- at the till -------------------------------------------------------------------------

    def write(self, number: str, person: Person) -> None:
        """Made or changed at the till."""
        self.till.setdefault(number, Card()).person = person
        self.owed.append((number, person))
        self.said.setdefault(number, set()).update(person.secrets())

    def name(self, number: str) -> None:
        """The till gave a number."""
        self.till[number] = self.till.pop(NEXT)
        self.said[number] = self.said.pop(NEXT)
        self.owed = [(number if of == NEXT else of, person) for of, person in self.owed]

    # ---- at head office ----------------------------------------------------------------------

    def contact(self) -> None:
        """Head office hears of all that was written, and the till of all that head office knows."""
        for number, person in self.owed:
            card = self.office.setdefault(number, Card())
            if not card.gone:
                card.person = person
        self.owed = []
        self.till = {number: Card(one.person, one.into, one.gone) for number, one in self.office.items()}

    def change(self, number: str, person: Person) -> None:
        self.office.setdefault(number, Card()).person = person
        self.said.setdefault(number, set()).update(person.secrets())

    def merge(self, number: str, into: str) -> None:
        """The one that remains keeps what it has; what it lacks, the other gives."""
        one, other = self.office[number], self.office[into]
        assert one.person, "it is somebody"
        assert other.person, "so is it"
        merged = {key: value or getattr(one.person, key) for key, value in vars(other.person).items()}
        self.change(into, Person(**merged))
        one.into = into

    def forget(self, number: str) -> None:
        """Under every number that leads here."""
        group = {number}
        while more := {key for key, card in self.office.items() if card.into in group} - group:
            group |= more
        for each in group:
            self.office[each] = Card(gone=True)

    def mergeable(self) -> list[str]:
        """Numbers that stand for somebody at head office."""
        return [n for n, card in self.office.items() if card.person and not card.into and not card.gone]

    def forgotten(self) -> list[str]:
        return [number for number, card in self.office.items() if card.gone]

    def secrets(self) -> set[str]:
        """What was said of the forgotten, and of nobody else."""
        kept = {word for card in self.office.values() if card.person for word in card.person.secrets()}
        return {word for number in self.forgotten() for word in self.said.get(number, ())} - kept
