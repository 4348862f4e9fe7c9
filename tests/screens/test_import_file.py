"""The import window: a path, what is not clear, progress that can be stopped or left, and the report."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from letters import HOSTILE
from reading import screen_text, until
from textual.pilot import Pilot
from textual.widgets import Input, Static

from screens.app import StudioApp
from screens.dialogs import Confirm
from screens.import_file import ImportWindow
from screens.mapping import MappingWindow
from screens.paths import complete
from screens.widgets.table import RecordTable
from screens.widgets.text_view import TextView
from store import examples, interface_state, records
from store.database import Store
from studio.mapping import load
from studio.project import Project

SIZES = [(80, 24), (200, 50)]
MANY = 12_000


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that takes long enough to be stopped: each few rows are written to the disk."""
    monkeypatch.setattr("studio.importing.BATCH_ROWS", 10)
    path = tmp_path / "many.jsonl"
    path.write_text("".join(f'{{"prompt": "Question {n}", "completion": "Answer"}}\n' for n in range(MANY)))
    return path


@asynccontextmanager
async def importing(project: Project, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[None]]:
    """The app with the window for an import open."""
    with project.open_store() as store:
        interface_state.remember(store, "area", "data")
    app = StudioApp(project)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ImportWindow))
        yield pilot


def name(pilot: Pilot[None], path: Path | str, key: str = "enter") -> None:
    """Type a path and press a key."""
    line = pilot.app.screen.query_one(Input)
    line.value = str(path)
    line.focus()
    # The pilot waits after each key until no thread is busy, which an import is.
    pilot.app.simulate_key(key)


def shows(pilot: Pilot[None], *words: str) -> Callable[[], bool]:
    """Tell whether the screen has all these words, however they are wrapped: a long path is cut anywhere."""

    def together(text: str) -> str:
        return re.sub(r"[\s\u2502]+", "", text)

    return lambda: all(together(word) in together(screen_text(pilot.app)) for word in words)


def has(pilot: Pilot[None], kind: type) -> Callable[[], bool]:
    """Tell whether a window of that kind is in front."""
    return lambda: isinstance(pilot.app.screen, kind)


def meanings(pilot: Pilot[None]) -> dict[str, str]:
    """What each column and code means, as the list shows it."""
    lines = pilot.app.screen.query_one("#columns", RecordTable)
    rows = lines._fetch(list(lines.ids))
    return {row.cells[0]: row.cells[1] for row in rows.values()}


