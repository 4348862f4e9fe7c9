"""Text made safe to show: nothing that a terminal obeys or that hides what is there."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from studio.text import clean, clean_line

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INVISIBLE = "\u00ad\u200b\u2028\u2029\u2060\ufeff"

ANY = st.text(st.one_of(st.characters(exclude_categories=()), st.sampled_from("\x1b\r\n\t\x9b" + BIDI + INVISIBLE)))


@given(ANY)
@example("\r\r\n\n\r")
@example("\x1b]0;title\x07\x9b2J")
def test_no_text_commands_the_terminal(text) -> None:
    shown = clean(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs") and c != "\n"]
    assert not set(shown) & set(BIDI + INVISIBLE)
    assert clean(shown) == shown
    shown.encode()


@given(ANY)
def test_one_line_stays_one_line(text) -> None:
    assert len(clean_line(text).splitlines()) <= 1


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs"))))
def test_what_can_be_seen_is_left_alone(text) -> None:
    assert clean(text) == text
    assert clean_line(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain", "plain"),
        ("two\nlines\r\nthree", "two\nlines\nthree"),
        ("a\tb", "a    b"),
        ("red \x1b[31m", "red \u241b[31m"),
        ("bell\x07 nul\x00 del\x7f", "bell\u2407 nul\u2400 del\u2421"),
        ("over\rwritten", "over\u240dwritten"),
        ("c1 \x9b", "c1 \ufffd"),
        ("half \ud83d", "half \ufffd"),
        ("evil\u202etxt.exe", "evil\u2329RLO\u232atxt.exe"),
        ("\ufeffmark", "\u2329BOM\u232amark"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("[bold]no markup[/]", "[bold]no markup[/]"),
    ],
)
def test_what_is_shown_instead(text, shown) -> None:
    assert clean(text) == shown


def test_line_ends_become_signs_on_one_line() -> None:
    assert clean_line("a\r\nb\nc") == "a\u21b5b\u21b5c"
