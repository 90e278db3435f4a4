"""Rows of the operations table: people, the business day, cash in the drawer, and the connection itself."""

from holdfast.core.operations.operation import NO, Operation
from holdfast.core.operations.roles import Permission as May

PEOPLE = "People"
DAY = "Business day"
CASH = "Shift and drawer"
CONNECTION = "Connection"

ROWS = (
    Operation(
        "till.see", PEOPLE, "See the till's page and its status", before_sign_in=True, features=("SW6",)
    ),
    Operation(
        "staff.sign-in",
        PEOPLE,
        "Sign in",
        why="The hashes of all PINs are on this register.",
        before_sign_in=True,
        features=("SW4", "PO6"),
    ),
    Operation("staff.sign-out", PEOPLE, "Sign out", before_sign_in=True, features=("PO6",)),
    Operation(
        "staff.lock",
        PEOPLE,
        "Lock the till",
        why="The open transaction is kept on this register.",
        before_sign_in=True,
        features=("PO6",),
    ),
    Operation(
        "staff.change-pin",
        PEOPLE,
        "Change one's PIN",
        offline=NO,
        refused=(
            "A PIN is changed at head office, so that the old one ends everywhere. Wait until "
            "the connection returns."
        ),
        why="Changed here alone, the old PIN would still open every other register of the chain.",
        planned=True,
        features=("PO6",),
    ),
    Operation("till.operations", PEOPLE, "See what works offline", features=("SW8",)),
    Operation(
        "day.open",
        DAY,
        "Open the business day",
        May.OPEN_DAY,
        why="Two of this register's clock, its last day and head office's last word speak for the date.",
        features=("SW4", "PO5"),
    ),
    Operation(
        "day.open-doubtful",
        DAY,
        "Open the day on a date that is in doubt",
        May.DOUBTFUL_DATE,
        features=("PO5",),
    ),
    Operation("day.close", DAY, "Close the business day", May.CLOSE_DAY, features=("PO5",)),
    Operation("report.x", DAY, "X report: the day so far", May.REPORTS, features=("PO5",)),
    Operation("report.z", DAY, "Z report: an earlier day again", May.REPORTS, features=("PO5",)),
    Operation("cash.see", CASH, "See the Cash area", features=("PO5",)),
    Operation("shift.open", CASH, "Begin a shift with its float", May.SHIFT, features=("PO5",)),
    Operation(
        "shift.close",
        CASH,
        "Count the drawer and end the shift",
        May.SHIFT,
        features=("PO5",),
    ),
    Operation("cash.drop", CASH, "Drop cash into the safe", May.MOVE_CASH, features=("PO5",)),
    Operation("cash.bank", CASH, "Take cash to the bank", May.PETTY_CASH, features=("PO5",)),
    Operation("cash.float", CASH, "Put change into the drawer", May.MOVE_CASH, features=("PO5",)),
    Operation("cash.expense", CASH, "Pay a petty expense", May.PETTY_CASH, features=("PO5",)),
    Operation("cash.income", CASH, "Take a petty income", May.PETTY_CASH, features=("PO5",)),
    Operation(
        "drawer.open",
        CASH,
        "Open the drawer without a sale",
        May.DRAWER,
        features=("PO5",),
    ),
    Operation(
        "link.send-now",
        CONNECTION,
        "Send to head office now",
        why="It tries at once; what cannot be sent stays here and goes by itself later.",
        features=("SV8",),
    ),
    Operation("link.continue", CONNECTION, "Go on after the warning of an outage", features=("SW1",)),
    Operation("link.status", CONNECTION, "See the page Status", features=("SW6", "SW9")),
    Operation("link.work-offline", CONNECTION, "Work offline", May.CONNECTION, features=("SW3",)),
    Operation(
        "link.enable-online",
        CONNECTION,
        "Enable Online POS",
        May.CONNECTION,
        why="It ends what a person chose; whether head office answers shows then.",
        features=("SW3", "SV7"),
    ),
    Operation(
        "link.fetch",
        CONNECTION,
        "Synchronize data from the store",
        offline=NO,
        refused="Newer data can only come over a connection. The till sells on with what it has.",
        why="What is newer is elsewhere.",
        planned=True,
        features=("SV7", "SV8"),
    ),
    Operation(
        "drill.start",
        CONNECTION,
        "Practise an outage",
        May.DRILL,
        offline=NO,
        refused="This register is offline already, or a drill goes on. Start one when it is online again.",
        why="A drill cuts what works; offline there is nothing to cut.",
        features=("SW11",),
    ),
    Operation(
        "drill.end",
        CONNECTION,
        "End the drill",
        why="It puts back what works, so it waits for nobody's approval.",
        features=("SW11",),
    ),
    Operation("till.readiness", CONNECTION, "See whether it is ready for an outage", features=("SW11",)),
)
