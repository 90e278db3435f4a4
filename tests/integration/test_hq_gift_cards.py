"""Prepared gift cards: made into one file, loaded whole or not at all, sold, blocked (GC1, GC11)."""

import csv
import io
from pathlib import Path

import httpx
from typer.testing import CliRunner, Result

from holdfast.core.central.accounts import AccountId, Kind
from holdfast.core.central.numbers import new_number, read_number
from holdfast.core.refusals import Refusal
from holdfast.hq.central.audit import acts
from holdfast.hq.cli import app
from tests.hq_web_fixtures import ServedHeadOffice
from tests.journal_samples import SampleJournal, signing_key

pytest_plugins = ["tests.postgres_fixture", "tests.hq_fixtures", "tests.hq_web_fixtures"]


def run(office: ServedHeadOffice, *arguments: str | Path) -> Result:
    home = ["--home", str(office.services.head_office.home.path)]
    return CliRunner().invoke(app, ["gift-cards", *map(str, arguments), *home])


def till(office: ServedHeadOffice) -> httpx.Client:
    return office.session(office.enrol(SampleJournal(key=signing_key(1), origin="reg01").open(1)))  # type: ignore[arg-type]


def sell(client: httpx.Client, number: str, pin: str = "", key: str = "sell") -> httpx.Response:
    request = {
        "key": key.ljust(16, "x"), "kind": "gift_card", "act": "issue", "transaction": f"t-{key}",
        "currency": "GBP", "number": number, "pin": pin,
    }  # fmt: skip
    return client.post("/v1/services/hold", json=request)


def test_numbers_stand_in_one_file_and_can_be_sold(office: ServedHeadOffice, tmp_path: Path) -> None:
    out = tmp_path / "cards.csv"
    made = run(office, "make", "--count", "1500", "--pin", "--out", out)
    assert made.exit_code == 0, made.output
    assert "1,500 gift cards in GBP" in made.output
    assert out.stat().st_mode & 0o077 == 0, "for nobody else's eyes"
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert len({row["number"] for row in rows}) == 1_500
    assert not [row for row in rows if isinstance(read_number(Kind.GIFT_CARD, row["number"]), Refusal)]
    assert {len(row["pin"]) for row in rows} == {4}
    before = out.read_bytes()
    again = run(office, "make", "--count", "5", "--out", out)
    assert (again.exit_code, "is there already" in again.output) == (9, True)
    assert out.read_bytes() == before
    client, first = till(office), rows[0]
    assert sell(client, first["number"], "").json()["code"] == "account.pin"
    assert sell(client, first["number"], first["pin"]).status_code == 200
    [batch] = office.services.head_office.cards.batches()
    assert (batch.cards, batch.unsold, batch.has_pins, batch.source) == (1_500, 1_500, True, "made")
    with office.services.pool.connection() as conn:
        kept = conn.execute("select * from value_account").fetchall()
    assert first["number"] not in repr(kept), "head office keeps no number (P9)"


def test_a_file_is_loaded_whole_or_not_at_all(office: ServedHeadOffice, tmp_path: Path) -> None:
    numbers = [new_number(Kind.GIFT_CARD, bytes([n]) * 16) for n in range(1, 6)]
    memo = new_number(Kind.CREDIT_MEMO, b"\x01" * 16)
    file = tmp_path / "others.csv"
    wrong = [numbers[0], numbers[1][:-1] + "x", numbers[0], memo]
    file.write_text("number,pin,currency\n" + "".join(f"{number},12,GBP\n" for number in wrong))
    refused = run(office, "load", file)
    assert refused.exit_code == 9
    for line, reason in ((2, "a PIN has 4 to 8"), (3, "18 digits"), (4, "as in line 2"), (5, "credit memo")):
        assert any(f"line {line}," in said and reason in said for said in refused.output.splitlines()), line
    assert office.services.head_office.cards.batches() == [], "nothing half loaded"
    file.write_text("number,currency\n" + "".join(f"{number},GBP\n" for number in numbers[:3]))
    assert "3 gift cards in GBP are prepared" in run(office, "load", file).output
    file.write_text("number,currency\n" + "".join(f"{number},GBP\n" for number in numbers))
    known = run(office, "load", file)
    assert [
        f"line {n}, column number: head office has this card already" in known.output for n in (2, 4)
    ] == [
        True,
        True,
    ]
    assert sell(till(office), numbers[3]).json()["code"] == "account.unknown"


def test_what_is_blocked_is_not_sold_and_who_did_it_is_kept(office: ServedHeadOffice, tmp_path: Path) -> None:
    out = tmp_path / "cards.csv"
    run(office, "make", "--count", "2", "--out", out)
    first, second = (row["number"] for row in csv.DictReader(io.StringIO(out.read_text())))
    book, client = office.services.head_office.cards, till(office)
    with office.services.pool.connection() as conn:
        row = conn.execute(
            "select account from value_account where number_end = %s", (first[-4:],)
        ).fetchone()
    assert row is not None
    card = AccountId(row[0])
    assert isinstance(book.block(Kind.GIFT_CARD, card, by="ann", reason=" "), Refusal)
    assert book.block(Kind.GIFT_CARD, card, by="ann", reason="Stolen from the rack") is None
    assert sell(client, first).json()["code"] == "account.blocked"
    assert isinstance(book.block(Kind.GIFT_CARD, card, by="ann", reason="Again"), Refusal)
    assert book.unblock(Kind.GIFT_CARD, card, by="bea", reason="Found") is None
    assert sell(client, first).status_code == 200
    [batch] = book.batches()
    assert book.block_unsold(batch.batch, by="ann", reason="The file went astray") == 2
    assert sell(client, second, key="other").json()["code"] == "account.blocked"
    told = [(act.by, act.act, act.reason) for act in acts(office.services.pool)]
    assert told == [
        ("ann", "batch-blocked", "The file went astray"),
        ("bea", "unblocked", "Found"),
        ("ann", "blocked", "Stolen from the rack"),
        ("command line", "cards-made", ""),
    ]
