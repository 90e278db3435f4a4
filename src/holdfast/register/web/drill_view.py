"""What the page *Ready for an outage?* shows, and what is told of a drill that ended (SW11)."""

from typing import Any, NamedTuple

from holdfast.core.drill import Refused
from holdfast.core.faults import Fault
from holdfast.core.operations import OPERATIONS
from holdfast.core.readiness import Readiness, band_of, findings_of
from holdfast.register.web.drills import Over
from holdfast.register.web.formats import Formats
from holdfast.register.web.messages import say
from holdfast.register.web.shelf import Shelf

_OVER = {
    "time": ("drill.over.time", "drill.over.time.text"),
    "outage": ("drill.over.outage", "drill.over.outage.text"),
    "restart": ("drill.over.restart", "drill.over.restart.text"),
}
_CAUSES = {
    "ended": "drill.cause.ended",
    "time": "drill.cause.time",
    "signed-out": "drill.cause.signed-out",
    "outage": "drill.cause.outage",
    "by-hand": "drill.cause.by-hand",
    "restart": "drill.cause.restart",
}
_LEADS = {"ready": "ready.ready", "weak": "ready.weak", "fails": "ready.fails"}


class Ended(NamedTuple):
    """That a drill ended by itself, for the one dialog that tells it."""

    title: str
    text: str


def ended_of(over: Over) -> Ended:
    """`The drill is over: this is a real outage`."""
    title, text = _OVER[over.ended.cause]
    return Ended(say(title), say(text))


def readiness_view(found: Readiness | Fault, fmt: Formats) -> dict[str, Any]:
    """The score and what would fail, or why that cannot be told."""
    if isinstance(found, Fault):
        return {"band": "unknown", "score": "", "lead": say("ready.unknown", why=found.sentence), "rows": ()}
    band = band_of(found)
    return {
        "band": band,
        "score": say("ready.score", score=fmt.count(found.score)),
        "lead": say(_LEADS[band]),
        "rows": findings_of(found),
    }


def over_view(over: Over, fmt: Formats, shelf: Shelf) -> dict[str, Any]:
    """What came of a drill."""
    ended = over.ended
    return {
        "began": fmt.moment(over.drill.started_ms, over.at_ms),
        "lasted": fmt.age(ended.lasted_ms),
        "why": say(_CAUSES[ended.cause], name=shelf.staff_name(ended.by)),
        "made": made_text(ended.documents, ended.value_minor, fmt),
        "wait": wait_text(ended.longest_wait_ms),
        "refused": tuple(_refused_text(one) for one in ended.refused),
    }


def made_text(documents: int, value_minor: int, fmt: Formats) -> str:
    """`3 sales, €12.00`."""
    key = "owed.sale" if documents == 1 else "owed.sales.count"
    count = say(key, count=fmt.count(documents))
    return say("ready.drill.made.some", count=count, value=fmt.money(value_minor))


def wait_text(wait_ms: int) -> str:
    """`0.04 s`."""
    if not wait_ms:
        return say("ready.drill.wait.none")
    return say("ready.drill.wait.some", seconds=f"{wait_ms / 1_000:.2f}")


def _refused_text(one: Refused) -> str:
    row = OPERATIONS.get(one.operation)
    name = row.name if row else one.operation
    key = "ready.drill.refused.once" if one.times == 1 else "ready.drill.refused.times"
    return say(key, name=name, times=one.times, sentence=one.sentence)
