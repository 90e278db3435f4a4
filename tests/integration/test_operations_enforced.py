"""Each operation, in each mode, for each role, through the till's public face, is as its row says (SW8)."""

import html
import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from httpx import Response
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from holdfast.core.connection import Mode
from holdfast.core.operations import (
    NO,
    OPERATIONS,
    ROLES,
    YES,
    Allowed,
    NeedsApproval,
    Operation,
    Role,
    Situation,
    decide,
)
from holdfast.core.operations.roles import DEFAULT_ROLES, row_of
from holdfast.core.refusals import Refusal
from holdfast.register.web import guards
from holdfast.register.web.app import create_app
from holdfast.register.web.guards import Asks, ByField, ByPath, BySight
from tests.staffed_till import PIN, STAFF, StaffedTill, member, staffed_till
from tests.unit.core.shop import MUG

ELSEWHERE = {"day.open-doubtful"}
"""Enforced beside the row of its route: which of both a date is shows only when it is chosen."""

FIELDS = {
    "text": MUG.sku,
    "sku": MUG.sku,
    "quantity": "1",
    "price": "4.98",
    "discount": "1%",
    "note": "n",
    "reason": "r",
    "amount": "exact",
    "document": "R01-ABCDE-000001",
    "line": "1",
    "staff": "cashier",
    "pin": PIN,
}
"""Whatever a form asks for."""
A_CODE = "HF1" + "0" * 80
"""As a receipt's code looks; what is wrong with it is found behind the guard."""
OTHER = "offline"
"""A part of a path that no `ByPath` names; one that it lets through needs none."""
PLACES = {"number": "R01-ABCDE-000001", "transaction": "T1", "key": "k1"}
"""Parts of paths that name no operation."""


class Way(NamedTuple):
    """One request that is about one operation."""

    operation: str
    method: str
    path: str
    fields: Mapping[str, str]
    asks: bool


class Face(NamedTuple):
    """A route with what it names."""

    handler: HTTPRouteHandler
    path: str
    method: str


def faces(till: StaffedTill) -> Iterator[Face]:
    """Every route but those that only tell which methods there are."""
    for route in till.app.routes:
        assert isinstance(route, HTTPRoute), f"{route.path}: a request that no guard sees"
        for handler in route.route_handlers:
            for method in sorted({str(method) for method in handler.http_methods} - {"OPTIONS", "HEAD"}):
                yield Face(handler, route.path, method)


def ways(till: StaffedTill) -> list[Way]:
    """A request for each operation that a route names."""
    return [way for face in faces(till) if "{file_path" not in face.path for way in _ways(face)]


def _ways(face: Face) -> Iterator[Way]:
    named = face.handler.opt["operation"]
    asks = isinstance(named, Asks)
    match named.of if isinstance(named, Asks) else named:
        case str() as name:
            yield Way(name, face.method, _filled(face.path), FIELDS, asks)
        case ByPath() as by:
            for part, name in {**by.operations, OTHER: by.otherwise}.items():
                yield Way(name, face.method, _filled(face.path, {by.name: part}), FIELDS, asks)
        case BySight() as by:
            assert by.is_one(A_CODE)
            yield Way(by.operation, face.method, _filled(face.path), {**FIELDS, by.name: A_CODE}, asks)
            yield Way(by.otherwise, face.method, _filled(face.path), FIELDS, asks)
        case ByField() as by:
            for value, name in {**by.operations, "": by.otherwise}.items():
                yield Way(name, face.method, _filled(face.path), {**FIELDS, by.name: value}, asks)


def _filled(path: str, more: Mapping[str, str] | None = None) -> str:
    parts = {**PLACES, **(more or {})}
    return re.sub(r"\{(\w+):(\w+)\}", lambda part: "1" if part[2] == "int" else parts[part[1]], path)


