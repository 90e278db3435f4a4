"""A replay from its file to its summary: who enters what, over which lines, and how far it came."""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from holdfast.core.faults import ConfigurationFault
from holdfast.infra.config import RegisterHome
from holdfast.replay.assign import assign
from holdfast.replay.crew import Member, is_success, is_undrained
from holdfast.replay.history import HistoryDocument
from holdfast.replay.homes import point_at
from holdfast.replay.outage import OutageThread, Weather
from holdfast.replay.spool import write_documents

_LOOK_S = 0.1


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay is to do."""

    homes: dict[str, RegisterHome]
    """By name, in the order in which invoices are assigned. All are enrolled."""
    head_office_url: str
    wait_s: float
    weather: Weather = Weather()
    seed: int = 1


class RegisterResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one register did."""

    name: str
    documents: int
    """Assigned to it."""
    recorded: int
    known: int
    refused: tuple[str, ...]
    refusals: int
    owed: int
    """Entries that head office has not confirmed."""
    starts: int
    failure: str = ""
    """Why its process gave up; empty where it came to the end."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay did."""

    registers: tuple[RegisterResult, ...]
    elapsed_s: float
    line: dict[str, int]
    """What became of requests; empty in fair weather."""

    @property
    def recorded(self) -> int:
        return sum(register.recorded for register in self.registers)

    @property
    def is_complete(self) -> bool:
        """Everything is entered, and where that was asked for, at head office."""
        return not any(register.failure or register.refusals for register in self.registers)


Tell = Callable[[Sequence[Member]], None]


def replay(documents: Sequence[HistoryDocument], plan: Plan, tell: Tell) -> Result:
    """Enter all documents; `tell` hears several times a second how far it is."""
    began_s = time.monotonic()
    with ExitStack() as stack:
        line = _lines(stack, plan)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-replay-")))
        members = _members(documents, plan, folder)
        for member in members:
            stack.callback(member.end)
            member.start()
        codes = _watch(members, tell)
        return Result(
            registers=tuple(_result(member, codes[member.name]) for member in members),
            elapsed_s=time.monotonic() - began_s,
            line={} if line is None else line.counts,
        )


def _lines(stack: ExitStack, plan: Plan) -> OutageThread | None:
    """Let each register reach head office, directly or over a bad line of its own."""
    if plan.weather.is_fair:
        for home in plan.homes.values():
            point_at(home, plan.head_office_url)
        return None
    url = urlsplit(plan.head_office_url)
    if url.scheme != "http" or url.hostname is None:
        raise ConfigurationFault("--outage needs a head office on this machine, by http: it looks inside.")
    line = stack.enter_context(OutageThread((url.hostname, url.port or 80), plan.weather, plan.seed))
    for name, home in plan.homes.items():
        point_at(home, line.line_of(name))
        stack.callback(point_at, home, plan.head_office_url)  # the line ends with this process
    return line


def _members(documents: Sequence[HistoryDocument], plan: Plan, folder: Path) -> list[Member]:
    shares = assign(documents, len(plan.homes))
    members: list[Member] = []
    for (name, home), share in zip(plan.homes.items(), shares, strict=True):
        path = folder / f"{name}.jsonl"
        write_documents(path, share)
        members.append(Member(name, home.path, path, len(share), plan.wait_s))
    return members


def _watch(members: Sequence[Member], tell: Tell) -> dict[str, int]:
    """Each member's exit code, once all have ended."""
    codes: dict[str, int] = {}
    while len(codes) < len(members):
        for member in members:
            if member.name not in codes and (code := member.poll()) is not None:
                codes[member.name] = code
        tell(members)
        time.sleep(_LOOK_S)
    return codes


def _result(member: Member, code: int) -> RegisterResult:
    failure = "" if is_success(code) else member.last_words()
    if is_undrained(code):
        failure = f"{member.progress.owed} entries are owed still. Run it again with a longer --wait."
    return RegisterResult(
        name=member.name,
        documents=member.count,
        recorded=member.recorded,
        known=member.count - member.recorded - member.progress.refusals if is_success(code) else 0,
        refused=member.progress.refused,
        refusals=member.progress.refusals,
        owed=member.progress.owed,
        starts=member.starts,
        failure=failure,
    )
