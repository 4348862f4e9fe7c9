"""How a pair is looked at: layouts, the prompt's room, scrolling, differences, rendered Markdown."""

from collections import Counter

import pytest
from labelling import add_replies, opened, press
from reading import screen_text

from screens.compare import CompareScreen
from screens.compare_text import rendered_lines
from screens.widgets.text_view import Span
from store import examples, interface_state, pairs, responses
from store.database import Store
from studio.project import Project

LONG = "\n".join(f"line {number}" for number in range(60))


@pytest.fixture
def at_compare(project: Project, store: Store) -> Project:
    """An empty project that was left at Compare, by somebody who knows it."""
    interface_state.remember(store, "area", "compare")
    interface_state.remember(store, "compare.introduced", True)
    return project


def is_beside(screen: CompareScreen) -> bool:
    return screen.panes.left.region.y == screen.panes.right.region.y


def is_one(screen: CompareScreen) -> bool:
    return min(screen.panes.left.size.height, screen.panes.right.size.height) == 0


@pytest.mark.parametrize("width", [60, 80, 99])
async def test_short_replies_stand_one_over_the_other(at_compare: Project, store: Store, width: int) -> None:
    add_replies(store, "Why?", "Because.", "No reason.")
    async with opened(at_compare, (width, 24)) as (_, screen):
        assert not is_beside(screen)
        assert not is_one(screen)


@pytest.mark.parametrize("width", [100, 200])
async def test_replies_stand_side_by_side_where_there_is_room(at_compare: Project, store: Store, width: int) -> None:
    add_replies(store, "Why?", LONG, LONG)
    async with opened(at_compare, (width, 24)) as (pilot, screen):
        assert is_beside(screen)
        assert screen.panes.left.region.x == 0
        await press(pilot, "tab", "ctrl+d")
        assert screen.panes.right.scroll_offset.y > 0
        assert screen.panes.left.scroll_offset.y == 0


async def test_long_replies_come_one_at_a_time_under_the_title_of_the_other(at_compare: Project, store: Store) -> None:
    add_replies(store, "Why?", LONG, LONG)
    async with opened(at_compare) as (pilot, screen):
        assert f"Right: 60 lines, {len(LONG)} characters; tab shows it" in screen_text(screen.app)
        assert screen.panes.right.size.height == 0
        await press(pilot, "tab")
        assert "Left: 60 lines" in screen_text(screen.app)
        assert screen.panes.left.size.height == 0
        assert screen.panes.right.has_focus


@pytest.mark.usefixtures("unhurried")
async def test_the_next_pair_begins_at_the_left_reply(at_compare: Project, store: Store) -> None:
    for question in ("Why?", "How?"):
        add_replies(store, question, LONG, LONG)
    async with opened(at_compare) as (pilot, screen):
        await press(pilot, "tab", "ctrl+d", "l")
        assert "How?" in screen.panes.prompt.plain
        assert screen.panes.left.has_focus
        assert screen.panes.right.size.height == 0
        assert screen.panes.right.scroll_offset.y == 0


@pytest.mark.usefixtures("unhurried")
async def test_one_short_pair_among_long_ones_does_not_change_the_layout(at_compare: Project, store: Store) -> None:
    add_replies(store, "Why?", LONG, LONG)
    for number in range(6):
        add_replies(store, f"Short {number}?", "Yes.", "No.")
    async with opened(at_compare) as (pilot, screen):
        await press(pilot, "l")
        assert is_one(screen)
        await press(pilot, *"lllll")
        assert not is_one(screen)


async def test_a_chosen_layout_is_kept_for_the_next_session(at_compare: Project, store: Store) -> None:
    add_replies(store, "Why?", "Because.", "No reason.")
    async with opened(at_compare) as (pilot, screen):
        await press(pilot, "m")
        assert is_beside(screen)
        await press(pilot, "m", "m")
        assert is_one(screen)
        await pilot.press("ctrl+q")
    async with opened(at_compare) as (pilot, screen):
        assert is_one(screen)
        await press(pilot, "m")
        assert not is_one(screen)


