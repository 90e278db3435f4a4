"""What this machine can tell of the network around it, with no rights of its own and no packet to strangers.

Adapters, routes and neighbours are read as Linux shows them; on a system that shows none of it the answer is
None, never a guess. Every question that waits has a deadline.
"""

import contextlib
import errno
import ipaddress
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from holdfast.core.reach import Knock

KNOCK_S = 1.0
ROUTER_PORT = 53
"""Where a shop's router is likeliest to answer or refuse; either shows that it is there."""
_ETHERNET_LIKE = frozenset({"1", "32", "512", "801", "802", "803"})
"""Kinds of adapters that reach other machines (if_arp.h): Ethernet, InfiniBand, PPP, wireless."""
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_COMPLETE = 0x2
_UP, _BY_GATEWAY, _REJECTS = 0x1, 0x2, 0x200

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Route(NamedTuple):
    """The way to an address, if there is one: through a router, or direct where that is None."""

    exists: bool
    router: Address | None = None


class Surroundings:
    """The machine's own. `proc` and `sys` are where Linux shows them."""

    def __init__(self, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> None:
        self._proc = proc
        self._sys = sys
        self._looking_up: threading.Thread | None = None

    def has_carrier(self) -> bool | None:
        """Whether any adapter to other machines is up and plugged in."""
        try:
            adapters = [path for path in (self._sys / "class" / "net").iterdir() if path.name != "lo"]
        except OSError:
            return None
        kinds = {path: _text(path / "type") for path in adapters}
        real = [path for path, kind in kinds.items() if kind in _ETHERNET_LIKE]
        return any(_text(path / "carrier") == "1" for path in real)

    def route_to(self, address: Address) -> Route | None:
        """The way to an address; None: this system does not say."""
        if address.is_loopback:
            return Route(exists=True)
        if address.version != 4:
            return None
        try:
            rows = (self._proc / "net" / "route").read_text().splitlines()[1:]
        except OSError:
            return None
        ways = sorted(_ways(rows, address))
        if not ways:
            return Route(exists=False)
        router = ways[-1][2]
        return Route(exists=True, router=ipaddress.IPv4Address(router) if router else None)

    def is_answering(self, router: Address) -> bool | None:
        """Whether a machine in this network is there: it takes or refuses a call, or is a known neighbour."""
        if self.knock(str(router), ROUTER_PORT) in (Knock.OPEN, Knock.REFUSED):
            return True
        return self._is_neighbour(router)  # asked for just now, whatever it made of the call

    def _is_neighbour(self, address: Address) -> bool | None:
        try:
            rows = (self._proc / "net" / "arp").read_text().splitlines()[1:]
        except OSError:
            return None
        for row in rows:
            fields = row.split()
            if len(fields) > 2 and fields[0] == str(address):
                return bool(int(fields[2], 16) & _COMPLETE)
        return False

    def look_up(self, name: str, port: int, deadline_s: float = KNOCK_S) -> list[str] | None:
        """Addresses of a name; None where none came in time. A number is its own."""
        with contextlib.suppress(ValueError):
            return [str(ipaddress.ip_address(name))]
        if self._looking_up is not None and self._looking_up.is_alive():
            return None  # the system's resolver still waits for the last one: no second thread beside it
        found: list[str] = []

        def ask() -> None:
            with contextlib.suppress(OSError):
                rows = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
                found.extend(dict.fromkeys(str(row[4][0]) for row in rows))

        self._looking_up = threading.Thread(target=ask, name="holdfast-name", daemon=True)
        self._looking_up.start()
        self._looking_up.join(deadline_s)
        return list(found) or None

    def knock(self, address: str, port: int, deadline_s: float = KNOCK_S) -> Knock:
        """Try to connect, and say nothing."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as plug:
            plug.settimeout(deadline_s)
            try:
                plug.connect((address, port))
            except TimeoutError:
                return Knock.SILENT
            except ConnectionRefusedError:
                return Knock.REFUSED
            except ConnectionResetError:
                return Knock.OPEN  # somebody took it, and let go at once
            except OSError as error:
                return Knock.UNREACHABLE if error.errno in _UNREACHABLE else Knock.SILENT
        return Knock.OPEN


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""  # an adapter that is down does not even say its carrier


def _ways(rows: list[str], address: Address) -> Iterator[tuple[int, int, int]]:
    """(length of the prefix, less its metric, router or 0) of each route that holds the address."""
    for row in rows:
        fields = row.split()
        if len(fields) < 8 or not int(fields[3], 16) & _UP or int(fields[3], 16) & _REJECTS:
            continue
        network, router, mask = (_number(fields[place]) for place in (1, 2, 7))
        if int(address) & mask == network:
            yield mask.bit_count(), -int(fields[6]), router if int(fields[3], 16) & _BY_GATEWAY else 0


def _number(hexadecimal: str) -> int:
    """Of an address as /proc writes it: in this machine's byte order."""
    return struct.unpack("!I", struct.pack("=I", int(hexadecimal, 16)))[0]
