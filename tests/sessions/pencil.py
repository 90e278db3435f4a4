"""What a person with a pencil would have after each act: the oracle of random sessions (PO5).

It shares no sum, rounding or fold with the product: fractions, and the rules as the manual states them.
"""

import copy
from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from tests.sessions.accounts import GIVES, Hold, Move, Name, Paid, Wallet
from tests.sessions.people import People
from tests.sessions.stockroom import Stockroom

COINS = {"EUR": 1, "CHF": 5}
NO_TURNOVER = "central-value"
TAXES = {
    "V20": (Fraction(20, 100), True),
    "S8": (Fraction(825, 10_000), False),
    NO_TURNOVER: (Fraction(0), True),
}


def half_up(value: Fraction) -> int:
    """To the nearest whole; a half goes away from zero."""
    whole, rest = divmod(abs(value), 1)
    whole += 2 * rest >= 1
    return int(whole) if value >= 0 else -int(whole)


@dataclass
class Line:
    """One line, with a positive quantity whichever way the goods go."""

    sku: str
    tax: str
    department: str
    milli: int
    price_e4: int
    off: list[tuple[str, int]] = field(default_factory=list)
    """Discounts as given: `%` hundredths of a percent, or an amount in minor units."""
    of: tuple[str, int] | None = None
    """The receipt and its line that come back."""
    left: tuple[int, int] = (0, 0)
    """What was left of that line when it was brought: thousandths, minor units."""
    gave: tuple[Name, int, int] | None = None
    """What the receipt that it is of earned: for whom, points, for goods worth so much."""
    hold: Name | None = None
    """It sells this account's value, or pays it out: no goods, and no discount."""

    @property
    def amount(self) -> int:
        """Before discounts on the total; positive."""
        if self.of is not None:
            return half_up(Fraction(self.left[1] * self.milli, self.left[0]))
        gross = half_up(Fraction(self.milli * self.price_e4, 100_000))
        return gross - sum(taken(self.off, gross))


def taken(off: list[tuple[str, int]], base: int) -> list[int]:
    """What each discount takes, one after the other."""
    found: list[int] = []
    for kind, value in off:
        left = base - sum(found)
        found.append(min(left, half_up(Fraction(left * value, 10_000)) if kind == "%" else value))
    return found


