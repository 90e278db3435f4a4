"""Every sentence that the till's own pages say, in one place, so that a language is one table.

Refusals bring their own sentence from `core`; these are the screen's.
"""

SENTENCES: dict[str, str] = {
    # signing in
    "sign-in.title": "Sign in",
    "sign-in.staff": "Staff number",
    "sign-in.pin": "PIN",
    "sign-in.wrong": "Staff number and PIN do not belong together. Try again.",
    "sign-in.throttled": "Too many wrong PINs. Wait {seconds} s, then try again.",
    "sign-in.nobody": (
        "This register has not received any staff yet. Connect it to head office, "
        "or import a snapshot with: holdfast register import FILE"
    ),
    "sign-in.unknown-manager": "That is no manager's number and PIN. Try again.",
    "sign-out": "Sign out",
    # the business day
    "day.title": "Open the business day",
    "day.offered": "Proposed: {date}",
    "day.date": "Business date",
    "day.open": "Open the day",
    "day.close": "Close the day",
    "day.close.ask": "Close the business day {date}?",
    "day.basket": "There is a transaction open. Conclude or void it, then close the day.",
    "day.closed": "The business day {date} is closed.",
    # the basket
    "basket.nothing": "Scan the first product",
    "basket.nothing.hint": "or type its code or its name",
    "basket.unknown": "No product has the code or name “{text}”.",
    "basket.no-receipt": "This register knows no receipt {number}.",
    "basket.ask-quantity": "“{text}” is no quantity. Write it as in 3 or 0.450.",
    "basket.found": "{count} products found",
    "basket.found.one": "1 product found",
    "basket.void.ask": "Void this transaction?",
    "basket.void.lines": "{count} lines, {total}. Nothing is sold, and the lines stay on record.",
    "basket.voided": "The transaction was voided.",
    "basket.line-gone": "That line is no longer there.",
    # paying
    "pay.due": "To pay",
    "pay.refund": "To pay out",
    "pay.change": "Change",
    "pay.paid": "Paid",
    "pay.exact": "Exact",
    "pay.amount": "Cash received",
    "pay.still": "Still to pay",
    # the receipt
    "receipt.next": "Scan to begin the next sale",
    "receipt.none": "There are no receipts yet.",
    "receipt.none.hint": "Each sale and return is listed here once it is concluded.",
    "receipt.purged": "This receipt is at head office and no longer on this register.",
    # approval
    "approve.title": "A manager is needed",
    # returns
    "return.nothing-chosen": "Choose at least one line to bring back.",
    "return.basket-open": "A transaction is open. Conclude or void it, then begin a return.",
    # connection
    "link.online": "Online",
    "link.degraded": "Degraded since {since}",
    "link.offline": "Offline since {since}",
    "link.offline.never": "Offline",
    "link.forced": "Working offline since {since}",
    "owed.nothing": "Nothing owed to head office",
    "owed.one": "1 document, {value}, since {age}",
    "owed.sales": "{count}, {value}, oldest {age}",
    "owed.sale": "{count} sale",
    "owed.sales.count": "{count} sales",
    "owed.keeps": "kept here, sent by itself",
    "outage.title": "The connection to head office is lost",
    "outage.text": (
        "Go on selling: nothing has to be entered again. "
        "Every sale is kept on this register and sent by itself once the line is back."
    ),
    "outage.continue": "Continue",
    "blocked": "Head office refuses this register's data: {detail} Sales are kept here. Call support.",
    "stopped": (
        "The till program does not answer. What was confirmed is safe. Start it again, then reload this page."
    ),
    "full": "The disk of this register is full. Call support before the next sale.",
}


def say(key: str, /, **values: object) -> str:
    """The sentence for `key` with its blanks filled in."""
    sentence = SENTENCES[key]
    return sentence.format(**values) if values else sentence
