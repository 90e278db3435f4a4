"""What a cashier reads where central value meets an outage: each sentence once, for table, till and docs."""

from collections.abc import Mapping

from holdfast.core.central.accounts import Kind

BEGUN_OFFLINE: Mapping[Kind, str] = {
    Kind.GIFT_CARD: "Gift cards need a real-time connection. Wait until it returns, or take another tender.",
    Kind.CREDIT_MEMO: (
        "Credit memos need a real-time connection. Wait until it returns, or take another tender."
    ),
    Kind.POINTS: (
        "Points and rewards need a real-time connection. They are added by themselves when it returns."
    ),
    Kind.ON_ACCOUNT: (
        "On-account tenders and payments need a real-time connection. "
        "Wait until it returns, or take another tender."
    ),
}
"""GC7, LY4, OA1."""


def in_doubt(words: str) -> str:
    """The call's answer was lost. `words` name it: "gift card …4567"."""
    return (
        f"Head office did not answer for the {words}. Take it off and pay otherwise, or wait until the "
        "connection returns."
    )


def asked_once_more(words: str) -> str:
    """Held long ago: head office may have released it since (GC9)."""
    return (
        f"Head office is asked once more for the {words}, since it was locked long ago. "
        "Try again in a moment."
    )


def balance_later(words: str) -> str:
    """Concluded offline (GC4); on screen and on the receipt."""
    return f"The balance of the {words} updates when the connection returns."


def not_offline(words: str) -> str:
    """Held, and not allowed to be concluded offline (GC5)."""
    return f"This transaction cannot conclude with the {words} while offline. Take it off, and pay otherwise."
