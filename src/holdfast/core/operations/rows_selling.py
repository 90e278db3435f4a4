"""Rows of the operations table: the transaction, paying, goods coming back, receipts and customers.

All of it is done from the register's own database, so that none of it needs a connection.
"""

from holdfast.core.operations.conditions import STORE_SERVER_ANSWERS
from holdfast.core.operations.operation import Operation
from holdfast.core.operations.roles import Permission as May

SELLING = "Selling"
PAYING = "Paying"
RETURNS = "Returns"
RECEIPTS = "Receipts"
CUSTOMERS = "Customers"

ROWS = (
    Operation(
        "basket.look",
        SELLING,
        "See the selling screen",
        why="The open transaction is kept on this register.",
        features=("PO1",),
    ),
    Operation(
        "basket.add",
        SELLING,
        "Scan, search, weigh or touch a product",
        May.SELL,
        why="Products, prices and taxes are on this register, however old they are.",
        features=("PO1", "SW9"),
    ),
    Operation("line.quantity", SELLING, "Change a quantity", May.SELL, features=("PO1",)),
    Operation("line.price", SELLING, "Change a price", May.OVERRIDE_PRICE, features=("PO1",)),
    Operation("line.discount", SELLING, "Give a discount on a line", May.DISCOUNT, features=("PO1",)),
    Operation(
        "basket.discount", SELLING, "Give a discount on the whole sale", May.DISCOUNT, features=("PO1",)
    ),
    Operation("line.note", SELLING, "Comment on a line", May.SELL, features=("PO1",)),
    Operation("line.void", SELLING, "Void a line", May.VOID_LINE, features=("PO2",)),
    Operation("basket.void", SELLING, "Void the whole transaction", May.VOID_TRANSACTION, features=("PO2",)),
    Operation("basket.suspend", SELLING, "Suspend a transaction", May.SUSPEND, features=("PO4",)),
    Operation("basket.recall", SELLING, "Recall a transaction", May.SUSPEND, features=("PO4",)),
    Operation(
        "basket.void-suspended",
        SELLING,
        "Void a suspended transaction",
        May.VOID_SUSPENDED,
        features=("PO4",),
    ),
    Operation(
        "basket.recall-elsewhere",
        SELLING,
        "Recall what another register suspended",
        May.SUSPEND,
        offline=STORE_SERVER_ANSWERS,
        refused=(
            "That transaction is on another register. Recall it there, or wait until the "
            "store's network is back."
        ),
        why="It lies on the other register; the store server passes it on.",
        planned=True,
        features=("SV12",),
    ),
    Operation(
        "pay.cash",
        PAYING,
        "Take cash, also foreign, and give change",
        May.SELL,
        why="The rates of foreign cash are on this register.",
        features=("PO2",),
    ),
    Operation("pay.hand-back", PAYING, "Hand back what was paid in part", May.SELL, features=("PO2",)),
    Operation(
        "refund.card",
        PAYING,
        "Refund on a standalone terminal to the card that paid",
        May.RETURN,
        why="The terminal pays it back; this register knows what the card paid on its receipts.",
        features=("PO3",),
    ),
    Operation(
        "refund.cash-instead", PAYING, "Pay out in cash what a card paid", May.REFUND_CARDS, features=("PO3",)
    ),
    Operation(
        "return.receipt",
        RETURNS,
        "Bring goods back with their receipt",
        May.RETURN,
        why="Receipts of this register are on it.",
        features=("PO3",),
    ),
    Operation(
        "return.without",
        RETURNS,
        "Bring goods back without a receipt",
        May.RETURN_WITHOUT_RECEIPT,
        features=("PO3",),
    ),
    Operation(
        "return.code",
        RETURNS,
        "Bring goods back by the receipt's signed code",
        May.RETURN,
        why=(
            "Each register checks the signature by itself; a receipt that was used twice is "
            "found when sync resumes."
        ),
        features=("PO8",),
    ),
    Operation(
        "return.elsewhere",
        RETURNS,
        "Look up a receipt of another register",
        May.RETURN,
        offline=STORE_SERVER_ANSWERS,
        refused=(
            "That receipt is not on this register. Scan its code, or bring the goods back without a receipt."
        ),
        why="It lies on the other register; its signed code brings all that a return needs.",
        planned=True,
        features=("SV12",),
    ),
    Operation("receipt.look", RECEIPTS, "See receipts", May.RECEIPTS, features=("PO4",)),
    Operation("receipt.reprint", RECEIPTS, "Print a receipt again", May.RECEIPTS, features=("PO4",)),
    Operation(
        "receipt.email",
        RECEIPTS,
        "E-mail a receipt",
        May.RECEIPTS,
        why="The mail is kept here and leaves when the mail server answers.",
        features=("PO8",),
    ),
    Operation(
        "receipt.resume",
        RECEIPTS,
        "Print what waits for the printer",
        May.RECEIPTS,
        features=("PO8",),
    ),
    Operation(
        "customer.find",
        CUSTOMERS,
        "Find and choose a customer",
        May.CUSTOMERS,
        why="Customers are on this register, with their age shown; points accrue when sync resumes.",
        features=("PO7", "LY2", "LY4"),
    ),
    Operation(
        "customer.create",
        CUSTOMERS,
        "Create a customer",
        May.CUSTOMERS,
        why="This register has a series of its own for new customers.",
        features=("PO7",),
    ),
    Operation(
        "customer.edit",
        CUSTOMERS,
        "Change a customer",
        May.CUSTOMERS,
        why="Head office takes the change in once it hears of it; of two the later word counts.",
        features=("PO7",),
    ),
)
