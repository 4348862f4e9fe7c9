"""Differences of texts: complete, marked in words too, and quick with texts of any size."""

from hypothesis import given, settings
from hypothesis import strategies as st

from studio.text_differences import MOST_WORDS, Line, Piece, differences, words_of_one

LINES = st.lists(st.sampled_from(["a b", "a c", "", "x", "a b c d"]), max_size=12).map("\n".join)


def told(lines: list[Line]) -> list[tuple[str, str]]:
    return [(line.mark, "".join(f"[{p.text}]" if p.changed else p.text for p in line.pieces)) for line in lines]


def test_words_that_differ_are_marked_in_their_lines() -> None:
    assert told(differences("one\nThe cat sat\nend", "one\nThe dog sat\nend")) == [
        ("same", "one"),
        ("removed", "The [cat] sat"),
        ("added", "The [dog] sat"),
        ("same", "end"),
    ]


def test_lines_far_from_a_change_are_counted() -> None:
    before = "\n".join(str(n) for n in range(100))
    after = f"{before}\nnew"
    assert told(differences(before, after)) == [
        ("left out", "98 lines the same"),
        ("same", "98"),
        ("same", "99"),
        ("added", "[new]"),
    ]


@given(LINES, LINES)
@settings(max_examples=200, deadline=None)
def test_each_side_can_be_put_together_from_what_is_told(before: str, after: str) -> None:
    found = differences(before, after)
    assert (before == after) == (not found)
    if found and not any(line.mark == "left out" for line in found):
        assert "\n".join(line.text for line in found if line.mark != "added") == before
        assert "\n".join(line.text for line in found if line.mark != "removed") == after


def test_of_a_line_of_a_megabyte_only_what_is_near_the_change_is_told() -> None:
    removed, added = differences("x " * 500_000, "x " * 250_000 + "y " + "x " * 250_000)
    assert len(removed.text) < 1_000
    assert "characters the same" in removed.text
    assert [piece.text.strip() for piece in added.pieces if piece.changed] == ["y"]


def test_texts_with_nothing_in_common_are_told_whole() -> None:
    before, after = "a " * 100_000, "b\n" * 5_000
    found = differences(before, after)
    assert found[0].text == before
    assert sum(line.mark == "added" for line in found) == 5_001


def marked(pieces: list[Piece]) -> str:
    return "".join(f"[{piece.text}]" if piece.changed else piece.text for piece in pieces)


def test_two_texts_are_marked_where_the_other_says_something_else() -> None:
    left, right = words_of_one("We can't come on Monday, sorry.", "We can't come on Friday or later, sorry.")
    assert marked(left) == "We can't come on[ Monday], sorry."
    assert marked(right) == "We can't come on[ Friday or later], sorry."


def test_a_word_in_common_between_other_words_is_marked_too() -> None:
    left, _ = words_of_one("red green the blue black", "one two the three four")
    assert marked(left) == "[red green the blue black]"


def test_long_texts_are_compared_by_lines_first() -> None:
    same = "\n".join(f"line {number}" for number in range(MOST_WORDS))
    left, right = words_of_one(f"{same}\nhere\n{same}", f"{same}\nthere\n{same}")
    assert [piece.text for piece in left if piece.changed] == ["here"]
    assert [piece.text for piece in right if piece.changed] == ["there"]


def test_a_long_text_in_one_line_is_compared_by_sentences() -> None:
    same = "The fox jumps over the dog, again and again. " * (MOST_WORDS // 8)
    left, right = words_of_one(f"{same}It was red. {same}", f"{same}It was brown. {same}")
    assert [piece.text.strip() for piece in left if piece.changed] == ["red"]
    assert [piece.text.strip() for piece in right if piece.changed] == ["brown"]


def test_where_no_spaces_part_the_words_each_character_is_compared() -> None:
    left, right = words_of_one("我认为这是一个很好的建议。", "我认为那是一个非常好的建议。")
    assert marked(left) == "我认为[这]是一个[很]好的建议。"
    assert marked(right) == "我认为[那]是一个[非常]好的建议。"


@given(LINES, LINES)
def test_no_letter_of_either_text_is_lost(one: str, other: str) -> None:
    for text, pieces in zip((one, other), words_of_one(one, other), strict=True):
        assert "".join(piece.text for piece in pieces) == text
