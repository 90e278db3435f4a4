"""kill -9 of a selling register, again and again: what it had said was sold is there, exactly once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from holdfast.infra.config import RegisterHome
from holdfast.register.verify import verify_register
from tests.conftest import ROOT
from tests.register_fixture import make_register, open_checkout

ROUNDS = 6
SELLER = """
import sys
from pathlib import Path
from holdfast.infra.clock import ManualClock, SystemRandomness
from holdfast.infra.config import RegisterHome
from holdfast.register.checkout import Checkout
from tests.register_fixture import CASHIER, sell_one
from tests.unit.core.shop import APPLES, BEGAN_MS, MUG, done

home = RegisterHome(Path(sys.argv[1]))
checkout = Checkout.open(home, clock=ManualClock(BEGAN_MS), randomness=SystemRandomness())
if not checkout.day().open:
    done(checkout.open_day(by=CASHIER, approved_by=CASHIER))
if checkout.basket() is not None:
    done(checkout.void(reason="left by a crash", by=CASHIER))
for count in range(1_000_000):
    sale = sell_one(checkout, (MUG, APPLES)[count % 2], count=1 + count % 3)
    print(sale.document, sale.total_minor, flush=True)
    if count % 50 == 49:
        checkout.tidy()
"""


def sell_until_killed(home: RegisterHome, sales: int, delay_s: float) -> list[str]:
    """Lines that the process printed before it was killed, somewhere after so many sales."""
    process = subprocess.Popen(
        [sys.executable, "-c", SELLER, str(home.path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line)
            if len(lines) == sales:
                time.sleep(delay_s)
                break
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    lines += process.stdout.readlines()
    process.stdout.close()
    assert len(lines) >= sales, "the register stopped by itself"
    return [line.strip() for line in lines if line.endswith("\n")]


def test_what_was_said_to_be_sold_is_there_exactly_once(tmp_path: Path) -> None:
    home = make_register(tmp_path / "register")
    chance = random.Random(20260922)
    said: list[str] = []
    for _ in range(ROUNDS):
        said += sell_until_killed(home, chance.randint(3, 40), chance.uniform(0, 0.003))
    checkout = open_checkout(home)
    head = checkout.head()
    rows = checkout.documents(1_000)
    checkout.close()
    stored = Counter(f"{row.document} {row.total_minor}" for row in rows)
    assert not Counter(said) - stored, "a sale that was acknowledged is missing, or was said twice"
    unsaid = stored - Counter(said)
    assert unsaid.total() <= ROUNDS, "at most the one sale at each kill was stored and not yet said"
    assert {row.epoch for row in rows} == {head.epoch}, "kill -9 loses no mark, so no epoch was opened"
    assert [int(row.document[-6:]) for row in rows] == list(range(len(rows), 0, -1))
    assert verify_register(home).differences == ()
