"""Head office's pages: who gets in, what changes anything, and what they say."""

import re
from pathlib import Path

import httpx
import msgspec
import pytest

from holdfast.core.faults import SignatureFault
from holdfast.core.ids import OriginId
from holdfast.core.sync.messages import encode
from holdfast.hq.backup import note_failed, note_mended
from holdfast.infra.config import HeadOfficeHome
from holdfast.infra.tls import certificate_sha256, fetch_pinned
from tests.hq_web_fixtures import PASSWORD, ServedHeadOffice, csrf_of, served
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

PAGES = ("/", "/registers", "/registers/add", "/sales", "/data", "/alerts", "/backups")


def log_in(client: httpx.Client, password: str, name: str = "admin", next: str = "/") -> httpx.Response:
    csrf = csrf_of(client.get("/login").text)
    return client.post("/login", data={"csrf": csrf, "name": name, "password": password, "next": next})


# ---- signing in


def test_a_link_sets_a_password_once(office: ServedHeadOffice) -> None:
    path, client = office.link(), office.client(Accept="text/html")
    page = client.get(path)
    assert "Welcome, admin" in page.text
    short = client.post(path, data={"csrf": csrf_of(page.text), "password": "short", "again": "short"})
    assert short.status_code == 422
    assert "at least 12" in short.text
    unlike = client.post(path, data={"csrf": csrf_of(page.text), "password": PASSWORD, "again": "other"})
    assert "not the same" in unlike.text
    form = {"csrf": csrf_of(page.text), "password": PASSWORD, "again": PASSWORD}
    assert client.post(path, data=form).status_code == 303
    assert client.get("/").status_code == 200
    stranger = office.client(Accept="text/html")
    assert stranger.get(path).status_code == 410
    assert log_in(stranger, PASSWORD).status_code == 303


def test_wrong_passwords_are_slowed_down_and_tell_nothing(office: ServedHeadOffice) -> None:
    office.signed_in()
    client = office.client(Accept="text/html")
    said = [log_in(client, f"wrong {attempt}", name) for attempt, name in enumerate(["admin", "nobody"])]
    assert {answer.status_code for answer in said} == {403}
    assert len({re.sub(r'value="[^"]*"', "", answer.text) for answer in said}) == 1
    last = [log_in(client, f"wrong again {attempt}") for attempt in range(6)][-1]
    assert last.status_code == 429
    assert "Try again in" in last.text
    assert log_in(client, PASSWORD).status_code == 429


def test_signing_in_leads_nowhere_else(office: ServedHeadOffice) -> None:
    office.signed_in()
    for next in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:1"):
        answer = log_in(office.client(Accept="text/html"), PASSWORD, next=next)
        assert answer.headers["location"] == "/"
    answer = log_in(office.client(Accept="text/html"), PASSWORD, next="/sales?number=1")
    assert answer.headers["location"] == "/sales?number=1"


