"""Pages of central value: accounts, prepared cards, locks by role, differences, proof (GC9, GC11, P8)."""

import csv
import io
import re

import httpx
import pytest

from holdfast.core.central.accounts import Act, Kind
from holdfast.core.central.holds import Declined, Held
from holdfast.core.refusals import Refusal
from holdfast.hq.central.audit import acts
from holdfast.hq.web.auth.accounts import Accounts
from tests.central_shop import NUMBER, Shop
from tests.hq_web_fixtures import PASSWORD, ServedHeadOffice, csrf_of

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]


@pytest.fixture
def shop(office: ServedHeadOffice) -> Shop:
    return Shop(office)


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    page = client.get("/locks").text
    return client.post(path, data={"csrf": csrf_of(page), **fields}, follow_redirects=True)


def manager(office: ServedHeadOffice, name: str, store: str) -> httpx.Client:
    """Somebody of a store, signed in."""
    client = office.client(Accept="text/html")
    token = Accounts(office.services.pool, office.services.clock).new_link(name, store)
    path = f"/welcome/{token}"
    csrf = csrf_of(client.get(path).text)
    assert client.post(path, data={"csrf": csrf, "password": PASSWORD, "again": PASSWORD}).status_code == 303
    return client


def test_an_account_is_found_by_its_digits_and_shows_what_it_is_made_of(shop: Shop) -> None:
    client, end = shop.office.signed_in("nia"), NUMBER[-4:]
    found = post(client, "/cards/find", number=f"{NUMBER[:6]} {NUMBER[6:]}")
    assert found.url.path == "/cards/gift_card/card1"
    assert NUMBER not in found.text
    said = text_of(found.text)
    assert f"Gift card …{end}" in said
    assert "Topped up" in said
    assert "500" in said.partition("Balance")[2] or "5.00 GBP" in said
    listed = post(client, "/cards/find", number=end)
    assert listed.url.query == f"number_end={end}".encode()
    assert f"Gift card …{end}" in text_of(listed.text)
    assert post(client, "/cards/find", number="C-1").url.path == "/cards/on_account/C-1"
    unknown = post(client, "/cards/find", number=NUMBER[:-1] + "0")
    assert (unknown.status_code, "mistyped" in unknown.text) == (404, True)
    blocked = post(client, "/cards/gift_card/card1/state", act="block", reason="Reported stolen")
    assert "Blocked by nia: “Reported stolen”" in text_of(blocked.text)
    assert post(client, "/cards/gift_card/card1/state", act="block", reason="Again").status_code == 409
    assert client.get("/cards/gift_card/nobody").status_code == 404