@dataclass
class Basket:
    """The open transaction."""

    kind: str
    lines: dict[int, Line] = field(default_factory=dict)
    last_line: int = 0
    voided: int = 0
    off: list[tuple[str, int]] = field(default_factory=list)
    cash: int = 0
    """Home cash given so far."""
    foreign: list[tuple[str, int, int]] = field(default_factory=list)
    """Currency, how much of it, what it counts as."""
    cards: list[tuple[int, int]] = field(default_factory=list)
    """What cards paid: the place among all that was given, and how much."""
    refunds: list[tuple[tuple[str, int], int]] = field(default_factory=list)
    """What went back to cards: the receipt and the place on it, and how much."""
    value: list[Paid] = field(default_factory=list)
    holds: dict[Name, Hold] = field(default_factory=dict)
    given: int = 0
    """How many times something was given."""
    against: str = ""
    """The receipt whose code it comes back on."""
    transaction: str = ""
    customer: str = ""

    @property
    def is_free(self) -> bool:
        """Nothing was ever in it."""
        return not (self.lines or self.voided)

    @property
    def is_nothing(self) -> bool:
        """As good as none."""
        return self.is_free and not (self.holds or self.customer)

    def put(self, line: Line) -> None:
        self.last_line += 1
        self.lines[self.last_line] = line

    @property
    def sign(self) -> int:
        return -1 if self.kind == "return" else 1

    def amounts(self) -> list[int]:
        """Of each line after all discounts; positive."""
        fixed = [line.amount if line.hold else 0 for line in self.lines.values()]
        left = [0 if line.hold else line.amount for line in self.lines.values()]
        for off in taken(self.off, sum(left)):
            left = [one - part for one, part in zip(left, shared(off, left), strict=True)]
        return [one + whole for one, whole in zip(left, fixed, strict=True)]

    def tax(self) -> dict[str, tuple[int, int]]:
        """(net, tax) by code, with the document's sign."""
        sums: Counter[str] = Counter()
        for line, amount in zip(self.lines.values(), self.amounts(), strict=True):
            sums[line.tax] += amount
        found: dict[str, tuple[int, int]] = {}
        for code, amount in sums.items():
            rate, inclusive = TAXES[code]
            tax = half_up(amount * rate / (1 + rate) if inclusive else amount * rate)
            found[code] = (self.sign * (amount - tax if inclusive else amount), self.sign * tax)
        return found

    @property
    def total(self) -> int:
        added = sum(tax for code, (_, tax) in self.tax().items() if not TAXES[code][1])
        return self.sign * sum(self.amounts()) + added

    @property
    def by_card(self) -> int:
        return sum(minor for _, minor in self.cards) - sum(minor for _, minor in self.refunds)

    @property
    def by_value(self) -> int:
        return sum(paid.minor for paid in self.value)

    @property
    def open_minor(self) -> int:
        """What neither cards, accounts nor foreign cash have paid."""
        return self.total - self.by_card - self.by_value - sum(value for _, _, value in self.foreign)

    def drop(self, name: Name) -> None:
        """A hold goes, with its line and what it pays."""
        self.holds.pop(name, None)
        self.value = [paid for paid in self.value if paid.name != name]
        for number in [number for number, line in self.lines.items() if line.hold == name]:
            self.void(number)

    def void(self, number: int) -> None:
        """Take a line away; what it held is free."""
        line = self.lines.pop(number)
        self.voided += 1
        if line.hold:
            self.drop(line.hold)

    def moves(self) -> list[tuple[Name, int]]:
        """What concluding does to accounts; positive adds."""
        signs = {name: 1 if hold.act in GIVES else -1 for name, hold in self.holds.items()}
        lines = [(line.hold, signs[line.hold] * line.amount) for line in self.lines.values() if line.hold]
        return lines + [(paid.name, signs[paid.name] * abs(paid.moved)) for paid in self.value]

    def goods(self) -> list[tuple[Line, int]]:
        """Each line that is more than value, and what is charged for it; positive."""
        lines = zip(self.lines.values(), self.amounts(), strict=True)
        return [(line, amount) for line, amount in lines if not line.hold]

    def earned(self) -> Counter[Name]:
        """Points: one for each whole unit of goods with their taxes, but for what points paid. What comes
        back takes its share of what its receipt earned; without a receipt, one for each whole unit."""
        found, us = Counter[Name](), ("points", self.customer)
        rest = self.total - sum(self.sign * line.amount for line in self.lines.values() if line.hold)
        if self.kind == "sale":
            rest -= sum(paid.minor for paid in self.value if paid.name[0] == "points")
            found[us] += max(0, rest) // 100 if self.customer else 0
            return found
        known = [(line, amount) for line, amount in self.goods() if line.of]
        goods = sum(amount for _, amount in self.goods())
        if known:
            unknown = goods - sum(amount for _, amount in known)
            rest = round(Fraction(rest * unknown, goods)) if goods else 0
        if self.customer:
            found[us] -= -rest // 100
        for receipt in dict.fromkeys(line.of[0] for line, _ in known if line.of):
            of_it = [(line.gave, amount) for line, amount in known if line.of and line.of[0] == receipt]
            if gave := of_it[0][0]:
                name, points, worth = gave
                found[name] -= sum(amount for _, amount in of_it) * points // worth
        return found

    def card_due(self, coin: int) -> int:
        """What a card may pay now."""
        return self.due(coin) if self.cash else max(0, self.open_minor) if self.foreign else self.open_minor

    def hand_back(self) -> None:
        """Nothing was given."""
        for paid in list(self.value):
            self.drop(paid.name)
        self.cash, self.foreign, self.cards, self.refunds, self.given = 0, [], [], [], 0

    def left(self, coin: int) -> int:
        """What coins must still pay, before home cash; below zero goes back."""
        worth, open_minor = sum(value for _, _, value in self.foreign), self.open_minor
        if worth and open_minor < 0:  # half a coin too much stays in the drawer
            return -int((Fraction(-open_minor, coin) + Fraction(1, 2)).__ceil__() - 1) * coin
        return half_up(Fraction(open_minor, coin)) * coin

    def due(self, coin: int) -> int:
        """Cash that is still to be paid, or (negative) paid out."""
        left = self.left(coin) - self.cash
        return max(0, left) if self.total >= 0 else min(0, left)

    def view(self) -> tuple[object, ...]:
        """As it can be compared with the till's."""
        lines = [(n, one.sku, self.sign * one.milli, one.price_e4) for n, one in self.lines.items()]
        given = sum(value for _, _, value in self.foreign) + self.cash + self.by_card + self.by_value
        holds = sorted((*name, hold.act, hold.is_held) for name, hold in self.holds.items())
        return (self.kind, tuple(lines), self.total, given, self.customer, tuple(holds))


