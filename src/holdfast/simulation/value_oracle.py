"""The oracle's own look as a till uses what it holds: by what it was told when, and what left it, whatever
its own disk and clock say (P8)."""

from collections.abc import Iterable, Sequence

from holdfast.core.central.at_till import SURE_FOR_MS, TillHold
from holdfast.core.central.holds import Hold
from holdfast.core.central.stale import WORN_MS
from holdfast.simulation.ledger import Ledger, Life
from holdfast.simulation.world import PACE

SLACK_MS = 60_000
"""Clocks are that far apart at the most, by the time on the wall."""


def look_at_use(ledger: Ledger, life: Life, used: Iterable[TillHold], now_ms: int, *, online: bool) -> None:
    """`now_ms`: in network time."""
    for hold in used:
        if hold.is_own:
            problem = _left(ledger, life, hold)
        else:
            problem = _unheard(ledger, life, hold) or (_worn(ledger, life, hold, now_ms) if online else "")
        if problem:
            ledger.broken.append(f"P8: {life.node} {problem}")


def look_at_release(ledger: Ledger, hold: Hold, owners: Sequence[Life]) -> None:
    """As the policy releases a lock: no register has a sale with it that head office does not know (GC9).
    `owners`: disks that go by the owner's name; of several head office sees one alone."""
    for use in ledger.used.get(hold.key, ()):
        if list(owners) == [use.life]:
            ledger.broken.append(
                f"P8: head office releases a {hold.kind} by itself, and {use.life.node} owes a sale with it"
            )


def _left(ledger: Ledger, life: Life, hold: TillHold) -> str:
    """Of what left this disk somebody else may know (GC6)."""
    epoch, seq = ledger.issued[hold.number]
    is_left = seq <= ledger.left.get((life.number, epoch), 0)
    return "vouches for a memo whose issue left it" if is_left else ""


def _unheard(ledger: Ledger, life: Life, hold: TillHold) -> str:
    """A restored disk asks again for what it held before."""
    is_heard = not life.is_restored or (life.number, hold.key) in ledger.told_ms
    return "" if is_heard else f"uses a {hold.kind} that it held before a restore"


def _worn(ledger: Ledger, life: Life, hold: TillHold, now_ms: int) -> str:
    """What was asked for long ago, and not since, the policy may have released (GC9). When a copy's disk was
    told of what it holds, nobody knows here."""
    told_ms = ledger.told_ms.get((life.number, hold.key))
    if told_ms is None:
        return ""
    age_ms = (now_ms - ledger.held_ms[hold.key]) * PACE
    is_worn = age_ms >= WORN_MS + SLACK_MS and (now_ms - told_ms) * PACE >= SURE_FOR_MS + SLACK_MS
    return f"uses a {hold.kind} that was locked long ago, without asking" if is_worn else ""
