"""Allowances: however they are asked for, used and given back, no more is at stake than parameters say."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.central.accounts import Kind
from holdfast.core.central.grants import Exposed, Grant, GrantRequest, Terms, decide_grant
from holdfast.core.central.holds import Declined
from holdfast.core.ids import EpochId, OriginId

REGISTERS = [OriginId("reg01"), OriginId("reg02"), OriginId("reg03")]
EPOCH = EpochId("e1")
ALLOWED, CHAIN, LASTS_MS = 500, 1_100, 1_000
TERMS = Terms(
    currency="GBP", allowed_minor=ALLOWED, chain_minor=CHAIN, lasts_ms=LASTS_MS, per_card_minor=0,
    per_transaction_minor=0,
)  # fmt: skip

steps = st.lists(
    st.tuples(
        st.sampled_from(["ask", "use", "return", "wait"]),
        st.integers(0, 2),
        st.integers(1, 600),
        st.booleans(),
    ),
    max_size=60,
)


def exposed(grants: dict[str, Grant], origin: OriginId, now_ms: int) -> Exposed:
    own = sum(grant.left(now_ms) for grant in grants.values() if grant.origin == origin)
    return Exposed(register_minor=own, chain_minor=sum(grant.left(now_ms) for grant in grants.values()))


@given(steps)
def test_no_more_is_at_stake_than_parameters_say(steps: list[tuple[str, int, int, bool]]) -> None:
    grants: dict[str, Grant] = {}
    now_ms = 0
    for what, register, amount, again in steps:
        origin = REGISTERS[register]
        own = [grant for grant in grants.values() if grant.origin == origin]
        if what == "wait":
            now_ms += amount
        elif what == "ask":
            key = own[-1].grant if own and again else f"grant-{len(grants):016}"
            request = GrantRequest(grant=key, epoch=EPOCH, kind=Kind.GIFT_CARD)
            now = exposed(grants, origin, now_ms)
            decided = decide_grant(request, origin, grants.get(key), TERMS, now, now_ms, is_current=True)
            if isinstance(decided, Declined):
                assert key not in grants or not grants[key].left(now_ms) or grants[key].used
            elif key in grants:
                assert decided is grants[key], "asked again it is the same one"
            else:
                grants[key] = decided
        elif own:
            changes = {"returned": True} if what == "return" else {"used": own[-1].used + amount}
            grants[own[-1].grant] = msgspec.structs.replace(own[-1], **changes)
        for each in REGISTERS:
            at_stake = exposed(grants, each, now_ms)
            assert at_stake.register_minor <= ALLOWED
            assert at_stake.chain_minor <= CHAIN


@given(st.sampled_from(list(Kind)), st.integers(-10, 10), st.booleans())
def test_without_a_parameter_or_an_open_epoch_nothing_is_granted(
    kind: Kind, allowed: int, is_current: bool
) -> None:
    terms = msgspec.structs.replace(TERMS, allowed_minor=allowed)
    request = GrantRequest(grant="g" * 16, epoch=EPOCH, kind=kind)
    nothing = Exposed(register_minor=0, chain_minor=0)
    decided = decide_grant(request, REGISTERS[0], None, terms, nothing, 0, is_current=is_current)
    may = allowed > 0 and is_current and kind is not Kind.POINTS
    assert isinstance(decided, Grant) is may
