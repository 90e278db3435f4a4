"""After head office lost state: no hold and no allowance until it knows what registers did since (P2, P8).

A restored head office lacks the sales that came after its backup, and the holds that it gave. Until each
register has spoken in this life of head office and brought all that it owed, any balance may be too high.
"""

from holdfast.core.central.accounts import WORDS, Kind
from holdfast.core.central.holds import Declined

CODE = "hold.restored"


def declined(kind: Kind) -> Declined:
    """What the cashier reads. A business answer: nothing is in doubt."""
    what = "all points" if kind is Kind.POINTS else f"what is left on each {WORDS[kind]}"
    return Declined(
        code=CODE,
        sentence=(
            f"Head office was restored, and does not know {what} yet. Take another tender; it works again "
            "once all stores have answered."
        ),
    )


def has_answered(owing: str) -> bool:
    """Whether a register with that standing (`core.monitoring.owed`) has told this life of head office all:
    a word of a former life is none, and counts as *may owe*."""
    return owing in ("nothing", "complete")