def shared(amount: int, weights: list[int]) -> list[int]:
    """By largest remainder, the earlier first."""
    whole = sum(weights)
    if not amount:
        return [0] * len(weights)
    exact = [Fraction(amount * weight, whole) for weight in weights]
    parts = [int(share) for share in exact]
    order = sorted(range(len(weights)), key=lambda i: (-(exact[i] - parts[i]), i))
    for index in order[: amount - sum(parts)]:
        parts[index] += 1
    return parts


@dataclass(frozen=True)
class Paper:
    """One document, as its receipt says it."""

    number: str
    kind: str
    date: str
    total: int
    rounding: int
    lines: tuple[tuple[str, int, int, str], ...]
    """Stock code, thousandths, amount, department; with the document's sign."""
    tax: dict[str, tuple[int, int]]
    cash: int
    change: int
    foreign: tuple[tuple[str, int, int], ...]
    cards: dict[int, int]
    """What cards paid, by the place of each among the tenders."""
    by_card: int
    """The same in sum, less what went back to cards."""
    by_value: dict[str, int]
    """What accounts paid, by kind."""
    customer: str
    in_drill: bool
    gave: tuple[Name, int, int] | None = None
    """For whom it earned, how many points, and the worth of its goods without a tax on top."""


@dataclass
class Drill:
    """An outage that is practised."""

    by: str
    papers: int
    """All that there were when it began."""
    lists: int
    """Likewise those of stock: each is a document too."""
    began_ms: int
    ends_ms: int
    refused: int = 0
    noted: int = 0
    """So many of them when the till last looked: a restart knows of these."""


@dataclass
class Day:
    """What the next Z report must say."""

    papers: list[Paper] = field(default_factory=list)
    voids: int = 0
    lists: int = 0
    """Counts, adjustments and transfers: they take numbers too."""

    def totals(self) -> dict[str, object]:
        """Named as the report names them."""
        back = [paper for paper in self.papers if paper.kind == "return"]
        net, tax, departments, tenders = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        foreign: Counter[str] = Counter()
        for paper in self.papers:
            for code, (without, of_it) in paper.tax.items():
                net[code] += without
                tax[code] += of_it
            for _, _, amount, department in paper.lines:
                departments[department] += amount
            tenders["cash"] += paper.cash
            tenders["change"] += paper.change
            tenders["card_standalone"] += paper.by_card
            tenders.update(paper.by_value)
            for code, much, worth in paper.foreign:
                tenders["foreign_cash"] += worth
                foreign[code] += much
        return {
            "sales": len(self.papers) - len(back),
            "returns": len(back),
            "voids": self.voids,
            "total": sum(paper.total for paper in self.papers),
            "rounding": sum(paper.rounding for paper in self.papers),
            "returned": sum(-paper.total for paper in self.papers if paper.total < 0),
            "drawer": tenders["cash"] + tenders["change"],
            "net": _some(net),
            "tax": _some(tax),
            "departments": _some(departments),
            "tenders": _some(tenders),
            "foreign": _some(foreign),
        }


