"""Every sentence that the till's own pages say, in one place, so that a language is one table.

Refusals bring their own sentence from `core`; these are the screen's. What stands on a receipt too is in
`core.receipt.texts`.
"""

from holdfast.core.receipt.texts import TEXTS
from holdfast.register.web.messages_cards import CARD_SENTENCES
from holdfast.register.web.messages_cash import CASH_SENTENCES
from holdfast.register.web.messages_central import CENTRAL_SENTENCES
from holdfast.register.web.messages_customers import CUSTOMER_SENTENCES
from holdfast.register.web.messages_drill import DRILL_SENTENCES
from holdfast.register.web.messages_grid import GRID_SENTENCES
from holdfast.register.web.messages_loyalty import LOYALTY_SENTENCES
from holdfast.register.web.messages_stock import STOCK_SENTENCES

SENTENCES: dict[str, str] = {
    **CARD_SENTENCES,
    **CASH_SENTENCES,
    **CENTRAL_SENTENCES,
    **CUSTOMER_SENTENCES,
    **DRILL_SENTENCES,
    **GRID_SENTENCES,
    **STOCK_SENTENCES,
    **LOYALTY_SENTENCES,
    # signing in
    "sign-in.title": "Sign in",
    "sign-in.staff": "Staff number",
    "sign-in.pin": "PIN",
    "sign-in.wrong": "Staff number and PIN do not belong together. Try again.",
    "sign-in.throttled": "Too many wrong PINs. Wait {wait}, then try again.",
    "sign-in.throttled.staff": (
        "Too many wrong PINs for this staff number. Wait {wait}, then try again; "
        "meanwhile somebody else can sign in."
    ),
    "sign-in.inactive": "This staff number is no longer active. Ask a manager; head office can activate it.",
    "wait.second": "{count} second",
    "wait.seconds": "{count} seconds",
    "wait.minutes": "{count} minutes",
    "lock.do": "Lock",
    "lock.title": "Locked",
    "lock.by": "{name} is signed in. The PIN goes on; anybody else signs in with number and PIN.",
    "lock.basket": "The open transaction is kept.",
    "lock.undo": "Unlock",
    "sign-in.nobody": (
        "This register has not received any staff yet. Load staff at head office and connect this register "
        "to it, or import a snapshot: holdfast register import FILE. Then reload this page."
    ),
    "sign-in.unknown-manager": "Nobody with that number and PIN may approve. Try again.",
    "sign-out": "Sign out",
    # the business day
    "day.title": "Open the business day",
    "day.offered": "Expected: {date}",
    "day.date": "Business date",
    "day.open": "Open the day",
    "day.close": "Close the day",
    "day.close.ask": "Close the business day {date}?",
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
    "basket.void.give-back": "Give back to the customer: {amounts}",
    "basket.voided": "The transaction was voided.",
    "basket.voided.give-back": "The transaction was voided. Give back to the customer: {amounts}",
    "basket.line-gone": "That line is no longer there.",
    # paying
    "pay.due": "To pay",
    "pay.refund": "To pay out",
    "pay.exact": "Exact",
    "pay.amount": "Cash received",
    "pay.still": "Still to pay",
    # the receipt
    "receipt.next": "Scan to begin the next sale",
    "receipt.none": "There are no receipts yet.",
    "receipt.none.hint": "Each sale and return is listed here once it is concluded.",
    # what can be done, by whom
    "operations.title": "What works offline",
    "operations.lead": "For you, as {role}, while this register is {mode}.",
    "operations.limits": (
        "You alone: {line} off a line, {total} off a sale, a price moved by {price}, {without} back without "
        "a receipt, {refund} paid out by one return. Beyond that somebody approves."
    ),
    "operations.no-limits": "Your role has no limits of discount, price or refund.",
    "operations.online": "online",
    "operations.degraded": "online and slow",
    "operations.cut": "offline",
    "operations.what": "What",
    "operations.now": "Now",
    "operations.offline": "Offline",
    "operations.yes": "Yes",
    "operations.no": "No",
    "operations.approval": "{role} approves",
    # approval
    "approve.title": "Somebody must approve this",
    "approve.not-his": "{name} may not approve this. Ask a manager.",
    # returns
    "return.nothing-chosen": "Choose at least one line to bring back.",
    "return.basket-open": "A transaction is open. Conclude or void it, then begin a return.",
    # connection
    "link.online": "Online",
    "link.degraded": "Degraded since {since}",
    "link.offline": "Offline since {since}",
    "link.offline.never": "Offline",
    "link.by-hand": "Offline by hand since {since}: {reason}",
    "link.resuming": "Going online: what is owed goes first",
    "owed.nothing": "Nothing owed to head office",
    "owed.sales": "Owed: {count}, {value}, oldest {age}",
    "owed.sale": "{count} sale",
    "owed.sales.count": "{count} sales",
    "outage.title": "The connection to head office is lost",
    "outage.text": (
        "Go on selling: nothing has to be entered again. "
        "Every sale is kept on this register and sent by itself once the line is back."
    ),
    "outage.continue": "Continue",
    # starting without a connection
    "start.title": "There is no connection to head office",
    "start.title.late": "Sales are not reaching head office",
    "start.goes-on": (
        "Go on selling: everything is saved on this register, and synchronises by itself as soon as head "
        "office can be reached."
    ),
    "start.late": (
        "The last exchange with head office was at {since}, {age} ago. Until this is solved, sales do not "
        "reach head office."
    ),
    "start.late.never": (
        "Nothing was ever exchanged with head office. Until this is solved, sales do not reach head office."
    ),
    "start.late.owed": (
        "Sales wait to be sent since {since}, {age} ago. Until this is solved, they do not reach head office."
    ),
    "start.restart": "Restart this computer.",
    "start.check": "Check the connection to the internet: cable, router, provider.",
    "start.down": "Head office is down: nothing has to be done here. Tell head office if you can.",
    "start.support": "Call support if that does not help.",
    "start.close": "Close",
    "start.what": "What works and what does not",
    "start.back": "Head office answers again.",
    "layer.register": "This register",
    "layer.store-network": "Store network",
    "layer.internet": "Internet",
    "layer.head-office": "Head office",
    "layer.works": "works",
    "layer.broken": "does not work",
    "layer.unknown": "not known",
    "cause.looking": "What is broken is being looked for.",
    "cause.no-carrier": "The store network: this register is not connected. Check its cable or its Wi-Fi.",
    "cause.no-route": "The store network: this register has no address in it. Check the router.",
    "cause.router-silent": "The store network: the router does not answer. Check that it is switched on.",
    "cause.no-name": "The internet: the store network works, but no names are found on the internet.",
    "cause.no-way": "The internet: the store network works, but the router knows no way to head office.",
    "cause.landmark-silent": "The internet: the store network works, and nothing beyond it answers.",
    "cause.refused": "Head office: its machine answers, but Holdfast does not run there.",
    "cause.mute": "Head office: it takes the connection and does not answer.",
    "cause.only-there": "Head office: the internet works, and head office does not answer.",
    "cause.near-silent": "Head office: its machine does not answer.",
    "cause.silent": "The internet or head office: the store network works, and nothing beyond it answers.",
    "cause.unknown": "Which of them is broken cannot be told from this register.",
    "cause.sync": "This register itself: its sync does not run. It is being started again.",
    "cause.late": "Head office answers, and what is owed does not arrive there.",
    "blocked": (
        "Head office refuses this register's data. Go on selling: everything is kept here. "
        "Call support, and say: {detail}"
    ),
    "stopped": (
        "The till program does not answer. What was confirmed is safe. Start it again, then reload this page."
    ),
    # store operations: how this register works
    "store.operations": "Store operations",
    "work.offline": "Work offline",
    "work.offline.text": (
        "This register asks head office for nothing in real time until Online POS is enabled again, also "
        "after a restart. Selling goes on, and what is sold is still sent by itself."
    ),
    "work.online": "Enable Online POS",
    "work.online.text": "What is owed is sent; then this register asks head office in real time again.",
    "work.offline.done": "This register works offline by hand. Sales are still sent.",
    "work.online.done": "Online POS is enabled: what is owed goes first.",
    "reasons.work.offline": "Line works, Printer works, Slow network, Training",
    "reasons.work.online": "Works are done, Network is fast again, Chosen by mistake",
    # the journal on screen
    "journal.text": "Number, amount or product",
    "journal.found": "Documents found",
    "journal.none": "No document of this register fits.",
    "journal.none.hint": "Write an amount as 12.50, and of a product its code or the beginning of its name.",
    "journal.older": "Look further back",
    # suspended transactions
    "suspend.do": "Suspend",
    "suspend.title": "Suspend this transaction",
    "suspend.note": "For whom is it kept?",
    "suspend.notes": "Notes",
    "notes.suspend": "Fetches money, Fetches one more thing, Waits for a price, Comes back later",
    "suspend.done": "The transaction is suspended, and is kept here until it is recalled.",
    "suspend.void.ask": "Void this suspended transaction?",
    "suspend.void.not": "Keep it",
    "reasons.void-suspended": "Nobody came back, Suspended by mistake",
    "recall.some": "Recall ({count})",
    "recall.title": "Suspended transactions",
    "recall.row": "{at}, {by}",
    "recall.held": "Stays locked for it: {what}",
    "recall.do": "Recall",
    "recall.this": "Recall: {note}",
    "recall.give-up": "Void",
    "recall.void": "Void: {note}",
    "recall.none": "Nothing is suspended.",
    "recall.none.hint": "What is suspended with F3 waits here, also through a restart.",
    # the page Status
    "status.title": "Status",
    "status.sync": "Sync now",
    "status.sync.trying": "Trying to reach head office …",
    "status.sync.done": "Done at {at}: head office answered, and has everything.",
    "status.sync.sending": "Head office answered at {at}. What is owed is on its way.",
    "status.sync.failed": (
        "Tried at {at}, and head office was not reached: {why} Nothing is lost; it is tried again by itself."
    ),
    "status.connection": "Connection",
    "status.last": "Last exchange with head office",
    "status.never": "never",
    "status.ago": "{age} ago",
    "status.since": "Since {since}:",
    "status.owed.count": "Owed to head office",
    "status.owed.value": "Value",
    "status.owed.oldest": "Oldest",
    "status.owed.dates": "Business dates",
    "status.ages": "Age of the data",
    "status.ages.hint": "Selling goes on however old it is.",
    "status.halved": "Prices are old: the limit for changing a price without a manager is halved.",
    "status.checked": "at {since}",
    "status.version": "version {n},",
    "status.past": "What did not work lately",
    "status.past.none": "Nothing that is remembered.",
    "feed.products": "Products",
    "feed.prices": "Prices",
    "feed.taxes": "Taxes",
    "feed.currencies": "Exchange rates",
    "feed.staff": "Staff",
    "feed.customers": "Customers",
    "feed.parameters": "Parameters",
    # words that stand in many places
    "word.cancel": "Cancel",
    "word.reason": "Reason",
    "word.reasons": "Reasons",
    "word.back": "Back",
    "word.return": "Return",
    "word.sale": "Sale",
    "word.per-kg": "/kg",
    "word.adjustment": "Adjustment",
    # the page itself
    "till.name": "Till {register}",
    "till.menu": "Till",
    "till.work": "Work area",
    "till.sell": "Sell",
    # a manager's approval
    "approve.number": "Staff number of who approves",
    "approve.do": "Approve",
    "approve.pin": "Their PIN",
    # closing the day
    "day.close.not": "Not yet",
    # discounts
    "discount.percentages": "Percentages",
    "discount.title": "Discount",
    "discount.on": "Discount on",
    "discount.line": "This line",
    "discount.total": "The whole sale",
    "discount.total.hint": "shared over its lines",
    "discount.field": "10% or an amount; empty takes it off again",
    "discount.set": "Set discount",
    # reasons to touch, behind one comma each
    "reasons.discount": "Damaged, Staff, Short date, Goodwill",
    "reasons.price": "Damaged, Wrong label, Price match, Short date",
    "reasons.return": "Receipt lost, Faulty, Gift",
    "reasons.void": "Customer left, Cannot pay, Rung up wrong",
    # comments
    "note.field": "Comment",
    "note.set": "Set comment",
    "note.title": "Comment on {product}",
    # prices
    "price.set": "Set price",
    "price.title": "Price of {product}",
    "price.field": "New price; it is {price}",
    "price.field.kg": "New price for a kg; it is {price}",
    # questions about a line
    "quantity.set": "Set quantity",
    "quantity.title": "Quantity of {product}",
    "quantity.weight": "Weight in kg, now {now}",
    "quantity.pieces": "Pieces, now {now}",
    # bringing back
    "return.with": "With its receipt: scan the receipt's code, type its number, or choose it from the list.",
    "return.choose": "Choose the receipt",
    "return.without": "Without a receipt",
    "return.scan": "Scan what comes back",
    "return.what": "What comes back?",
    "return.do": "Bring back",
    "return.sold": "{quantity} for {amount}",
    "return.came-back": "came back already",
    "return.on-code": (
        "Receipt {number} of {date}, {total}, is genuine. Scan what comes back on it: up to {left}."
    ),
    "return.all-back": "Everything on this receipt came back already.",
    "return.end": "End the return",
    # voiding
    "basket.void.not": "Keep selling",
    "basket.void.do": "Void transaction",
    # the form of a figure, where it was typed in another
    "form.weight": "A weight in kg, as 0.450",
    "form.pieces": "A number of pieces, as 3",
    "form.price": "A price, as 3.50",
    "form.discount": "A percentage, as 10%, or an amount, as 1.50",
    # weighing
    "weigh.field": "Weight in kg",
    "weigh.add": "Add",
    "weigh.price": "{price} for a kg",
    # the transaction
    "ticket.name": "Transaction",
    "ticket.lines": "Lines",
    "ticket.discounts": "Discounts",
    "ticket.line": "{count} line",
    "ticket.count": "{count} lines",
    # the on-screen keypad
    "keypad.clear": "Clear",
    "keypad.point": "Point",
    "keypad.back": "Delete last",
    "keypad.percent": "Percent sign",
    # receipts
    "receipt.code": "Code of receipt {number}",
    "receipt.title": "Receipt {number}",
    "receipt.others": "Other receipts",
    "receipt.last": "Last receipts",
    # a receipt's way to paper and mail
    "receipt.print-again": "Print again",
    "receipt.mail": "E-mail",
    "mail.address": "The customer's e-mail address",
    "mail.send": "Send the receipt",
    "mail.sending": "The receipt is being mailed.",
    "mail.sent": "The receipt is mailed.",
    "mail.waits.line": "The mail waits for the line. It goes by itself once the mail server is reached.",
    "mail.waits.login": (
        "The mail waits: the mail server refuses user or password. Tell whoever looks after this register."
    ),
    "mail.waits.tls": (
        "The mail waits: the mail server's certificate does not do. Tell whoever looks after this register."
    ),
    "mail.given-up.address": "Not mailed: the mail server takes none for that address. Ask for another one.",
    "mail.given-up.mail": "Not mailed: the mail server refuses it. Print the receipt instead.",
    "mail.given-up.too-old": "Not mailed: the line was away for too long.",
    "paper.printing": "The receipt is being printed.",
    "paper.printed": "The receipt is printed.",
    "paper.report.printing": "The report is being printed.",
    "paper.report.printed": "The report is printed.",
    "paper.report.waits": "The report waits. {cause} It prints when the printer is ready.",
    "paper.receipt.is": "receipt {number}",
    "paper.copy-printed": "The copy is printed.",
    "paper.waits.gone": (
        "Receipt waits: printer not reachable. It prints when it is back; show the code or e-mail instead."
    ),
    "paper.waits.silent": (
        "Receipt waits: the printer does not answer. Switch it off and on; show the code or e-mail instead."
    ),
    "paper.waits.paper": "Receipt waits: the printer is out of paper. Put in a new roll, and it prints.",
    "paper.waits.cover": "Receipt waits: the printer's cover is open. Shut it, and it prints.",
    "paper.waits.offline": "Receipt waits: the printer is switched off line. Press its button.",
    "paper.waits.error": "Receipt waits: the printer shows an error. Switch it off and on, and it prints.",
    "paper.unsure": "Printing broke off. Look at the paper, and print it again if it is not whole.",
    "paper.given-up": "Not printed: the printer was away for too long. Print it again if it is still wanted.",
    "printer.gone": "Printer not reachable.",
    "printer.silent": "Printer does not answer.",
    "printer.paper": "Printer out of paper.",
    "printer.cover": "Printer cover open.",
    "printer.offline": "Printer switched to offline.",
    "printer.error": "Printer shows an error.",
    "printer.low": "Printer paper nearly at an end.",
    "printer.waiting": "{count} wait to be printed.",
    "printer.waiting.one": "1 waits to be printed.",
    "printer.unsure": "Look at {what}: its printing broke off.",
    "printer.drawer": "The drawer did not open: use its key.",
    "printer.try-now": "Print what waits",
    "printer.trying": "Trying the printer now.",
    # acts on the selling screen
    "act.void-all": "Void all",
    "act.quantity": "Quantity",
    "act.price": "Price",
    "act.discount": "Discount",
    "act.note": "Comment",
    "act.void-line": "Void line",
    "act.receipts": "Receipts",
    "act.send-now": "Send to head office now",
    "act.next": "Next customer",
    "send-now.owed": "Trying now. What is owed goes by itself as soon as head office answers.",
    "send-now.nothing": "Nothing is owed: head office has everything.",
    # paying
    "pay.out": "Pay out",
    "pay.in": "Pay",
    "pay.paid-out": "Paid out",
    "pay.quick": "Quick amounts",
    "pay.back": "Hand it back",
    "pay.take": "Take cash",
    "pay.return": "Back to the sale",
    "pay.rounded": "Rounded to the smallest coin from {exact}",
    "pay.received": "{currency} received",
    "pay.foreign.due": "In {currency}",
    "pay.foreign.rate": "at {rate}; change in {home}",
    "pay.foreign.rate-since": "at {rate} since {since}; change in {home}",
    "pay.enough": "At least",
    "pay.not-taken": "{currency} is not taken here today. Take home cash.",
    "pay.rate-changed": "The rate of {currency} has just changed. Look at what is due, then take it.",
    "pay.handed-back": "Give back to the customer: {amounts}",
    "pay.conclude": "Give change and conclude",
    "pay.out-cash": "Pay out {amount} in cash",
    # the scan field
    "scan.hint": "Scan, or type a code or a name",
    "scan.label": "Barcode, code or name",
    "scan.find": "Find",
    # taxes on the ticket
    "tax.inclusive": "incl. {name} {rate}",
    "tax.exclusive": "plus {name} {rate}",
}


def say(key: str, /, **values: object) -> str:
    """The sentence for `key` with its blanks filled in."""
    sentence = SENTENCES.get(key) or TEXTS[key]
    return sentence.format(**values) if values else sentence
