"""Head office's pages for who a register is: codes, another key, a lost database key, and its end."""

import re

import httpx
import pytest

from holdfast.core.ids import OriginId
from holdfast.core.journal.bodies import RETIRED, EpochClosed
from holdfast.core.sync.enrolment import EnrolReply, EnrolRequest, read_code
from holdfast.core.sync.messages import decode, encode
from holdfast.infra.keys import (
    DatabaseKey,
    RecoveryKey,
    RecoveryRequest,
    read_answer,
    seal_recovery,
    spell_request,
)
from tests.hq_web_fixtures import ServedHeadOffice, csrf_of
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

ADD = "/registers/add"


def post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """As the page's own form does."""
    return client.post(path, data={"csrf": csrf_of(client.get(ADD).text)} | fields)


def code_on(page: httpx.Response) -> str:
    """The code that a page shows, as a register's machine reads it."""
    assert page.status_code == 200, page.text
    found = re.search(r'id="code">([^<]+)<', page.text)
    assert found is not None, page.text
    return read_code(found[1]).code


def state_of(client: httpx.Client, page: httpx.Response) -> str:
    """What became of the code of that page."""
    found = re.search(r'hx-get="(/registers/codes/[^"]+)"', page.text)
    assert found is not None
    return client.get(found[1], headers={"HX-Request": "true", "HX-Target": "code-state"}).text


def enrol(office: ServedHeadOffice, code: str, n: int, origin: OriginId | None = None) -> httpx.Response:
    request = EnrolRequest(code=code, public_key=signing_key(n).public_bytes, software="test", origin=origin)
    return office.client().post("/v1/enrol", content=encode(request))


# ---- codes


