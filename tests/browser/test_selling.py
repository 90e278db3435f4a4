"""Selling, paying and bringing back, by scanner, keyboard and touch (PO1, PO2, PO3).

The lines are cut all the while, so that no warning opens between a key and its Enter (`cut_chain`).
"""

import re

import pytest
from playwright.sync_api import Browser, expect

from holdfast.demo.chain import Chain
from tests.browser.till_page import CHEDDAR, CRISPS, MANAGER, MILK, TillPage


@pytest.fixture
def chain(cut_chain: Chain) -> Chain:
    """In place of the one that mends the lines before each test."""
    return cut_chain


def answer(till: TillPage, **fields: str) -> None:
    """Fill the question that is on screen, and confirm it with Enter."""
    till.dialog.wait_for()
    for name, text in fields.items():
        till.dialog.locator(f"[name={name}]").fill(text)
    till.dialog.locator(f"[name={next(iter(fields))}]").press("Enter")


def test_selling_by_keyboard_alone(browser: Browser, chain: Chain) -> None:
    """PO1: sign in, scan, search, weigh, quantity, price, discounts, comment and cash, without a pointer."""
    with TillPage.open(browser, chain.registers["R01"].url) as till:
        keys = till.page.keyboard
        expect(till.page.locator("#staff")).to_be_focused()
        keys.type("1")
        keys.press("Tab")
        keys.type("1111")
        keys.press("Enter")
        till.arrive("#date, #scan, #start")
        till.read_start()
        if till.page.locator("#date").count():
            expect(till.page.locator("button:has-text('Open the day')")).to_be_focused()
            keys.press("Enter")
            till.arrive("#scan, #start")
            till.read_start()
        till.arrive("#scan")

        till.scan(MILK, "Milk")
        till.scan("3*" + CRISPS, "crisps")
        till.type("tea")
        keys.press("Enter")
        expect(till.page.locator(".work__title")).to_have_text("2 products found")
        till.page.locator(".tile-button:has-text('Breakfast tea')").focus()
        keys.press("Enter")
        expect(till.lines).to_have_count(3)
        till.type("0.642*APPLE")
        keys.press("Enter")
        expect(till.lines.last).to_contain_text("0.642 kg")
        expect(till.lines.last).to_contain_text("€2.56")

        keys.press("F7")
        answer(till, note="ripe ones")
        expect(till.lines.last).to_contain_text("ripe ones")
        keys.press("ArrowUp")  # the tea
        keys.press("F2")
        answer(till, quantity="2")
        expect(till.lines.nth(2)).to_contain_text("€9.00")
        keys.press("F4")
        answer(till, price="4.25", reason="Wrong label")
        expect(till.lines.nth(2)).to_contain_text("Price changed from €4.50: Wrong label")
        expect(till.lines.nth(2)).to_contain_text("€8.50")
        keys.press("F6")
        answer(till, discount="10%")
        expect(till.lines.nth(2)).to_contain_text("€7.65")
        expect(till.total).to_have_text("€15.71")
        keys.press("F9")
        till.page.wait_for_selector("#amount")
        till.type("20")
        keys.press("Enter")
        assert till.change() == "€4.29"


def test_a_discount_on_the_whole_sale_is_shared_over_its_lines(till: TillPage) -> None:
    """PO1."""
    till.scan(MILK, "Milk")
    till.scan(CHEDDAR, "cheddar")
    till.page.keyboard.press("F6")
    till.dialog.locator("[value=total]").check()
    till.dialog.locator("[data-value='10%']").click()
    till.dialog.locator("[data-value=Goodwill]").click()
    till.page.click("text=Set discount")
    expect(till.lines.first).to_contain_text("Share of the discount 10 %, Goodwill")
    expect(till.total).to_have_text("€4.99")
    till.void()


def test_beyond_his_limits_a_cashier_asks_a_manager(till: TillPage) -> None:
    """PO1: what was typed is kept while the manager comes."""
    till.scan(CHEDDAR, "cheddar")
    till.page.keyboard.press("F6")
    answer(till, discount="50%")
    expect(till.dialog).to_contain_text("A discount of over 10 % on a line needs a manager")
    answer(till, manager_pin="1111", manager="1")
    expect(till.dialog).to_contain_text("Nobody with that number and PIN may approve")
    answer(till, manager_pin=MANAGER[1], manager=MANAGER[0])
    expect(till.lines.first).to_contain_text("€2.05")
    till.void()


