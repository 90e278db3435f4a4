"""The till's side of an allowance: how much may be taken of it, begun offline (GC10, OA2).

    journalled as taken ──► used by documents, within its limits ──► used up, expired, replaced or returned

Only of what has a record here: the account is known from an earlier answer of head office. What an allowance
lets through and the account does not have is the chain's loss, never more than the allowance.
"""

import msgspec

from holdfast.core.central.accounts import WORDS, AccountId, Kind
from holdfast.core.central.attempts import Limit
from holdfast.core.central.entries import AllowanceReturned, AllowanceTaken
from holdfast.core.central.grants import Granted
from holdfast.core.central.sentences import BEGUN_OFFLINE
from holdfast.core.ids import EpochId
from holdfast.core.refusals import Refusal

BY_CARD = Limit(tries=5, refill_ms=60_000)
"""Wrong PINs of one card at one till while nobody else can count them (GC11)."""
REPLACED, EXPIRED, RETIRED, WITHDRAWN = "replaced", "expired", "retired", "withdrawn"


class Allowed(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One allowance as the till's disk has it."""

    granted: Granted
    used_minor: int = 0
    """By documents of this till, whether they were sent or not."""
    by_account: dict[AccountId, int] = {}
    """Of it by each card or customer."""

    def left_minor(self, now_ms: int) -> int:
        """What may still be taken; nothing once it expired."""
        if now_ms >= self.granted.expires_at_ms:
            return 0
        return max(0, self.granted.amount_minor - self.used_minor)


def taken(granted: Granted) -> AllowanceTaken:
    """What is journalled before anything is taken of it."""
    return AllowanceTaken(
        grant=granted.grant,
        kind=granted.kind,
        amount=granted.amount_minor,
        currency=granted.currency,
        expires_at_ms=granted.expires_at_ms,
    )


def returned(allowed: Allowed, cause: str) -> AllowanceReturned:
    """What is journalled where nothing more is taken of it."""
    unused = max(0, allowed.granted.amount_minor - allowed.used_minor)
    return AllowanceReturned(
        grant=allowed.granted.grant, kind=allowed.granted.kind, unused=unused, cause=cause
    )


def may_take(
    allowed: Allowed | None,
    kind: Kind,
    account: AccountId,
    *,
    epoch: EpochId,
    in_transaction: int,
    now_ms: int,
) -> int | Refusal:
    """How much of that account may be taken now, or why nothing.

    `epoch`: the one that is open. An allowance of another one is none: a restored disk may hold one that was
    used up since (P4). `in_transaction`: what the open transaction takes of it already.
    """
    if allowed is None or allowed.granted.kind is not kind or allowed.granted.epoch != epoch:
        return Refusal("allowance.none", BEGUN_OFFLINE[kind])
    left_minor = allowed.left_minor(now_ms) - in_transaction
    if left_minor <= 0:
        return Refusal("allowance.used-up", BEGUN_OFFLINE[kind])
    bounds = [left_minor]
    if allowed.granted.per_card_minor:
        bounds.append(allowed.granted.per_card_minor - allowed.by_account.get(account, 0) - in_transaction)
    if allowed.granted.per_transaction_minor:
        bounds.append(allowed.granted.per_transaction_minor - in_transaction)
    if min(bounds) <= 0:
        return Refusal("allowance.limit", no_more(kind))
    return min(bounds)


def no_more(kind: Kind) -> str:
    """What a cashier reads at a limit."""
    return f"No more of this {WORDS[kind]} can be taken while offline. Take another tender for the rest."


def too_many_tries(kind: Kind) -> str:
    """What a cashier reads instead of another answer."""
    return f"Too many wrong tries with this {WORDS[kind]}. Wait a minute, then try again."


def use(allowed: Allowed, account: AccountId, amount_minor: int) -> Allowed:
    """After the document that took it, in the same transaction."""
    assert amount_minor > 0, "something is taken"
    assert allowed.used_minor + amount_minor <= allowed.granted.amount_minor, "never more than it allows"
    by_account = {**allowed.by_account, account: allowed.by_account.get(account, 0) + amount_minor}
    return msgspec.structs.replace(
        allowed, used_minor=allowed.used_minor + amount_minor, by_account=by_account
    )
