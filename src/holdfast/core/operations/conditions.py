"""On which conditions an operation can be done: named predicates over the till's situation (SW8, SW9)."""

from collections.abc import Callable, Mapping

import msgspec

from holdfast.core.connection import Mode

HOUR_MS = 3_600_000

GIFT_CARDS_OFFLINE = "offline.gift-cards"
"""*Allow concluding gift card transactions offline* (GC4)."""
CREDIT_MEMOS_OFFLINE = "offline.credit-memos"
"""*Allow concluding credit memo transactions offline* (GC6)."""
ON_ACCOUNT_OFFLINE = "offline.on-account"
"""On account inside a cached credit allowance (OA2)."""
SWITCHES = (GIFT_CARDS_OFFLINE, CREDIT_MEMOS_OFFLINE, ON_ACCOUNT_OFFLINE)
"""Head office's parameters that conditions look at; each is off until it is set."""

GIFT_CARD = "gift card"
CREDIT_MEMO = "credit memo"
CUSTOMER_ACCOUNT = "customer account"
GIFT_CARD_ALLOWANCE = "gift card allowance"
CREDIT_MEMO_ALLOWANCE = "credit memo allowance"
CREDIT_ALLOWANCE = "credit allowance"
TAKEN_OF_ALLOWANCE = "taken of an allowance"
"""The open transaction pays by something that was begun offline."""
TERMINAL_READY = "terminal ready"
STORE_SERVER = "store server"
CREDIT_AGE_MS_MAX = 72 * HOUR_MS
"""A cached credit allowance counts for so long: a week-end and a holiday."""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What decides, beside the role: the mode, the parameters, and what is at hand."""

    mode: Mode
    switched_on: frozenset[str] = frozenset()
    """Those of `SWITCHES` that head office turned on."""
    at_hand: frozenset[str] = frozenset()
    """What the open transaction holds, what was reserved ahead, and which part of the store answers."""
    ages_ms: Mapping[str, int] = {}
    """How old each feed's data may be; a feed that never came is missing."""

    @property
    def is_offline(self) -> bool:
        """Degraded is online: the services answer, slowly."""
        return self.mode is Mode.OFFLINE


class Condition(msgspec.Struct, frozen=True):
    """One predicate. `words` follow "when" in a sentence."""

    id: str
    words: str
    holds: Callable[[Situation], bool]


GIFT_CARD_HELD = Condition(
    "gift-card-held",
    "the transaction held the card before the connection dropped, and head office allows it; or it takes it "
    "of an amount that was reserved ahead",
    lambda now: (
        (GIFT_CARDS_OFFLINE in now.switched_on and GIFT_CARD in now.at_hand)
        or TAKEN_OF_ALLOWANCE in now.at_hand
    ),
)
GIFT_CARD_RESERVED = Condition(
    "gift-card-reserved",
    "an amount was reserved ahead for this register",
    lambda now: GIFT_CARD_ALLOWANCE in now.at_hand,
)
CREDIT_MEMO_HELD = Condition(
    "credit-memo-held",
    "the transaction held the memo before the connection dropped, and head office allows it; or it takes it "
    "of an amount that was reserved ahead",
    lambda now: (
        (CREDIT_MEMOS_OFFLINE in now.switched_on and CREDIT_MEMO in now.at_hand)
        or TAKEN_OF_ALLOWANCE in now.at_hand
    ),
)
CREDIT_MEMO_ALLOWED = Condition(
    "credit-memo-allowed",
    "head office allows concluding credit memo transactions offline",
    lambda now: CREDIT_MEMOS_OFFLINE in now.switched_on,
)
CREDIT_MEMO_OF_HERE = Condition(
    "credit-memo-of-here",
    "this register issued the memo in this outage, and head office allows it; or an amount was reserved "
    "ahead for this register",
    lambda now: CREDIT_MEMOS_OFFLINE in now.switched_on or CREDIT_MEMO_ALLOWANCE in now.at_hand,
)
CREDIT_KNOWN = Condition(
    "credit-known",
    "head office allows it, and the transaction held the amount before the connection dropped, or the "
    "customer's allowance is known here and under 72 hours old",
    lambda now: (
        ON_ACCOUNT_OFFLINE in now.switched_on
        and (
            CUSTOMER_ACCOUNT in now.at_hand
            or (
                CREDIT_ALLOWANCE in now.at_hand
                and now.ages_ms.get("customers", CREDIT_AGE_MS_MAX + 1) <= CREDIT_AGE_MS_MAX
            )
        )
    ),
)
TERMINAL_TOOK_SETTING = Condition(
    "terminal-took-setting",
    "the terminal received head office's permission before the outage",
    lambda now: TERMINAL_READY in now.at_hand,
)
STORE_SERVER_ANSWERS = Condition(
    "store-server-answers", "the store server answers", lambda now: STORE_SERVER in now.at_hand
)

CONDITIONS = (
    GIFT_CARD_HELD,
    GIFT_CARD_RESERVED,
    CREDIT_MEMO_HELD,
    CREDIT_MEMO_ALLOWED,
    CREDIT_MEMO_OF_HERE,
    CREDIT_KNOWN,
    TERMINAL_TOOK_SETTING,
    STORE_SERVER_ANSWERS,
)
