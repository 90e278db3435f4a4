"""How far a register reaches when head office does not answer: which layer is broken, where it can be told.

The cause is named only where something proves it (SW12). Beyond the store's own network a till sees nothing
but whether an answer comes, so "the internet or head office" is an honest finding too.

    | seen | so the cause lies in |
    |---|---|
    | its machine refuses, or takes the connection and says nothing | head office |
    | no network here, no route, or the router is silent | store network |
    | the router answers and names are not found, or it knows no way | internet |
    | a landmark on the internet answers and head office does not | head office |
    | neither of both answers | internet |
    | head office's machine is in this network, and silent | head office |
    | the router answers, and nothing else is known | beyond the store |
"""

import enum

import msgspec


class Where(enum.Enum):
    """The layer that is broken."""

    STORE_NETWORK = "store-network"
    INTERNET = "internet"
    HEAD_OFFICE = "head-office"
    BEYOND = "beyond"
    """The internet or head office; from the store it cannot be told which."""
    UNKNOWN = "unknown"


class Knock(enum.Enum):
    """What came of trying to connect to an address."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    """Something on the way said that there is no way."""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen on a look around; None where it could not be told."""

    has_carrier: bool | None = None
    """Whether a network adapter is up and connected."""
    has_route: bool | None = None
    is_near: bool | None = None
    """Whether head office's address is in this network, or on this machine: no router in between."""
    router: bool | None = None
    """Whether it answers."""
    name: bool | None = None
    """Whether head office's name was found; None also where its address is a number."""
    knock: Knock | None = None
    """At head office's address and port."""
    landmark: Knock | None = None
    """At the address on the internet that the chain named for this; None: it named none."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Where it ends, and which of the rows above says so."""

    where: Where
    detail: str = ""
    """Names the sentence that a page shows: `refused`, `no-carrier`, …"""
    is_near: bool = False
    """Head office is in this network: no internet lies in between."""


def judge(seen: Findings) -> Reach:
    """What these findings prove."""
    return msgspec.structs.replace(_judge(seen), is_near=bool(seen.is_near))


def _judge(seen: Findings) -> Reach:
    if seen.knock is Knock.REFUSED:
        return Reach(where=Where.HEAD_OFFICE, detail="refused")
    if seen.knock is Knock.OPEN:
        return Reach(where=Where.HEAD_OFFICE, detail="mute")
    return _store_network(seen) or _internet(seen) or _beyond(seen)


def _store_network(seen: Findings) -> Reach | None:
    if seen.has_carrier is False:
        return Reach(where=Where.STORE_NETWORK, detail="no-carrier")
    if seen.has_route is False:
        return Reach(where=Where.STORE_NETWORK, detail="no-route")
    if seen.router is False and seen.knock is not Knock.UNREACHABLE:
        return Reach(where=Where.STORE_NETWORK, detail="router-silent")
    return None


def _internet(seen: Findings) -> Reach | None:
    if not seen.router:
        return None
    if seen.landmark in (Knock.OPEN, Knock.REFUSED):
        return None
    if seen.name is False:
        return Reach(where=Where.INTERNET, detail="no-name")
    if seen.knock is Knock.UNREACHABLE:
        return Reach(where=Where.INTERNET, detail="no-way")
    if seen.landmark is not None:
        return Reach(where=Where.INTERNET, detail="landmark-silent")
    return None


def _beyond(seen: Findings) -> Reach:
    if seen.landmark in (Knock.OPEN, Knock.REFUSED):
        return Reach(where=Where.HEAD_OFFICE, detail="only-there")
    if seen.is_near and seen.knock is not None:
        return Reach(where=Where.HEAD_OFFICE, detail="near-silent")
    if seen.router and seen.knock is Knock.SILENT:
        return Reach(where=Where.BEYOND, detail="silent")
    return Reach(where=Where.UNKNOWN)