def test_cards_are_made_on_the_page_and_their_file_comes_once(office: ServedHeadOffice) -> None:
    client = office.signed_in("nia")
    made = post(client, "/cards/prepared", count="3", currency="GBP", pin="yes")
    assert made.headers["content-disposition"].startswith("attachment;")
    assert made.headers["cache-control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(made.text)))
    assert [len(row["pin"]) for row in rows] == [4, 4, 4]
    page = client.get("/cards/prepared").text
    assert not [row for row in rows if row["number"] in page], "nowhere else in full"
    assert "20,000" in text_of(post(client, "/cards/prepared", count="20001", currency="GBP").text)
    upload = {"file": ("cards.csv", made.content, "text/csv")}
    again = client.post("/cards/prepared/load", data={"csrf": csrf_of(page)}, files=upload)
    assert (again.status_code, "Nothing was taken: 3 of 3 rows are bad." in again.text) == (422, True)
    assert "Line 2, number: head office has this card already" in text_of(again.text)
    [batch] = office.services.head_office.cards.batches()
    lost = post(client, "/cards/prepared/block", batch=batch.batch, reason="The parcel was lost")
    assert "3 unsold cards are blocked" in text_of(lost.text)


def test_a_store_manager_sees_and_releases_the_locks_of_the_own_store_alone(shop: Shop) -> None:
    lock, office = shop.hold().lock, shop.office
    other = manager(office, "otto", "S2")
    assert "Nothing is locked" in text_of(other.get("/locks").text)
    assert other.get(f"/locks/{lock.key}").status_code == 404
    assert post(other, f"/locks/{lock.key}", reason="Mine").status_code == 404
    assert len(shop.locks.locks()) == 1
    own = manager(office, "mia", "S1")
    assert own.get("/", follow_redirects=True).url.path == "/locks"
    for path in ("/cards", "/registers", "/differences", "/cards/prepared", "/locksmith"):
        assert own.get(path).status_code in (403, 404), path
    assert own.post("/cards/prepared", data={"csrf": csrf_of(own.get("/locks").text)}).status_code == 403
    page = text_of(own.get(f"/locks/{lock.key}").text)
    assert f"Release gift card …{NUMBER[-4:]}?" in page
    assert "report of differences with your name and reason" in page
    refused = post(own, f"/locks/{lock.key}", reason="")
    assert (refused.status_code, "A reason is needed" in refused.text) == (409, True)
    done = post(own, f"/locks/{lock.key}", reason="The till was stolen")
    assert "The lock is released" in text_of(done.text)
    assert "by mia, “The till was stolen”" in text_of(done.text)
    [act] = acts(office.services.pool, act="lock-released")
    assert (act.by, act.store) == ("mia", "S1")
    assert isinstance(Accounts(office.services.pool, office.services.clock).new_link("mia", "S2"), Refusal)


def test_differences_are_a_list_to_work_through_and_a_file(shop: Shop) -> None:
    shop.tills[0].allowed = frozenset(Kind)
    lock = shop.hold().lock
    shop.tills[0].conclude(400)
    shop.locks.release(lock.key, by="mia", reason="Away")
    assert isinstance(shop.tills[1].ask(Kind.GIFT_CARD, Act.REDEEM, number=NUMBER), Held)
    shop.tills[1].conclude(300)
    shop.tills[0].online = True
    shop.tills[0].sync()
    client = shop.office.signed_in("ann")
    page = client.get("/differences?register=r01&store=S1&open=yes").text
    said = text_of(page)
    assert "Its lock was released, and the register concluded all the same" in said
    assert "released by mia: “Away”" in said
    assert "None All that registers took" in text_of(client.get("/differences?register=R02").text)
    place = {
        name: re.findall(rf'name="{name}" value="(\d+)"', page)[0] for name in ("chain", "seq", "ordinal")
    }
    noted = post(client, "/differences", note="Written off", open="yes", **place)
    assert "None All that registers took" in text_of(noted.text)
    assert "ann: “Written off”" in text_of(client.get("/differences").text)
    rows = list(csv.DictReader(io.StringIO(client.get("/differences.csv?kind=gift_card").text)))
    assert [(row["difference"], row["released_by"], row["note"]) for row in rows] == [
        ("-200", "mia", "Written off")
    ]
    assert client.get("/differences?first=soon").status_code == 422
    assert "Not proved yet" in text_of(client.get("/proof").text)
    shop.office.services.head_office.proof.run(lambda _: None)
    assert "Everything added up" in text_of(client.get("/proof").text)
    assert re.search(
        r"mia Lock released gift card …\d{4}, held by Till R01.*Away", text_of(client.get("/audit").text)
    )
    account = text_of(client.get("/cards/gift_card/card1").text)
    assert "released, and concluded all the same" in account


def test_after_a_restore_nothing_is_held_until_all_answered_or_an_admin_says_so(
    own_office: ServedHeadOffice,
) -> None:
    shop = Shop(own_office)
    client = own_office.signed_in("nia")
    assert "Head office has lost nothing" in text_of(client.get("/restored").text)
    with own_office.services.pool.connection() as conn:
        conn.execute("insert into incarnation values (2, 'life2', 1, 'restored')")
    refused = shop.tills[0].ask(Kind.GIFT_CARD, Act.REDEEM, number=NUMBER)
    assert isinstance(refused, Declined)
    assert refused.code == "hold.restored"
    page = text_of(client.get("/restored").text)
    assert "0 of 2 registers have answered" in page
    assert "Till R02 S1 never It has not answered yet" in page
    assert "2 are missing" in text_of(client.get("/locks").text)
    shop.speaks(0)
    after_loss = own_office.services.head_office.after_loss
    assert after_loss.look()
    assert [each.name for each in after_loss.state().missing] == ["Till R02"]
    assert post(client, "/restored", reason=" ").status_code == 409
    opened = text_of(post(client, "/restored", reason="R02 burnt in May").text)
    assert "nia said so, “R02 burnt in May”" in opened
    assert isinstance(shop.tills[0].ask(Kind.GIFT_CARD, Act.REDEEM, number=NUMBER), Held)
    [act] = acts(own_office.services.pool, act="grants-opened")
    assert "1 of 2 registers had not answered: Till R02" in act.detail
