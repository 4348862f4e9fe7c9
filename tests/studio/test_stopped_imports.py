"""Imports that are stopped or break off: what is in stays in, and the same command goes on from there."""

import pytest
from stored import examples_of

from store import examples, find, pairs, records, search_index, splits
from studio.errors import StudioError
from studio.importing import FIRST_ROWS, import_file
from studio.mapping import Mapping
from tests.studio.rows_to_import import MANY, PREFERENCES, written


def test_an_import_that_is_stopped_goes_on_without_doubling(project, store, tmp_path) -> None:
    path = written(tmp_path, "a.jsonl", MANY)
    first = import_file(project, store, path, cancelled=lambda: True)
    assert first.stopped
    assert "import the file again to go on" in first.summary()
    assert records.count(store) == examples.count(store) == FIRST_ROWS
    second = import_file(project, store, path)
    assert (second.stopped, second.continued, second.records) == (False, FIRST_ROWS, len(MANY) - FIRST_ROWS)
    assert [e.messages[0]["content"] for e in examples_of(store)] == [row["prompt"] for row in MANY]
    assert [source.state for source in records.sources(store)] == ["complete"]
    assert import_file(project, store, path).already


def test_a_continued_import_counts_only_its_own_repeated_rows(project, store, tmp_path) -> None:
    import_file(project, store, written(tmp_path, "a.jsonl", MANY))
    path = written(tmp_path, "b.jsonl", [*MANY, {"prompt": "New", "chosen": "A", "rejected": "B"}])
    first = import_file(project, store, path, cancelled=lambda: True)
    second = import_file(project, store, path)
    assert (first.duplicates, second.duplicates) == (FIRST_ROWS, len(MANY) - FIRST_ROWS)