def test_touch_alone_weighs_and_takes_cash(till: TillPage) -> None:
    """PO1, PO2: tiles, keypad and quick amounts."""
    till.page.click(".tile-button:has-text('Bananas')")
    till.dialog.wait_for()
    for key in ("1", ".", "5"):
        till.page.click(f"[data-keypad=weight] [data-key='{key}']")
    till.page.click("#dialog >> text=Add")
    expect(till.lines.first).to_contain_text("1.500 kg")
    till.page.click(".pay")
    till.page.click(".quick:has-text('€5.00')")
    assert till.change() == "€2.16"
    expect(till.page.locator(".paper")).to_contain_text("1.500 kg × €1.89")


def test_cash_in_parts_change_and_what_stands_on_the_receipt(till: TillPage) -> None:
    """PO2: with all that the law wants on a receipt."""
    till.scan(CHEDDAR, "cheddar")
    till.scan(CRISPS, "crisps")
    till.pay("2")
    expect(till.page.locator("#due")).to_have_text("€3.45")
    till.page.click("text=Hand it back")
    expect(till.page.locator("#due")).to_have_text("€5.45")
    till.pay("2")
    expect(till.page.locator("#due")).to_have_text("€3.45")
    till.pay("5")
    assert till.change() == "€1.55"
    paper = till.page.locator(".paper")
    number = till.number()
    assert re.fullmatch(r"R01-[0-9A-HJKMNP-TV-Z]{5}-\d{6}", number)
    for text in (
        number,
        "Served by",
        "Aoife Byrne",
        "Mature cheddar",
        "Total",
        "€5.45",
        "Cash",
        "€2.00",
        "Change",
    ):
        expect(paper).to_contain_text(text)
    expect(paper.locator(".paper__taxes")).to_contain_text("VAT 23 %")
    expect(paper.locator(".paper__taxes")).to_contain_text("€0.25")


def test_a_line_and_a_transaction_are_voided_safely(till: TillPage) -> None:
    """PO2: the question's first answer is the safe one, and Enter from a scanner never voids."""
    till.scan(MILK, "Milk")
    till.scan(CHEDDAR, "cheddar")
    till.page.keyboard.press("F8")
    expect(till.lines).to_have_count(1)
    expect(till.total).to_have_text("€1.45")
    till.page.click("text=Void all")
    till.dialog.wait_for()
    expect(till.page.locator("#dialog >> text=Keep selling")).to_be_focused()
    till.page.keyboard.press("Enter")
    expect(till.dialog).to_have_count(0)
    expect(till.lines).to_have_count(1)
    till.page.click("text=Void all")
    till.dialog.locator("[name=reason]").fill("Customer left")
    till.page.keyboard.press("Enter")
    expect(till.dialog).to_be_visible()
    till.page.click("text=Void transaction")
    expect(till.page.locator("#notice")).to_contain_text("The transaction was voided")
    expect(till.lines).to_have_count(0)


def test_goods_come_back_with_their_receipt_never_more_than_were_sold(till: TillPage) -> None:
    """PO3: scanning the receipt's code finds it; a second time there is nothing left to bring."""
    till.scan("2*" + CRISPS, "crisps")
    till.scan(CHEDDAR, "cheddar")
    number = till.pay_exact()
    till.page.keyboard.press("F9")
    till.send_code(number)
    till.page.wait_for_selector(".bring-back")
    till.page.locator("[name=line]").first.check()
    till.page.locator("[name=quantity-1]").fill("3")
    till.page.click("text=Bring back")
    expect(till.page.locator("#notice")).to_contain_text("Only 2 of this line can still be brought back")
    till.page.locator("[name=line]").first.check()
    till.page.click("text=Bring back")
    expect(till.lines.first).to_contain_text("-€2.70")
    till.page.keyboard.press("F9")
    till.page.click("text=in cash")
    assert till.change() == "€2.70"
    expect(till.page.locator(".paper")).to_contain_text(f"From {number}")
    expect(till.page.locator(".paper__sums")).to_contain_text("Refunded in cash")
    till.page.keyboard.press("F9")
    till.send_code(number)
    till.page.wait_for_selector(".bring-back")
    expect(till.page.locator("[name=line]").first).to_be_disabled()
    till.page.keyboard.press("Escape")


