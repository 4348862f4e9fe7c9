"""A look at a file: its columns, what is in them, and a guess that a person can mend."""

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.file_look import FileLook, examine
from studio.importing import import_file
from studio.mapping import Mapping


@pytest.fixture
def look(project, tmp_path):
    def at(*rows: dict[str, object]) -> FileLook:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return examine(project, path)

    return at


def test_columns_are_shown_with_what_is_in_them(look) -> None:
    rows = [
        {"q": f"Q{n}", "deep": {"a": n % 2, "b": {"c": True}}, "two": ["x", "y"], "odd": n or "x"} for n in range(9)
    ]
    found = look(*rows, {"q": None, "extra": [{"role": "user", "content": "Hi"}]})
    columns = {column.path: column for column in found.columns}
    assert {path: (c.kind, c.missing) for path, c in columns.items()} == {
        "q": ("text", 1),
        "deep": ("object", 1),
        "deep.a": ("number", 1),
        "deep.b": ("object", 1),
        "deep.b.c": ("true or false", 1),
        "two": ("list", 1),
        "two.0": ("text", 1),
        "two.1": ("text", 1),
        "odd": ("mixed", 1),
        "extra": ("turns", 9),
    }
    assert columns["q"].samples == ("Q0", "Q1", "Q2")
    assert columns["deep.a"].values == ("0", "1")
    assert columns["q"].values == ()
    assert (found.rows, len(found.sample), found.format) == (10, 10, None)


@pytest.mark.parametrize(
    ("row", "guess"),
    [
        ({"text": "How?", "category": "x"}, {"prompt": "text", "completion": "category"}),
        ({"Question": "How?", "Answer": "So.", "id": 1}, {"prompt": "Question", "completion": "Answer"}),
        (
            {"query": "Q", "Answer 1": "A", "Answer 2": "B", "model_a": "x", "winner": 1},
            {"prompt": "query", "response_a": "Answer 1", "response_b": "Answer 2", "author_a": "model_a"},
        ),
        (
            {"input": "Q", "preferred": "A", "dispreferred": "B"},
            {"prompt": "input", "chosen": "preferred", "rejected": "dispreferred"},
        ),
        ({"dialog": [{"role": "user", "content": "Q"}]}, {"messages": "dialog"}),
        ({"data": {"question": "Q", "answer": "A"}}, {"prompt": "data.question", "completion": "data.answer"}),
        ({"a": 1, "b": "x"}, {}),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, dict) else "",
)
def test_names_and_contents_give_a_guess(look, row, guess) -> None:
    assert look(row).guess == Mapping(guess)


def test_a_verdict_column_is_guessed_where_it_has_few_values(look) -> None:
    rows = [{"q": "a", "question": "Q", "response_a": "A", "response_b": "B", "winner": n % 2} for n in range(8)]
    found = look(*rows)
    assert found.guess.columns["verdict"] == "winner"
    assert found.codes_for(found.guess) == ("0", "1")
    assert found.is_unclear


def test_a_known_shape_needs_no_guess_but_its_codes(project, shared_data) -> None:
    found = examine(project, shared_data / "pandalm_testset_v1.json")
    assert found.format is not None
    assert (found.format.name, found.codes, found.guess) == ("pandalm", ("0", "1", "2"), Mapping())
    assert found.is_unclear
    assert not examine(project, shared_data / "llamafactory_alpaca_en_demo.json").is_unclear


def test_the_guess_for_a_real_file_imports(project, store, shared_data) -> None:
    path = shared_data / "banking77_test.csv"
    found = examine(project, path)
    assert found.guess == Mapping({"prompt": "text", "completion": "category"})
    assert import_file(project, store, path, mapping=found.guess).made.examples == 3080


def test_hostile_names_and_values_are_looked_at_as_they_are(look) -> None:
    row = {"": "empty", "\x1b[31m": "red", "[b]": "x" * 10_000, "a.b": "dot", "\ud800": "half", "n": 10**400}
    found = look(row)
    assert [column.path for column in found.columns] == list(row)
    assert all(len(sample) <= 401 for column in found.columns for sample in column.samples)


def test_only_the_beginning_of_a_file_is_looked_at(look) -> None:
    assert look(*[{"q": str(n)} for n in range(300)]).rows == 200
    assert look(*[{"q": "x" * 1_500_000}] * 5).rows == 3


def test_a_file_without_a_row_that_can_be_read_is_refused(project, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"a": \n{"b": \n')
    with pytest.raises(StudioError, match=r"no row that can be read \(.*bad.jsonl:1: is not valid JSON"):
        examine(project, path)
