"""The table of the switch as a page of reference, made from `outcome` alone."""

from collections.abc import Iterator

from holdfast.core.central.accounts import WORDS, Kind
from holdfast.core.central.switch import Back, Cell, Drop, Result, Then, cells, outcome

_HEAD = """\
# When the line drops with a card in the transaction

Made from the code by `make docs`; each of its {count} cells is run by the simulation. *Allowed* is the kind's
parameter: *Allow concluding gift card transactions offline*, the same for credit memos, and on account inside
an allowance. Points have none.

A call to head office holds value and never moves it: only the sale's entry does, once, when it is applied.

- **not moved**: the balance is as it was. **moves when the sale arrives**: the sale is complete at the till.
- A lock that **stays with the transaction** moves with it on suspend and recall, and survives a restart.
- A lock that stays **until the owner's entry** ends by itself once the register's journal arrives. Where the
  register is gone, head office or the store manager releases it, with a reason.
"""


def switch_page() -> str:
    """Markdown: one table a kind; combinations that end alike share a row."""
    parts = [_HEAD.format(count=sum(1 for _ in cells()))]
    for kind in Kind:
        parts.append(f"## {WORDS[kind].capitalize()}\n")
        parts.append("| line drops | allowed | then | line returns | at the till | value | lock | says |")
        parts.append("|---|---|---|---|---|---|---|---|")
        parts += [_row(key, backs) for key, backs in _rows(kind)]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


_Key = tuple[Drop, str, Then, Result]


def _rows(kind: Kind) -> Iterator[tuple[_Key, list[Back]]]:
    """Where the parameter makes no difference it is *either*; returns that end alike stand together."""
    for drop in Drop:
        for then in Then:
            ends = {
                allowed: {back: outcome(Cell(kind, drop, allowed, then, back)) for back in Back}
                for allowed in (False, True)
            }
            if ends[False] == ends[True]:
                yield from _grouped(drop, "either", then, ends[True])
            else:
                yield from _grouped(drop, "no", then, ends[False])
                yield from _grouped(drop, "yes", then, ends[True])


def _grouped(
    drop: Drop, allowed: str, then: Then, ends: dict[Back, Result]
) -> Iterator[tuple[_Key, list[Back]]]:
    grouped: dict[Result, list[Back]] = {}
    for back, result in ends.items():
        grouped.setdefault(result, []).append(back)
    for result, backs in grouped.items():
        yield (drop, allowed, then, result), backs


def _row(key: _Key, backs: list[Back]) -> str:
    drop, allowed, then, result = key
    when = "whenever" if len(backs) == len(Back) else ", or ".join(backs)
    cells = (drop, allowed, then, when, result.till, result.value, result.lock, result.says)
    return f"| {' | '.join(str(cell) for cell in cells)} |"
