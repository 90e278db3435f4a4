"""Every cell of the table of the switch, at tills that are processes, over lines cut at the very step.

P2, P5, P8; GC4 to GC7, LY4, OA1, SW10. HOLDFAST_ACCEPT_CELLS=N runs every Nth of them.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console

from holdfast.core.central.accounts import Kind
from holdfast.core.central.switch import AtTill, Back, Cell, Drop, Lock, Then, Value, cells, outcome
from holdfast.core.operations.conditions import SWITCHES
from tests.acceptance.switch_shop import LOOK_S, MILK, Shop, Till, eventually
from tests.integration.test_register_sync.line_proxy import Mode

TILLS = 4
SETTLES_S = 20.0
EVERY = int(os.environ.get("HOLDFAST_ACCEPT_CELLS", "1"))
NUMBERED = (Kind.GIFT_CARD, Kind.CREDIT_MEMO)
console = Console(width=120, highlight=False)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    tmp_path.chmod(0o711)
    found = Shop(tmp_path / "shop", TILLS)
    try:
        yield found
    finally:
        found.close()


def test_every_cell_ends_as_the_table_says(shop: Shop) -> None:
    began_s, wrong = time.monotonic(), list[str]()
    with ThreadPoolExecutor(TILLS) as threads:
        tills = list(threads.map(lambda n: Till(shop, n), range(TILLS)))
        try:
            for allowed in (False, True):
                versions = [shop.set(name, allowed) for name in SWITCHES]
                for till in tills:
                    till.wait_parameters(max(versions))
                todo = [cell for cell in cells() if cell.allowed is allowed][::EVERY]
                shared = _Shared(todo, began_s)
                for found in threads.map(lambda till, shared=shared: _work(till, shared), tills):
                    wrong += found
        finally:
            list(threads.map(Till.close, tills))
    assert shop.unbalanced() == ""
    assert not wrong, "\n".join(wrong)


class _Shared:
    """The cells that are left, for whichever till is free."""

    def __init__(self, todo: Sequence[Cell], began_s: float) -> None:
        self._left = list(reversed(todo))
        self._count, self._began_s = len(todo), began_s
        self._lock = threading.Lock()

    def next(self) -> Cell | None:
        with self._lock:
            done = self._count - len(self._left)
            if done % 20 == 0:
                console.print(
                    f"{time.monotonic() - self._began_s:6.1f} s  {done} of {self._count} cells begun"
                )
            return self._left.pop() if self._left else None


def _work(till: Till, shared: _Shared) -> list[str]:
    wrong: list[str] = []
    while (cell := shared.next()) is not None:
        if found := _ends_wrong(till, cell):
            console.print(f"{cell}: {found}", style="red")
            wrong.append(f"{cell}: {found}")
    return wrong


def _ends_wrong(till: Till, cell: Cell) -> str:
    """What does not end as the table says; empty: all does. The till has nothing open afterwards."""
    if cell.kind is Kind.CREDIT_MEMO and till.memo_left == 0:
        till.give_memo()
    account = till.account(cell.kind)
    before = len(till.shop.taken(cell.kind, account))
    till.post("/scan", text=MILK)
    if cell.kind not in NUMBERED:
        till.choose()
    _until_the_line_drops(till, cell)
    if cell.back is Back.BEFORE:
        _back_before(till, cell)
    at_till = _then(till, cell)
    if cell.back is Back.AFTER and cell.then is not Then.REPLACED:
        till.heal()
    wanted = outcome(cell)
    expected = (wanted.till, wanted.value, wanted.lock is not Lock.NONE)
    found = _at_head_office(till, cell, account, before, at_till)
    until_s = time.monotonic() + SETTLES_S
    while found != expected and time.monotonic() < until_s:
        time.sleep(LOOK_S)  # what is under way arrives
        found = _at_head_office(till, cell, account, before, at_till)
    taken = till.shop.taken(cell.kind, account)[before:]
    _clear(till, cell, account)
    if any(difference or remark for _, difference, remark in taken):
        return f"a difference: {taken}"
    return "" if found == expected else f"{found}, not {expected}"


def _at_head_office(
    till: Till, cell: Cell, account: str, before: int, at_till: AtTill
) -> tuple[AtTill, Value, bool]:
    taken = till.shop.taken(cell.kind, account)[before:]
    return at_till, _value(taken, at_till, cell), bool(till.shop.held(cell.kind, account))


def _value(taken: Sequence[tuple[int, int, str]], at_till: AtTill, cell: Cell) -> Value:
    if taken:
        return Value.MOVED if len(taken) == 1 and taken[0][0] < 0 else Value.UNMOVED
    is_owed = at_till is AtTill.CONCLUDED and cell.back is Back.NEVER
    return Value.OWED if is_owed else Value.UNMOVED


def _until_the_line_drops(till: Till, cell: Cell) -> None:
    if cell.drop is Drop.BEFORE:
        till.cut()
        till.ask(cell.kind)
        assert till.holds() == [], "begun offline: refused, and nothing asked"
    elif cell.drop is Drop.DURING:
        _lose_the_answer(till, cell)
        till.cut()
    else:
        _hold(till, cell)
        till.cut()


def _lose_the_answer(till: Till, cell: Cell) -> None:
    """Of the very call that asks to hold, in a session that is open."""
    till.look_up_a_balance()
    till.line.mode = Mode.LOSE_ANSWER
    till.ask(cell.kind)
    assert [hold.stage for hold in till.holds()] == ["in doubt"], "the call left, and no answer came"


def _hold(till: Till, cell: Cell) -> None:
    """Held and not paid with yet. Points and credit are paid with as soon as they are held: unless the answer
    came so late that it was asked for again behind the scene."""
    if cell.kind in NUMBERED:
        till.ask(cell.kind)
    else:
        _lose_the_answer(till, cell)
        till.heal()
    _wait_held(till)


def _wait_held(till: Till) -> None:
    eventually(
        lambda: [hold.stage for hold in till.holds()] == ["held"], "head office holds it for this till"
    )


def _back_before(till: Till, cell: Cell) -> None:
    till.heal()
    if cell.then is Then.REPLACED:
        return
    if cell.drop is Drop.BEFORE:
        if cell.then is Then.CONCLUDE and cell.kind not in NUMBERED:
            return  # asked for and paid with in one
        _hold(till, cell)
    else:
        _wait_held(till)


def _then(till: Till, cell: Cell) -> AtTill:
    holds = till.holds()
    match cell.then:
        case Then.CONCLUDE:
            return _conclude(till, cell, [hold.key for hold in holds])
        case Then.REMOVE:
            for hold in holds:
                till.post(f"/held/{cell.kind.value}/{hold.key}/off?from=pay")
            assert till.holds() == []
            return AtTill.GIVEN_UP
        case Then.VOID:
            till.post("/void", reason="r")
            assert till.basket() is None
            return AtTill.GIVEN_UP
        case Then.SUSPEND:
            till.post("/suspend", note="")
            assert till.suspended() == 1
            return AtTill.OPEN
        case Then.CRASH:
            till.place.kill()
            till.start()
            if till.line.mode is Mode.OPEN:
                till.wait_mode("online")
            assert [hold.key for hold in till.holds()] == [hold.key for hold in holds]
            return AtTill.OPEN if till.basket() is not None else AtTill.CONCLUDED
        case Then.REPLACED:
            till.gone()
            return AtTill.GONE


def _conclude(till: Till, cell: Cell, keys: Sequence[str]) -> AtTill:
    if not keys and till.line.mode is not Mode.OPEN:
        till.post("/pay", amount="exact")  # refused: cash, then
        assert till.basket() is None
        return AtTill.WITHOUT
    if cell.kind in NUMBERED:
        till.post(f"/held/{cell.kind.value}/{keys[0]}/pay?from=pay")
    else:
        till.ask(cell.kind)
    return AtTill.REFUSED if till.basket() is not None else AtTill.CONCLUDED


def _clear(till: Till, cell: Cell, account: str) -> None:
    """Nothing open, all sent, nothing locked: a lock whose owner is gone is released by a person."""
    if cell.then is Then.REPLACED:
        for key in till.shop.held(cell.kind, account):
            till.shop.release(key)
        till.begin_anew()
        return
    till.heal()
    if till.suspended():
        till.post(f"/suspended/{till.suspended_transaction()}/void", reason="r")
    if till.basket() is not None:
        till.post("/void", reason="r")
    till.wait_sent()
    if cell.kind is Kind.CREDIT_MEMO:
        till.memo_left -= 1
    eventually(lambda: not till.shop.held(cell.kind, account), "no lock is left stranded")