def test_a_stranger_is_sent_to_sign_in(office: ServedHeadOffice) -> None:
    client = office.client(Accept="text/html")
    for page in PAGES:
        answer = client.get(page)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")
    assert client.get("/registers", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/login"
    assert client.get("/live", headers={"Accept": "text/event-stream"}).status_code == 204


def test_over_tls_the_cookie_stays_there(head_office_dsn: str, tmp_path: Path) -> None:
    home = HeadOfficeHome(tmp_path / "hq")
    with served(home, head_office_dsn, tls=True) as office:
        port = int(office.url.rsplit(":", 1)[1])
        digest = certificate_sha256(home.tls / "c.pem")
        assert fetch_pinned("127.0.0.1", port, digest) == (home.tls / "c.pem").read_text()
        with pytest.raises(SignatureFault, match="another certificate"):
            fetch_pinned("127.0.0.1", port, bytes(32))
        client = office.signed_in()
        answer = log_in(office.client(Accept="text/html"), PASSWORD)
        cookies = answer.headers.get_list("set-cookie")
        cookie = next(text for text in cookies if text.startswith("holdfast_hq="))
        assert {"HttpOnly", "Secure", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
        assert "max-age=" in client.get("/").headers["strict-transport-security"]


def test_api_and_files_set_no_cookie(office: ServedHeadOffice) -> None:
    client = office.client()
    for path in ("/v1/health", "/v1/openapi.json", "/static/holdfast.css", "/static/vendor/htmx.min.js"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers


def test_signing_out_ends_the_session(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    token = client.cookies["holdfast_hq"]
    csrf = csrf_of(client.get("/").text)
    assert client.post("/logout", data={"csrf": csrf}).status_code == 303
    client.cookies.set("holdfast_hq", token)
    assert client.get("/").status_code == 303


def test_nothing_changes_without_the_page_s_token(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open())
    client, other = office.signed_in(), office.signed_in("other")
    changes = [
        (f"/registers/{journal.origin}/commands", {"kind": "sync_now"}),
        ("/data/take", {"upload": "x"}),
        ("/alerts/1/acknowledge", {}),
        ("/backups/now", {}),
        ("/registers/add", {"store": "S1", "series": "R09"}),
        (f"/registers/codes/{'0' * 64}/withdraw", {}),
        (f"/registers/{journal.origin}/key", {}),
        (f"/registers/{journal.origin}/recover", {"word": "x"}),
        (f"/registers/{journal.origin}/retire", {"reason": "x"}),
        (f"/registers/{journal.origin}/epochs/{journal.epoch}/lost", {"act": "propose", "reason": "x"}),
        (f"/registers/{journal.origin}/epochs/{journal.epoch}/resend", {"seq": "1"}),
        ("/logout", {}),
        ("/login", {"name": "admin", "password": PASSWORD}),
    ]
    foreign = csrf_of(other.get("/").text)
    for path, form in changes:
        assert client.post(path, data=form).status_code == 403, path
        assert client.post(path, data=form | {"csrf": foreign}).status_code == 403, path
    assert client.get("/").status_code == 200
    assert not office.services.head_office.command_book.latest(journal.origin)
    assert not office.services.head_office.enrolment.open_codes()
    assert "Retired since" not in client.get(f"/registers/{journal.origin}").text


def test_every_command_can_be_given_and_its_argument_is_checked(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open())
    client = office.signed_in()
    path = f"/registers/{journal.origin}"
    csrf = csrf_of(client.get(path).text)
    for kind in ("report", "rotate_key", "collect_diagnostics"):
        assert client.post(f"{path}/commands", data={"csrf": csrf, "kind": kind}).status_code == 303
    for typed in ("", "soon", "-1", "0", "1000000", "٣"):
        refused = client.post(f"{path}/commands", data={"csrf": csrf, "kind": "purge", "argument": typed})
        assert refused.status_code == 400, typed
        assert "Days that stay" in refused.text
    assert (
        client.post(f"{path}/commands", data={"csrf": csrf, "kind": "purge", "argument": "030"}).status_code
        == 303
    )
    given = office.services.head_office.command_book.latest(journal.origin)
    assert [(row.kind, row.arguments) for row in given] == [
        ("purge", '{"keep_days":"30"}'),
        ("collect_diagnostics", "{}"),
        ("rotate_key", "{}"),
        ("report", "{}"),
    ]


# ---- what every page keeps to


def test_pages_carry_no_inline_script_or_style(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(2))
    office.session(journal).post("/v1/sync/entries", content=journal.batch())
    client = office.signed_in()
    own = f"/registers/{journal.origin}"
    for path in (*PAGES, own, f"{own}/key", f"{own}/recover", f"{own}/retire", "/sales/1/2", "/login"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "'unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", answer.text), path


def test_what_people_typed_is_shown_as_text(office: ServedHeadOffice) -> None:
    journal = office.enrol(
        SampleJournal().open().sell(1, description="<script>alert(1)</script>"), "<b>R</b>"
    )
    office.session(journal).post("/v1/sync/entries", content=journal.batch())
    client = office.signed_in()
    for path in ("/", "/registers", "/sales", "/sales/1/2", f"/registers/{journal.origin}"):
        text = client.get(path).text
        assert "<script>alert" not in text
        assert "<b>R" not in text
    assert "&lt;script&gt;alert" in client.get("/sales/1/2").text


def test_what_is_not_there_is_said_to_a_person_in_a_page(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    for path in (
        "/nothing",
        "/sales/9/9",
        "/sales/99999999999999999999/1",
        "/registers/nobody",
        "/registers/a%00b",
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"].startswith("text/html"), path
        assert "Back to the overview" in answer.text


def test_what_fails_in_a_part_of_a_page_is_said_in_that_part(office: ServedHeadOffice) -> None:
    """And is no page in a page."""
    client = office.signed_in()
    answer = client.get("/registers/nobody", headers={"HX-Request": "true", "HX-Target": "register"})
    assert answer.status_code == 404
    assert 'role="alert"' in answer.text
    assert "No register of that id" in answer.text
    assert "<main" not in answer.text


def test_empty_pages_say_what_to_do_next(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    for path in ("/", "/registers", "/sales"):
        assert 'href="/registers/add"' in client.get(path).text
    assert "holdfast register init" in client.get("/").text
    assert "None. A code stands here" in client.get("/registers/add").text
    assert "Nothing loaded yet" in client.get("/data").text
    assert "Nothing to look at" in client.get("/alerts").text


# ---- what they say


def test_silence_is_never_shown_as_nothing_owed(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(3))
    registers = office.session(journal)
    client = office.signed_in()
    assert "never heard" in client.get("/registers").text
    registers.post("/v1/sync/entries", content=journal.batch())
    text = client.get(f"/registers/{journal.origin}").text
    assert "It may owe" in text
    assert "Owes nothing" not in text
    registers.post("/v1/sync/heartbeat", content=_json(office, journal))
    assert "Owes nothing" in client.get(f"/registers/{journal.origin}").text
    journal.sell(2)
    registers.post("/v1/sync/heartbeat", content=_json(office, journal, owed_count=2, owed_minor=500))
    text = client.get(f"/registers/{journal.origin}").text
    assert "Owes 2" in text
    assert "5.00 GBP" in text


def test_a_register_s_page_shows_epochs_and_why_it_is_blocked(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(1))
    registers = office.session(journal)
    registers.post("/v1/sync/entries", content=journal.batch())
    forged = SampleJournal(signing_key(3)).open().sell(1)
    registers.post("/v1/sync/entries", content=forged.batch())
    client = office.signed_in()
    text = client.get(f"/registers/{journal.origin}").text
    assert journal.epoch in text
    assert journal.position.hash.hex()[:16] in text
    assert "Blocked: its key is refused" in text
    assert "(key.unknown)" in text
    assert "Blocked" in client.get("/registers?state=blocked").text
    assert "Nothing found" in client.get("/registers?search=elsewhere").text


@pytest.mark.parametrize("clock_ms", [1_550_000_000_000, 4_080_000_000_000, (1 << 53) - 1])
def test_a_clock_of_any_year_is_shown_as_far_off(office: ServedHeadOffice, clock_ms: int) -> None:
    journal = office.enrol(SampleJournal().open().sell(1))
    registers = office.session(journal)
    beat = office.beat(journal, clock_ms=clock_ms, owed_count=2, owed_minor=500, owed_oldest_ms=clock_ms)
    assert registers.post("/v1/sync/heartbeat", content=encode(beat)).status_code == 200
    client = office.signed_in()
    for path in ("/", "/registers", f"/registers/{journal.origin}", "/alerts"):
        assert client.get(path).status_code == 200, path
    assert re.search(r'class="warn">[+−][\d,]+ days', client.get(f"/registers/{journal.origin}").text)


def test_sales_are_found_by_date_register_and_number(office: ServedHeadOffice) -> None:
    first = office.enrol(SampleJournal().open().sell(2))
    second = office.enrol(
        SampleJournal(signing_key(2), OriginId("reg02")).open(2).sell(1, reference="536365"), "R02"
    )
    for journal in (first, second):
        office.session(journal).post("/v1/sync/entries", content=journal.batch())
    client = office.signed_in()
    number = "R01-040G2-000001"
    assert client.get("/sales").text.count('class="row-link') == 3
    assert client.get("/sales?from=2026-09-21&to=2026-09-21").text.count('class="row-link') == 3
    assert "Nothing found" in client.get("/sales?from=2026-09-22").text
    for text in ("reg02", "R02", "till r02"):
        assert client.get(f"/sales?register={text}").text.count('class="row-link') == 1, text
    assert 'value="R02"' in client.get("/sales?register=reg02").text, "people know its series, not its id"
    assert client.get("/sales?register=S1").text.count('class="row-link') == 3
    assert "No register or store is called" in client.get("/sales?register=R03").text
    assert "Whole selection" in client.get("/sales?register=R01").text
    assert "On 2026-09-21" in client.get("/sales").text
    assert client.get(f"/sales?number={number}").text.count('class="row-link') == 1
    assert "536365" in client.get("/sales?number=536365").text
    assert "A date is written as" in client.get("/sales?from=yesterday").text
    assert "after the last" in client.get("/sales?from=2026-09-22&to=2026-09-21").text
    part = client.get("/sales", headers={"HX-Target": "sales"}).text
    assert "<html" not in part
    sale = client.get("/sales/1/2").text
    for expected in ("Tea", "Cake", "2.50 GBP", "Cash", "20 %", "contained in the price", number):
        assert expected in sale


def test_the_overview_counts_the_day(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(4))
    office.session(journal).post("/v1/sync/entries", content=journal.batch())
    text = office.signed_in().get("/").text
    assert "10.00 GBP" in text
    assert "4 documents" in text
    assert "Needs attention" in text


def test_an_alert_is_acknowledged_by_a_person(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(1))
    twin = journal.copy().sell(1, description="Other")
    journal.sell(1)
    registers = office.session(journal)
    for copy in (journal, twin):
        registers.post("/v1/sync/entries", content=copy.batch())
    client = office.signed_in()
    page = client.get("/alerts").text
    assert "Two copies sold" in page
    path = re.search(r'hx-post="(/alerts/\d+/acknowledge)"', page)
    assert path
    after = client.post(path[1], headers={"X-CSRF-Token": csrf_of(page), "HX-Target": "alerts"}).text
    assert "Nothing to look at" in after
    assert "Acknowledged before" in after


def test_a_live_page_hears_of_changes(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    with client.stream("GET", "/live", headers={"Accept": "text/event-stream"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert next(line for line in stream.iter_lines() if line) == "event: changed"


# ---- loading data


def _upload(client: httpx.Client, kind: str, data: bytes) -> httpx.Response:
    csrf = csrf_of(client.get("/data").text)
    file = {"file": ("file.csv", data, "text/csv")}
    return client.post("/data/preview", data={"csrf": csrf, "kind": kind}, files=file)


def _take(client: httpx.Client, page: httpx.Response) -> httpx.Response:
    form = dict(
        re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text.split('action="/data/take"')[1])
    )
    return client.post("/data/take", data=form)


def test_bad_rows_are_named_before_anything_changes(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    page = _upload(client, "prices", b"sku,price,currency\nA1,1.50,GBP\nA2,much,GBP\n,1,GBP\n")
    assert page.status_code == 200, page.text
    row = re.sub(r"\s+", " ", page.text)
    assert re.search(r'class="num">3</th><td>price</td><td>[^<]*not a number', row)
    assert re.search(r'class="num">4</th><td>sku</td>', row)
    assert "Take the good row only" in page.text
    assert "1 new, 0 changed, 0 unchanged" in row
    assert re.search(r'class="num">2</th><td><span class="tag tag--ok">New</span></td><td>A1</td>', row)
    assert office.services.head_office.feeds.versions()["prices"] == 0
    taken = _take(client, page)
    assert "1 of 1 rows are new or changed, 2 left out" in taken.text
    assert office.services.head_office.feeds.versions()["prices"] == 1
    assert _take(client, page).status_code == 410


def test_a_good_file_is_taken_whole(office: ServedHeadOffice) -> None:
    client = office.signed_in()
    page = _upload(client, "products", "sku,description,tax_code\nA1,Thé,S\nA2,Pain,S\n".encode())
    assert "Take all 2 rows" in page.text
    assert "2 of 2 rows" in _take(client, page).text
    assert (
        "Nothing changed"
        in _take(client, _upload(client, "products", b"sku,description,tax_code\nA2,Pain,S\n")).text
    )


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("prices", b"\xff\xfe\x00", "not UTF-8"),
        ("prices", b"name\nx\n", "is missing"),
        ("secrets", b"a\n1\n", "Choose what the file holds"),
        ("prices", b"", "is missing"),
    ],
)
def test_a_file_that_is_none(office: ServedHeadOffice, kind: str, data: bytes, said: str) -> None:
    answer = _upload(office.signed_in(), kind, data)
    assert answer.status_code == 422
    assert said in answer.text


def test_an_upload_is_its_owner_s(office: ServedHeadOffice) -> None:
    page = _upload(office.signed_in(), "prices", b"sku,price,currency\nA1,1.50,GBP\n")
    upload = re.search(r'name="upload" value="([^"]+)"', page.text)
    assert upload
    other = office.signed_in("other")
    form = {"csrf": csrf_of(other.get("/data").text), "upload": upload[1]}
    assert other.post("/data/take", data=form).status_code == 410
    assert office.services.head_office.feeds.versions()["prices"] == 0


def _json(office: ServedHeadOffice, journal: SampleJournal, **fields: object) -> bytes:

    return encode(office.beat(journal, **fields))


# ---- backups


def test_the_page_says_how_backups_stand(office: ServedHeadOffice) -> None:
    client, pool = office.signed_in(), office.services.pool
    assert "registers delete nothing before" in client.get("/").text
    assert "There is no backup yet" in client.get("/backups").text
    note_failed(pool, "storage.full", "The disk of /b is full. Make room for the backup.", 1)
    for path in ("/", "/backups"):
        page = client.get(path).text
        assert "No backup could be taken since" in page
        assert "Make room for the backup." in page
    alerts = client.get("/alerts").text
    assert "No backup could be taken" in alerts
    note_mended(pool, 2)
    assert "Make room" not in client.get("/backups").text
    csrf = csrf_of(client.get("/").text)
    answer = client.post("/backups/now", data={"csrf": csrf})
    assert answer.status_code == 409  # this one is served without a schedule
    assert "holdfast hq backup" in answer.text


# ---- an epoch sent again


def test_an_epoch_is_asked_for_again_from_an_entry(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(2))
    office.session(journal).post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    client, place = office.signed_in(), f"/registers/{journal.origin}/epochs/{journal.epoch}"
    for seq in ("0", "4", "x", ""):
        form = {"csrf": csrf_of(client.get(place).text), "seq": seq}
        answer = client.post(f"{place}/resend", data=form)
        assert (answer.status_code, "from 1 to 3" in answer.text) == (409, True)
    form = {"csrf": csrf_of(client.get(place).text), "seq": "2"}
    assert client.post(f"{place}/resend", data=form).status_code == 303
    [command] = office.services.head_office.command_book.latest(journal.origin)
    assert command.kind == "resend_from"
    assert msgspec.json.decode(command.arguments) == {"epoch": journal.epoch, "seq": "2"}


# ---- an epoch given up


def test_two_people_declare_an_epoch_lost_and_it_may_come_back(office: ServedHeadOffice) -> None:
    journal = office.enrol(SampleJournal().open().sell(2))
    session = office.session(journal)
    session.post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    old_disk, lost = journal.copy().sell(3), journal.epoch
    journal.open(2, "restored", claimed_seq=6).sell(1)
    session.post("/v1/sync/entries", content=journal.batch()).raise_for_status()
    session.post("/v1/sync/heartbeat", content=encode(office.beat(journal))).raise_for_status()
    ann, bob = office.signed_in("ann"), office.signed_in("bob")
    page, place = f"/registers/{journal.origin}", f"/registers/{journal.origin}/epochs/{lost}"
    assert "Declare lost…" in ann.get(page).text
    assert "It cannot be undone by hand." in ann.get(place).text

    def act(client: httpx.Client, act: str, **fields: str) -> httpx.Response:
        csrf = csrf_of(client.get(place).text)
        return client.post(f"{place}/lost", data={"csrf": csrf, "act": act} | fields)

    empty = act(ann, "propose", reason="  ")
    assert (empty.status_code, "Say why" in empty.text) == (409, True)
    assert act(ann, "propose", reason="<b>burnt</b>").status_code == 303
    assert "&lt;b&gt;burnt" in bob.get(place).text
    assert "Confirm: declare it lost" not in ann.get(place).text
    assert "two people" in act(ann, "confirm").text
    assert act(bob, "withdraw").status_code == 303
    assert act(bob, "propose", reason="burnt").status_code == 303
    assert "Confirm or withdraw" in ann.get(page).text
    assert act(ann, "confirm").status_code == 303
    assert act(bob, "withdraw").status_code == 409
    assert "by bob and ann" in ann.get(page).text
    assert act(ann, "shout").status_code == 400
    assert ann.get(f"/registers/{journal.origin}/epochs/nothing").status_code == 404
    assert ann.get(f"/registers/nobody/epochs/{lost}").status_code == 404

    session.post("/v1/sync/entries", content=old_disk.batch(4)).raise_for_status()
    assert "Recovered" in ann.get(page).text
    said = ann.get(place).text
    assert "It was not lost" in said
    assert "3 entries came" in said
