"""The pictures of central value at head office: some cards, one of them held, one blocked."""

from playwright.sync_api import Page

from holdfast.core.central.accounts import AccountId, Act, HoldKey, Kind
from holdfast.core.central.grants import GrantRequest
from holdfast.core.central.holds import HoldRequest
from holdfast.core.central.numbers import new_number
from holdfast.core.ids import TransactionId
from holdfast.core.parameters import Scope
from holdfast.demo.chain import Chain
from holdfast.hq.cli_parts import services_of
from holdfast.hq.parameters.book import Draft
from scripts.screenshots.camera import Camera

CARDS = 12
HELD, BLOCKED = 2, 5
CURRENCY = "EUR"


def photograph_central(page: Page, chain: Chain, camera: Camera) -> None:
    """Each page of central value, for whoever is signed in."""
    numbers = [new_number(Kind.GIFT_CARD, bytes([n]) * 16) for n in range(1, CARDS + 1)]
    key = HoldKey("picture-of-a-lock")
    _stock(chain, numbers, key)
    url = chain.head_office.url
    for path, name in (
        ("/cards", "hq-cards"),
        ("/cards/prepared", "hq-cards-prepared"),
        ("/locks", "hq-locks"),
        (f"/locks/{key}", "hq-lock"),
        ("/restored", "hq-restored"),
        ("/differences", "hq-differences"),
        ("/proof", "hq-proof"),
        ("/exposure", "hq-exposure"),
        ("/audit", "hq-audit"),
    ):
        page.goto(url + path)
        page.wait_for_selector("h1")
        camera.take(page, name)
    page.goto(f"{url}/cards?kind=gift_card&number_end={numbers[BLOCKED][-4:]}")
    page.click("tbody th a")
    page.wait_for_selector("#movements")
    camera.take(page, "hq-card")


def _stock(chain: Chain, numbers: list[str], key: HoldKey) -> None:
    """Cards on the rack; a register sells one, and one was stolen."""
    rows = "".join(f"{number},{CURRENCY}\n" for number in numbers)
    with services_of(chain.head_office.home) as services:
        head_office = services.head_office
        head_office.cards.load(f"number,currency\n{rows}".encode(), by="ann")
        [register] = [each for each in head_office.fleet.registers() if each.series == "R01"]
        head_office.central.desk.hold(
            register.origin,
            HoldRequest(
                key=key, kind=Kind.GIFT_CARD, act=Act.ISSUE, transaction=TransactionId("R01-1024"),
                currency=CURRENCY, number=numbers[HELD],
            ),
        )  # fmt: skip
        [stolen] = head_office.accounts.listed(number_end=numbers[BLOCKED][-4:])
        head_office.cards.block(
            Kind.GIFT_CARD,
            AccountId(stolen.account),
            by="ann",
            reason="Stolen from the rack in Harbour Street",
        )
        head_office.parameters.make(
            Draft(name="allowance.gift-cards", scope=Scope("register", "R01"), value=200),
            by="ann",
            reason="Bad line in Harbour Street",
        )
        epoch = register.epochs[-1].epoch
        head_office.allowances.ask(
            register.origin, GrantRequest(grant="picture-of-a-grant", epoch=epoch, kind=Kind.GIFT_CARD)
        )
        head_office.proof.run(lambda _: None)
