"""Sentences about loyalty (LY1 to LY4)."""

LOYALTY_SENTENCES: dict[str, str] = {
    "loyalty.proceed": "Proceed",
    "loyalty.disable": "Disable real-time loyalty",
    "loyalty.enable": "Enable real-time loyalty",
    "loyalty.choice": (
        "Points and rewards need the connection: until it returns they are neither shown nor redeemed, and "
        "what is earned is added by itself. Proceed to be told so with each customer, or disable real-time "
        "loyalty until it is enabled again or the till is reopened."
    ),
    "loyalty.lost": (
        "Loyalty is unavailable meanwhile: points are neither shown nor redeemed, and what is earned is "
        "added by itself."
    ),
    "loyalty.unavailable": (
        "Loyalty is unavailable: there is no connection to head office. Points are added by themselves when "
        "it returns."
    ),
    "loyalty.off": "Real-time loyalty is off.",
    "loyalty.off.done": (
        "Real-time loyalty is disabled until it is enabled again or the till is reopened. Points are still "
        "added by themselves."
    ),
    "points.missing": "Points: not known now",
    "points.told": "{count} points",
    "points.told.tier": "{count} points, {tier}",
    "points.pay": "Points ({count})",
    "points.off": "Real-time loyalty is off. Enable it under Store operations, then pay by points.",
    "points.none": "No points are used at this register. Take another tender.",
    "account.pay": "On account",
    "account.back": "Back to the account",
    "account.nobody": "Choose the customer first.",
    "account.payment": "Payment on account",
    "account.owed": "Owed now: {amount}",
    "account.amount": "How much is paid?",
    "account.amounts": "What is owed",
    "account.add": "Add to the sale",
    "loyalty.on.done": "Real-time loyalty is enabled.",
}