def test_going_past_known_rows_is_told_and_can_be_stopped(project, store, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("studio.importing.BATCH_ROWS", 50)
    path = written(tmp_path, "a.jsonl", MANY)
    import_file(project, store, path, cancelled=lambda: True)
    told = []
    stopped = import_file(project, store, path, on_progress=told.append, cancelled=lambda: True)
    assert "finding where it stopped" in str(told[0])
    assert (stopped.stopped, stopped.continued, stopped.records) == (True, FIRST_ROWS, 0)
    last = import_file(project, store, path)
    assert (last.stopped, records.count(store)) == (False, len(MANY))


def test_a_large_file_is_brought_in_and_indexed_wherever_one_is(project, store, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("studio.importing.LARGE", 0)
    # A module of this name in the folder that one is in must not stand in for Python's own.
    (tmp_path / "json.py").write_text("raise SystemExit(1)\n")
    monkeypatch.chdir(tmp_path)
    report = import_file(project, store, written(tmp_path, "a.jsonl", MANY))
    assert (report.made.examples, search_index.pending(store)) == (len(MANY), 0)
    assert find.count(store, "example", "Answer") == len(MANY)


@pytest.mark.parametrize("remembered", [0, 1000])
def test_a_large_import_that_was_killed_goes_on(project, store, tmp_path, monkeypatch, remembered) -> None:
    monkeypatch.setattr("studio.importing.LARGE", 0)
    path = written(tmp_path, "a.jsonl", [*MANY, *MANY])
    import_file(project, store, path, cancelled=lambda: True)
    before = splits.of_all(store)
    # As a kill leaves it.
    store.connection.executescript("DROP INDEX record_by_hash; DROP INDEX example_by_group")
    monkeypatch.setattr("studio.importing.MOST_EXAMPLES_REMEMBERED", remembered)
    indexes = []
    report = import_file(project, store, path, on_progress=lambda _: indexes.append(scattered(store)))
    assert (report.records, report.duplicates) == (len(MANY) * 2 - FIRST_ROWS, len(MANY))
    # Splits that are not remembered are looked up, which would take for ever without an index.
    assert {"example_by_group" in names for names in indexes[1:]} == ({True} if not remembered else {False, True})
    assert scattered(store) == {"record_by_hash", "example_by_group"}
    assert before.items() <= splits.of_all(store).items()


def scattered(store) -> set[str]:
    """The indexes that a large import does without."""
    names = store.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")
    return {name for (name,) in names} & {"record_by_hash", "example_by_group"}


def test_an_import_that_breaks_off_keeps_whole_batches(project, store, tmp_path) -> None:
    def break_off(_: object) -> None:
        raise KeyboardInterrupt

    path = written(tmp_path, "a.jsonl", MANY)
    with pytest.raises(KeyboardInterrupt):
        import_file(project, store, path, on_progress=break_off)
    assert records.count(store) == examples.count(store) == FIRST_ROWS
    assert import_file(project, store, path).continued == FIRST_ROWS
    assert examples.count(store) == len(MANY)


def test_a_stop_at_the_last_row_is_the_end(project, store, tmp_path) -> None:
    report = import_file(project, store, written(tmp_path, "a.jsonl", PREFERENCES), cancelled=lambda: True)
    assert not report.stopped
    assert [source.state for source in records.sources(store)] == ["complete"]


@pytest.mark.parametrize(
    ("rows", "mapping", "format"),
    [
        ([{"ask": row["prompt"]} for row in MANY], Mapping({"prompt": "ask"}), "mapping"),
        (
            [{"prompt": r["prompt"], "response 1": "A", "response 2": "B", "label": 1} for r in MANY],
            Mapping(verdicts={"1": "left"}),
            "auto-j",
        ),
        ([{"ask": row["prompt"]} for row in MANY], None, "plain"),
    ],
    ids=["columns", "codes", "plain"],
)
def test_what_was_said_of_a_stopped_import_holds_when_it_goes_on(
    project, store, tmp_path, rows, mapping, format
) -> None:
    path = written(tmp_path, "a.jsonl", rows)
    assert import_file(project, store, path, mapping=mapping, cancelled=lambda: True).stopped
    report = import_file(project, store, path)
    assert (report.format, report.continued) == (format, FIRST_ROWS)
    assert examples.count(store) == (0 if format == "plain" else len(rows))
    assert pairs.counts(store).get("left", 0) + pairs.counts(store).get("right", 0) == (
        len(rows) if format == "auto-j" else 0
    )


@pytest.mark.parametrize("change", ["prompt", "mapping"])
def test_a_stopped_import_of_something_else_does_not_go_on(project, store, tmp_path, change) -> None:
    path = written(tmp_path, "a.jsonl", MANY)
    import_file(project, store, path, cancelled=lambda: True)
    mapping = None
    if change == "prompt":
        written(tmp_path, "a.jsonl", [{**MANY[0], "prompt": "Question X"}, *MANY[1:]])
    else:
        mapping = Mapping({"prompt": "prompt", "completion": "completion"})
    with pytest.raises(StudioError, match="has changed" if change == "prompt" else "begun as trl-prompt-completion"):
        import_file(project, store, path, mapping=mapping)
    assert records.count(store) == FIRST_ROWS


def test_progress_tells_rate_and_time_left(project, store, tmp_path) -> None:
    told = []
    path = written(tmp_path, "a.jsonl", MANY)
    import_file(project, store, path, on_progress=told.append)
    first, last = told[0], [progress for progress in told if not progress.to_index][-1]
    assert first.rows == FIRST_ROWS
    assert (last.rows, last.examples, last.share, last.eta_seconds) == (len(MANY), len(MANY), 1.0, 0.0)
    assert last.rows_per_second == pytest.approx(len(MANY) / last.seconds)
    assert "rows/s, 600 rows, 600 examples" in str(last)


def test_a_continued_import_keeps_the_split_that_it_was_begun_with(project, store, tmp_path) -> None:
    path = written(tmp_path, "a.jsonl", MANY)
    import_file(project, store, path, split="test", cancelled=lambda: True)
    import_file(project, store, path)
    assert {example.split for example in examples_of(store)} == {"test"}
