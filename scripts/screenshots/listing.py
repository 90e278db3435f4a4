"""Which pictures there are: of which page, and what each shows. A test holds that no page is without one."""

from typing import NamedTuple

SMALL, LARGE = (1280, 800), (1920, 1080)
SIZES = (SMALL, LARGE)


class Picture(NamedTuple):
    """A page in one state, at one size or more."""

    name: str
    caption: str
    shows: tuple[str, ...]
    """Routes (`/pay`) and templates (`work/pay.html`) whose page it is."""
    sizes: tuple[tuple[int, int], ...] = SIZES


def file_name(name: str, width: int) -> str:
    """`till-selling` at 1280 is `till-selling-1280.png`."""
    return f"{name}-{width}.png"


def files(picture: Picture) -> list[str]:
    """One for each size."""
    return [file_name(picture.name, width) for width, _ in picture.sizes]


def _question(name: str, caption: str, *shows: str) -> Picture:
    """A sheet in the middle of a page, which is as wide at any size."""
    return Picture(name, caption, shows, (SMALL,))


def _one(name: str, caption: str, *shows: str) -> Picture:
    return Picture(name, caption, shows)


TILL = (
    _one("till-sign-in", "Signing in with staff number and PIN", "/", "sign_in.html"),
    _one("till-open-day", "The business date and the float", "/", "open_day.html"),
    _one("till-date-in-doubt", "A date that is far off needs a manager", "open_day.html", "manager.html"),
    _one(
        "till-empty",
        "Ready to sell: the quick keys, and nothing in the basket",
        "/",
        "till.html",
        "work/shelf.html",
        "/grid/quick",
        "/shelf",
    ),
    _one("till-category", "A category's products", "/grid/category", "grid.html"),
    _one("till-search", "What a word of a name finds", "work/shelf.html"),
    _question("till-weigh", "Goods by weight", "dialogs/weigh.html"),
    _one("till-selling", "A basket: by weight, with a discount, a note and a customer", "/"),
    _question("till-quantity", "F2: how many", "/ask/{line}/{question}", "dialogs/quantity.html"),
    _question("till-price", "F4: another price, with a reason", "dialogs/price.html"),
    _question("till-discount", "F6: off the line, or off the whole sale", "dialogs/discount.html"),
    _question("till-note", "F7: a note on the line", "dialogs/note.html"),
    _question(
        "till-approve",
        "More than the role may: somebody approves, and the sale goes on",
        "dialogs/approve.html",
    ),
    _question("till-void", "Giving the transaction up", "/dialog/{question}", "dialogs/void.html"),
    _one("till-pay", "What is due, and the notes that are likely", "/pay", "work/pay.html"),
    _one("till-pay-foreign", "Paid in parts: euro first, then pounds", "/pay"),
    _one("till-pay-card", "By a card on a standalone terminal", "/pay"),
    _one("till-gift-cards", "Which gift card?", "/gift-cards", "work/gift_cards.html"),
    _one("till-gift-card", "A card of the rack, to be sold", "work/gift_cards.html"),
    _one("till-gift-sold", "A gift card in the basket", "/"),
    _one("till-gift-balance", "Its new balance, once head office has it", "/receipts/{number}/balances"),
    _one("till-gift-held", "Paying by gift card: locked, and what it would pay", "/pay", "/held/now"),
    _one("till-gift-offline", "The line dropped: take it off, and pay otherwise", "/pay"),
    _one("till-change", "Change due, and the receipt", "work/done.html", "work/carry.html"),
    _question("till-suspend", "Putting a basket aside", "/suspend", "dialogs/suspend.html"),
    _one("till-suspended", "What was put aside", "/suspended", "work/suspended.html"),
    _question(
        "till-give-up",
        "Giving up what was put aside",
        "/suspended/{transaction}/void",
        "dialogs/void_suspended.html",
    ),
    _question("till-return", "Goods come back: by receipt, or without", "dialogs/return.html"),
    _one("till-returning", "A return without a receipt", "ticket.html"),
    _one("till-refund", "Money goes out", "/pay"),
    _one("till-refund-card", "What a card paid goes back to it", "/pay"),
    _question("till-cash-instead", "Cash in place of the card", "/pay/instead", "dialogs/cash_instead.html"),
    _one("till-receipts", "The last receipts", "/receipts", "/journal", "work/receipts.html"),
    _one(
        "till-receipt",
        "One receipt, and what of it may come back",
        "/receipts/{number}",
        "work/receipt.html",
    ),
    _one(
        "till-customers",
        "Customers, found by the beginning of a name",
        "/customers",
        "work/customers.html",
    ),
    _one(
        "till-customer-new",
        "A new customer",
        "/customers/new",
        "/customers/{number}",
        "work/customer_form.html",
    ),
    _one("till-customer-known", "Somebody here says the same of himself", "work/customer_form.html"),
    _one("till-stock", "Stock: a product looked up, and what can be done", "/stock", "work/stock.html"),
    _one(
        "till-stock-of",
        "Quantity on hand in every store, and how current each is",
        "/stock/of",
        "/stock/on-hand",
        "work/stock_of.html",
        "work/stock_stores.html",
    ),
    _one("till-stock-count", "A blind count by scanning", "/stock/{kind}", "work/stock_list.html"),
    _one("till-stock-send", "Goods for another store", "/stock/{kind}"),
    _one("till-operations", "What works offline, for this person", "/operations", "work/operations.html"),
    _one("till-menu", "The menu under a person's name", "till.html"),
    _one("till-cash", "Cash: the shift, the drawer and the reports", "/cash", "work/cash.html"),
    _one("till-drop", "Cash to the safe", "/cash/move/{kind}", "work/cash_move.html"),
    _one("till-expense", "A petty expense", "/cash/move/{kind}"),
    _question("till-no-sale", "Opening the drawer without a sale", "/cash/no-sale", "dialogs/no_sale.html"),
    _one("till-x-report", "The X report: the day so far", "work/cash_report.html"),
    _one("till-count", "A blind count", "/cash/count", "work/cash_count.html"),
    _one("till-count-review", "What was counted, before it counts", "work/cash_review.html"),
    _one("till-over-short", "Over or short, told once the count stands", "work/cash_closed.html"),
    _one("till-shift-open", "The float of the next shift", "/cash/shift", "work/cash_open.html"),
    _question("till-close-day", "Closing the day", "dialogs/close_day.html"),
    _one("till-day-closed", "The day is closed, and its Z report is numbered", "open_day.html"),
    _one("till-z-reports", "Z reports of closed days", "work/cash_reports.html", "cash_page.html"),
    _one("till-z-report", "A Z report", "work/cash_report.html"),
    _question(
        "till-work-offline", "Offline by hand, with a reason", "/work-mode/{to}", "dialogs/work_mode.html"
    ),
    _question("till-drill", "A drill is begun", "/drill", "dialogs/drill.html"),
    _one("till-drill-selling", "Selling in a drill", "status.html"),
    _one(
        "till-readiness",
        "Ready for an outage? And what came of the last drill",
        "/readiness",
        "work/readiness.html",
    ),
    _question("till-outage", "The one warning of an outage in the middle of a sale", "dialogs/outage.html"),
    _one(
        "till-status",
        "Status in an outage: what is owed, and how old the data are",
        "/status",
        "/status/now",
        "overview_parts.html",
        "work/overview.html",
    ),
    _one("till-locked", "A locked till", "/", "sign_in.html"),
    _one(
        "till-start-offline",
        "Starting without a connection: what is broken, and that selling goes on",
        "start.html",
    ),
    _one("till-start-loyalty", "Where customers earn points the same page asks", "start.html"),
    _question("till-outage-loyalty", "The warning of an outage carries the way out", "dialogs/outage.html"),
    _one("till-loyalty-missing", "A customer chosen meanwhile", "notice.html"),
    _one(
        "till-pay-customer",
        "What belongs to the customer: points, and on account",
        "/pay",
        "pay_customer.html",
        "points.html",
    ),
    _question(
        "till-account-payment",
        "A payment for what is owed",
        "/account/payment",
        "dialogs/account_payment.html",
    ),
    _one("till-offline", "Selling in an outage, with sales owed", "/"),
    _one("till-offline-dark", "The same basket in the dark", "/"),
    _one("till-pay-dark", "Paying in the dark", "/pay"),
    Picture("till-tablet", "On a tablet of ten inches", ("/",), ((1024, 768),)),
    Picture("till-tablet-pay", "Paying on a tablet", ("/pay",), ((1024, 768),)),
    Picture("till-tablet-upright", "A tablet held upright", ("/",), ((800, 1280),)),
    Picture("till-tablet-upright-pay", "Paying, the tablet held upright", ("/pay",), ((800, 1280),)),
)

