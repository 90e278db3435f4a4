"""What the command line refuses, with cause and way on, and that a refused command leaves nothing behind."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from holdfast import cli
from holdfast.core.faults import ConfigurationFault, Fault, UnavailableFault
from holdfast.infra.web import free_port
from tests.register_fixture import make_register

CODE = "5pdh-zzwk-q47v-dqbd"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def said(result: Result) -> str:
    """What a person reads, on one line."""
    fault = result.exception.sentence if isinstance(result.exception, Fault) else ""
    return re.sub(r"[\s│]+", " ", result.output + fault)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--store", "S 1"), "'S 1' cannot be a store's code"),
        (("--store", "S1", "--currency", "EURO"), "'EURO' is not a currency"),
        (("--store", "S1", "--timezone", "Europe/Atlantis"), "time zone 'Europe/Atlantis' is not known"),
        (("--admin", "a b"), "An administrator's name has"),
        (("--port", "85100"), "less than or equal to 65535"),
    ],
)
def test_a_head_office_is_made_whole_or_not_at_all(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    home = tmp_path / "hq"
    result = run("hq", "init", "--home", home, *arguments)
    assert result.exit_code != 0
    assert sentence in said(result)
    assert not home.exists()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("127.0.0.1:8460", "is no address of a head office. Write it whole, as https://"),
        ("ftp://hq.example", "is no address of a head office"),
        ("http://hq.example", "would send everything in the clear. Write https://"),
    ],
)
def test_a_code_goes_to_nobody_who_could_be_anybody(tmp_path: Path, address: str, sentence: str) -> None:
    result = run("register", "init", "--home", tmp_path / "till", "--hq", address, "--code", CODE)
    assert isinstance(result.exception, ConfigurationFault)
    assert sentence in said(result)
    assert not (tmp_path / "till").exists()


def test_a_head_office_that_does_not_answer_is_named_with_what_to_do(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    result = run("register", "init", "--home", tmp_path / "till", "--hq", address, "--code", CODE)
    assert isinstance(result.exception, UnavailableFault)
    assert f"Head office does not answer at {address}: The connection was refused." in said(result)
    assert "Then run the same command again." in said(result)


@pytest.mark.parametrize("command", ["serve", "sync", "status"])
def test_a_folder_that_is_no_register_is_said_with_the_command_that_makes_one(
    tmp_path: Path, command: str
) -> None:
    result = run("register", command, "--home", tmp_path / "elsewhere")
    assert isinstance(result.exception, ConfigurationFault)
    assert "There is no register in" in said(result)
    assert "holdfast register init --home" in said(result)


def test_a_file_that_is_no_snapshot_is_said_with_the_command_that_makes_one(tmp_path: Path) -> None:
    home = make_register(tmp_path / "till")
    file = tmp_path / "prices.csv"
    file.write_text("sku,price\nA1,1.50\n")
    result = run("register", "import", "--home", home.path, file)
    assert isinstance(result.exception, ConfigurationFault)
    assert "prices.csv is no snapshot" in said(result)
    assert "holdfast hq snapshot --home DIR --to FILE" in said(result)


def test_a_home_that_cannot_be_made_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """As where it lies below a file, or in another user's folder."""
    (tmp_path / "file").touch()
    monkeypatch.setattr("sys.argv", ["holdfast", "hq", "init", "--home", str(tmp_path / "file" / "hq")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == cli.exit_code_of(ConfigurationFault(""))
    assert "Check that it is there and belongs to this user." in capsys.readouterr().err
