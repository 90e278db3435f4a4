"""The demo's head office: a corner shop; its products, prices, taxes and staff are the files in `data`."""

import csv
import io
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple, TypeVar

from holdfast.core.faults import ConfigurationFault
from holdfast.core.refusals import Refusal
from holdfast.core.sync.enrolment import CodeText, spell_code
from holdfast.demo.purse import ACCOUNT_CUSTOMER, Card, Purse
from holdfast.hq.catalogue import KINDS
from holdfast.hq.enrolment import Store
from holdfast.hq.service import HeadOffice, init_home
from holdfast.hq.web.auth.accounts import Accounts
from holdfast.hq.web.process import home_in
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome

STORE = Store("Harbour", "Harbour Street", "EUR", "Europe/Dublin")
SECOND_STORE = Store("Market", "Market Square", "EUR", "Europe/Dublin")
ADMINISTRATOR = "admin"
PLAIN_CARDS = 4
CREDIT_LIMIT_MINOR = 200_00

T = TypeVar("T")


class Opening(NamedTuple):
    """What a fresh head office gives away once."""

    codes: dict[str, str]
    """Series → enrolment code."""
    sign_in_path: str
    """One-time link for the first administrator."""
    purse: Purse | None
    """Cards without value yet; None where nobody asked for any."""


def found_shop(folder: Path, port: int, series: Sequence[str], *, with_purse: bool = False) -> Opening:
    """Make a head office in `folder` with the demo's shop, and a code for each register.

    `with_purse`: gift cards, loyalty and on account are in use as well, and the last register is in a shop
    of its own, so that goods can be sent from one to the other.
    """
    init_home(HeadOfficeHome(folder), HeadOfficeConfig(listen_port=port, timezone=STORE.timezone))
    with HeadOffice.open(home_in(folder)) as head_office:
        taken(head_office.enrolment.put_store(STORE))
        for kind in KINDS:
            report = taken(head_office.catalogue.load(kind, _file(kind), by="demo"))
            assert report.taken, f"the demo's own {kind} are in order: {report.bad}"
        stores = dict.fromkeys(series, STORE.store)
        purse = None
        if with_purse:
            taken(head_office.enrolment.put_store(SECOND_STORE))
            stores[series[-1]] = SECOND_STORE.store
            report = taken(head_office.catalogue.load("parameters", _file("purse"), by="demo"))
            assert report.taken, f"the purse's own parameters are in order: {report.bad}"
            purse = _prepare(head_office)
        codes = {
            name: spell_code(CodeText(taken(head_office.enrolment.issue_code(store, name)), None))
            for name, store in stores.items()
        }
        return Opening(codes, _welcome(head_office), purse)


def new_sign_in_path(folder: Path) -> str:
    """Another one-time link, beside a head office that is served or not."""
    with HeadOffice.open(home_in(folder)) as head_office:
        return _welcome(head_office)


def _prepare(head_office: HeadOffice) -> Purse:
    """Cards without value, and who may buy on account."""
    files: list[bytes] = []
    for count, with_pins in ((PLAIN_CARDS, False), (1, True)):
        taken(head_office.cards.make(count, STORE.currency, files.append, with_pins=with_pins, by="demo"))
    credit, limit = head_office.credit, (ACCOUNT_CUSTOMER, CREDIT_LIMIT_MINOR, STORE.currency)
    taken(credit.set_limit(*limit, by="demo", reason="For the demo"))
    plain, [with_pin] = (_cards(file) for file in files)
    return Purse(plain, with_pin)


def _cards(file: bytes) -> tuple[Card, ...]:
    rows = csv.DictReader(io.StringIO(file.decode()))
    return tuple(Card(row["number"], row.get("pin") or "") for row in rows)


def _welcome(head_office: HeadOffice) -> str:
    accounts = Accounts(head_office.services_pool, head_office.clock)
    return f"/welcome/{taken(accounts.new_link(ADMINISTRATOR))}"


def _file(kind: str) -> bytes:
    return resources.files("holdfast.demo").joinpath("data", f"{kind}.csv").read_bytes()


def taken(answer: T | Refusal) -> T:
    """What head office did. ConfigurationFault where it refused."""
    if isinstance(answer, Refusal):
        raise ConfigurationFault(f"The demo's head office refused: {answer.sentence}")
    return answer