def knock(client: TestClient[Any], way: Way, **more: str) -> Response:
    headers = {"hx-request": "true", "hx-target": "work"}
    if way.method == "GET":
        return client.get(way.path, headers=headers, follow_redirects=False)
    return client.post(way.path, data={**way.fields, **more}, headers=headers, follow_redirects=False)


def answered(response: Response) -> str:
    """`approval`, `refused: …` with the sentence, or `allowed`."""
    text = html.unescape(response.text)
    if response.headers.get("hx-retarget") == "#dialog" and 'name="manager_pin"' in text:
        return "approval"
    if response.headers.get("hx-retarget") == "#work":
        said = re.search(r'<p class="notice notice--bad"[^>]*>(.*?)</p>', text, re.DOTALL)
        assert said is not None, text
        return f"refused: {said[1].strip()}"
    # Behind the guard the route found what was asked for wrong, or does not do what no other name is for.
    is_behind = response.status_code == 422 or (
        response.status_code == 404 and response.url.path.endswith(OTHER)
    )
    assert response.status_code < 400 or is_behind, (response.status_code, text[:300])
    return "allowed"


def expected(row: Operation, role: Role, mode: Mode, *, asks: bool) -> str:
    """As the table says it."""
    match decide(row, role, Situation(mode=mode)):
        case Refusal() as refusal:
            return f"refused: {refusal.sentence}"
        case NeedsApproval():
            return "allowed" if asks else "approval"
        case Allowed():
            return "allowed"


def walk(till: StaffedTill, table: Mapping[str, Operation], modes: tuple[Mode, ...]) -> list[str]:
    """What is not as `table` says."""
    wrong: list[str] = []
    asked = [way for way in ways(till) if not table[way.operation].before_sign_in]
    for mode, role in itertools.product(modes, ROLES):
        till.work(mode)
        with till.browser(role.id) as client:
            for way in asked:
                till.ready()
                is_so = answered(knock(client, way))
                should = expected(table[way.operation], role, mode, asks=way.asks)
                if is_so != should:
                    wrong.append(f"{way.operation} for {role.id}, {mode.value}: {is_so!r}, not {should!r}")
    return wrong


# ---- every route, every row --------------------------------------------------------------------


def test_no_route_lacks_its_operation(tmp_path: Path) -> None:
    with staffed_till(tmp_path / "register") as till:
        unnamed = [
            f"{face.method} {face.path}" for face in faces(till) if not face.handler.opt.get("operation")
        ]
        assert not unnamed, "a route without operation=… is refused to everybody"
        named = {way.operation for way in ways(till)}
    assert not named - set(OPERATIONS), "rows that the table does not have"
    planned = {row.id for row in OPERATIONS.values() if row.planned}
    assert not named & planned, "a route does what the table calls planned: take the mark away"
    assert set(OPERATIONS) - planned - named == ELSEWHERE, "the table offers what no route does"


def test_a_route_that_names_nothing_is_refused(tmp_path: Path) -> None:
    """So that forgetting it opens nothing."""

    @get("/back-door", sync_to_thread=False)
    def back_door() -> str:
        return "open"

    with staffed_till(tmp_path / "register") as till:
        till.app = create_app(till.services)  # no lent one: nobody else is to have this door
        till.app.register(back_door)
        with till.browser("manager") as client:
            answer = client.get("/back-door")
    assert (answer.status_code, answer.json()["code"]) == (403, "operation.unnamed")


def test_every_operation_is_as_the_table_says(tmp_path: Path) -> None:
    """SW8: online and offline, each role, over HTTP."""
    with staffed_till(tmp_path / "register") as till:
        assert not walk(till, OPERATIONS, (Mode.ONLINE, Mode.OFFLINE))


