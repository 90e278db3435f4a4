"""Sentences of cards on a standalone terminal (CP17, PO3)."""

CARD_SENTENCES: dict[str, str] = {
    "card.way": "Card",
    "card.title": "Card on the standalone terminal",
    "card.amount": "Taken on the terminal",
    "card.reference": "Reference on the slip",
    "card.hint": "Its receipt or approval number; never the card's number",
    "card.take": "Take card",
    "card.refund": "Refund {amount} to the card",
    "card.refund.of": (
        "Paid by card with {number}, slip {reference}. Refund it on the terminal, then type its new slip."
    ),
    "card.instead": "Pay out in cash instead",
    "card.instead.title": "Cash in place of the card",
    "card.instead.text": "A card paid it, and it should go back there. The reason is on record.",
    "card.instead.do": "Pay out in cash",
    "reasons.card-instead": "Card was closed, Terminal is down, Another person's card",
    "card.first": "A card paid {amount} of it. Refund that to the card first, or pay out in cash instead.",
    "card.too-much": "That is {amount} too much; a card gives no change. Take what is due, or less.",
    "card.nothing-left": "Nothing of this goes back to that card any more. Look at what is to be paid out.",
    "card.undo": "{amount} by card (undo it on the terminal)",
    "pay.ways": "Ways to pay",
}
