"""Allowances over a store in memory: the rule that ships, with figures of its own.

`hq/central/allowances.py` reads them from parameters.
"""

from collections.abc import Callable

from holdfast.core.central import after_loss
from holdfast.core.central.accounts import Kind
from holdfast.core.central.grants import Exposed, Grant, Granted, GrantRequest, Terms, answer_of, decide_grant
from holdfast.core.central.holds import Declined
from holdfast.core.ids import OriginId
from holdfast.core.ingest.rows import COLUMNS
from holdfast.hq.store.memory import MemoryStore
from holdfast.simulation.reference import CURRENCY

_AT_MS = COLUMNS["entry"].index("at_ms")
TERMS = Terms(
    currency=CURRENCY,
    allowed_minor=4_000,
    chain_minor=50_000,
    lasts_ms=12 * 3_600_000,
    per_card_minor=3_000,
    per_transaction_minor=2_000,
)


class MemoryAllowances:
    """Of one head office."""

    def __init__(
        self,
        store: MemoryStore,
        now_ms: Callable[[], int],
        terms_of: Callable[[Kind], Terms] = lambda kind: TERMS,
    ) -> None:
        self._store, self._now_ms, self._terms_of = store, now_ms, terms_of

    def ask(self, origin: OriginId, request: GrantRequest) -> Granted | Declined:
        tables, now_ms, terms = self._store.tables, self._now_ms(), self._terms_of(request.kind)
        grants = tables.central.grants
        known = grants.get(request.grant)
        with self._store.transaction(None) as transaction:
            if known is None and transaction.central.is_waiting():
                return after_loss.declined(request.kind)
        at_stake = {
            grant: grant.left(now_ms, is_heard_out=self._is_heard_out(grant)) for grant in grants.values()
        }
        mine = [
            left
            for grant, left in at_stake.items()
            if (grant.origin, grant.kind) == (origin, request.kind)
            and (grant.epoch == request.epoch or now_ms < grant.expires_at_ms)
        ]
        exposed = Exposed(register_minor=sum(mine), chain_minor=sum(at_stake.values()))
        chains = tables.chains_of.get(origin, ())
        is_current = bool(chains) and tables.chains[chains[-1]].facts.epoch == request.epoch
        decided = decide_grant(request, origin, known, terms, exposed, now_ms, is_current=is_current)
        if isinstance(decided, Declined):
            return decided
        grants[decided.grant] = decided
        return answer_of(decided, terms.per_card_minor, terms.per_transaction_minor)

    def _is_heard_out(self, grant: Grant) -> bool:
        """As `allowance_at_stake` of head office's database."""
        tables = self._store.tables
        for number in tables.chains_of.get(grant.origin, ()):
            chain = tables.chains[number]
            if chain.facts.epoch == grant.epoch and chain.facts.branch == 0:
                at_ms = tables.entries[number, chain.facts.head.seq][_AT_MS]
                return chain.closed_at_seq is not None or (at_ms or 0) > grant.expires_at_ms
        return False