async def test_a_wider_terminal_puts_them_side_by_side(at_compare: Project, store: Store) -> None:
    add_replies(store, "Why?", LONG, LONG)
    async with opened(at_compare) as (pilot, screen):
        await pilot.resize_terminal(120, 30)
        await pilot.pause()
        assert is_beside(screen)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert is_one(screen)


async def test_the_prompt_gives_way_and_is_read_in_most_of_the_room(at_compare: Project, store: Store) -> None:
    add_replies(store, LONG, "Because.", "No reason.")
    async with opened(at_compare) as (pilot, screen):
        before = screen.panes.prompt.size.height
        await press(pilot, "p")
        assert screen.panes.prompt.size.height == 1
        await press(pilot, "p")
        assert screen.panes.prompt.size.height > before
        assert screen.panes.prompt.has_focus
        await press(pilot, "p")
        assert screen.panes.prompt.size.height == before
        assert screen.panes.left.has_focus


async def test_a_conversation_begins_at_its_last_question(at_compare: Project, store: Store) -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": LONG},
        {"role": "assistant", "content": "I see."},
        {"role": "user", "content": "And then?"},
    ]
    example = examples.add(store, record_id=None, messages=messages, split="train")
    ids = [
        responses.add(store, example, [{"role": "assistant", "content": text}], origin="file") for text in ("a", "b")
    ]
    pairs.add_pair(store, example, *ids, seed=0)
    async with opened(at_compare) as (pilot, screen):
        shown = screen_text(screen.app)
        assert "user: And then?" in shown
        assert "line 0" not in shown
        assert "last of 3 turns" in shown
        await press(pilot, "p", "p", "k", "k")
        assert "assistant: I see." in screen_text(screen.app)


async def test_replies_scroll_alone_or_together(at_compare: Project, store: Store) -> None:
    add_replies(store, "Why?", LONG, LONG)
    async with opened(at_compare, (120, 24)) as (pilot, screen):
        await press(pilot, "j", "j")
        assert (screen.panes.left.scroll_offset.y, screen.panes.right.scroll_offset.y) == (2, 0)
        await press(pilot, "z")
        assert screen.panes.right.scroll_offset.y == 2
        await press(pilot, "tab", "ctrl+d")
        assert screen.panes.left.scroll_offset.y == screen.panes.right.scroll_offset.y > 2
        await press(pilot, "z", "k")
        assert screen.panes.left.scroll_offset.y == screen.panes.right.scroll_offset.y + 1


async def test_together_holds_where_one_is_shown_at_a_time(at_compare: Project, store: Store) -> None:
    add_replies(store, "Why?", LONG, LONG)
    async with opened(at_compare) as (pilot, screen):
        await press(pilot, "z", "ctrl+d", "tab")
        await pilot.pause()
        assert screen.panes.right.scroll_offset.y == screen.panes.left.scroll_offset.y > 0


@pytest.mark.usefixtures("unhurried")
async def test_what_only_one_reply_says_is_marked_on_request(at_compare: Project, store: Store) -> None:
    add_replies(store, "Why?", "The parcel came on Monday, as it should.", "The parcel came on Friday, as it should.")
    add_replies(store, "How?", "By train, in the morning, with a bell.", "By train, in the evening, with a bell.")
    async with opened(at_compare) as (pilot, screen):
        assert "«" not in screen.panes.left.plain
        await press(pilot, "d")
        both = {screen.panes.left.plain, screen.panes.right.plain}
        assert both == {f"The parcel came on «{day}», as it should." for day in ("Monday", "Friday")}
        await press(pilot, "h")
        assert "in the «" in screen.panes.left.plain
        await press(pilot, "d")
        assert "«" not in screen.panes.left.plain


