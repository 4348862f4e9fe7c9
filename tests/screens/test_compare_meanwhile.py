"""Compare when others change what is on the screen: nothing goes to the wrong pair, nothing untrue is shown."""

import pytest
from labelling import UNRULY, add_replies, comments, line, opened, press, set_task, settled, texts, verdicts
from reading import screen_text

from screens.verdict_history import VerdictHistory
from store import examples, interface_state, journal, responses
from store.database import Store
from studio.project import Project


@pytest.mark.usefixtures("unhurried")
async def test_a_comment_begun_on_a_pair_that_was_judged_elsewhere_is_that_pair_s(
    waiting_pairs: Project, store: Store
) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "c", *"mine")
        journal.judge(store, screen.shown.pair, "left", rater=waiting_pairs.rater)
        screen.on_imports_ended()
        await settled(pilot)
        assert "Question 1" in screen.panes.prompt.plain
        await press(pilot, "h")
    assert comments(store, 1) == ["mine"]
    assert comments(store, 2) == []


@pytest.mark.usefixtures("unhurried")
async def test_an_edited_prompt_and_a_flag_are_shown(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "2")
        examples.set_flagged(store, 1, True)
        await press(pilot, "3")
        assert "flagged" in str(screen.panes.prompt.border_title)
        await press(pilot, "2")
        examples.revise(store, 1, [{"role": "user", "content": "Another question"}])
        await press(pilot, "3")
        assert "Another question" in screen.panes.prompt.plain
        await press(pilot, "h")
    assert verdicts(store) == ["left"]


@pytest.mark.usefixtures("unhurried")
async def test_a_pair_that_the_same_person_judged_in_another_window_is_not_changed_unawares(
    waiting_pairs: Project, store: Store
) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        journal.judge(store, screen.shown.pair, "tie", rater=waiting_pairs.rater)
        await press(pilot, "h")
        assert verdicts(store) == ["tie"]
        assert "Question 1" in screen.panes.prompt.plain
        await settled(pilot)
        assert "1 of 4 done" in line(screen)
        journal.judge(store, screen.shown.pair, "tie", rater="ben")
        await press(pilot, "l")
    assert [entry.purpose for entry in journal.entries(store, pair_id=2)] == ["first", "second"]


@pytest.mark.usefixtures("unhurried")
async def test_a_verdict_that_could_not_be_written_is_not_called_saved(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, _):
        await press(pilot, "h")
        store.connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON comparison BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
        await press(pilot, "l")
        assert "NOT saved" in screen_text(pilot.app)
        store.connection.execute("DROP TRIGGER full")
        await press(pilot, "l")
        assert "NOT saved" not in screen_text(pilot.app)
    assert verdicts(store) == ["left", "right"]


@pytest.mark.usefixtures("unhurried")
async def test_whose_a_reply_in_sight_is_is_not_told_by_the_pair_before(project: Project, store: Store) -> None:
    example = examples.add(store, record_id=None, messages=[{"role": "user", "content": "Q"}], split="train")
    for name in "ABC":
        message = {"role": "assistant", "content": f"Reply {name}"}
        responses.add(store, example, [message], origin="model", author=f"author-{name}")
    set_task(project, 'name = "rank"\nranking = true\nrepeats = 0\nanchors = 0')
    interface_state.remember(store, "area", "compare")
    interface_state.remember(store, "compare.introduced", True)
    async with opened(project) as (pilot, screen):
        await press(pilot, "h", "w")
        assert "author-" not in line(screen)
        assert "here again" in line(screen)
        await press(pilot, "a")
        await settled(pilot)
        await press(pilot, "w")
        assert isinstance(pilot.app.screen, VerdictHistory)
        assert "Reply" in pilot.app.screen.text.plain
        assert "author-" not in pilot.app.screen.text.plain
        assert "in sight in Compare" in pilot.app.screen.text.plain


@pytest.mark.usefixtures("unhurried")
async def test_the_list_of_verdicts_tells_whose_replies_are_that_are_not_in_sight(waiting_pairs: Project) -> None:
    async with opened(waiting_pairs) as (pilot, _):
        await press(pilot, "h", "a")
        await settled(pilot)
        await press(pilot, "w")
        assert isinstance(pilot.app.screen, VerdictHistory)
        assert "author-A" in pilot.app.screen.text.plain
        await press(pilot, "escape", "u", "a")
        await settled(pilot)
        await press(pilot, "w")
        assert isinstance(pilot.app.screen, VerdictHistory)
        assert "author-A" not in pilot.app.screen.text.plain


@pytest.mark.usefixtures("unhurried")
async def test_whose_a_reply_is_is_not_told_where_another_row_of_the_file_has_it_too(
    project: Project, store: Store
) -> None:
    for other in ("yes", "perhaps"):
        add_replies(store, f"Why {UNRULY}?", "no", other)
    interface_state.remember(store, "area", "compare")
    interface_state.remember(store, "compare.introduced", True)
    async with opened(project) as (pilot, screen):
        await press(pilot, "h", "w")
        assert any("no" in text for text in texts(screen))
        assert "tuned" not in line(screen)


@pytest.mark.usefixtures("unhurried")
async def test_a_verdict_judged_anew_is_not_counted_twice(waiting_pairs: Project) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        await press(pilot, "h", "h", "a")
        await settled(pilot)
        await press(pilot, "enter", "l")
        await settled(pilot)
        assert "2 of 4 done" in line(screen)


async def test_a_comment_that_was_put_aside_outlives_a_crash(waiting_pairs: Project, store: Store) -> None:
    async with opened(waiting_pairs) as (pilot, _):
        await press(pilot, "c", *"later", "escape")
        # What is on the disk now is all that is left when the process is killed.
        assert interface_state.recall(store, "compare.begun") == {"1": ["later", []]}
        await press(pilot, "c", "enter")
        assert interface_state.recall(store, "compare.begun") == {}
    assert comments(store, 1) == ["later"]


@pytest.mark.usefixtures("unhurried")
async def test_the_first_two_of_a_ranking_are_not_told_from_a_pair_that_comes_back(
    project: Project, store: Store
) -> None:
    example = examples.add(store, record_id=None, messages=[{"role": "user", "content": "Q"}], split="train")
    for name in "ABCD":
        responses.add(store, example, [{"role": "assistant", "content": f"Reply {name}"}], origin="model", author=name)
    set_task(project, 'name = "rank"\nranking = true')
    interface_state.remember(store, "area", "compare")
    interface_state.remember(store, "compare.introduced", True)
    async with opened(project) as (pilot, screen):
        assert str(screen.panes.prompt.border_title) == "Prompt, rank"
        await press(pilot, "h")
        assert "ranking 2 of about" in str(screen.panes.prompt.border_title)


@pytest.mark.usefixtures("unhurried")
async def test_a_comment_that_can_t_be_written_is_neither_lost_nor_the_end(
    waiting_pairs: Project, store: Store
) -> None:
    async with opened(waiting_pairs) as (pilot, screen):
        connection = screen.studio.store.connection
        await press(pilot, "c", *"mine")
        connection.execute("PRAGMA query_only=ON")
        await press(pilot, "enter")
        assert screen.lines.comment.value == "mine"
        journal.judge(store, screen.shown.pair, "left", rater=waiting_pairs.rater)
        screen.on_imports_ended()
        await settled(pilot)
        assert "Question 1" in screen.panes.prompt.plain
        assert len(screen.studio._notifications) == 2
        connection.execute("PRAGMA query_only=OFF")
        await press(pilot, "u", "l")
    assert comments(store, 1) == ["mine"]