def test_a_register_is_added_by_a_code_that_is_shown_once(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    page = post(client, ADD, store="S1", series="R05", name="Front left")
    code = code_on(page)
    assert f"--hq {office.url} --code" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "Nobody used it yet" in state_of(client, page)
    listed = client.get(ADD).text
    assert re.search(r"Front left<span[^>]*>a new register.*?by admin", listed, re.DOTALL)
    spelled = "-".join(code[at : at + 4] for at in range(0, 16, 4))
    assert spelled not in listed
    where = re.search(r'hx-get="(/registers/codes/[^"]+)"', page.text)
    assert where is not None
    assert spelled not in client.get(where[1]).text, "its own page never shows it again"
    reply = decode(enrol(office, code, 1).content, EnrolReply)
    assert (reply.series, reply.store) == ("R05", "S1")
    assert f'href="/registers/{reply.origin}"' in state_of(client, page)
    assert "is enrolled" in state_of(client, page)
    assert "None. A code stands here" in client.get(ADD).text
    assert "Front left" in client.get("/registers").text


@pytest.mark.parametrize(
    ("typed", "said", "field"),
    [
        ({"store": "S9", "series": "R05"}, "There is no store", "store"),
        ({"store": "S1", "series": "R01"}, "belongs to register Till R01", "series"),
        ({"store": "S1", "series": "R 1"}, "cannot be a series", "series"),
        ({"store": "S1", "series": ""}, "is empty", "series"),
        ({"store": "S1", "series": "R05", "name": "x\ny"}, "cannot be printed", "name"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_made(
    office: ServedHeadOffice, typed: dict[str, str], said: str, field: str
) -> None:
    office.enrol(SampleJournal().open())
    page = post(office.signed_in(), ADD, **typed)
    assert page.status_code == 409
    assert said in page.text
    marked = re.search(r"<(?:input|select)[^>]*aria-invalid[^>]*>", page.text)
    assert marked is not None
    assert f'id="{field}"' in marked[0]
    assert "autofocus" in marked[0]
    assert not office.services.head_office.enrolment.open_codes()


def test_a_withdrawn_code_is_good_for_nothing(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    page = post(client, ADD, store="S1", series="R05")
    [code] = office.services.head_office.enrolment.open_codes()
    path = f"/registers/codes/{code.id}/withdraw"
    other = office.signed_in("ann")
    assert post(other, path).status_code == 303
    assert "by ann" in state_of(client, page)
    assert "None. A code stands here" in client.get(ADD).text
    refused = enrol(office, code_on(page), 1)
    assert (refused.status_code, "withdrawn" in refused.text) == (403, True)
    assert post(other, path).status_code == 303, "twice is once"
    assert "by ann" in state_of(client, page)
    for unknown in ("00", "x", "0" * 64):
        assert post(client, f"/registers/codes/{unknown}/withdraw").status_code == 409
        assert client.get(f"/registers/codes/{unknown}").status_code == 404


def test_a_code_that_was_used_is_not_withdrawn(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    page = post(client, ADD, store="S1", series="R05")
    [code] = office.services.head_office.enrolment.open_codes()
    assert enrol(office, code_on(page), 1).status_code == 200
    answer = post(client, f"/registers/codes/{code.id}/withdraw")
    assert (answer.status_code, "used already" in answer.text) == (409, True)


def test_without_a_store_the_page_says_how_to_add_one(own_office: ServedHeadOffice) -> None:
    with own_office.services.pool.connection() as conn:
        conn.execute("delete from store")
    page = own_office.signed_in().get(ADD).text
    assert "There is no store yet" in page
    assert "holdfast hq store add" in page
    assert "Make the code" not in page


def test_of_many_stores_one_is_typed(own_office: ServedHeadOffice) -> None:
    with own_office.services.pool.connection() as conn:
        conn.execute(
            "insert into store select 'B' || g, 'Branch ' || g, 'GBP', 'UTC' from generate_series(1, 100) g"
        )
    client = own_office.signed_in()
    assert '<option value="B100">Branch 100</option>' in client.get(ADD).text
    assert code_on(post(client, ADD, store="B100", series="R05"))


def test_another_machine_goes_on_in_a_register_s_series(office: ServedHeadOffice) -> None:
    former = office.enrol(SampleJournal().open().sell(2))
    office.session(former).post("/v1/sync/entries", content=former.batch()).raise_for_status()
    client, place = office.signed_in(), f"{ADD}?replaces={former.origin}"
    assert f'href="{place}"' in client.get(f"/registers/{former.origin}").text
    form = client.get(place).text
    assert "It goes on for Till R01, in the series R01" in form
    assert "What it may owe stays on record" in form
    page = post(client, ADD, store="S1", series="R01", name="New", replaces=former.origin)
    reply = decode(enrol(office, code_on(page), 2).content, EnrolReply)
    shown = client.get(f"/registers/{former.origin}").text
    assert "Retired since" in shown
    assert "What it may owe stays on record" in shown
    assert f'href="/registers/{former.origin}"' in client.get(f"/registers/{reply.origin}").text
    assert client.get(f"{ADD}?replaces=nobody").status_code == 404


# ---- another key


def test_another_key_is_given_by_a_code(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(1))
    client, place = office.signed_in(), f"/registers/{journal.origin}/key"
    said = client.get(place).text
    assert "Until it is used nothing changes" in said
    page = post(client, place)
    assert "holdfast register rekey --home DIR --code" in page.text
    assert "another key for it" in client.get(ADD).text
    assert office.session(journal), "its former key is good until then"
    assert enrol(office, code_on(page), 2, OriginId(journal.origin)).status_code == 200
    assert "has its other key" in state_of(client, page)
    journal.key = signing_key(2)
    assert office.session(journal)


# ---- a lost database key


def test_a_lost_database_key_is_opened_for_the_machine_that_asks(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open())
    other = office.enrol(SampleJournal(signing_key(2), OriginId("reg02")).open(2), "R02")
    key, machine = DatabaseKey.generate(), RecoveryKey.generate()
    copy = seal_recovery(office.services.head_office.recovery_public_key, key)
    word = spell_request(RecoveryRequest(journal.origin, machine.public_bytes, copy))
    client, place = office.signed_in(), f"/registers/{journal.origin}/recover"
    for wrong in ("", "nonsense", word[:-4]):
        refused = post(client, place, word=wrong)
        assert (refused.status_code, "Copy it whole" in refused.text) == (409, True)
    elsewhere = post(client, f"/registers/{other.origin}/recover", word=word)
    assert (elsewhere.status_code, "of another register" in elsewhere.text) == (409, True)
    assert 'id="answer"' not in elsewhere.text
    page = post(client, place, word=f" {word[:40]}\r\n{word[40:]} ")
    found = re.search(r'id="answer">([^<]+)<', page.text)
    assert found is not None, page.text
    assert read_answer(machine, found[1]) == key
    assert "recovered with head office&#39;s recovery key, by admin" in client.get("/alerts").text
    assert found[1] not in client.get(place).text


def test_without_a_copy_of_the_key_it_is_said_where_one_is(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open())
    word = spell_request(RecoveryRequest(journal.origin, RecoveryKey.generate().public_bytes, b""))
    answer = post(office.signed_in(), f"/registers/{journal.origin}/recover", word=word)
    assert (answer.status_code, "till.db.recovery" in answer.text) == (409, True)


# ---- its end


def test_a_register_that_closes_its_journal_is_retired_by_that(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(1))
    registers = office.session(journal)
    registers.post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    client, page = office.signed_in(), f"/registers/{journal.origin}"
    assert "holdfast register retire --home DIR" in client.get(f"{page}/retire").text
    journal.append("epoch_closed", 1, EpochClosed(cause=RETIRED))
    registers.post("/v1/sync/entries", content=journal.batch(3)).raise_for_status()
    office.services.head_office.fleet.forget()  # lists are up to a second old
    shown = client.get(page).text
    assert "Retired since" in shown
    assert "All of it is here" in shown
    assert "<dialog" not in shown, "it takes no command any more"
    assert ">Retired</span>" in client.get("/registers?state=retired").text
    assert "Nothing found" in client.get("/registers?state=attention").text
    assert "1 retired beside them" in client.get("/").text
    assert "It does not come back" in client.get(f"{page}/retire").text
    refused = post(client, f"{page}/retire", act="take-back")
    assert (refused.status_code, "nothing to take back" in refused.text) == (409, True)
    assert post(client, f"{page}/key").status_code == 409
    assert code_on(post(client, ADD, store="S1", series="R01")), "its series is free"


def test_what_a_register_that_was_declared_retired_owes_stays_shown(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(1))
    registers = office.session(journal)
    registers.post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    journal.sell(2)
    beat = office.beat(journal, owed_count=2, owed_minor=500, owed_oldest_ms=1_790_000_000_000)
    registers.post("/v1/sync/heartbeat", content=encode(beat)).raise_for_status()
    client, page = office.signed_in(), f"/registers/{journal.origin}"
    assert "It owes 2 (5.00 GBP), and that stays shown" in client.get(f"{page}/retire").text
    empty = post(client, f"{page}/retire", reason="  ")
    assert (empty.status_code, "Say why" in empty.text) == (409, True)
    assert post(client, f"{page}/key").status_code == 200
    assert post(client, f"{page}/retire", reason="<b>stolen</b>.").status_code == 303
    again = post(client, f"{page}/retire", reason="stolen")
    assert (again.status_code, "somebody was first" in again.text) == (409, True)
    shown = client.get(page).text
    assert "admin declared it: “&lt;b&gt;stolen&lt;/b&gt;”." in shown
    assert "What it owes stays on record" in shown
    row = client.get("/registers?state=retired").text
    assert "Owes 2" in row
    assert "retired" in row
    assert "Owes 2" in client.get("/registers?state=attention").text
    assert "None. A code stands here" in client.get(ADD).text, "no other key for it"
    registers.post("/v1/sync/entries", content=journal.batch(3)).raise_for_status()
    beat = office.beat(journal)
    registers.post("/v1/sync/heartbeat", content=encode(beat)).raise_for_status()
    office.services.head_office.fleet.forget()
    assert "Retired, in touch" in client.get("/registers?state=attention").text
    assert "and in touch all the same" in client.get(page).text


def test_a_register_is_taken_back_while_its_series_is_free(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open())
    client, page = office.signed_in(), f"/registers/{journal.origin}"
    for _ in range(2):
        assert post(client, f"{page}/retire", reason="Lent to the fair").status_code == 303
        assert "Take it back…" in client.get(page).text
        assert post(client, f"{page}/retire", act="take-back").status_code == 303
        assert "Retired since" not in client.get(page).text
    assert post(client, f"{page}/retire", reason="Lent to the fair").status_code == 303
    assert enrol(office, code_on(post(client, ADD, store="S1", series="R01")), 2).status_code == 200
    taken = post(client, f"{page}/retire", act="take-back")
    assert (taken.status_code, "Another register numbers in its series" in taken.text) == (409, True)


def test_a_register_that_closed_its_journal_after_all_is_not_taken_back(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(1))
    client, place = office.signed_in(), f"/registers/{journal.origin}/retire"
    assert post(client, place, reason="Nobody finds it").status_code == 303
    journal.append("epoch_closed", 1, EpochClosed(cause=RETIRED))
    office.session(journal).post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    refused = post(client, place, act="take-back")
    assert (refused.status_code, "closed its journal" in refused.text) == (409, True)


def test_nobody_is_no_register(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    for act in ("key", "recover", "retire"):
        assert client.get(f"/registers/nobody/{act}").status_code == 404
        assert post(client, f"/registers/nobody/{act}", word="x", reason="x").status_code == 404
