"""P1, P3, P4 at the disk: whatever a power cut leaves, the till is exactly at its last acknowledged step,
or whole at the one after it, and goes on in the same epoch."""

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from holdfast.core.basket import add_return
from holdfast.core.cash.count import Count
from holdfast.core.faults import Fault
from holdfast.core.foreign_cash import CurrencyRate, foreign_tender
from holdfast.core.journal.writer import Head
from holdfast.core.money import CURRENCIES
from holdfast.core.sale import Tender
from holdfast.core.totals import DayTotals, ForeignSum
from holdfast.infra.clock import ManualClock
from holdfast.infra.config import RegisterHome
from holdfast.infra.mark import HighWaterMark, Mark
from holdfast.register.checkout import Checkout, DocumentRow
from holdfast.register.checkout.cash import OpenShift
from holdfast.register.till.cash import ZRow
from holdfast.register.verify import verify_register
from tests.crash.crashvfs import CrashImage, Recording, crash_images
from tests.register_fixture import (
    CASHIER,
    DATE,
    MANAGER,
    make_register,
    open_checkout,
    scan,
    sell_one,
    selling,
)
from tests.unit.core.shop import APPLES, BEGAN_MS, MUG, act, done


class Step(NamedTuple):
    """Everything that a person or head office could see of a till."""

    head: Head
    day: object
    basket: object
    drawer_minor: int
    foreign_drawer: dict[str, ForeignSum]
    drawer: dict[str, int]
    shift: OpenShift | None
    z_reports: list[ZRow]
    stock_milli: tuple[int, int]
    totals: DayTotals
    documents: list[DocumentRow]


def seen(checkout: Checkout) -> Step:
    return Step(
        checkout.head(),
        checkout.day(),
        checkout.basket(),
        checkout.drawer_minor(),
        checkout.foreign_drawer(),
        checkout.drawer(),
        checkout.shift(),
        checkout.z_reports(),
        (checkout.stock_milli(MUG.sku), checkout.stock_milli(APPLES.sku)),
        checkout.totals(DATE),
        checkout.documents(),
    )


def bring_back_first(checkout: Checkout) -> None:
    found = done(checkout.returnable(checkout.documents()[-1].document, 1))
    done(checkout.change(lambda basket: add_return(basket, act(), found)))


def counted(checkout: Checkout) -> list[Count]:
    """All that must be in the drawer, but for a cent of each currency."""
    return [Count(currency=code, counted_minor=minor - 1) for code, minor in checkout.drawer().items()]


DOLLAR = CurrencyRate(
    currency="USD", home="EUR", rate_e8=91_500_000, smallest_minor=100, valid_from="2025-01-01"
)
STEPS: tuple[Callable[[Checkout], object], ...] = (
    lambda checkout: done(checkout.open_day(by=CASHIER, approved_by=MANAGER, float_minor=10_000)),
    lambda checkout: done(checkout.begin(by=CASHIER)),
    lambda checkout: scan(checkout),
    lambda checkout: scan(checkout, APPLES, 750),
    lambda checkout: done(checkout.conclude(cash_given_minor=1_000)),
    lambda checkout: done(checkout.begin(by=CASHIER)),
    lambda checkout: scan(checkout),
    lambda checkout: done(checkout.take(Tender(kind="cash", amount_minor=100))),
    lambda checkout: done(checkout.take(done(foreign_tender(500, DOLLAR, "half-up")))),
    lambda checkout: checkout.tidy(),
    lambda checkout: done(checkout.begin(by=CASHIER, kind="return")),
    bring_back_first,
    lambda checkout: done(checkout.conclude(cash_given_minor=-499)),
    lambda checkout: checkout.purge({checkout.head().epoch: 3}),
    lambda checkout: done(checkout.begin(by=CASHIER)),
    lambda checkout: scan(checkout),
    lambda checkout: done(checkout.take(done(foreign_tender(100, DOLLAR, "half-up")))),
    lambda checkout: done(checkout.void(reason="left", by=CASHIER)),
    lambda checkout: done(checkout.move_cash("drop", 5_000, CURRENCIES["EUR"], act())),
    lambda checkout: done(checkout.close_shift(counted(checkout), act(), may_any=True)),
    lambda checkout: done(checkout.close_day(by=CASHIER)),
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is room: an image is written and thrown away."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


class Recorded(NamedTuple):
    """A till's life: each step as it was acknowledged, and every mark in the order of their writing."""

    log: Recording
    start: CrashImage
    steps: list[Step]
    marks: list[bytes]


def record(home: RegisterHome, synchronous: str = "full") -> Recorded:
    recording = Recording()
    open_checkout(home).close()
    start = CrashImage(0, "start", 0, {home.till.name: home.till.read_bytes()})
    checkout = open_checkout(home, vfs=recording.vfs, seed=2)
    checkout._till.connection.execute(f"pragma synchronous={synchronous}").fetchall()
    steps, marks = [seen(checkout)], [home.mark.read_bytes()]
    write = HighWaterMark.write

    def write_and_note(mark: HighWaterMark, value: Mark) -> bool:
        written = write(mark, value)
        recording.note()
        marks.append(home.mark.read_bytes())
        return written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HighWaterMark, "write", write_and_note)
        for number, step in enumerate(STEPS, start=1):
            step(checkout)
            recording.acknowledge(number)
            steps.append(seen(checkout))
    checkout.close()
    return Recorded(recording, start, steps, marks)