async def test_a_file_is_imported_and_shown(project: Project, tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": "a"}]} for n in (1, 2)]
    (tmp_path / "chats.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n{broken\n")
    async with importing(project) as pilot:
        name(pilot, tmp_path / "cha", "tab")
        await until(pilot, lambda: pilot.app.screen.query_one(Input).value == str(tmp_path / "chats.jsonl"))
        await pilot.press("enter")
        await until(pilot, shows(pilot, "Imported.", "3 rows as trl-sft", "is not valid JSON"))
        await pilot.press("escape")
        await until(pilot, shows(pilot, "3 records"))


async def test_a_path_that_is_no_file_is_named(project: Project) -> None:
    async with importing(project) as pilot:
        await pilot.press(*"nothing", "enter")
        assert "is not a file" in screen_text(pilot.app)
        await pilot.press("escape")
        assert not has(pilot, ImportWindow)()


@pytest.mark.parametrize("path", ["~nobody-of-that-name/a.jsonl", "/" + "a" * 300], ids=["unknown user", "too long"])
async def test_a_path_that_makes_no_sense_is_no_file(project: Project, path: str) -> None:
    async with importing(project) as pilot:
        name(pilot, path)
        said = pilot.app.screen.query_one("#said", Static)
        await until(pilot, lambda: str(said.content) == f"{path} is not a file.")


def test_paths_are_completed_as_far_as_they_agree(tmp_path: Path) -> None:
    for entry in ("data-one.csv", "data-two.csv", ".hidden", "folder"):
        (tmp_path / entry).touch() if "." in entry else (tmp_path / entry).mkdir()
    assert complete(f"{tmp_path}/da") == f"{tmp_path}/data-"
    assert complete(f"{tmp_path}/fo") == f"{tmp_path}/folder/"
    assert complete(f"{tmp_path}/.h") == f"{tmp_path}/.hidden"
    assert complete(f"{tmp_path}/absent") == f"{tmp_path}/absent"


async def test_a_database_that_another_process_writes_fails_the_import_and_no_more(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database.BUSY_TIMEOUT_MS", 50)
    (tmp_path / "a.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    async with importing(project) as pilot:
        with project.open_store() as other, other.transaction():
            name(pilot, tmp_path / "a.jsonl")
            await until(pilot, shows(pilot, "Nothing was imported.", "another process"))
        await pilot.press("enter")
        await until(pilot, shows(pilot, "Imported."))


async def test_a_file_that_is_imported_again_is_not_said_to_have_come_in(project: Project, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    async with importing(project) as pilot:
        name(pilot, tmp_path / "a.jsonl")
        await until(pilot, shows(pilot, "Imported."))
        name(pilot, tmp_path / "a.jsonl")
        await until(pilot, shows(pilot, "Nothing new was imported.", "nothing was added"))


# What is not clear


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_verdict_codes_are_asked_for(
    project: Project, store: Store, shared_data: Path, size: tuple[int, int]
) -> None:
    async with importing(project, size) as pilot:
        name(pilot, shared_data / "pandalm_testset_v1.json")
        await until(pilot, has(pilot, MappingWindow))
        await pilot.pause()
        assert shows(pilot, "Say what the verdict codes mean: 0, 1, 2.", "annotator1 says 2, not explained yet")()
        await pilot.press("i")
        assert has(pilot, MappingWindow)()
        await pilot.press("m", "m", "m", "j", "m", "j", "enter", "3")
        assert {code: meanings(pilot)[f"code {code}"] for code in "012"} == {"0": "tie", "1": "left", "2": "right"}
        assert shows(
            pilot,
            "Ready: 194 of the first 200 rows",
            "6 do not; the first: response1 is true, not a",
            "annotator1 says 2, the second answer is better",
        )()
        await pilot.press("i")
        await until(pilot, shows(pilot, "Imported.", "999 rows as pandalm"))
        assert examples.count(store) == 993


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_columns_are_given_a_meaning_with_the_example_in_sight(
    project: Project, store: Store, tmp_path: Path, size: tuple[int, int]
) -> None:
    rows = [{"ask": f"Why {n}?", "yes": "Because.", "no": "So.", "won": n % 2} for n in range(8)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    async with importing(project, size) as pilot:
        name(pilot, tmp_path / "a.jsonl")
        await until(pilot, has(pilot, MappingWindow))
        await pilot.pause()
        assert shows(pilot, "a.jsonl: jsonl, of no known shape", "Nothing is said yet", "a plain record, no example")()
        await pilot.press(*["m"] * 4)
        assert meanings(pilot)["ask"] == "messages"
        assert shows(pilot, "no example: messages is not valid JSON")()
        await pilot.press(*["M"] * 3)
        assert shows(pilot, "user: Why 0?", "no answer yet", "Ready")()
        await pilot.press("j", *["m"] * 6, "j", *["m"] * 6)
        assert meanings(pilot) == {"ask": "prompt", "yes": "response_a", "no": "response_b", "won": "-"}
        # The same by the list of meanings, where verdict is the tenth line.
        await pilot.press("j", "enter", *["j"] * 9, "enter")
        await until(pilot, shows(pilot, "Say what the verdict codes mean: 0, 1."))
        assert meanings(pilot)["won"] == "verdict"
        await pilot.press("g", "g", "m", "m", "j", "m")
        assert shows(pilot, "verdict: 0, the second answer is better", "answer 1: Because.")()
        await pilot.press("n")
        assert shows(pilot, "verdict: 1, the first answer is better", "user: Why 1?", "What row 2")()
        await pilot.press("i")
        await until(pilot, shows(pilot, "Imported.", "8 verdicts"))
        assert [source.format for source in records.sources(store)] == ["mapping"]


async def test_a_guess_is_filled_in_and_can_be_taken_away(project: Project, store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,category\nWhere?,place\n,none\n")
    async with importing(project) as pilot:
        name(pilot, tmp_path / "a.csv")
        await until(pilot, has(pilot, MappingWindow))
        await pilot.pause()
        assert meanings(pilot) == {"text": "prompt", "category": "completion"}
        await pilot.press("n")
        assert shows(pilot, "no example: its prompt, the column 'text', is empty")()
        await pilot.press("x")
        assert meanings(pilot) == {"text": "-", "category": "completion"}
        await pilot.press("escape")
        assert has(pilot, ImportWindow)()
        assert records.count(store) == 0


async def test_rows_may_be_kept_as_plain_records(project: Project, store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,category\nWhere?,place\n")
    async with importing(project) as pilot:
        name(pilot, tmp_path / "a.csv")
        await until(pilot, has(pilot, MappingWindow))
        await pilot.pause()
        await pilot.press("p")
        await until(pilot, shows(pilot, "1 row as plain"))
    assert (records.count(store), examples.count(store)) == (1, 0)


async def test_a_mapping_is_saved_and_used_again(project: Project, store: Store, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text(f"text,category\nWhere {number}?,place\n")
    async with importing(project) as pilot:
        name(pilot, tmp_path / "1.csv")
        await until(pilot, has(pilot, MappingWindow))
        await pilot.pause()
        await pilot.press("s", "enter")
        kept = project.folder / "1.mapping.toml"
        await until(pilot, kept.is_file)
        assert load(kept).columns == {"prompt": "text", "completion": "category"}
        await pilot.press("escape")
        name(pilot, tmp_path / "2.csv")
        await until(pilot, has(pilot, MappingWindow))
        await pilot.pause()
        await pilot.press("x", "j", "x", "o")
        name(pilot, tmp_path / "absent.toml")
        await until(pilot, shows(pilot, "absent.toml can't be read"))
        await pilot.press("o")
        name(pilot, kept)
        await until(pilot, has(pilot, MappingWindow))
        await pilot.pause()
        assert meanings(pilot) == {"text": "prompt", "category": "completion"}
        await pilot.press("i")
        await until(pilot, shows(pilot, "1 example"))


async def test_columns_of_a_known_shape_can_be_looked_at_first(project: Project, store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("instruction,output\nWhere?,There.\n")
    async with importing(project) as pilot:
        name(pilot, tmp_path / "a.csv", "f4")
        await until(pilot, has(pilot, MappingWindow))
        await pilot.pause()
        assert shows(pilot, "looks like alpaca", "assistant: There.", "Ready")()
        assert set(meanings(pilot).values()) == {"-"}
        await pilot.press("i")
        await until(pilot, shows(pilot, "1 row as alpaca"))


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_hostile_columns_are_shown_without_harm(project: Project, tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({text: text for text in HOSTILE.values()} | {"ask": "Q"}) + "\n")
    async with importing(project, size) as pilot:
        name(pilot, tmp_path / "a.jsonl")
        await until(pilot, has(pilot, MappingWindow))
        await pilot.pause()
        table = pilot.app.screen.query_one("#columns", RecordTable)
        for _ in table.ids:
            await pilot.press("m", "m", "m", "enter", "escape")
            shown = screen_text(pilot.app)
            assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in shown)
            await pilot.press("x", "j")
        await pilot.press("p")
        await until(pilot, shows(pilot, "1 row as plain"))


# Folders


async def test_a_folder_is_imported_after_a_question(project: Project, store: Store, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in range(3):
        (tmp_path / "data" / f"{number}.csv").write_text(f"instruction,output\nQ{number},A\n")
    async with importing(project) as pilot:
        name(pilot, f"{tmp_path}/data/")
        await until(pilot, has(pilot, Confirm))
        await until(pilot, shows(pilot, "Import the 3 files in"))
        await pilot.press("escape")
        assert has(pilot, ImportWindow)()
        name(pilot, f"{tmp_path}/data/")
        await until(pilot, has(pilot, Confirm))
        await pilot.press("enter")
        await until(pilot, shows(pilot, "Imported.", "0.csv: 1 row", "2.csv: 1 row"))
        assert examples.count(store) == 3


async def test_one_mapping_serves_a_whole_folder(project: Project, store: Store, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in range(3):
        (tmp_path / "data" / f"{number}.csv").write_text(f"text,category\nQ{number},A\n")
    async with importing(project) as pilot:
        name(pilot, tmp_path / "data", "f4")
        await until(pilot, has(pilot, MappingWindow))
        await pilot.press("i")
        await until(pilot, shows(pilot, "Imported.", "2.csv: 1 row as mapping"))
        assert examples.count(store) == 3


# Long ones


async def begin(pilot: Pilot[None], path: Path) -> None:
    """Begin an import, and wait until its first rows are in."""
    name(pilot, path)
    await until(pilot, lambda: pilot.app.imports.under_way)


async def test_an_import_is_stopped_in_the_middle_and_goes_on(project: Project, store: Store, many: Path) -> None:
    async with importing(project) as pilot:
        await begin(pilot, many)
        pilot.app.simulate_key("escape")
        await until(pilot, shows(pilot, "Stopped; import it again to go on."))
        assert 0 < records.count(store) < MANY
        name(pilot, many)
        await until(pilot, shows(pilot, "Imported.", "It went on after the"))
        assert records.count(store) == examples.count(store) == MANY
        assert pilot.app.screen.query_one(TextView).has_focus


async def test_an_import_goes_on_behind_the_list(project: Project, store: Store, many: Path) -> None:
    async with importing(project) as pilot:
        await begin(pilot, many)
        await until(pilot, shows(pilot, "rows/s", "enter: go on in the list"))
        pilot.app.simulate_key("b")
        await until(pilot, shows(pilot, "importing", "Question 0"))
        pilot.app.simulate_key("i")
        await until(pilot, has(pilot, ImportWindow))
        await until(pilot, shows(pilot, "enter: go on in the list"))
        pilot.app.simulate_key("enter")
        await until(pilot, lambda: not has(pilot, ImportWindow)())
        await until(pilot, shows(pilot, f"{MANY:,} records", "Imported."))
        assert records.count(store) == MANY


async def test_an_import_behind_the_list_is_stopped_by_a_key(project: Project, store: Store, many: Path) -> None:
    async with importing(project) as pilot:
        await begin(pilot, many)
        pilot.app.simulate_key("enter")
        await until(pilot, lambda: not has(pilot, ImportWindow)())
        pilot.app.simulate_key("ctrl+x")
        await until(pilot, shows(pilot, "Stopped;"))
        assert 0 < records.count(store) < MANY


async def test_leaving_keeps_the_rows_so_far(project: Project, many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.importing.BATCH_ROWS", 1)
    async with importing(project) as pilot:
        await begin(pilot, many)
        pilot.app.simulate_key("b")
        await until(pilot, lambda: not has(pilot, ImportWindow)())
        pilot.app.simulate_key("q")
        await until(pilot, has(pilot, Confirm))
        await until(pilot, shows(pilot, "Data is being imported: leaving stops it, the rows so far stay."))
        pilot.app.simulate_key("enter")
        await until(pilot, lambda: not pilot.app.is_running)
    with project.open_store() as store:
        (source,) = records.sources(store)
        assert source.state == "importing"
        assert source.rows == records.count(store) > 0