HEAD_OFFICE = (
    _one("hq-welcome", "The first administrator's link", "/welcome/{token}"),
    _one("hq-used-link", "A link that was used up", "/welcome/{token}"),
    _one("hq-sign-in", "Signing in", "/login"),
    _one("hq-overview", "Overview: what arrived, who owes, and what needs a look", "/"),
    _one("hq-overview-dark", "Overview in the dark", "/"),
    _one("hq-registers", "Registers, and what each owes", "/registers"),
    _one("hq-register", "One register: data, commands, epochs", "/registers/{origin}"),
    _one("hq-register-key", "Another key for a register", "/registers/{origin}/key"),
    _one("hq-register-recover", "A register lost its database key", "/registers/{origin}/recover"),
    _one("hq-register-retire", "Retiring a register", "/registers/{origin}/retire"),
    _one(
        "hq-epoch",
        "What is known of an epoch, and declaring it lost",
        "/registers/{origin}/epochs/{epoch}",
    ),
    _one("hq-register-add", "A code for a new register", "/registers/add"),
    _one("hq-register-code", "The code, shown once", "/registers/codes/{id}"),
    _one("hq-readiness", "Which registers would survive an outage", "/readiness"),
    _one("hq-sales", "Every sale that arrived, once, with its business date", "/sales"),
    _one("hq-sale", "One sale, its entry and its place in the chain", "/sales/{chain}/{seq}"),
    _one("hq-closings", "Day closings beside head office's own totals", "/closings"),
    _one("hq-closing", "A Z report at head office", "/closings/{chain}/{seq}"),
    _one("hq-customers", "Customers", "/customers"),
    _one("hq-customer", "A customer: details, sales, merging, forgetting", "/customers/{number}"),
    _one(
        "hq-customer-merge",
        "Two numbers beside each other before they are merged",
        "/customers/{number}/merge",
    ),
    _one("hq-cards", "Gift cards, memos and accounts, and who holds each", "/cards"),
    _one("hq-card", "One account: movements, locks, and what people did", "/cards/{kind}/{account}"),
    _one("hq-cards-prepared", "Prepared gift cards, whose file is downloaded once", "/cards/prepared"),
    _one("hq-locks", "What registers hold, for how long, and whether they may owe", "/locks"),
    _one("hq-lock", "Before a lock is released: what can happen", "/locks/{key}"),
    _one("hq-restored", "After a restore: which registers have not answered yet", "/restored"),
    _one(
        "hq-differences",
        "What registers took and accounts did not have",
        "/differences",
        "/differences.csv",
    ),
    _one("hq-audit", "Who did what to central value, and why", "/audit"),
    _one("hq-exposure", "What registers may take that nobody was asked for", "/exposure"),
    _one("hq-proof", "The proof that all balances add up", "/proof"),
    _one("hq-parameters", "Parameters, and which register runs which version", "/parameters"),
    _one("hq-parameter", "One parameter: what is set for whom, and its history", "/parameters/{name}"),
    _one(
        "hq-parameter-undo",
        "What undoing a change does, before it is done",
        "/parameters/{name}/undo/{number}",
    ),
    _one("hq-data", "Data that registers sell from", "/data"),
    _one("hq-data-preview", "A file is shown before it counts", "/data"),
    _one("hq-alerts", "Alerts", "/alerts"),
    _one("hq-backups", "Backups", "/backups"),
    _one("hq-nothing", "A page that is not there", "error.html"),
    _one("hq-stock", "Stock of a store", "/stock"),
    _one("hq-stock-product", "What a figure is made of", "/stock/{store}/product/{sku}"),
    _one("hq-stock-zero", "A store set to zero: what it would do, and who owes", "/stock/{store}/zero"),
    _one(
        "hq-stock-reconciliation",
        "Registers, store and head office held against each other",
        "/stock/{store}/reconciliation",
    ),
    _one("hq-stock-transfers", "Transfers, and what became of each", "/stock/transfers"),
    _one("hq-stock-transfer-end", "What is on its way for good is ended", "/stock/transfers/end"),
)

DEMO = (_one("demo-board", "The demo: a switch for each till's line", "/"),)
PICTURES = (*TILL, *HEAD_OFFICE, *DEMO)