def test_what_the_mode_forbids_is_refused_with_the_tables_sentence(tmp_path: Path) -> None:
    """As the rows of gift cards will be: here every row is one that needs a connection."""
    table = {
        row.id: msgspec.structs.replace(row, offline=NO, refused=f"“{row.name}” needs a connection.")
        if not row.before_sign_in
        else row
        for row in OPERATIONS.values()
    }
    with staffed_till(tmp_path / "register", table) as till:
        assert not walk(till, table, (Mode.DEGRADED, Mode.OFFLINE))
        till.work(Mode.OFFLINE)
        with till.browser("cashier") as client:
            plain = client.post("/day/open", data={"date": "2025-10-09"})
    assert (plain.status_code, plain.json()["detail"]) == (409, table["day.open"].refused)


# ---- approval ----------------------------------------------------------------------------------


def test_an_override_keeps_the_sale_and_is_journalled(tmp_path: Path) -> None:
    """PO6: a trainee's void, approved by a supervisor's PIN; both names stay."""
    with staffed_till(tmp_path / "register") as till:
        till.ready()
        before = till.checkout.basket()
        void = next(way for way in ways(till) if way.operation == "basket.void" and not way.asks)
        with till.browser("trainee") as client:
            asked = knock(client, void)
            assert answered(asked) == "approval"
            assert "needs a supervisor. Ask one to approve it." in html.unescape(asked.text)
            assert till.checkout.basket() == before
            for number, pin, said in (
                ("cashier", PIN, "may approve"),
                ("supervisor", "0000", "do not belong together"),
            ):
                refused = knock(client, void, manager=number, manager_pin=pin, asked="as before")
                assert answered(refused) == "approval"
                assert said in html.unescape(refused.text)
                assert "as before" in refused.text, "what it is about is said again"
                assert till.checkout.basket() == before
            assert not till.journalled("operation_approved")
            assert answered(knock(client, void, manager="supervisor", manager_pin=PIN)) == "allowed"
        assert before is not None
        (given,), (voided,) = till.journalled("operation_approved"), till.journalled("transaction_voided")
        assert (given.operation, given.by, given.approved_by, given.transaction) == (
            "basket.void",
            STAFF["trainee"],
            STAFF["supervisor"],
            before.transaction,
        )
        assert (voided.by, voided.approved_by) == (STAFF["trainee"], STAFF["supervisor"])


def test_everything_that_was_entered_is_asked_for_only_once(tmp_path: Path) -> None:
    """A field that comes several times too: the lines that are brought back."""
    with staffed_till(tmp_path / "register") as till:
        till.ready()
        with till.browser("trainee") as client:
            asked = client.post(
                "/returns",
                content="document=R01-ABCDE-000001&line=1&line=2&quantity-1=1&quantity-2=3",
                headers={
                    "hx-request": "true",
                    "content-type": "application/x-www-form-urlencoded",
                },
            )
        hidden = re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', asked.text)
    assert sorted(hidden[1:]) == [
        ("document", "R01-ABCDE-000001"),
        ("line", "1"),
        ("line", "2"),
        ("quantity-1", "1"),
        ("quantity-2", "3"),
    ]


def test_whoever_approves_goes_no_further_than_he_may_himself(tmp_path: Path) -> None:
    """PO6: 30 % is a supervisor's own; 40 % takes a manager."""
    with staffed_till(tmp_path / "register") as till:
        till.ready()
        discount = next(way for way in ways(till) if way.operation == "line.discount" and not way.asks)
        forty = discount._replace(fields={**discount.fields, "discount": "40%"})
        with till.browser("cashier") as client:
            asked = knock(client, forty)
            assert "A discount of over 10 % on a line needs a manager" in asked.text
            asked = knock(client, forty, manager="supervisor", manager_pin=PIN)
            assert answered(asked) == "approval"
            assert "needs somebody who may go so far himself" in asked.text
            knock(client, forty, manager="manager", manager_pin=PIN)
        basket = till.checkout.basket()
    assert basket is not None
    (given,) = basket.lines[0].reductions
    assert (given.percent_e2, given.by, given.approved_by) == (4_000, STAFF["cashier"], STAFF["manager"])


