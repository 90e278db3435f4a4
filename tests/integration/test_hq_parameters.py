"""Parameters at head office: set with a preview, ended, undone, and who runs which version (GC8)."""

import re
import threading
import time
from collections.abc import Mapping

import httpx

from holdfast.core.ids import OriginId
from holdfast.core.parameters import Change, ParameterRow, Scope, Step, key_of
from holdfast.core.refusals import Refusal
from holdfast.core.sync.commands import CommandBatch
from holdfast.core.sync.feed import unpack
from holdfast.core.sync.messages import encode
from holdfast.hq.parameters.book import Draft, ParameterBook
from holdfast.infra.keys import verify
from tests.hq_web_fixtures import TIMEOUT_S, ServedHeadOffice, csrf_of
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]

CARDS = "offline.gift-cards"


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def rows_of(html: str) -> list[str]:
    """Of all tables, in order."""
    bodies = [part.partition("</tbody>")[0] for part in html.split("<tbody>")[1:]]
    return [text_of(row).strip() for body in bodies for row in body.split("</tr>")[:-1]]


def register(office: ServedHeadOffice, n: int, version: int | None = None) -> SampleJournal:
    """Register Rn of store S1, which said that it runs that version."""
    journal = office.enrol(SampleJournal(signing_key(n), OriginId(f"reg0{n}")).open(n).sell(1), f"R0{n}")
    if version is not None:
        feeds = {"parameters": (office.services.head_office.ingest.incarnation(), version)}
        statement = encode(office.beat(journal, feeds=feeds))
        office.session(journal).post("/v1/sync/heartbeat", content=statement).raise_for_status()
    return journal


def post(client: httpx.Client, path: str, page: str, **fields: str) -> httpx.Response:
    return client.post(path, data={"csrf": csrf_of(page), **fields}, follow_redirects=True)


def set_to(book: ParameterBook, value: object, scope: Scope, **fields: str) -> Change:
    draft = Draft(name=CARDS, scope=scope, value=value, **fields)  # type: ignore[arg-type]
    made = book.make(draft, by="nia", reason="Pilot")
    assert isinstance(made, Change), made
    return made


def seen_of(page: str) -> str:
    return page.partition('name="seen" value="')[2].partition('"')[0]


def test_a_value_is_looked_at_then_set_and_both_are_kept(office: ServedHeadOffice) -> None:
    register(office, 1)
    register(office, 2)
    client, book = office.signed_in("nia"), office.services.head_office.parameters
    set_to(book, False, Scope("register", "R02"))
    page = client.get(f"/parameters/{CARDS}").text
    fields: Mapping[str, str] = {"act": "set", "value": "yes", "kind": "store", "code": "S1"}
    looked = post(client, f"/parameters/{CARDS}/preview", page, **fields)
    said = text_of(looked.text)
    assert "Set it to “yes” for Store S1?" in said
    assert "Registers that change 1 of 2 that it reaches" in said
    assert "Keep their own 1" in said
    assert rows_of(looked.text) == ["Till R01 S1 · R01 no (default) yes (Store S1)"]
    assert "Till R02 (S1)" in said
    assert list(book.rows()) == [f"{CARDS}@register:R02"], "nothing has changed yet"
    fields = {**fields, "seen": seen_of(looked.text)}
    without = post(client, f"/parameters/{CARDS}", looked.text, **fields)
    assert without.status_code == 409
    assert "A reason is needed" in without.text
    done = post(client, f"/parameters/{CARDS}", looked.text, **fields, reason="Pilot in Main street")
    assert "Version 2 is made." in done.text
    value, other, *history = rows_of(done.text)
    assert value.startswith("Store S1 yes at once nia ")
    assert "Pilot in Main street" in value
    assert other.startswith("Register R02 no at once nia ")
    assert [row.split()[0] for row in history] == ["2", "1"]
    again = post(client, f"/parameters/{CARDS}", looked.text, **fields, reason="Twice")
    assert "That is so already" in again.text or "meanwhile" in again.text
    assert len(book.history()) == 2


def test_what_cannot_be_set_says_why_and_loses_nothing(office: ServedHeadOffice) -> None:
    register(office, 1)
    client = office.signed_in()
    page = client.get("/parameters/return.window_days").text
    typed = {"act": "set", "value": "30", "kind": "store", "code": "S1", "valid_from": "2099-01-01"}
    for wrong, sentence in (
        ({"value": "a month"}, "is no whole number"),
        ({"code": "S9"}, "There is no store"),
        ({"kind": "register", "code": "R07"}, "A register is named by its series"),
        ({"kind": "group", "code": "north"}, "No store is in a group"),
        ({"valid_from": "2020-01-01"}, "2020-01-01 is over"),
        ({"code": ""}, "Say which one"),
        ({"kind": "chain"}, "S1 was named: choose what it is"),
    ):
        fields = {**typed, **wrong}
        answer = post(client, "/parameters/return.window_days/preview", page, **fields)
        assert answer.status_code == 422
        assert sentence in text_of(answer.text), answer.text
        kept = [fields["value"], fields["code"], fields["valid_from"]]
        assert all(f'value="{value}"' in answer.text for value in kept), "what was typed is still there"
    unknown = office.services.head_office.parameters.preview(
        Draft(name="locale", scope=Scope("chain"), value="tlh_XX")
    )
    assert isinstance(unknown, Refusal), "a locale that nobody knows would be a till's figures"
    assert client.get("/parameters/colour").status_code == 404
    assert office.services.head_office.parameters.history() == []


