"""Enrolment codes as people copy them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.faults import MalformedFault
from holdfast.core.sync.enrolment import CodeText, new_code, read_code, spell_code

CODE = new_code(bytes(range(10)))


@given(st.binary(min_size=10, max_size=10), st.none() | st.binary(min_size=32, max_size=32))
def test_a_code_that_was_shown_is_read(random: bytes, certificate: bytes | None) -> None:
    text = CodeText(new_code(random), certificate)
    assert read_code(spell_code(text)) == text
    assert read_code(f"  {spell_code(text).upper()} ") == text


def test_a_code_is_shown_in_groups_of_four() -> None:
    assert [len(group) for group in spell_code(CodeText(CODE, None)).split("-")] == [4, 4, 4, 4]


def test_letters_that_look_like_digits_are_read_as_such() -> None:
    assert read_code("o0o0-i1l1-2222-3333").code == "0000111122223333"


@pytest.mark.parametrize(
    "typed", ["", "abc", CODE[:-1], CODE + "0", "u" * 16, f"{CODE}.ab", f"{CODE}.{'z' * 64}"]
)
def test_what_is_no_code_is_said_to_be_none(typed: str) -> None:
    with pytest.raises(MalformedFault, match="code"):
        read_code(typed)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(typed: str) -> None:
    try:
        read_code(typed)
    except MalformedFault:
        return
