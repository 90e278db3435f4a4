"""What the till's page answers when its disk fails: a problem with its cure, and nothing is lost."""

from pathlib import Path

import httpx
import pytest

from holdfast.core.sync.messages import Problem, decode
from holdfast.infra.config import RegisterHome
from holdfast.infra.sqlite import DiskReserve
from holdfast.register.checkout import Checkout
from holdfast.register.verify import verify_register
from tests.integration.test_open_day_page import page_of, register_with_staff
from tests.integration.test_till_full_disk import Disk
from tests.register_fixture import CASHIER, MANAGER, open_checkout, scan, sell_one
from tests.unit.core.shop import done


def with_a_basket(checkout: Checkout) -> None:
    done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
    sell_one(checkout)
    done(checkout.begin(by=CASHIER))
    scan(checkout)


def problem_of(answer: httpx.Response) -> Problem:
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = decode(answer.content, Problem)
    assert (problem.status, problem.type) == (answer.status_code, f"urn:holdfast:problem:{problem.code}")
    return problem


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return register_with_staff(tmp_path / "register")


@pytest.fixture
def disk(home: RegisterHome) -> Disk:
    return Disk(DiskReserve(home.till).path)


@pytest.mark.parametrize(
    ("harm", "status", "code", "sentence"),
    [
        ("hopeless", 503, "storage.full", "Make room on it"),
        ("dead", 500, "database", "Restart Holdfast: it reads back what is stored"),
    ],
)
def test_a_failing_disk_is_a_problem_with_its_cure_and_keeps_the_basket(
    home: RegisterHome, disk: Disk, harm: str, status: int, code: str, sentence: str
) -> None:
    checkout = open_checkout(home, vfs=disk.vfs)
    with_a_basket(checkout)
    before, basket = checkout.head(), checkout.basket()
    with page_of(home, checkout) as client:
        client.post("/sign-in", data={"staff": "1", "pin": "1111"})
        setattr(disk, harm, True)
        problem = problem_of(client.post("/pay", data={"amount": "exact"}))
        assert (problem.status, problem.code) == (status, code)
        assert sentence in problem.detail
        setattr(disk, harm, False)
    checkout.close()
    again = open_checkout(home, seed=2)
    assert (again.head(), again.basket()) == (before, basket)
    again.close()
    assert verify_register(home).differences == ()
