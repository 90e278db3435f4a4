"""Looking around while head office does not answer: what is asked of whom (SW12)."""

import ipaddress

from holdfast.core.reach import Findings, Knock
from holdfast.infra.surroundings import Address, Route
from holdfast.register.sync.surveyor import look_around, parse_landmark

ROUTER = ipaddress.ip_address("192.168.1.1")


class Ground:
    """A store with a router, an office far away, and a landmark; every question is remembered."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {
            "office.example": ["203.0.113.5"],
            "landmark.example": ["198.51.100.9"],
        }
        self.knocks: dict[str, Knock] = {}
        self.asked: list[str] = []
        self.route: Route | None = Route(exists=True, router=ROUTER)

    def has_carrier(self) -> bool | None:
        return True

    def route_to(self, address: Address) -> Route | None:
        return Route(exists=True) if address.is_loopback else self.route

    def is_answering(self, router: Address) -> bool | None:
        self.asked.append(str(router))
        return True

    def look_up(self, name: str, port: int) -> list[str] | None:
        return [name] if name[0].isdigit() else self.names.get(name)

    def knock(self, address: str, port: int) -> Knock:
        self.asked.append(f"{address}:{port}")
        return self.knocks.get(address, Knock.SILENT)


def test_router_and_head_office_are_asked_and_nobody_else() -> None:
    ground = Ground()
    found = look_around(ground, "office.example", 443, None)
    assert found == Findings(
        has_carrier=True, has_route=True, is_near=False, router=True, name=True, knock=Knock.SILENT
    )
    assert ground.asked == ["192.168.1.1", "203.0.113.5:443"]


def test_a_landmark_is_asked_where_the_chain_named_one() -> None:
    ground = Ground()
    ground.knocks["198.51.100.9"] = Knock.OPEN
    assert look_around(ground, "office.example", 443, ("landmark.example", 53)).landmark is Knock.OPEN
    assert look_around(ground, "office.example", 443, ("gone.example", 53)).landmark is Knock.SILENT


def test_a_name_that_is_not_found_is_no_address_to_knock_at() -> None:
    found = look_around(Ground(), "gone.example", 443, None)
    assert (found.name, found.knock, found.router, found.is_near) == (False, None, True, None)


def test_head_office_on_this_machine_needs_no_network() -> None:
    ground = Ground()
    found = look_around(ground, "127.0.0.1", 8_000, None)
    assert (found.has_carrier, found.is_near, found.name, found.router) == (None, True, None, None)


def test_further_addresses_are_tried_until_one_says_something() -> None:
    ground = Ground()
    ground.names["office.example"] = ["203.0.113.5", "203.0.113.6", "203.0.113.7"]
    ground.knocks["203.0.113.6"] = Knock.REFUSED
    assert look_around(ground, "office.example", 443, None).knock is Knock.REFUSED
    assert "203.0.113.7:443" not in ground.asked


def test_a_landmark_is_an_address_and_a_port() -> None:
    assert parse_landmark("dns.example:53") == ("dns.example", 53)
    for value in ("dns.example", 5, "a:0", "a:65536", None):
        assert parse_landmark(value) is None
