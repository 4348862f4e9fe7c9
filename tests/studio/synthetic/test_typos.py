"""Prompts as people mistype them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.shingles import fold
from studio.synthetic.typos import mistype

TEXT = (
    "Hello, could you please tell me where my parcel is? I ordered `pip install tuning` on 2026-11-03,"
    " see https://example.org/track and mail me@example.org.\n```\nprint(variable)\n```\nThanks, Ffion"
)


def test_the_same_seed_makes_the_same_typos_and_another_makes_others() -> None:
    assert mistype(TEXT, 1) == mistype(TEXT, 1)
    assert len({mistype(TEXT, seed) for seed in range(20)}) > 10


@given(st.integers(0, 2**32))
def test_only_plain_small_words_are_mistyped_each_by_a_letter(seed) -> None:
    made = mistype(TEXT, seed)
    assert made is not None
    assert fold(made) != fold(TEXT)
    for kept in ("Hello", "`pip install tuning`", "2026-11-03,", "https://example.org/track", "me@example.org."):
        assert kept in made
    assert "```\nprint(variable)\n```" in made
    assert "Ffion" in made
    before, after = re.findall(r"\S+", TEXT), re.findall(r"\S+", made)
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert abs(len(old) - len(new)) <= 1
        assert old[0] == new[0]


@given(st.text(), st.integers(0, 100))
def test_any_text_is_mistyped_or_left(text, seed) -> None:
    made = mistype(text, seed)
    assert made is None or made != text


@pytest.mark.parametrize("text", ["", "OK", "2 + 2 = ?", "世界和平", "NASA ESA", "a b c", "`code`"])
def test_where_no_word_can_be_mistyped_nothing_is_made(text) -> None:
    assert mistype(text, 1) is None
