"""What of a ticket is answered anew: applied to what a page shows, it is what the page must show."""

from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from holdfast.register.web.formats import Formats
from holdfast.register.web.ticket import STATES_KEPT_MAX, Line, Shown, Ticket

LINES = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from(["<li id=a>", "<li id=b>", "<li id=c>"])),
    unique_by=lambda line: line[0],
    max_size=8,
)


def shown(lines: list[tuple[int, str]], kind: str = "sale") -> Shown:
    return Shown(kind, tuple(Line(number, Markup(html)) for number, html in lines))


def ticket() -> Ticket:
    return Ticket(lambda _: "", cast("Formats", None))


@given(LINES, LINES)
def test_changes_lead_from_one_ticket_to_the_other(
    before: list[tuple[int, str]], now: list[tuple[int, str]]
) -> None:
    drawn = ticket()
    changes = drawn.changes(drawn.remember(shown(before)), shown(now))
    if changes is None:
        kept = [number for number, _ in before if number in dict(now)]
        assert not before or not now or [number for number, _ in now[: len(kept)]] != kept
        return
    page = {number: html for number, html in before if number not in changes.gone}
    places = iter(changes.changed)
    for number, html in page.items():
        if dict(now)[number] != html:
            page[number] = next(places).replace('hx-swap-oob="true" ', "")
    assert next(places, None) is None
    assert [*page.values(), *changes.added] == [html for _, html in now]


def test_a_page_that_shows_something_else_gets_the_whole_ticket() -> None:
    drawn = ticket()
    one = [(1, "<li id=a>")]
    name = drawn.remember(shown(one))
    assert drawn.changes(name, shown(one)) is not None
    assert drawn.changes(name, shown(one, "return")) is None
    assert drawn.changes("", shown(one)) is None
    assert drawn.changes("of a process before", shown(one)) is None
    for number in range(STATES_KEPT_MAX):
        drawn.remember(shown([(number, "<li id=b>")]))
    assert drawn.changes(name, shown(one)) is None, "so long ago that it is forgotten"
