"""Rows of the operations table: what head office, a store server or a payment terminal has a part in.

Here offline is often *no*: the value lies at head office alone, and two registers that both took it would
spend it twice (P8). Each row says why, and where there is a way to be allowed ahead, that is its condition.
"""

from holdfast.core.central.accounts import WORDS, Kind
from holdfast.core.central.sentences import BEGUN_OFFLINE, not_offline
from holdfast.core.operations import conditions as when
from holdfast.core.operations.operation import NO, Operation
from holdfast.core.operations.roles import Permission as May

GIFT_CARDS = "Gift cards"
CREDIT_MEMOS = "Credit memos"
LOYALTY = "Loyalty"
ON_ACCOUNT = "On account"
STOCK = "Stock"
CARDS = "Card payments"

_NO_GIFT_CARD = BEGUN_OFFLINE[Kind.GIFT_CARD]
_NO_CREDIT_MEMO = BEGUN_OFFLINE[Kind.CREDIT_MEMO]
_NO_ACCOUNT = BEGUN_OFFLINE[Kind.ON_ACCOUNT]
_NO_POINTS = BEGUN_OFFLINE[Kind.POINTS]
_ONE_TRUTH = "The balance is known at head office alone; another register may be using it at this moment."

ROWS = (
    Operation(
        "gift.sell", GIFT_CARDS, "Sell a gift card", May.GIFT_CARDS, offline=NO, refused=_NO_GIFT_CARD,
        why=_ONE_TRUTH, features=("GC1", "GC7"),
    ),
    Operation(
        "gift.top-up", GIFT_CARDS, "Top up a gift card", May.GIFT_CARDS, offline=NO, refused=_NO_GIFT_CARD,
        why=_ONE_TRUTH, features=("GC1", "GC7"),
    ),
    Operation(
        "gift.balance", GIFT_CARDS, "Check the balance of a gift card", May.GIFT_CARDS, offline=NO,
        refused=_NO_GIFT_CARD, why=_ONE_TRUTH, features=("GC1", "GC7"),
    ),
    Operation(
        "gift.redeem", GIFT_CARDS, "Pay by gift card", May.GIFT_CARDS, offline=when.GIFT_CARD_RESERVED,
        refused=_NO_GIFT_CARD, why=_ONE_TRUTH, features=("GC1", "GC7", "GC10"),
    ),
    Operation(
        "gift.conclude", GIFT_CARDS, "Conclude a transaction that holds a gift card", May.GIFT_CARDS,
        offline=when.GIFT_CARD_HELD,
        refused=not_offline(WORDS[Kind.GIFT_CARD]),
        why="The card was locked for this register while it was online; nobody else can use it meanwhile.",
        features=("GC4", "GC5"),
    ),
    Operation(
        "gift.remove", GIFT_CARDS, "Take a gift card off the transaction", May.GIFT_CARDS,
        why="The unlocking is sent when the connection returns.", features=("GC3", "GC5"),
    ),
    Operation(
        "gift.cash-out", GIFT_CARDS, "Pay a gift card out in cash", May.CASH_OUT, offline=NO,
        refused=_NO_GIFT_CARD, why=_ONE_TRUTH, features=("GC1", "GC7"),
    ),
    Operation(
        "memo.issue", CREDIT_MEMOS, "Refund to a credit memo", May.CREDIT_MEMOS,
        offline=when.CREDIT_MEMO_ALLOWED, refused=_NO_CREDIT_MEMO,
        why="No other register can redeem it until head office has it.",
        features=("GC6",),
    ),
    Operation(
        "memo.redeem", CREDIT_MEMOS, "Pay by credit memo", May.CREDIT_MEMOS,
        offline=when.CREDIT_MEMO_OF_HERE, refused=_NO_CREDIT_MEMO, why=_ONE_TRUTH, features=("GC6",),
    ),
    Operation(
        "memo.conclude", CREDIT_MEMOS, "Conclude a transaction that holds a credit memo", May.CREDIT_MEMOS,
        offline=when.CREDIT_MEMO_HELD,
        refused=not_offline(WORDS[Kind.CREDIT_MEMO]),
        why="The memo was locked for this register while it was online; nobody else can use it meanwhile.",
        features=("GC6",),
    ),
    Operation(
        "memo.remove", CREDIT_MEMOS, "Take a credit memo off the transaction", May.CREDIT_MEMOS,
        why="The unlocking is sent when the connection returns.", features=("GC6",),
    ),
    Operation(
        "loyalty.redeem", LOYALTY, "See points, and pay by them", May.LOYALTY, offline=NO, refused=_NO_POINTS,
        why="Points earned elsewhere today are known at head office alone.", features=("LY4",),
    ),
    Operation(
        "loyalty.disable", LOYALTY, "Disable real-time loyalty", May.LOYALTY,
        why="Points are earned all the same; they accrue when sync resumes.", features=("LY1", "LY3"),
    ),
    Operation(
        "loyalty.enable", LOYALTY, "Enable real-time loyalty", May.LOYALTY, features=("LY3",)
    ),
    Operation(
        "account.tender", ON_ACCOUNT, "Sell on account", May.ON_ACCOUNT, offline=when.CREDIT_KNOWN,
        refused=_NO_ACCOUNT, why="The customer's open balance is known at head office alone.",
        features=("OA1", "OA2"),
    ),
    Operation(
        "account.payment", ON_ACCOUNT, "Take a payment on account", May.ON_ACCOUNT, offline=NO,
        refused=_NO_ACCOUNT, why="The customer's open balance is known at head office alone.",
        features=("OA1",),
    ),
    Operation(
        "stock.look-up", STOCK, "Check the quantity on hand", May.STOCK, offline=NO,
        refused="Checking quantity on hand needs a real-time connection.",
        why="Other registers sell from the same stock.", features=("ST1",),
    ),
    Operation(
        "stock.estimate", STOCK, "See an estimate of the quantity on hand", May.STOCK,
        why="It says as of when it is.", features=("ST4",),
    ),
    Operation(
        "stock.count", STOCK, "Count stock", May.CHANGE_STOCK,
        why="A count is an entry with its time; sales that arrive later are netted.", features=("ST3",),
    ),
    Operation(
        "stock.adjust", STOCK, "Adjust stock", May.CHANGE_STOCK,
        why="An adjustment is a movement, not a new total.", features=("ST3",),
    ),
    Operation(
        "stock.transfer", STOCK, "Send goods to a store, or receive them", May.CHANGE_STOCK,
        why="Each end is an entry; head office puts the two together.", features=("ST2",),
    ),
    Operation(
        "card.pay", CARDS, "Take a card payment from the till", May.CARDS, offline=when.TERMINAL_TOOK_SETTING,
        refused="The terminal may not take cards offline. Take cash, or wait until the connection returns.",
        why="The merchant bears the loss of a later decline; head office must have agreed to that ahead.",
        planned=True, features=("CP1", "CP2", "CP13"),
    ),
    Operation(
        "card.standalone", CARDS, "Take a card on a standalone terminal", May.CARDS,
        why="The terminal has the payment; the sale keeps its slip's reference.", features=("CP17", "PO2"),
    ),
    Operation(
        "card.activate", CARDS, "Activate offline payments on the terminal", May.CARDS_OFFLINE, online=NO,
        offline=when.TERMINAL_TOOK_SETTING,
        refused=(
            "Offline payments are activated while the terminal has no connection, and where "
            "head office allowed them before."
        ),
        why=(
            "Online the terminal asks the bank; and what was not allowed before the outage "
            "cannot be asked for in it."
        ),
        planned=True, features=("CP2", "CP7"),
    ),
    Operation(
        "card.resume", CARDS, "Resume integrated payments", May.CARDS, offline=NO,
        refused="The terminal still has no connection. It says when integrated payments can be resumed.",
        why="Integrated payments need the line that is missing.", planned=True, features=("CP10",),
    ),
    Operation(
        "card.refund", CARDS, "Refund to a card", May.REFUND_CARDS, offline=NO,
        refused="A card is refunded online only. Wait until the connection returns, or refund in cash.",
        why="The bank must know the first payment before it pays back.", planned=True, features=("CP12",),
    ),
    Operation(
        "card.cancel", CARDS, "Cancel a card payment", May.REFUND_CARDS, offline=NO,
        refused="An offline payment is not cancelled while offline. It is refunded from Finance afterwards.",
        why="It may be on its way to the bank already.", planned=True, features=("CP12",),
    ),
    Operation(
        "card.key-in", CARDS, "Type a card number by hand", May.CARDS, offline=NO,
        refused="Offline, a card is tapped or inserted. Ask for another card, or take cash.",
        why="Without the chip nothing proves that the card was there.", planned=True, features=("CP5",),
    ),
)  # fmt: skip