def test_head_offices_row_counts_at_the_next_act(tmp_path: Path) -> None:
    """PO6: the limits and permissions of a role are head office's, without a new sign-in."""
    with staffed_till(tmp_path / "register") as till:
        till.ready()
        discount = next(way for way in ways(till) if way.operation == "line.discount" and not way.asks)
        twenty = discount._replace(fields={**discount.fields, "discount": "20%"})
        with till.browser("cashier") as client:
            assert answered(knock(client, twenty)) == "approval"
            shipped = row_of(DEFAULT_ROLES["cashier"], "EUR")
            till.roles(msgspec.structs.replace(shipped, line_discount_e2_max=2_000))
            assert answered(knock(client, twenty)) == "allowed"
            less = tuple(name for name in shipped.permissions if name != "discount")
            till.roles(msgspec.structs.replace(shipped, permissions=less))
            assert answered(knock(client, twenty)) == "approval"
            till.roles(row_of(DEFAULT_ROLES["manager"], "GBP"), row_of(DEFAULT_ROLES["cashier"], "GBP"))
            assert "over 10 %" in knock(client, twenty).text, "another currency's row is not this register's"


def test_who_left_or_was_demoted_works_so_no_longer(tmp_path: Path) -> None:
    """PO6: from the moment at which the register knows; the basket stays for whoever comes next."""
    with staffed_till(tmp_path / "register") as till:
        till.ready()
        before = till.checkout.basket()
        void = next(way for way in ways(till) if way.operation == "basket.void" and not way.asks)
        with till.browser("manager") as client:
            rows = {role: member(role, role) for role in STAFF}
            till.feed("staff", {**rows, "manager": member("manager", "trainee")})
            assert answered(knock(client, void)) == "approval"
            till.feed("staff", {**rows, "manager": member("manager", "manager", active=False)})
            assert knock(client, void).headers["hx-redirect"] == "/"
            assert "no longer active" in client.get("/").text
        assert till.checkout.basket() == before


# ---- mutants -----------------------------------------------------------------------------------


def test_an_operation_let_through_without_its_permission_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: the guard looks at the mode and forgets the role."""

    def mode_alone(row: Operation, role: Role, now: Situation) -> object:
        answer = decide(row, role, now)
        return Allowed() if isinstance(answer, NeedsApproval) else answer

    monkeypatch.setattr(guards, "decide", mode_alone)
    with staffed_till(tmp_path / "register") as till:
        wrong = walk(till, OPERATIONS, (Mode.ONLINE,))
    assert "basket.void for trainee, online: 'allowed', not 'approval'" in wrong


def test_one_row_let_through_is_found(tmp_path: Path) -> None:
    """The mutant: one row of the table in force has lost its permission."""
    table = {**OPERATIONS, "day.close": msgspec.structs.replace(OPERATIONS["day.close"], permission=None)}
    with staffed_till(tmp_path / "register", table) as till:
        wrong = walk(till, OPERATIONS, (Mode.ONLINE,))
    assert wrong == ["day.close for trainee, online: 'allowed', not 'approval'"]


def test_a_mode_that_is_not_asked_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: what needs a connection is let through without one."""
    table = {
        **OPERATIONS,
        "basket.add": msgspec.structs.replace(OPERATIONS["basket.add"], offline=NO, refused="No."),
    }
    monkeypatch.setattr(guards, "refusal_of", lambda row, now: None)
    monkeypatch.setattr(
        guards, "decide", lambda row, role, now: decide(row, role, Situation(mode=Mode.ONLINE))
    )
    with staffed_till(tmp_path / "register", table) as till:
        wrong = walk(till, table, (Mode.OFFLINE,))
    assert {line.partition(" for ")[0] for line in wrong} == {"basket.add"} | {
        row.id
        for row in OPERATIONS.values()
        if row.offline != YES and not (row.planned or row.before_sign_in)
    }


def test_the_table_in_force_is_the_one_that_ships(tmp_path: Path) -> None:
    with staffed_till(tmp_path / "register") as till:
        assert create_app(till.services) is not None
        assert till.services.operations is OPERATIONS
