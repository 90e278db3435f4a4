"""The pictures of a till: a day's work of a cashier and a manager, online."""

from playwright.sync_api import Browser

from holdfast.demo.chain import Chain
from scripts.screenshots.camera import Camera
from scripts.screenshots.driver import CASHIER, MANAGER, Till, page_of

BASKETS = (("MILK1", "BREAD"), ("FLAT", "SCONE", "2*CHOCB"), ("0.8*BANAN", "CHEDD", "OLIVE"), ("STOUT",))


def photograph_till(browser: Browser, chain: Chain, camera: Camera) -> None:
    """From the sign-in to the evening's count, at R01; its day stays open."""
    with page_of(browser, chain.registers["R01"].url) as page:
        till = Till(page, camera)
        _morning(till)
        _selling(till)
        _lines(till)
        _paying(till)
        _suspending(till)
        _returning(till)
        _card(till)
        _customers(till)
        _looking(till)


def photograph_cash(browser: Browser, chain: Chain, camera: Camera) -> None:
    """R02's drawer, from the first drop to the Z report, in a manager's hands."""
    with page_of(browser, chain.registers["R02"].url) as page:
        till = Till(page, camera)
        _cash(till)


def _morning(till: Till) -> None:
    till.see("#staff")
    till.shoot("till-sign-in")
    till.sign_in(CASHIER)
    till.page.fill("#float", "150")
    till.shoot("till-open-day")
    till.page.fill("#date", "2031-01-01")
    till.click("button:has-text('Open the day')", "#manager")
    till.shoot("till-date-in-doubt")
    till.page.goto(till.url)
    till.page.fill("#float", "150")
    till.click("button:has-text('Open the day')", "#scan")
    till.see(".status__mode--online")


def _selling(till: Till) -> None:
    till.shoot("till-empty")
    for basket in BASKETS:
        till.sell(*basket)
    till.click("[role=tab]:has-text('Grocery')", "[role=tab][aria-selected=true]:has-text('Grocery')")
    till.shoot("till-category")
    till.page.fill("#scan", "milk")
    till.press("Enter", "h2:has-text('found')")
    till.shoot("till-search")
    till.press("Escape", ".grid__tabs")
    till.click("[role=tab] >> nth=0", "[role=tab][aria-selected=true] >> nth=0")
    till.page.fill("#scan", "BANAN")
    till.press("Enter", "#weight")
    till.page.fill("#weight", "0.642")
    till.shoot("till-weigh")
    till.press("Enter", "[data-line]")


def _lines(till: Till) -> None:
    till.scan("MILK1", "CHEDD", "2*SCONE", "FLAT")
    till.dialog("F2", "till-quantity")
    till.dialog("F4", "till-price")
    till.dialog("F6", "till-discount")
    till.dialog("F7", "till-note")
    till.press("F6", "#discount")
    till.page.fill("#discount", "30%")
    till.page.fill("#reason", "Damaged")
    till.press("Enter", "#manager")
    till.shoot("till-approve")
    till.approve()
    till.see(".line__extra")
    till.press("F7", "#note")
    till.page.fill("#note", "Oat milk, extra hot")
    till.press("Enter", ".line__extra >> text=Oat milk")
    till.click("text=Void all", "#dialog dialog[open]")
    till.shoot("till-void")
    till.close()


def _paying(till: Till) -> None:
    till.press("F11", "#who")
    till.page.fill("#who", "brandt")
    till.press("Enter", ".customer")
    till.press("Enter", ".ticket__who:has-text('Amara')")
    till.shoot("till-selling")
    till.press("F9", "#amount")
    till.shoot("till-pay")
    till.page.fill("#amount", "5")
    till.press("Enter", ".payment__given")
    till.click(".currency:has-text('GBP')", "#foreign-due")
    till.shoot("till-pay-foreign")
    till.page.fill("#amount", "20")
    till.press("Enter", "#change")
    till.see("text=Nothing owed")
    till.shoot("till-change")
    till.press("Escape", ".shelf")


def _suspending(till: Till) -> None:
    for codes, note in ((("OLIVE", "COFF2"), "Blue coat"), (("3*WATER", "CRISP"), "")):
        till.scan(*codes)
        till.press("F3", "#note")
        till.page.fill("#note", note)
        if note:
            till.shoot("till-suspend")
        till.press("Enter", ".ticket__empty")
    till.press("F3", ".waiting")
    till.shoot("till-suspended")
    till.click(".waiting__row >> nth=1 >> button >> text=Void", "#dialog dialog[open]")
    till.shoot("till-give-up")
    till.close()
    till.press("Escape", ".shelf")


