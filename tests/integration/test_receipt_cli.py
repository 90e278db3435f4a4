"""`holdfast register printer` and `mail`: settings, and tests that say what is wrong (PO8)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from holdfast.core.faults import ConfigurationFault
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config
from holdfast.register.cli import app
from holdfast.register.receipts import printers
from tests.escpos_printer import FakePrinter
from tests.office import free_port
from tests.register_fixture import make_register


@pytest.fixture
def home(tmp_path: Path) -> RegisterHome:
    return make_register(tmp_path / "till")


@pytest.fixture
def printer(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePrinter]:
    monkeypatch.setattr(printers, "DONE_S", 1.0)
    with FakePrinter() as fake:
        yield fake


def run(home: RegisterHome, *arguments: str) -> Result:
    what, command, *more = arguments
    return CliRunner().invoke(app, [what, command, "--home", str(home.path), *more])


def test_a_printer_is_set_and_tested_and_taken_away_again(home: RegisterHome, printer: FakePrinter) -> None:
    home.config.write_text("# our own note\n" + home.config.read_text())
    said = run(home, "printer", "set", printer.address, "--columns", "32", "--no-cutter")
    assert "Next: holdfast register printer test" in said.output
    config = load_config(home.config, RegisterConfig)
    assert (config.printer, config.printer_columns, config.printer_cuts) == (printer.address, 32, False)
    assert home.config.read_text().startswith("# our own note\n")
    assert "It printed." in run(home, "printer", "test", "--drawer").output
    assert printer.kicks == 1
    assert b"Register R01" in printer.await_pages(1)[0]
    assert "It is ready." in run(home, "printer", "show").output
    assert "prints no receipts" in run(home, "printer", "off").output
    assert load_config(home.config, RegisterConfig).printer == ""
    assert "No printer is set" in run(home, "printer", "test").output


def test_what_is_wrong_with_a_printer_is_a_sentence(home: RegisterHome, printer: FakePrinter) -> None:
    run(home, "printer", "set", printer.address)
    printer.paper = False
    failed = run(home, "printer", "test")
    assert (failed.exit_code, "out of paper" in failed.output) == (1, True)
    printer.paper, printer.answers = True, False
    failed = run(home, "printer", "test")
    assert (failed.exit_code, "--silent" in failed.output) == (1, True)
    run(home, "printer", "set", printer.address, "--silent")
    assert "this printer does not tell" in run(home, "printer", "test").output
    printer.switch_off()
    failed = run(home, "printer", "show")
    assert (failed.exit_code, "not reachable" in failed.output) == (1, True)


def test_a_wrong_setting_changes_nothing(home: RegisterHome) -> None:
    before = home.config.read_text()
    for wrong in (["lpt1"], ["network:192.0.2.7", "--charset", "EBCDIC"]):
        assert isinstance(run(home, "printer", "set", *wrong).exception, ConfigurationFault)
    in_the_clear = run(home, "mail", "set", "smtp.example", "--from", "a@b.example", "--security", "none")
    assert isinstance(in_the_clear.exception, ConfigurationFault)
    assert home.config.read_text() == before


def test_a_mail_server_is_set_and_one_that_is_away_is_told(home: RegisterHome) -> None:
    server = f"127.0.0.1:{free_port()}"
    said = run(home, "mail", "set", server, "--from", "receipts@shop.example", "--security", "none")
    assert "Next: holdfast register mail test" in said.output
    failed = run(home, "mail", "test", "ada@example.com")
    assert (failed.exit_code, "not reachable" in failed.output) == (1, True)
    assert "no e-mail address" in run(home, "mail", "test", "ada").output
    run(home, "mail", "off")
    assert "No mail server is set" in run(home, "mail", "test", "ada@example.com").output


def test_a_password_is_asked_for_and_kept_from_others(home: RegisterHome) -> None:
    said = CliRunner().invoke(
        app,
        ["mail", "set", "--home", str(home.path), "smtp.example", "--from", "a@b.example", "--user", "till7"],
        input="secret\n",
    )
    assert said.exit_code == 0, said.output
    assert home.mail_password.read_text() == "secret"
    assert home.mail_password.stat().st_mode & 0o077 == 0
    assert "secret" not in home.config.read_text() + said.output
