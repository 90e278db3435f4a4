"""Allowances over the store in memory: the rule that ships, with figures of its own.

`hq/central/allowances.py` reads them from parameters.
"""

from holdfast.core.central import after_loss
from holdfast.core.central.grants import Exposed, Granted, GrantRequest, Terms, decide_grant
from holdfast.core.central.holds import Declined
from holdfast.core.ids import OriginId
from holdfast.infra.clock import Clock
from holdfast.simulation.reference import CURRENCY
from holdfast.simulation.stores import SimStore

TERMS = Terms(
    currency=CURRENCY,
    allowed_minor=4_000,
    chain_minor=50_000,
    lasts_ms=12 * 3_600_000,
    per_card_minor=3_000,
    per_transaction_minor=2_000,
)


class SimAllowances:
    """Of one head office."""

    def __init__(self, store: SimStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def ask(self, origin: OriginId, request: GrantRequest) -> Granted | Declined:
        tables, now_ms = self._store.tables, self._clock.now_ms()
        grants = tables.central.grants
        known = grants.get(request.grant)
        with self._store.transaction(None) as transaction:
            if known is None and transaction.central.is_waiting():
                return after_loss.declined(request.kind)
        mine = [grant for grant in grants.values() if (grant.origin, grant.kind) == (origin, request.kind)]
        exposed = Exposed(
            register_minor=sum(grant.left(now_ms) for grant in mine),
            chain_minor=sum(grant.left(now_ms) for grant in grants.values()),
        )
        chains = tables.chains_of.get(origin, ())
        newest = tables.chains[chains[-1]] if chains else None
        is_current = newest is not None and newest.facts.epoch == request.epoch
        decided = decide_grant(request, origin, known, TERMS, exposed, now_ms, is_current=is_current)
        if isinstance(decided, Declined):
            return decided
        grants[decided.grant] = decided
        return Granted(
            grant=decided.grant,
            epoch=decided.epoch,
            kind=decided.kind,
            currency=decided.currency,
            amount_minor=decided.amount_minor,
            expires_at_ms=decided.expires_at_ms,
            per_card_minor=TERMS.per_card_minor,
            per_transaction_minor=TERMS.per_transaction_minor,
        )
