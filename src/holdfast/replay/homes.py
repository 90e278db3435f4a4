"""The homes of a replay's registers: found where they are, enrolled where they are not yet."""

import subprocess
import sys
from pathlib import Path

import msgspec

from holdfast.core.faults import ConfigurationFault, MalformedFault
from holdfast.core.sync.enrolment import read_code
from holdfast.infra.config import RegisterConfig, RegisterHome, load_config, save_config

REGISTERS_MAX = 99
_COMMAND_TIMEOUT_S = 120


def names(registers: int) -> list[str]:
    """`R01`, `R02`, …: series and folder of each register."""
    if not 1 <= registers <= REGISTERS_MAX:
        raise ConfigurationFault(f"--registers {registers}: a replay has 1 to {REGISTERS_MAX} registers.")
    return [f"R{number:02d}" for number in range(1, registers + 1)]


def read_codes(path: Path) -> dict[str, str]:
    """Enrolment codes from a file with a register and its code on each line: `R01 7k2m-93xp-c4vd-wz0h`."""
    codes: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigurationFault(f"The codes {path} cannot be read ({error.strerror}).") from error
    for number, line in enumerate(lines, 1):
        words = line.split()
        if words and len(words) != 2:
            raise ConfigurationFault(f"{path}, line {number}: write a register and its code: R01 7k2m-93xp-…")
        if words:
            codes[words[0]] = words[1]
    return codes


def issue_code(head_office_home: Path, store: str, name: str) -> str:
    """A one-time code from the head office in that home."""
    command = ["hq", "register", "add", "--home", str(head_office_home), "--store", store, "--series", name]
    for word in _holdfast(*command).split():
        code = word.strip(".,;:'\"")
        if _is_code(code):
            return code
    raise ConfigurationFault(f"Head office in {head_office_home} gave no enrolment code for {name}.")


def _is_code(word: str) -> bool:
    if word.count("-") != 3:
        return False
    try:
        read_code(word)
    except MalformedFault:
        return False
    return True


def enrol(home: RegisterHome, head_office_url: str, code: str) -> None:
    """Make `home` the register that the code stands for."""
    _holdfast("register", "init", "--home", str(home.path), "--hq", head_office_url, "--code", code)


def point_at(home: RegisterHome, url: str) -> None:
    """Let the register reach head office at this URL from its next start on."""
    config = load_config(home.config, RegisterConfig)
    if config.head_office_url != url:
        save_config(home.config, msgspec.structs.replace(config, head_office_url=url))


def _holdfast(*arguments: str) -> str:
    """Run a command of ours; its output. ConfigurationFault with what it said where it failed."""
    command = [sys.executable, "-m", "holdfast", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_S, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise ConfigurationFault(f"`holdfast {' '.join(arguments[:2])}` failed: {said}")
    return done.stdout