def lay_down(home: RegisterHome, image: CrashImage, mark: bytes) -> None:
    for leftover in home.data.glob(f"{home.till.name}-*"):
        leftover.unlink()
    for name, content in image.files.items():
        home.till.with_name(name).write_bytes(content)
    home.mark.write_bytes(mark)


def judge(home: RegisterHome, image: CrashImage, recorded: Recorded) -> str:
    """What is wrong with the till that wakes up with this image, or nothing."""
    try:
        checkout = open_checkout(home, seed=3)
    except Fault as fault:
        return f"does not open: {fault}"
    found = seen(checkout)
    checkout.close()
    allowed = recorded.steps[image.acknowledged : image.acknowledged + 2]
    if found not in allowed:
        return f"neither as acknowledged nor one step on: {found.head}"
    differences = verify_register(home).differences
    return f"does not verify: {differences[0]}" if differences else ""


@pytest.mark.parametrize("seed", [1, 2])
def test_a_step_is_whole_or_absent_and_no_acknowledged_one_is_lost(folder: Path, seed: int) -> None:
    home = make_register(folder / "register")
    recorded = record(home)
    chance = random.Random(seed)
    images = list(crash_images(recorded.log.log, seed, recorded.start))
    assert len(images) > 400, "the recording has too few points to tell anything"
    for image in images:
        # The mark is not flushed at each step, so any earlier one may be what is left of it.
        lay_down(home, image, chance.choice(recorded.marks[: image.noted + 1]))
        cause = judge(home, image, recorded)
        assert not cause, f"seed {seed}, point {image.point}, {image.fate}: {cause}"


def test_a_power_cut_while_a_restored_till_opens_its_epoch_loses_nothing(folder: Path) -> None:
    """The next start opens an epoch, keeps what the backup had, and closes the day that was over."""
    home = make_register(folder / "register")
    clock = ManualClock(BEGAN_MS)
    with selling(home, clock) as checkout:
        kept = sell_one(checkout)
        former = checkout.head().epoch
    start = CrashImage(0, "start", 0, {home.till.name: home.till.read_bytes()})
    with selling(home, clock, seed=2) as checkout:
        lost = sell_one(checkout)
        done(checkout.close_day(by=CASHIER))
        clock.advance(86_400_000)
        done(checkout.open_day(by=CASHIER))
    ahead = home.mark.read_bytes()
    recording = Recording()
    lay_down(home, start, ahead)
    open_checkout(home, clock, seed=3, vfs=recording.vfs).close()
    marks = (ahead, home.mark.read_bytes())
    for number, image in enumerate(crash_images(recording.log, 1, start)):
        # The new mark is written once the epoch is on the disk, which the last images are known to hold.
        lay_down(home, image, marks[1] if image.point == len(recording.log) else marks[0])
        checkout = open_checkout(home, clock, seed=100 + number)
        assert checkout.head().epoch != former
        assert not checkout.day().open
        done(checkout.open_day(by=CASHIER, approved_by=MANAGER))
        sale = sell_one(checkout)
        assert [row.document for row in checkout.documents()] == [sale.document, kept.document]
        assert sale.document not in (kept.document, lost.document)
        checkout.close()
        assert verify_register(home).differences == ()