async def test_markdown_is_rendered_on_request_and_what_it_hides_is_made_safe(
    at_compare: Project, store: Store
) -> None:
    text = "# Title\n\n**bold** and <b>tag</b> &#x202e; &#27;[31m \x1b[31m\n\n```python\nprint(1)\n```\n"
    add_replies(store, "Why?", text, text)
    async with opened(at_compare, (120, 40)) as (pilot, screen):
        assert "**bold**" in screen.panes.left.plain
        await press(pilot, "v")
        shown = screen.panes.left.plain
        assert "bold and <b>tag</b>" in shown
        assert "```" not in shown
        assert "print(1)" in shown
        assert not {"\x1b", "\u202e"} & set(screen_text(screen.app))
        await press(pilot, "v")
        assert "**bold**" in screen.panes.left.plain


async def test_a_huge_reply_is_rendered_in_part_only(at_compare: Project, store: Store) -> None:
    add_replies(store, "Why?", "*word* " * 5_000, "short")
    async with opened(at_compare, (120, 40)) as (pilot, screen):
        await press(pilot, "v")
        assert "more characters are not rendered" in screen.panes.left.plain + screen.panes.right.plain


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("one two", "one two", "same text"),
        ("one  two\n\nthree", "one two\nthree", "only spaces differ"),
        ("One of them says this.", "Another reads otherwise!", "nearly all"),
    ],
)
async def test_what_marks_can_t_tell_the_title_does(
    at_compare: Project, store: Store, first: str, second: str, said: str
) -> None:
    add_replies(store, "Why?", first, second)
    async with opened(at_compare) as (pilot, screen):
        await press(pilot, "d")
        assert said in str(screen.panes.left.border_title)
        await press(pilot, "d")
        assert str(screen.panes.left.border_title) == "Left"


async def test_a_reply_without_words_is_called_empty(at_compare: Project, store: Store) -> None:
    add_replies(store, "Why?", " \n", "Because.")
    async with opened(at_compare) as (_, screen):
        titles = {str(pane.border_title) for pane in (screen.panes.left, screen.panes.right)}
    assert titles in ({"Left, empty", "Right"}, {"Left", "Right, empty"})


async def test_what_was_at_the_top_stays_there_in_another_view_and_at_another_width(
    at_compare: Project, store: Store
) -> None:
    first, second = (" ".join(f"{name}{number}" for number in range(3000)) for name in "ab")
    add_replies(store, "Why?", first, second)

    def top(screen: CompareScreen) -> set[str]:
        return set(screen.panes.left.plain.split("\n")[screen.panes.left.scroll_offset.y].split())

    async with opened(at_compare) as (pilot, screen):
        await press(pilot, *["ctrl+d"] * 9, "d")
        y = screen.panes.left.scroll_offset.y
        await press(pilot, "d")
        assert screen.panes.left.scroll_offset.y == y > 0
        word = min(top(screen))
        for size in ((200, 50), (60, 20), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert word in top(screen)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join("  " * level + f"- word{level}" for level in range(30)),
        "\n".join(">" * level + f" word{level}" for level in range(1, 30)),
        "|" + "|".join(f"word{n}" for n in range(40)) + "|\n|" + "-|" * 40 + "\n|x|",
        "|a|b|\n|-|-|\n|https://example.org/" + "word" * 30 + "|" + "and more " * 20 + "|",
        "![word](http://example.org/seen.png)\n\n[word2]: http://example.org/target",
    ],
)
def test_rendering_leaves_out_no_words(text: str) -> None:
    for width in (37, 76):
        lines = ["".join(part for part, _ in line) for line in rendered_lines([Span(text)], width, dark=True)]
        # Cells are parted into lines beside each other, so letters are counted.
        seen, there = Counter("".join(lines)), Counter(text)
        assert not {letter for letter in there if letter.isalnum() and seen[letter] < there[letter]}


def test_a_table_with_thousands_of_columns_is_shown_as_it_was_written() -> None:
    text = "|a" * 3000 + "|\n" + "|-" * 3000 + "|\n" + "x\n" * 100
    lines = ["".join(part for part, _ in line) for line in rendered_lines([Span(text)], 76, dark=True)]
    assert "".join(lines).count("a") == 3000