def test_a_group_counts_at_its_stores_and_moving_a_store_shows_what_that_does(
    office: ServedHeadOffice,
) -> None:
    register(office, 1)
    client, book = office.signed_in(), office.services.head_office.parameters
    group = Draft(name="store.group", scope=Scope("store", "S2"), value="north")
    assert isinstance(book.make(group, by="nia", reason="North"), Change)
    set_to(book, True, Scope("group", "north"))
    page = client.get("/parameters/store.group").text
    fields = {"act": "set", "value": "north", "kind": "store", "code": "S1"}
    looked = post(client, "/parameters/store.group/preview", page, **fields)
    assert rows_of(looked.text) == [f"Till R01 S1 · R01 {CARDS} no (default) yes (Store group north)"]
    post(client, "/parameters/store.group", looked.text, **fields, seen=seen_of(looked.text), reason="Moved")
    assert "north S1, S2" in text_of(client.get("/parameters").text)
    counts = text_of(client.get("/registers/reg01").text)
    assert f"{CARDS} yes (Store group north)" in counts
    for store in ("S1", "S2"):
        left = Draft(name="store.group", scope=Scope("store", store), value=None)
        assert isinstance(book.make(left, by="nia", reason="No groups"), Change)
    assert book.groups() == {}
    set_to(book, None, Scope("group", "north"))
    assert key_of(CARDS, Scope("group", "north")) not in book.rows(), "it counts for nobody who joins later"
    never = book.make(Draft(name=CARDS, scope=Scope("group", "nort"), value=None), by="nia", reason="Typed")
    assert isinstance(never, Refusal)
    assert never.code == "parameter.group"


def test_dates_ends_and_undoing(office: ServedHeadOffice) -> None:
    register(office, 1)
    client, book = office.signed_in(), office.services.head_office.parameters
    first = set_to(book, True, Scope("chain"))
    set_to(book, False, Scope("chain"), valid_from="2099-01-01")
    set_to(book, None, Scope("chain"))
    assert book.rows() == {CARDS: ParameterRow(value=None, steps=(Step("2099-01-01", False),))}
    looked = client.get(f"/parameters/{CARDS}/undo/{book.history()[0].number}")
    said = text_of(looked.text)
    assert "Undo change" in said
    assert rows_of(looked.text) == ["Till R01 S1 · R01 no (default) yes (Chain)"]
    number = book.history()[0].number
    done = post(
        client, f"/parameters/{CARDS}/undo/{number}", looked.text, seen=seen_of(looked.text), reason="No"
    )
    assert f"undone by {number + 1}" in done.text
    assert book.rows() == {CARDS: ParameterRow(value=True, steps=(Step("2099-01-01", False),))}
    twice = book.undo(number, by="nia", reason="Again")
    assert isinstance(twice, Refusal)
    assert twice.code == "parameter.undone"
    stale = Draft(name=CARDS, scope=Scope("chain"), value=False)
    refused = book.make(stale, by="nia", reason="Late", seen=first.number)
    assert isinstance(refused, Refusal)
    assert refused.code == "parameter.stale"


def test_head_office_says_who_runs_which_version_and_who_is_behind_since_when(
    office: ServedHeadOffice,
) -> None:
    """By each register's own signed word."""
    book = office.services.head_office.parameters
    set_to(book, True, Scope("chain"))
    set_to(book, False, Scope("store", "S1"))
    register(office, 1, version=2)
    register(office, 2, version=1)
    register(office, 3)
    office.services.head_office.fleet.forget()
    client = office.signed_in()
    page = client.get("/parameters").text
    assert "1 of 3 registers run version 2; behind: Till R03 (never heard), Till R02 (not yet)." in page
    never, behind = rows_of(page)[:2]
    assert never.startswith("Till R03 S1 – ")
    assert never.endswith("Never heard")
    assert behind.startswith("Till R02 S1 1 ")
    assert behind.endswith("Not yet heard just now") or " Not yet heard " in behind
    assert rows_of(client.get("/parameters?search=r02").text)[0].startswith("Till R02")
    assert "None of them is called so" in client.get("/parameters?search=elsewhere").text
    assert "It runs version 2, the newest." in text_of(client.get("/registers/reg01").text)
    late = text_of(client.get("/registers/reg02").text)
    assert "Behind It runs version 1; the newest is 2" in late


def test_a_poll_that_is_open_is_answered_with_the_news_whoever_made_it(office: ServedHeadOffice) -> None:
    """GC8: also a change by a command in another process: the watch looks at the database."""
    journal = register(office, 1)
    client, head_office = office.session(journal), office.services.head_office
    incarnation = head_office.ingest.incarnation()
    deadline = time.monotonic() + TIMEOUT_S
    while office.services.news.after(incarnation, 0):  # what the test before this one set
        assert time.monotonic() < deadline
        time.sleep(0.02)
    keys = {head_office.signer.key_id: head_office.signer.public_bytes}
    answers: list[CommandBatch] = []

    def poll(known: int) -> None:
        query = {"incarnation": incarnation, "wait_s": 50, "parameters": known}
        body = client.get("/v1/sync/commands", params=query).content
        answers.append(unpack(body, "commands", CommandBatch, keys, verify))  # type: ignore[arg-type]

    waiting = threading.Thread(target=poll, args=(0,))
    waiting.start()
    made = set_to(head_office.parameters, True, Scope("chain"))
    waiting.join(TIMEOUT_S)
    poll(made.version - 1)
    assert [answer.news.feeds for answer in answers if answer.news] == [{"parameters": made.version}] * 2
    query = {"incarnation": incarnation, "wait_s": 0}
    for known in ({"parameters": made.version}, {}):
        body = client.get("/v1/sync/commands", params={**query, **known}).content
        told = unpack(body, "commands", CommandBatch, keys, verify)  # type: ignore[arg-type]
        assert told.news is None, "who has it, or does not ask, is told nothing"
