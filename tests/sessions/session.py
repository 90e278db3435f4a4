"""One random session, from an enrolled register to head office's word on its days."""

import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.loyalty.parameters import FOR_UNIT, IN_USE
from holdfast.core.operations.conditions import SWITCHES
from holdfast.hq.central.allowances import AMOUNTS
from holdfast.hq.loyalty.credit import CreditBook
from holdfast.infra.postgres.connect import Pool
from tests.hq_fixtures import HeadOfficeUnderTest
from tests.sessions.accounts import AtOffice, open_cards
from tests.sessions.audit import audit_office, audit_till
from tests.sessions.book import Book
from tests.sessions.cashier import Cashier
from tests.sessions.line import Line
from tests.sessions.shop import opened_shop
from tests.sessions.valuing import POINTS_FOR_UNIT
from tests.sessions.wire import Wire

CARDS_EVERY = 10
"""In each tenth session cards are taken; the others go as without them, so that their seeds still tell."""
VALUE_EVERY = 5
"""In each fifth session there is central value and a stockroom, and head office can be asked; it is a longer
one, since what is spent was bought before."""
STEPS = (30, 60)
STEPS_OF_VALUE = (70, 110)


class SessionFailed(AssertionError):
    """With what happened, and how to see it again."""


@dataclass
class Lived:
    """What a session came to."""

    origin: str
    cashier: Cashier
    done: Counter[str]
    asked: set[str]


def live(seed: int, office: HeadOfficeUnderTest | None, origin: str, pool: Pool | None = None) -> Lived:
    """The session of a seed; head office has all of it afterwards. AssertionError: something disagrees."""
    chance = random.Random(seed)
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    told: list[str] = []
    try:
        currency = chance.choice(["EUR", "CHF"])
        takes_value = seed % VALUE_EVERY == 1 and office is not None and pool is not None
        parameters = _parameters(chance) if takes_value else {}
        store = _store(pool, origin, currency) if takes_value and pool else "S1"
        with opened_shop(folder / "register", origin, currency, chance, parameters, store) as shop:
            cashier = Cashier(shop, chance)
            cashier.takes_cards = seed % CARDS_EVERY == 0
            told = cashier.told
            line = Line(office, shop.home, shop.origin, shop.currency, store) if office else None
            if office and pool and line:
                cashier.book = Book(office, pool, shop, line)
            if takes_value and office and pool and line:
                shop.plug(Wire(office, pool, shop.clock, chance, parameters))
                cashier.line, cashier.at_office = line, AtOffice(pool, origin)
                cashier.credit = CreditBook(pool, shop.clock)
                cashier.pencil.wallet = open_cards(office, origin, currency)
                cashier.pencil.has_points = bool(parameters[IN_USE])
                cashier.come()
            for _ in range(chance.randint(*(STEPS_OF_VALUE if takes_value else STEPS))):
                cashier.step()
                if line and chance.random() < 0.05:
                    told.append("[sends]")
                    line.send(chance, 0.3, turns=chance.randint(1, 9))
            told.append("[ends the day]")
            _end(cashier)
            cashier.contact()
            if cashier.book:
                cashier.book.audit(cashier.pencil.people)
            audit_till(shop, cashier.pencil)
            if line and office and office.dsn:
                assert line.send(chance, 0.2), "head office never got it all"
                audit_office(office.dsn, origin, cashier.pencil, origin.upper())
            if cashier.at_office:
                cashier.audit_value()
                cashier.audit_stock()
            return Lived(origin, cashier, cashier.done, shop.operations.seen)
    except AssertionError as failed:
        raise SessionFailed(
            f"{failed}\n\nAfter: {', '.join(told)}\n\nSee it again: "
            f"HOLDFAST_SESSION={seed} .venv/bin/pytest -q tests/property/test_sessions.py"
        ) from failed
    finally:
        shutil.rmtree(folder)


def _parameters(chance: random.Random) -> dict[str, object]:
    """What head office allows."""
    may_begin = chance.random() < 0.5
    return {
        **{name: chance.random() < 0.6 for name in SWITCHES},
        **dict.fromkeys(AMOUNTS.values(), chance.choice([20, 100]) if may_begin else 0),
        IN_USE: chance.random() < 0.7,
        FOR_UNIT: POINTS_FOR_UNIT,
    }


def _store(pool: Pool, origin: str, currency: str) -> str:
    """One of its own, so that what lies there is of this session alone."""
    store = f"S-{origin}"
    with pool.connection() as conn:
        conn.execute(
            "insert into store (store, name, currency, timezone) values (%s, %s, %s, 'UTC')",
            [store, store, currency],
        )
    return store


def _end(cashier: Cashier) -> None:
    """Most days end as they should: nothing open, the drawer counted, the Z report written."""
    if cashier.chance.random() < 0.2:
        return
    for _ in range(40):
        pencil = cashier.pencil
        if not pencil.is_open:
            return
        if not cashier.who:
            cashier.sign_in()
        elif pencil.basket:
            cashier.void()
        elif pencil.suspended:
            cashier.void_suspended()
        elif pencil.shift:
            cashier.close_shift()
        else:
            cashier.close_day()
