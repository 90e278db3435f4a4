"""The demo's head office: a corner shop; its products, prices, taxes and staff are the files in `data`."""

from importlib import resources
from pathlib import Path
from typing import NamedTuple, TypeVar

from holdfast.core.faults import ConfigurationFault
from holdfast.core.refusals import Refusal
from holdfast.core.sync.enrolment import CodeText, spell_code
from holdfast.hq.catalogue import KINDS
from holdfast.hq.enrolment import Store
from holdfast.hq.service import HeadOffice, init_home
from holdfast.hq.web.auth.accounts import Accounts
from holdfast.hq.web.process import home_in
from holdfast.infra.config import HeadOfficeConfig, HeadOfficeHome

STORE = Store("Harbour", "Harbour Street", "EUR", "Europe/Dublin")
ADMINISTRATOR = "admin"

T = TypeVar("T")


class Opening(NamedTuple):
    """What a fresh head office gives away once."""

    codes: dict[str, str]
    """Series → enrolment code."""
    sign_in_path: str
    """One-time link for the first administrator."""


def found_shop(folder: Path, port: int, series: list[str]) -> Opening:
    """Make a head office in `folder` with the demo's shop, and a code for each register."""
    init_home(HeadOfficeHome(folder), HeadOfficeConfig(listen_port=port, timezone=STORE.timezone))
    with HeadOffice.open(home_in(folder)) as head_office:
        _taken(head_office.enrolment.put_store(STORE))
        for kind in KINDS:
            report = _taken(head_office.catalogue.load(kind, _file(kind), by="demo"))
            assert report.taken, f"the demo's own {kind} are in order: {report.bad}"
        codes = {
            name: spell_code(CodeText(_taken(head_office.enrolment.issue_code(STORE.store, name)), None))
            for name in series
        }
        return Opening(codes, _welcome(head_office))


def new_sign_in_path(folder: Path) -> str:
    """Another one-time link, beside a head office that is served or not."""
    with HeadOffice.open(home_in(folder)) as head_office:
        return _welcome(head_office)


def _welcome(head_office: HeadOffice) -> str:
    accounts = Accounts(head_office.services_pool, head_office.clock)
    return f"/welcome/{_taken(accounts.new_link(ADMINISTRATOR))}"


def _file(kind: str) -> bytes:
    return resources.files("holdfast.demo").joinpath("data", f"{kind}.csv").read_bytes()


def _taken(answer: T | Refusal) -> T:
    if isinstance(answer, Refusal):
        raise ConfigurationFault(f"The demo's head office refused: {answer.sentence}")
    return answer