def _by_kind(value: list[Paid]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for paid in value:
        sums[paid.name[0]] += paid.minor
    return dict(sums)


def _some(sums: Counter[str]) -> dict[str, int]:
    return {key: value for key, value in sums.items() if value}


@dataclass
class Pencil:
    """The whole till."""

    home: str
    day: Day = field(default_factory=Day)
    is_open: bool = False
    date: str = ""
    shift: bool = False
    had_shift: bool = False
    """On this day: then nothing is sold without one."""
    basket: Basket | None = None
    suspended: dict[str, Basket] = field(default_factory=dict)
    drawer: Counter[str] = field(default_factory=Counter)
    stock: Counter[str] = field(default_factory=Counter)
    papers: dict[str, Paper] = field(default_factory=dict)
    back: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """What came back of a sold line: thousandths, minor units."""
    refunded: Counter[tuple[str, int]] = field(default_factory=Counter)
    """What went back to a card: the receipt, and the card's place on it."""
    came_back: Counter[str] = field(default_factory=Counter)
    """On codes of other registers' receipts, minor units."""
    closed: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    """Business date and totals of each Z report."""
    numbers: list[int] = field(default_factory=list)
    """How many documents' numbers were taken by the end of each."""
    grand: int = 0
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    returning: bool = False
    against: str = ""
    work: str = "online"
    people: People = field(default_factory=People)
    wallet: Wallet = field(default_factory=Wallet)
    has_points: bool = False
    """Loyalty is in use."""
    loyalty_off: bool = False
    stockroom: Stockroom = field(default_factory=Stockroom)
    now_ms: int = 0
    drill: Drill | None = None
    drills: list[dict[str, Any]] = field(default_factory=list)
    """Those that are over, as their outcome says it."""

    @property
    def trades(self) -> bool:
        """A transaction is open, or can be opened."""
        return self.basket is not None or (self.is_open and (self.shift or not self.had_shift))

    @property
    def numbered(self) -> int:
        """So many document numbers were taken."""
        return len(self.papers) + self.stockroom.lists.total()

    @property
    def coin(self) -> int:
        return COINS[self.home]

    def copy(self) -> "Pencil":
        """To plan on."""
        return copy.deepcopy(self)

    def conclude(self) -> None:
        """The open basket becomes the next document; its number is not known yet."""
        basket = self.basket
        assert basket is not None, "there is something to conclude"
        left = basket.left(self.coin)
        over = basket.cash - left if basket.total >= 0 else 0
        paper = Paper(
            number=f"next {len(self.papers) + 1}",
            kind=basket.kind,
            date=self.date,
            total=basket.total,
            rounding=left - basket.open_minor,
            lines=tuple(
                (line.sku, basket.sign * line.milli, basket.sign * amount, line.department)
                for line, amount in zip(basket.lines.values(), basket.amounts(), strict=True)
            ),
            tax=basket.tax(),
            cash=basket.cash,
            change=-over,
            foreign=tuple(basket.foreign),
            cards=dict(basket.cards),
            by_card=basket.by_card,
            by_value=_by_kind(basket.value),
            customer=basket.customer,
            in_drill=self.drill is not None,
        )
        self._book(basket, paper)

    def _book(self, basket: Basket, paper: Paper) -> None:
        earned = basket.earned() if self.has_points else Counter[Name]()
        for name, points in earned.items():
            if points > 0:
                goods = sum(amount for _, amount in basket.goods())
                paper = replace(paper, gave=(name, points, goods))
        self.papers[paper.number] = paper
        self.day.papers.append(paper)
        self.drawer[self.home] += paper.cash + paper.change
        for code, much, _ in paper.foreign:
            self.drawer[code] += much
        for line in basket.lines.values():
            if not line.hold:
                self.moved_goods(line.sku, -basket.sign * line.milli)
            if line.of is not None:
                milli, minor = self.back.get(line.of, (0, 0))
                self.back[line.of] = (milli + line.milli, minor + line.amount)
        for card, minor in basket.refunds:
            self.refunded[card] += minor
        if basket.against:
            self.came_back[basket.against] -= paper.total
        self.wallet.moves += [Move(paper.number, *moved) for moved in basket.moves()]
        for name, points in earned.items():
            if points:
                self.wallet.moves.append(Move(paper.number, name, points))
                self.wallet.accounts[name] = name[1]
        self.grand += max(0, paper.total)
        self.basket = None
        self.returning, self.against = False, ""

    def moved_goods(self, sku: str, milli: int) -> None:
        """Into the store, or (negative) out of it."""
        self.stock[sku] += milli
        self.stockroom.moved.append((sku, self.now_ms, milli))

    def to_cards(self) -> list[tuple[tuple[str, int], int]]:
        """What of the open return is still to go back to cards: receipt by receipt, the first card first."""
        basket, found = self.basket, []
        if basket is None or basket.kind != "return":
            return []
        done = Counter[tuple[str, int]]()
        for card, minor in basket.refunds:
            done[card] += minor
        for number in dict.fromkeys(line.of[0] for line in basket.lines.values() if line.of):
            lines = {at: line for at, line in basket.lines.items() if line.of and line.of[0] == number}
            worth = -Basket("return", lines, off=basket.off).total
            for place, paid in self.papers[number].cards.items():
                share = min(worth, paid - self.refunded[number, place])
                worth -= share
                if share > done[number, place]:
                    found.append(((number, place), share - done[number, place]))
        return found

    def name(self, number: str) -> None:
        """The last document's number is known now."""
        last, paper = self.papers.popitem()
        named = Paper(**{**vars(paper), "number": number})
        assert last.startswith("next "), "it had none"
        self.papers[number] = named
        self.day.papers[-1] = named
        for move in self.wallet.moves:
            if move.document == last:
                move.document = number

    def close(self) -> None:
        """The day ends."""
        self.closed.append((self.date, self.day.totals()))
        self.numbers.append(self.numbered)
        self.day, self.is_open, self.basket = Day(), False, None
        self.loyalty_off = False

    def open(self, kind: str) -> Basket:
        """The transaction to go on with: one in which nothing ever was makes way, but for its customer."""
        basket = self.basket
        if basket is None or (basket.is_free and basket.kind != kind):
            basket = self.basket = Basket(kind, customer=basket.customer if basket else "")
        return basket

    def end_drill(self, cause: str, by: str = "") -> None:
        """What was made since it began, and what could not be done."""
        drill = self.drill
        if drill is None:
            return
        made = [*self.papers.values()][drill.papers :]
        documents = len(made) + self.stockroom.lists.total() - drill.lists
        said = {"cause": cause, "by": by, "documents": documents, "refused": drill.refused}
        self.drills.append({"begun by": drill.by, "value": sum(paper.total for paper in made), **said})
        self.drill = None

    def view(self) -> tuple[object, ...]:
        """All that a person can see, to be compared with the till's own."""
        basket = self.basket
        held = {code: minor for code, minor in self.drawer.items() if minor}
        return (
            basket.view() if basket and not basket.is_nothing else None,
            {key: kept.view() for key, kept in self.suspended.items()},
            (self.is_open, self.date, self.shift),
            held,
            self.numbered,
            self.day.voids if self.is_open else 0,
            {sku: milli for sku, milli in self.stock.items() if milli},
            len(self.closed),
            self.work,
            self.people.view(),
            self.drill.by if self.drill else "",
            [over["cause"] for over in self.drills],
            self.loyalty_off,
        )
