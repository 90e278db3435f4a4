"""The command line teaches: every command says what it is for, and every option what it takes."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup

from holdfast.cli import COMMANDS, load_command


def commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    yield " ".join(path), command
    if isinstance(command, TyperGroup):
        for name, each in command.commands.items():
            yield from commands(each, (*path, name))


ALL = dict(each for name in COMMANDS for each in commands(load_command(name), ("holdfast", name)))


@pytest.mark.parametrize("path", ALL)
def test_it_says_what_it_is_for_and_what_each_option_takes(path: str) -> None:
    command = ALL[path]
    assert command.help, f"{path} --help says nothing"
    first = command.help.strip().splitlines()[0]
    assert first.endswith("."), f"{path}: {first!r} is no sentence"
    silent = [parameter.name for parameter in command.params if not parameter.help]
    assert not silent, f"{path}: {silent} say nothing"
