"""The surveyor: while head office does not answer, it looks around for the layer that is broken (SW12).

It asks this machine, the store's router and head office's own address, and nobody else unless the chain names
a landmark on the internet (parameter `network.landmark`, as `host:port`). Nothing waits for what it finds.
"""

import ipaddress
from typing import Protocol
from urllib.parse import urlsplit

from holdfast.core.parameters import LANDMARK, Value
from holdfast.core.reach import Findings, Knock, judge
from holdfast.infra.surroundings import Address, Route
from holdfast.register.sync.caller import Caller, Shared

LOOK_S = 0.5
"""How often it looks whether there is something to find out."""
AGAIN_S = 15.0


class Ground(Protocol):
    """What can be asked of the surroundings: `infra.surroundings.Surroundings`."""

    def has_carrier(self) -> bool | None: ...
    def route_to(self, address: Address) -> Route | None: ...
    def is_answering(self, router: Address) -> bool | None: ...
    def look_up(self, name: str, port: int) -> list[str] | None: ...
    def knock(self, address: str, port: int) -> Knock: ...


class Surveyor(Caller):
    """One thread, which sleeps while head office answers."""

    def __init__(self, shared: Shared, url: str, ground: Ground) -> None:
        super().__init__("survey", shared)
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._ground = ground

    def turn(self) -> float:
        if not self._board.is_down:
            self._board.found(None)
            return LOOK_S
        if self._board.connection.successes:
            return LOOK_S  # it flaps, or comes back: what was found stands until it is up
        findings = look_around(self._ground, self._host, self._port, self._landmark())
        if self._board.is_down and not self._board.connection.successes:
            self._board.found(judge(findings))
        return AGAIN_S

    def line_returned(self, _: bool) -> None:
        """Head office answers: nothing is to be found out any more."""
        self.wake()

    def _landmark(self) -> tuple[str, int] | None:
        return parse_landmark(self._books.parameter(LANDMARK))


def parse_landmark(value: Value | None) -> tuple[str, int] | None:
    """`host:port` of a parameter's value; None where it is not one."""
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    return (host, int(port)) if host and port.isdecimal() and 0 < int(port) < 65_536 else None


def look_around(ground: Ground, host: str, port: int, landmark: tuple[str, int] | None) -> Findings:
    """All that can be found out now; a few seconds at the most."""
    addresses = ground.look_up(host, port)
    target = None if addresses is None else ipaddress.ip_address(addresses[0])
    on_this_machine = target is not None and target.is_loopback
    route = None if target is None else ground.route_to(target)
    if route is None:
        route = ground.route_to(_ANYWHERE)
    router = route.router if route else None
    return Findings(
        has_carrier=None if on_this_machine else ground.has_carrier(),
        has_route=None if route is None else route.exists,
        is_near=None if target is None or route is None else route.exists and router is None,
        router=None if router is None else ground.is_answering(router),
        name=None if _is_number(host) else addresses is not None,
        knock=None if target is None else _knock(ground, [str(target), *(addresses or ())[1:]], port),
        landmark=None if landmark is None else _landmark(ground, *landmark),
    )


_ANYWHERE = ipaddress.ip_address("198.51.100.1")
"""An address of documentation: the way to it is the way to the internet. Nothing is sent to it."""
ADDRESSES_MAX = 2


def _knock(ground: Ground, addresses: list[str], port: int) -> Knock:
    """At each address in turn, until one says something."""
    found = Knock.SILENT
    for address in addresses[:ADDRESSES_MAX]:
        found = ground.knock(address, port)
        if found in (Knock.OPEN, Knock.REFUSED):
            break
    return found


def _landmark(ground: Ground, host: str, port: int) -> Knock:
    addresses = ground.look_up(host, port)
    return Knock.SILENT if addresses is None else _knock(ground, addresses, port)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
