"""A full disk, a folder that is gone, a damaged file: said in a sentence, and nothing that was written is lost."""

import shutil

import pytest
from reading import screen_text
from textual.widgets import TextArea

from screens import marked_rows
from screens.app import StudioApp
from screens.data import DataScreen
from screens.editor import ConversationEditor
from screens.note_window import NoteWindow
from store import findings_writing, records, tags
from store.findings_file import FINDINGS
from studio.errors import StudioError
from studio.project import Project


def fill_the_disk(app: StudioApp) -> None:
    """Let the file of the app's connection grow no more."""
    pages = app.store.connection.execute("PRAGMA page_count").fetchone()[0]
    app.store.connection.execute(f"PRAGMA max_page_count={pages}")


def messages(app: StudioApp) -> list[str]:
    return [notification.message for notification in app._notifications]


async def test_a_note_that_could_not_be_kept_is_there_to_be_kept_again(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        fill_the_disk(app)
        await pilot.press("w")
        assert isinstance(app.screen, NoteWindow)
        app.screen.area.text = long_note = "again " * 20_000
        await pilot.press("f2")
        await pilot.pause()
        assert isinstance(app.screen, NoteWindow)
        assert app.screen.area.text.strip() == long_note.strip()
        assert app.screen.unsaved
        assert any("full" in message for message in messages(app))
        app.store.connection.execute("PRAGMA max_page_count=1000000")
        await pilot.press("f2")
        await pilot.pause()
        first = records.span(app.store)[0]
        assert records.get(app.store, first).note == long_note.strip()


async def test_an_edit_that_could_not_be_saved_is_in_the_editor_still(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2")
        await pilot.pause()
        fill_the_disk(app)
        await pilot.press("e")
        await pilot.pause()
        assert isinstance(app.screen, ConversationEditor)
        app.screen.query_one(TextArea).text = "changed " * 30_000
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, ConversationEditor)
        assert app.screen.query_one(TextArea).text.startswith("changed changed")
        assert any("full" in message for message in messages(app))


async def test_nothing_is_saved_into_a_file_that_nobody_finds_any_more(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        shutil.rmtree(filled.folder)
        await pilot.press("j", "j")
        await pilot.pause(0.2)
        await pilot.press("w", *"lost", "f2")
        await pilot.pause()
        assert isinstance(app.screen, NoteWindow)
        assert app.screen.area.text == "lost"
        assert any("nothing can be saved" in message for message in messages(app))


@pytest.mark.parametrize("area", ["1", "2"])
async def test_damaged_findings_are_forgotten_and_the_list_goes_on(filled: Project, area: str) -> None:
    app = StudioApp(filled)
    with findings_writing.writing(app.store) as file:
        findings_writing.declare(file, [("empty-field", "record")])
        row = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'finding_of_row'").fetchone()
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with FINDINGS.beside(filled.database).open("r+b") as damaged:
        damaged.seek((row[0] - 1) * 8192)
        damaged.write(b"\xff" * 8192)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(area, "j", "j")
        await pilot.pause(0.3)
        await pilot.press("j", "L")
        await pilot.pause(0.3)
        assert "Press r to run the checks" in screen_text(app)


async def test_tags_on_many_rows_leave_others_a_turn_to_write(filled: Project, monkeypatch) -> None:
    monkeypatch.setattr(marked_rows, "FEW_ROWS", 3)
    monkeypatch.setattr(marked_rows, "ROWS_AT_ONCE", 5)
    asked: list[int] = []
    change = tags.change

    def seen(store, kind, ids, **changes):
        asked.append(len(ids))
        change(store, kind, ids, **changes)

    monkeypatch.setattr(tags, "change", seen)
    app = StudioApp(filled)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, DataScreen)
        await pilot.press("A", "t", *"all", "enter")
        await pilot.pause(0.5)
        total = len(records.span(app.store))
        assert dict(tags.counts(app.store, "record")) == {"all": total}
        assert sum(asked) == total
        assert max(asked) <= 5


async def test_esc_takes_an_error_away_before_it_closes_the_window_in_front(filled: Project) -> None:
    app = StudioApp(filled)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("w")
        assert isinstance(app.screen, NoteWindow)
        app.notify("No error; it goes by itself.")
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, DataScreen)
        await pilot.press("w")
        app.notify_error(StudioError("It went wrong.", "Do it again."))
        await pilot.press("escape")
        await pilot.pause()
        assert messages(app) == []
        assert isinstance(app.screen, NoteWindow)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, DataScreen)