def test_goods_come_back_without_a_receipt_for_a_reason(till: TillPage) -> None:
    """PO3: the reason stands on the line, and much of it needs a manager."""
    till.page.click("text=Return")
    till.dialog.locator("[data-value=Faulty]").click()
    till.page.click("text=Scan what comes back")
    expect(till.page.locator("#ticket h2")).to_have_text("Return")
    till.scan(CRISPS, "crisps")
    expect(till.lines.first).to_contain_text("Faulty")
    expect(till.page.locator(".totals__sum")).to_contain_text("To pay out")
    till.send_code("40*" + CRISPS)
    expect(till.dialog).to_contain_text("Bringing back so much without a receipt needs a manager")
    till.page.keyboard.press("Escape")
    till.page.keyboard.press("F9")
    till.page.click("text=in cash")
    assert till.change() == "€1.35"


def test_no_key_of_a_scanner_is_lost_wherever_the_focus_is(till: TillPage) -> None:
    """PO1: three scans without a pause, and one while a price is being typed."""
    for code in (MILK, CHEDDAR, CRISPS):
        till.send_code(code)
    expect(till.lines).to_have_count(3)
    expect(till.lines.nth(0)).to_contain_text("Milk")
    expect(till.lines.nth(1)).to_contain_text("cheddar")
    expect(till.lines.nth(2)).to_contain_text("crisps")
    till.page.keyboard.press("F4")
    till.dialog.wait_for()
    till.type("1.2")
    till.send_code(MILK)
    expect(till.lines).to_have_count(4)
    expect(till.lines.nth(2)).to_contain_text("€1.35")
    till.page.locator(".pay").focus()
    till.send_code(CHEDDAR)
    expect(till.lines).to_have_count(5)
    till.void()


def test_the_menu_by_keyboard(till: TillPage) -> None:
    """It opens and closes by key, and says that what was asked for was heard."""
    menu = till.page.locator("summary")
    menu.focus()
    till.page.keyboard.press("Enter")
    till.page.keyboard.press("Tab")
    expect(till.page.locator(".menu__items button").first).to_be_focused()
    till.page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    send = till.page.get_by_role("button", name="Send to head office now")
    expect(send).to_be_hidden()
    till.page.keyboard.press("Enter")
    while not send.evaluate("button => button === document.activeElement"):
        assert menu.evaluate("menu => menu.parentElement.contains(document.activeElement)"), (
            "it is not reached"
        )
        till.page.keyboard.press("Tab")
    till.page.keyboard.press("Enter")
    expect(till.page.locator("#notice")).to_contain_text(re.compile("Trying now|Nothing is owed"))


def test_what_nobody_knows_is_said_and_changes_nothing(till: TillPage) -> None:
    """A wrong code, a wrong figure, a receipt of another register."""
    for text, said in (
        ("99999999", "No product has the code or name “99999999”"),
        ("zzz", "No product has the code or name “zzz”"),
        ("0*" + MILK, "A quantity is more than zero"),
        ("R77-ABCDE-000001", "This register knows no receipt R77-ABCDE-000001"),
    ):
        till.send_code(text)
        expect(till.page.locator("#notice")).to_contain_text(said)
        till.page.keyboard.press("Escape")
    expect(till.lines).to_have_count(0)


def test_the_day_is_closed_and_a_far_date_needs_a_manager(browser: Browser, chain: Chain) -> None:
    """PO5, the part that is built: a date over a day away is for a manager to approve."""
    with TillPage.open(browser, chain.registers["R02"].url) as till:
        till.begin()
        till.close_day()
        expect(till.page.get_by_role("status").last).to_contain_text("is closed")
        offered = till.page.input_value("#date")
        till.page.fill("#date", str(int(offered[:4]) + 1) + offered[4:].replace("02-29", "02-28"))
        till.page.click("button:has-text('Open the day')")
        expect(till.page.get_by_role("alert").first).to_contain_text("ask a manager")
        till.page.fill("#manager", "1")
        till.page.fill("#manager-pin", "1111")
        till.page.click("button:has-text('Open the day')")
        expect(till.page.get_by_role("alert").first).to_contain_text("may approve")
        till.page.goto(till.url)
        till.open_day()