def _returning(till: Till) -> None:
    till.click("nav >> text=Return", "#dialog dialog[open]")
    till.page.fill("#reason", "Faulty")
    till.shoot("till-return")
    till.click("text=Scan what comes back", ".ticket--return")
    till.scan("CANDL")
    till.shoot("till-returning")
    till.press("F9", ".payment__exact")
    till.shoot("till-refund")
    till.click("text=in cash", "#number")
    till.press("Escape", ".shelf")
    till.press("F10", ".document")
    till.shoot("till-receipts")
    till.click(".document >> nth=-1", ".bring-back")
    till.shoot("till-receipt")
    till.press("Escape", ".shelf")


def _card(till: Till) -> None:
    """A sale on the standalone terminal, and what of it comes back."""
    till.scan("CANDL")
    till.press("F9", "#amount")
    till.click(".currency:has-text('Card')", "#reference")
    till.page.fill("#reference", "512-0417")
    till.shoot("till-pay-card")
    till.press("Enter", "#number")
    till.press("Escape", ".shelf")
    till.press("F10", ".document")
    till.click(".document >> nth=0", ".bring-back")
    till.page.check(".bring-back input >> nth=1")
    till.click("text=Bring back", ".ticket--return")
    till.press("F9", "#reference")
    till.shoot("till-refund-card")
    till.click("text=Pay out in cash instead", "#dialog dialog[open]")
    till.shoot("till-cash-instead")
    till.close()
    till.press("Escape", ".shelf")
    till.click("text=Void all", "#dialog dialog[open]")
    till.click("text=Void transaction", ".ticket__empty")


def _customers(till: Till) -> None:
    till.press("F11", "#who")
    till.page.fill("#who", "c")
    till.press("Enter", ".customer")
    till.shoot("till-customers")
    till.page.fill("#who", "Greta Lindqvist")
    till.press("Enter", ".empty")
    till.click("text=Create a customer", "#customer-name")
    till.page.fill("#customer-email", "amara.brandt@example.com")
    till.shoot("till-customer-new")
    till.press("Enter", ".notice--warn")
    till.shoot("till-customer-known")
    till.press("Escape", "#who")
    till.press("Escape", ".shelf")


def _looking(till: Till) -> None:
    till.menu("What works offline", ".operations")
    till.shoot("till-operations")
    till.press("Escape", ".shelf")
    till.page.click("summary")
    till.shoot("till-menu")
    till.press("Escape", ".shelf")


def _cash(till: Till) -> None:
    till.sign_in(MANAGER)
    till.page.fill("#float", "100")
    till.click("button:has-text('Open the day')", "#scan")
    for basket in BASKETS:
        till.sell(*basket)
    till.menu("Cash", ".cash__shift")
    till.shoot("till-cash")
    till.click("[hx-get='/cash/move/drop']", "#amount")
    till.page.fill("#amount", "50")
    till.page.fill("#reference", "Bag 0417")
    till.shoot("till-drop")
    till.press("Enter", ".cash__shift")
    till.click("[hx-get='/cash/move/expense']", "#amount")
    till.page.fill("#amount", "12.50")
    till.page.fill("#reason", "Window cleaner")
    till.shoot("till-expense")
    till.press("Enter", ".cash__shift")
    till.click("[hx-get='/cash/no-sale']", "#dialog dialog[open]")
    till.shoot("till-no-sale")
    till.close()
    till.click("[hx-post='/cash/x']", ".paper")
    till.shoot("till-x-report")
    till.press("Escape", ".cash__shift")
    till.click("text=Count and close the shift", ".count")
    for field, pieces in (("5000", "1"), ("2000", "1"), ("500", "1"), ("200", "2"), ("50", "1")):
        till.page.fill(f"#pieces-EUR-{field}", pieces)
    till.shoot("till-count")
    till.press("Enter", ".cash__confirm")
    till.shoot("till-count-review")
    till.press("Enter", "#verdict")
    till.shoot("till-over-short")
    till.click("text=Open the next shift", "#float")
    till.shoot("till-shift-open")
    till.press("Escape", ".cash__shift")
    till.click("#work >> [hx-get='/dialog/close-day']", "#dialog dialog[open]")
    till.shoot("till-close-day")
    till.click("#dialog >> button:has-text('Close the day')", "#date")
    till.shoot("till-day-closed")
    till.click("[formaction='/cash/z']", ".document")
    till.shoot("till-z-reports")
    till.click(".document", ".paper")
    till.shoot("till-z-report")
    till.press("Escape", "#date")
    till.page.fill("#float", "100")
    till.click("button:has-text('Open the day')", "#scan")
    till.sell("MILK2", "SOURD")
