"""Settings, homes, one process a home, and one server a port."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.faults import ConfigurationFault
from holdfast.core.ids import OriginId, StoreId
from holdfast.infra.config import (
    HeadOfficeConfig,
    HeadOfficeHome,
    RegisterConfig,
    RegisterHome,
    exclusive,
    is_loopback,
    load_config,
    probe_port,
    save_config,
)

REGISTER = RegisterConfig(
    origin=OriginId("k3v9"),
    register="12",
    series="Z12",
    store=StoreId("ZRH-01"),
    head_office_url="https://office.example",
    currency="CHF",
    timezone="Europe/Zurich",
)


def test_settings_are_found_again_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "register.toml"
    save_config(path, REGISTER)
    assert load_config(path, RegisterConfig) == REGISTER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_the_file(text: str) -> None:
    import tomllib

    from holdfast.infra.config import _toml

    assert tomllib.loads(f"dsn = {_toml(text)}") == {"dsn": text}


def test_an_empty_file_is_a_head_office_on_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "hq.toml"
    path.write_text("")
    assert load_config(path, HeadOfficeConfig) == HeadOfficeConfig()


GOOD = """\
origin = "k3v9"
register = "12"
series = "Z12"
store = "ZRH-01"
head_office_url = "https://office.example"
currency = "CHF"
timezone = "Europe/Zurich"
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD + "listen_prot = 1\n", "line 8: listen_prot is not a setting. Did you mean listen_port?"),
        (GOOD + "\n[colour]\nred = 1\n", "line 9: colour is not a setting. Known are: origin, "),
        (GOOD + 'listen_port = "x"\n', "line 8: listen_port: Expected `int`"),
        (GOOD + "listen_port = 70000\n", "line 8: listen_port: Expected `int` <= 65535"),
        (GOOD.replace("CHF", "francs"), "line 6: currency: Expected `str` matching"),
        (GOOD.replace("k3v9", "A B"), "line 1: origin: Expected `str` matching"),
        (GOOD.replace("https:", "http:"), "must begin with https"),
        (GOOD.replace("https://office.example", "office.example"), "must begin with https"),
        (GOOD.replace("Zurich", "Zuerich"), "time zone 'Europe/Zuerich' is not known"),
        (GOOD.replace('register = "12"\n', ""), "missing required field `register`"),
        ("origin = \n", "line 1"),
        ("origin = '" + "x" * 300_000 + "'", "larger than"),
    ],
)
def test_a_wrong_setting_names_file_line_and_cure(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "register.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationFault) as caught:
        load_config(path, RegisterConfig)
    assert words in caught.value.sentence
    assert str(path) in caught.value.sentence


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_settings_that_cannot_be_read_say_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "register.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationFault, match=r"register\.toml"):
        load_config(path, RegisterConfig)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8460", "http://localhost", "http://[::1]:1", "https://10.0.0.1"]
)
def test_plain_http_stays_on_this_machine(tmp_path: Path, url: str) -> None:
    path = tmp_path / "register.toml"
    path.write_text(GOOD.replace("https://office.example", url))
    assert load_config(path, RegisterConfig).head_office_url == url


@pytest.mark.parametrize(
    "config",
    [
        HeadOfficeConfig(listen_host="0.0.0.0"),
        HeadOfficeConfig(listen_host="office.example"),
        HeadOfficeConfig(tls_certificate="tls/cert.pem"),
        HeadOfficeConfig(tls_key="tls/key.pem"),
    ],
)
def test_head_office_is_not_reached_unencrypted(tmp_path: Path, config: HeadOfficeConfig) -> None:
    with pytest.raises(ConfigurationFault, match="tls_certificate"):
        save_config(tmp_path / "hq.toml", config)
    assert not list(tmp_path.iterdir())


def test_a_password_in_a_dsn_is_not_shown() -> None:
    config = HeadOfficeConfig(dsn="postgresql://office:hunter2@db/holdfast")
    assert "hunter2" not in f"{config} {config!r}"


def test_loopback() -> None:
    assert [is_loopback(host) for host in ("127.0.0.2", "::1", "localhost")] == [True] * 3
    assert not any(is_loopback(host) for host in ("0.0.0.0", "", "10.0.0.1", "localhost.example", "::"))


# ---- homes -------------------------------------------------------------------------------------


def test_a_home_is_closed_to_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        register = RegisterHome(tmp_path / "till").create()
        office = HeadOfficeHome(tmp_path / "office").create()
    finally:
        os.umask(before)
    folders = [register.path, register.secrets, register.data]
    folders += [office.path, office.secrets, office.postgres, office.backups, office.tls]
    for folder in folders:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    assert register.till == tmp_path / "till/data/till.db"
    assert register.mark == tmp_path / "till/secrets/mark"
    assert office.recovery_key == tmp_path / "office/secrets/recovery.key"
    assert register.create() == register


# ---- one process, one port ---------------------------------------------------------------------

HOLD = """
import sys
from pathlib import Path
from holdfast.infra.config import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_has_the_home(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("99999999999 a longer text of an earlier time\n")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(ConfigurationFault, match=rf"pid {holder.pid}\)") as caught, exclusive(lock):
        pytest.fail("two processes in one home")
    assert str(tmp_path) in caught.value.sentence
    holder.kill()
    holder.communicate()
    with exclusive(lock):
        assert lock.read_text() == f"{os.getpid()}\n"


def test_a_home_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match="must exist"), exclusive(tmp_path / "none" / "lock"):
        pytest.fail("locked nothing")


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_in_use_is_noticed_even_if_it_may_be_shared(shared: bool) -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with pytest.raises(ConfigurationFault, match=f"127.0.0.1:{port} cannot be listened on"):
            probe_port("127.0.0.1", port)
    probe_port("127.0.0.1", port)


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationFault, match=host):
        probe_port(host, 8460)
