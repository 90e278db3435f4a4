"""Readiness: would this register survive an outage that began now? A score from what would fail (SW11).

Facts in, findings and a score out. A finding that would stop the till from selling, or would keep what it
sold from ever being sent, *stops*: with one of them the score is below `SURVIVES_FROM`, and without any it is
not, however many others there are. Payment terminals are not counted: no version drives one yet.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import msgspec

HOUR_MS = 3_600_000
WHOLE = 100
SURVIVES_FROM = 50
READY_FROM = 80
FEED_OLD_AFTER_MS = 24 * HOUR_MS
OWED_OLD_AFTER_MS = HOUR_MS
SKEW_MS_MAX = 2 * 60_000
"""More of it, and the business date and all ages are in doubt."""
DISK_LOW_BYTES = 1 << 30
FINDINGS_MAX = 32
"""Codes of one register's word that are looked at."""

Band = Literal["ready", "weak", "fails", "unknown"]


class Readiness(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a register says of itself."""

    score: int
    """0 to 100."""
    findings: tuple[str, ...] = ()
    """Codes, the gravest first."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What decides."""

    feed_ages_ms: Mapping[str, int]
    """How old each feed's data may be; a feed that never came is missing."""
    sellers: int
    """People with a PIN who may sell."""
    approvers: int
    """Of them those who may approve for others."""
    currency_is_known: bool
    disk_free_bytes: int
    has_reserve: bool
    """Room is held back to finish an open sale on a full disk."""
    printer_trouble: str | None
    """What keeps the printer from printing; empty: nothing; None: there is none, and none is missed."""
    has_signing_key: bool
    has_recovery_copy: bool
    has_mark: bool
    skew_ms: int | None
    owed_age_ms: int | None
    """Age of the oldest document that head office lacks; None: it has all."""
    is_blocked: bool


class Finding(NamedTuple):
    """One thing that would fail, in words."""

    code: str
    weight: int
    stops: bool
    what: str
    why: str
    cure: str


class Check(NamedTuple):
    """A finding, and when it is one."""

    finding: Finding
    fails: Callable[[Facts], bool]


def _lacks(feed: str) -> Callable[[Facts], bool]:
    return lambda facts: feed not in facts.feed_ages_ms


def _is_old(feed: str) -> Callable[[Facts], bool]:
    return lambda facts: facts.feed_ages_ms.get(feed, 0) > FEED_OLD_AFTER_MS


def _stop(code: str, what: str, why: str, cure: str, fails: Callable[[Facts], bool]) -> Check:
    return Check(Finding(code, WHOLE - SURVIVES_FROM + 10, True, what, why, cure), fails)


def _flaw(code: str, weight: int, what: str, why: str, cure: str, fails: Callable[[Facts], bool]) -> Check:
    return Check(Finding(code, weight, False, what, why, cure), fails)


_SYNC = "Press Sync now on the page Status; see there why it does not go."

CHECKS: tuple[Check, ...] = (
    _stop(
        "products.missing",
        "Nothing could be sold",
        "This register has never received any products.",
        "Load products at head office, then press Sync now on the page Status.",
        _lacks("products"),
    ),
    _stop(
        "prices.missing",
        "Nothing would have a price",
        "This register has never received any prices.",
        "Load prices at head office, then press Sync now on the page Status.",
        _lacks("prices"),
    ),
    _stop(
        "staff.nobody",
        "Nobody could sign in to sell",
        "No active member of staff with a PIN may sell.",
        "Load staff with PINs and roles at head office.",
        lambda facts: not facts.sellers,
    ),
    _stop(
        "currency.unknown",
        "Amounts could not be taken",
        "The register's currency is none that this version knows.",
        "Enrol the register in a store with a currency of ISO 4217.",
        lambda facts: not facts.currency_is_known,
    ),
    _stop(
        "disk.full",
        "New sales would be refused",
        "The disk has no room beside what an open sale needs.",
        "Make room on this machine's disk.",
        lambda facts: not facts.has_reserve,
    ),
    _stop(
        "key.missing",
        "What is sold could not be sent",
        "The key that this register signs with is missing or unreadable.",
        "Put secrets/signing.key back, or have head office give the register another key.",
        lambda facts: not facts.has_signing_key,
    ),
    _flaw(
        "blocked",
        25,
        "What is sold would stay here",
        "Head office refuses this register, so nothing arrives also after the outage.",
        "Read on the page Status what head office says, and cure that first.",
        lambda facts: facts.is_blocked,
    ),
    _flaw(
        "staff.no-approver",
        15,
        "What needs a manager would not be done",
        "Nobody with a PIN on this register may approve for others.",
        "Give somebody of the store a role that may approve.",
        lambda facts: facts.sellers > 0 and not facts.approvers,
    ),
    _flaw(
        "recovery.missing",
        15,
        "A lost database key would lose its sales",
        "The sealed copy of the database's key is not beside the database.",
        "Give the register a new code with holdfast hq register rekey: it makes the copy anew.",
        lambda facts: not facts.has_recovery_copy,
    ),
    _flaw(
        "mark.missing",
        15,
        "An old copy of the database would not be noticed",
        "The high-water mark beside the keys is missing.",
        "Start the till again: it makes a new one.",
        lambda facts: not facts.has_mark,
    ),
    _flaw(
        "printer.trouble",
        15,
        "Receipts would wait for paper",
        "The printer did not print when it was asked last.",
        "See to its power, cable, paper and cover; the status line says what it is.",
        lambda facts: bool(facts.printer_trouble),
    ),
    _flaw(
        "prices.old",
        15,
        "Goods would be sold at old prices",
        "The prices are older than a day.",
        _SYNC,
        _is_old("prices"),
    ),
    _flaw(
        "staff.old",
        15,
        "Who came or left since could sign in wrongly",
        "The staff list is older than a day.",
        _SYNC,
        _is_old("staff"),
    ),
    _flaw(
        "products.old",
        10,
        "New products could not be sold",
        "The products are older than a day.",
        _SYNC,
        _is_old("products"),
    ),
    _flaw(
        "taxes.old",
        10,
        "Goods would be sold at old tax rates",
        "The tax rates are older than a day.",
        _SYNC,
        _is_old("taxes"),
    ),
    _flaw(
        "owed.old",
        10,
        "Earlier sales would wait longer",
        "Sales of more than an hour ago have not reached head office.",
        _SYNC,
        lambda facts: (facts.owed_age_ms or 0) > OWED_OLD_AFTER_MS,
    ),
    _flaw(
        "clock.off",
        10,
        "Sales would bear a wrong time",
        "This register's clock and head office's are more than two minutes apart.",
        "Set this machine's clock, best by a time service.",
        lambda facts: abs(facts.skew_ms or 0) > SKEW_MS_MAX,
    ),
    _flaw(
        "disk.low",
        10,
        "A long outage could fill the disk",
        "Less than 1 GiB is free.",
        "Make room on this machine's disk.",
        lambda facts: facts.has_reserve and facts.disk_free_bytes < DISK_LOW_BYTES,
    ),
)
"""All that is looked at, the gravest first."""

_BY_CODE = {check.finding.code: check.finding for check in CHECKS}


def assess(facts: Facts) -> Readiness:
    """The score, and what it comes from."""
    found = [check.finding for check in CHECKS if check.fails(facts)]
    return Readiness(score=score_of(found), findings=tuple(finding.code for finding in found))


def score_of(findings: list[Finding]) -> int:
    """Flaws alone take no more than leaves `SURVIVES_FROM`; each finding that stops takes more than that."""
    flaws = sum(finding.weight for finding in findings if not finding.stops)
    stops = sum(finding.weight for finding in findings if finding.stops)
    return max(0, WHOLE - min(flaws, WHOLE - SURVIVES_FROM) - stops)


def band_of(readiness: Readiness | None) -> Band:
    """Whether it would survive, in a word."""
    if readiness is None:
        return "unknown"
    if readiness.score < SURVIVES_FROM:
        return "fails"
    return "ready" if readiness.score >= READY_FROM else "weak"


def findings_of(readiness: Readiness) -> tuple[Finding, ...]:
    """In words; also what a register of a later version says of itself."""
    return tuple(_BY_CODE.get(code) or _unknown(code) for code in readiness.findings[:FINDINGS_MAX])


def _unknown(code: str) -> Finding:
    return Finding(
        code[:64],
        0,
        False,
        "Something that a later version looks at",
        f"The register calls it “{code[:64]}”.",
        "Upgrade head office: then it is said in words here.",
    )
