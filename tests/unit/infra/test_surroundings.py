"""What a machine says of the network around it: as Linux shows it, or nothing at all (SW12)."""

import ipaddress
import socket
from pathlib import Path

import pytest

from holdfast.core.reach import Knock
from holdfast.infra.surroundings import Route, Surroundings

ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
eth0\t0000000A\t00000000\t0200\t0\t0\t0\t000000FF\t0\t0\t0
"""
ARP = """IP address       HW type     Flags       HW address            Mask     Device
192.168.1.1      0x1         0x2         00:11:22:33:44:55     *        eth0
192.168.1.9      0x1         0x0         00:00:00:00:00:00     *        eth0
"""
ROUTER = ipaddress.ip_address("192.168.1.1")


@pytest.fixture
def machine(tmp_path: Path) -> Surroundings:
    (tmp_path / "proc" / "net").mkdir(parents=True)
    (tmp_path / "proc" / "net" / "route").write_text(ROUTES)
    (tmp_path / "proc" / "net" / "arp").write_text(ARP)
    for name, kind, carrier in (("lo", "772", "1"), ("eth0", "1", "1"), ("tun0", "65534", "1")):
        folder = tmp_path / "sys" / "class" / "net" / name
        folder.mkdir(parents=True)
        (folder / "type").write_text(kind)
        (folder / "carrier").write_text(carrier)
    return Surroundings(tmp_path / "proc", tmp_path / "sys")


def test_the_way_to_an_address_is_the_narrowest_route(machine: Surroundings) -> None:
    assert machine.route_to(ipaddress.ip_address("203.0.113.5")) == Route(exists=True, router=ROUTER)
    assert machine.route_to(ipaddress.ip_address("192.168.1.77")) == Route(exists=True)
    assert machine.route_to(ipaddress.ip_address("127.0.0.1")) == Route(exists=True)
    assert machine.route_to(ipaddress.ip_address("2001:db8::1")) is None


def test_without_a_route_there_is_no_way(machine: Surroundings, tmp_path: Path) -> None:
    (tmp_path / "proc" / "net" / "route").write_text(ROUTES.splitlines()[0] + "\n")
    assert machine.route_to(ipaddress.ip_address("203.0.113.5")) == Route(exists=False)


def test_a_cable_that_is_out_is_told_from_one_that_is_in(machine: Surroundings, tmp_path: Path) -> None:
    assert machine.has_carrier() is True
    carrier = tmp_path / "sys" / "class" / "net" / "eth0" / "carrier"
    carrier.write_text("0")
    assert machine.has_carrier() is False, "neither loopback nor a tunnel reaches anybody"
    carrier.unlink()
    assert machine.has_carrier() is False, "an adapter that is down does not even say"


def test_a_machine_that_shows_nothing_is_not_guessed_at(tmp_path: Path) -> None:
    nothing = Surroundings(tmp_path / "proc", tmp_path / "sys")
    assert nothing.has_carrier() is None
    assert nothing.route_to(ipaddress.ip_address("203.0.113.5")) is None


def test_a_neighbour_is_there_whatever_it_makes_of_the_call(
    machine: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "knock", lambda *_: Knock.SILENT)
    assert machine.is_answering(ROUTER) is True
    assert machine.is_answering(ipaddress.ip_address("192.168.1.9")) is False
    assert machine.is_answering(ipaddress.ip_address("192.168.1.10")) is False


def test_a_knock_tells_somebody_from_nobody() -> None:
    here = Surroundings()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert here.knock("127.0.0.1", port) is Knock.OPEN
    assert here.knock("127.0.0.1", port) is Knock.REFUSED


def test_a_number_needs_no_looking_up_and_a_name_that_is_not_there_is_not_found() -> None:
    here = Surroundings()
    assert here.look_up("192.0.2.7", 80) == ["192.0.2.7"]
    assert here.look_up("localhost", 80, deadline_s=30) in (["127.0.0.1"], ["::1"], ["::1", "127.0.0.1"])
    assert here.look_up("nowhere.invalid", 80) is None
