"""What a cashier does with customers, and what head office does with them meanwhile (PO7)."""

import re
from dataclasses import replace

from holdfast.core.refusals import Refusal
from holdfast.register.web.customers.book import Customers
from tests.sessions.acting import Plan, nothing
from tests.sessions.book import Book
from tests.sessions.pencil import Pencil
from tests.sessions.people import NEXT, Card, Person
from tests.sessions.selling import Selling

UNKNOWN = "R99-C-ABCDE-000001"
_LETTERS = "bcdfghjklmnpqrstvwxz"
_LISTED = re.compile(r"/customers/([^/\"]+)/choose")


class Hosting(Selling):
    """Customers."""

    book: Book | None = None
    """Head office's, where there is one."""

    # ---- at the till -------------------------------------------------------------------------

    def _word(self) -> str:
        """One that nobody else has."""
        return "".join(self.chance.choice(_LETTERS) for _ in range(10))

    def _person(self) -> Person:
        chance, word = self.chance, self._word()
        phone = f"+4930{chance.randrange(10**8):08}" if chance.random() < 0.5 else ""
        email = f"{word}@mail.example" if chance.random() < 0.7 else ""
        return Person(name=f"Ms {word.title()}", email=email, phone=phone)

    def _somebody(self) -> str:
        people = self.pencil.people
        return self.chance.choice([*people.view(), *people.living(), *people.living(), UNKNOWN])

    def choose_or_find(self) -> None:
        self.find() if self.chance.random() < 0.4 else self.choose()

    def find(self) -> None:
        """By a word of somebody; each who has it is listed, and nobody else."""
        number = self._somebody()
        card = self.pencil.people.till.get(number)
        person = card and card.person
        text = self.chance.choice(sorted(person.findable())) if person else self._word()
        answer = self.act("customer.find", "/customers", how="get", text=text)
        if answer.status_code >= 400 or "hx-redirect" in answer.headers:
            return
        people = self.pencil.people
        have = {people.resolved(n): people.till[people.resolved(n)].person for n in people.living()}
        should = {n for n, one in have.items() if one and text in one.findable()}
        found = set(_LISTED.findall(answer.text))
        assert found == should, f"a search for {text!r} found {found} and not {should}"

    def choose(self) -> None:
        if not self.pencil.people.till or self.chance.random() < 0.15:
            self.act("customer.find", "/customers/none", self._chooses(""))
            return
        number = self._somebody()
        self.act("customer.find", f"/customers/{number}/choose", self._chooses(number))

    def _chooses(self, number: str) -> Plan:
        def plan(paper: Pencil) -> None:
            chosen = paper.people.resolved(number)
            holds = paper.basket.holds if paper.basket else {}
            if not chosen and (paper.basket is None or paper.basket.is_free):
                paper.basket = None
            elif any(kind in ("points", "on_account") and of != chosen for kind, of in holds):
                pass  # what is held of one customer's is never left in another's sale
            else:
                paper.open("return" if paper.returning else "sale").customer = chosen

        return plan

    def create(self) -> None:
        """Somebody new, who is chosen at once; one who says the same of himself as another is asked for."""
        people, person = self.pencil.people, self._person()
        known = [people.till[n].person for n in people.living()]
        twin = self.chance.choice([*known, None])
        if twin and self.chance.random() < 0.3:
            person = replace(person, email=twin.email, phone=twin.phone)
        fields = dict(vars(person))
        if self.chance.random() < 0.1:
            fields["name"] = ""
        if people.same_contact(person) and self.chance.random() < 0.5:
            self._approved("/customers", "post", fields)
            self.compare("before anybody said that these are two people")
            return

        def made(paper: Pencil) -> None:
            paper.people.till[NEXT] = Card()
            paper.people.write(NEXT, person)

        def plan(paper: Pencil) -> None:
            made(paper)
            if paper.trades:  # else there is nothing to choose him for
                self._chooses(NEXT)(paper)

        self.may_stop_at(made)
        self.act("customer.create", "/customers", plan, **fields, anyway="yes")
        self._finds_too()

    def edit(self) -> None:
        number = self._somebody()
        last = self.pencil.people.resolved(number)
        card = self.pencil.people.till.get(last)
        person = card.person if card and card.person else self._person()
        changed = replace(person, **self.chance.choice(self._changes_of(person)))
        fields = dict(vars(changed))

        def plan(paper: Pencil) -> None:
            if changed != person:
                paper.people.write(last, changed)

        if self.chance.random() < 0.1:
            fields["email"], plan = "nobody", nothing
        self._looks(f"/customers/{number}")
        self.act("customer.edit", f"/customers/{number}", plan, **fields)
        self._finds_too()

    def _finds_too(self) -> None:
        """What was written is searched for at once, now and then."""
        if self.chance.random() < 0.5:
            self.find()

    def _changes_of(self, person: Person) -> list[dict[str, str]]:
        word = self._word()
        return [
            {"note": f"likes {word}"}, {"note": ""}, {"email": f"{word}@post.example"},
            {"name": f"{person.name} {word.title()}"[:100], "phone": ""},
        ]  # fmt: skip

    def known(self) -> dict[str, object]:
        """As `People.view`, of the till."""
        services, found = self.shop.services, dict[str, object]()
        book = Customers(services.desk, services.shelf)
        for number in self.pencil.people.view():
            one = book.one(number)
            if isinstance(one, Refusal):
                gone = one.code == "customer.forgotten"
                found[number] = "forgotten" if gone else (self.pencil.people.resolved(number), None)
            else:
                found[number] = (one.number, Person(**{k: getattr(one.details, k) for k in vars(Person(""))}))
        return found

    # ---- at head office ----------------------------------------------------------------------

    def contact(self) -> None:
        """The till and head office hear of each other."""
        if self.book:
            self.book.contact(self.chance)
            self.pencil.people.contact()
            self.compare("after contact with head office")

    def head_office(self) -> None:
        """Somebody there does something; the till hears of it later."""
        book, people, chance = self.book, self.pencil.people, self.chance
        if not book:
            return
        able = people.mergeable()
        what = chance.choice(["load", "change", "merge", "forget", "forget"])
        if what == "load":
            number, person = f"{self.shop.origin}-{len(people.office) + 1}~", self._person()
            book.load(number, person)
            people.change(number, person)
        elif what == "change" and able:
            number = chance.choice(able)
            person = people.office[number].person
            assert person is not None, "it stands for somebody"
            changed = replace(person, **chance.choice(self._changes_of(person)))
            book.change(number, changed)
            people.change(number, changed)
        elif what == "merge" and len(able) > 1:
            number, into = chance.sample(able, 2)
            book.merge(number, into)
            people.merge(number, into)
        elif what == "forget" and able:
            number = chance.choice([n for n, card in people.office.items() if not card.gone])
            book.forget(number)
            people.forget(number)
        self.told.append(f"[head office: {what}]")
        self.compare("what head office does is not known here yet")
