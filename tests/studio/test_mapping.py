"""Mappings: said on the command line, kept as TOML, and what they make of rows."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import StudioError
from studio.formats.row import RowError
from studio.mapped_rows import by_columns
from studio.mapping import FIELDS, Mapping, load, read_options, save

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def test_options_say_columns_and_codes(tmp_path: Path) -> None:
    save(Mapping({"prompt": "old", "response_a": "a"}, {"0": "tie"}), tmp_path / "kept.toml")
    said = read_options(
        [str(tmp_path / "kept.toml"), "prompt=x = y", "response_b=b.toml"], ["1=first", "a=b=right", "0=both_bad"]
    )
    assert said == Mapping(
        {"prompt": "x = y", "response_a": "a", "response_b": "b.toml"}, {"0": "both_bad", "1": "left", "a=b": "right"}
    )
    assert read_options([], []) is None


@pytest.mark.parametrize(("maps", "verdicts"), [(["prompt"], []), (["=x"], []), (["prompt="], []), ([], ["1"])])
def test_options_of_another_form_are_wrong_usage(maps: list[str], verdicts: list[str]) -> None:
    with pytest.raises(ValueError, match="takes"):
        read_options(maps, verdicts)


@pytest.mark.parametrize(
    ("maps", "verdicts", "words"),
    [
        (["promt=x"], [], r"no field 'promt'.*Did you mean 'prompt'"),
        (["zzz=x"], [], r"no field 'zzz'. It knows prompt"),
        ([], ["1=lefft"], r"code '1' can't mean 'lefft'.*Did you mean 'left'"),
        ([], ["1=maybe"], r"can mean left, right, tie, both_bad, skip"),
        (["absent.toml"], [], r"absent.toml can't be read: No such file"),
    ],
)
def test_what_is_not_known_is_named_with_what_is(maps: list[str], verdicts: list[str], words: str) -> None:
    with pytest.raises(StudioError, match=words):
        read_options(maps, verdicts)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[columns", "is not valid TOML"),
        ("[column]\nprompt = 'x'", r"no mapping has a section \[column\]"),
        ("columns = 1", "columns is no section"),
        ("[columns]\nprompt.a = 'x'", r"\[columns\] prompt is not a text. Write it in quotes"),
        ("[columns]\nverdikt = 'x'", "Did you mean 'verdict'"),
        ("[columns]\nprompt = ''", "'prompt' is given no column"),
        ("[verdicts]\n1 = 'none'", "code '1' can't mean 'none'"),
        ("[verdicts]\n1 = 2", r"\[verdicts\] 1 is not a text"),
    ],
)
def test_a_kept_mapping_that_is_wrong_says_where(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(StudioError, match=words) as caught:
        load(path)
    assert caught.value.message.startswith(str(path))


def test_files_that_can_not_be_kept_or_read_are_explained(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"[columns]\nprompt = '\xe9'")
    with pytest.raises(StudioError, match="is not valid TOML"):
        load(tmp_path / "latin.toml")
    with pytest.raises(StudioError, match=r"does not end with \.toml"):
        save(Mapping({"prompt": "x"}), tmp_path / "m.json")
    with pytest.raises(StudioError, match="can't be written"):
        save(Mapping({"prompt": "x"}), tmp_path / "absent" / "m.toml")
    with pytest.raises(StudioError, match="no valid text"):
        save(Mapping({"prompt": "half \ud800"}), tmp_path / "m.toml")


@given(
    st.dictionaries(st.sampled_from(list(FIELDS)), ANY_TEXT),
    st.dictionaries(ANY_TEXT, st.sampled_from(["left", "right", "tie", "both_bad", "skip"])),
)
def test_what_is_kept_comes_back(tmp_path_factory: pytest.TempPathFactory, columns, verdicts) -> None:
    path = tmp_path_factory.getbasetemp() / "kept.toml"
    save(Mapping(columns, verdicts), path)
    assert load(path) == Mapping(columns, verdicts)


# What rows become


def test_columns_of_any_name_and_nested_ones_are_found() -> None:
    read = by_columns(
        Mapping(
            {
                "prompt": "frage \u00e4 \U0001f600",
                "response_a": "response 1",
                "response_b": "model.b",
                "author_b": "names.1",
                "verdict": "v",
            }
        )
    )
    fields = {"frage \u00e4 \U0001f600": "Q", "response 1": "A", "model": {"b": "B"}, "names": ["x", "y"], "v": "right"}
    row = read(fields)
    assert row.messages == [{"role": "user", "content": "Q"}]
    assert [(c.messages[0]["content"], c.author) for c in row.candidates] == [("A", ""), ("B", "y")]
    assert [j.verdict for j in row.judgements] == ["right"]


def test_a_dotted_name_is_a_column_before_it_is_a_path() -> None:
    assert (
        by_columns(Mapping({"prompt": "a.b"}))({"a.b": "whole", "a": {"b": "inside"}}).messages[0]["content"] == "whole"
    )


def test_chosen_and_rejected_say_the_verdict() -> None:
    read = by_columns(Mapping({"system": "s", "prompt": "p", "chosen": "c", "rejected": "r"}))
    row = read({"s": "Be kind.", "p": "Q", "c": "good", "r": "bad"})
    assert [m["role"] for m in row.messages] == ["system", "user"]
    assert row.verdict == "left"
    without_system = read({"p": "Q", "c": "good", "r": "bad"})
    assert [m["role"] for m in without_system.messages] == ["user"]


@pytest.mark.parametrize(
    "turns",
    [
        [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}],
        [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}],
        '[{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]',
    ],
    ids=["openai", "sharegpt", "json"],
)
def test_a_column_may_hold_a_whole_conversation(turns: object) -> None:
    row = by_columns(Mapping({"messages": "chat", "tools": "t"}))({"chat": turns, "t": [{"name": "f"}]})
    assert row.messages == [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    assert row.tools == [{"type": "function", "function": {"name": "f"}}]


def test_answers_may_be_turns() -> None:
    read = by_columns(Mapping({"prompt": "p", "chosen": "c", "rejected": "r"}))
    row = read({"p": "Q", "c": {"from": "gpt", "value": "A"}, "r": [{"role": "assistant", "content": "B"}]})
    assert [c.messages for c in row.candidates] == [[{"role": "assistant", "content": text}] for text in ("A", "B")]


@pytest.mark.parametrize(("label", "is_good"), [(True, True), ("false", False), (1, True), ("0", False)])
def test_a_label_says_whether_the_completion_is_good(label: object, is_good: bool) -> None:
    row = by_columns(Mapping({"prompt": "p", "completion": "c", "label": "l"}))({"p": "Q", "c": "A", "l": label})
    assert row.messages == [{"role": "user", "content": "Q"}]
    assert [c.label for c in row.candidates] == [is_good]


def test_codes_are_explained_and_unknown_ones_are_the_rows_problem() -> None:
    read = by_columns(
        Mapping({"prompt": "p", "response_a": "a", "response_b": "b", "verdict": "v"}, {"1": "left", "2": "right"})
    )
    rows = [read({"p": "Q", "a": "A", "b": "B", "v": value}) for value in (1, "2", 1.0, "tie", None, 3)]
    assert [[j.verdict for j in row.judgements] for row in rows] == [["left"], ["right"], ["left"], ["tie"], [], []]
    assert [bool(row.problem) for row in rows] == [False, False, False, False, False, True]
    assert "verdict code 3" in (rows[-1].problem or "")
    assert len(rows[-1].candidates) == 2


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"a": "A", "b": "B"}, "no field 'p'"),
        ({"p": " ", "a": "A", "b": "B"}, "its prompt, the column 'p', is empty"),
        ({"p": "Q", "a": True, "b": "B"}, "a is true, which should be text"),
        ({"p": "Q", "a": [{"role": "user", "content": "A"}], "b": "B"}, "besides the assistant's"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_the_reason(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        by_columns(Mapping({"prompt": "p", "response_a": "a", "response_b": "b"}))(fields)


def test_an_empty_response_is_left_out_and_its_verdict_too() -> None:
    read = by_columns(Mapping({"prompt": "p", "chosen": "c", "rejected": "r"}))
    row = read({"p": "Q", "c": "good", "r": ""})
    assert (len(row.candidates), row.verdict) == (1, None)
    assert "empty" in (row.problem or "")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"system": "a"}, "no prompt"),
        ({"prompt": "a", "chosen": "b"}, "chosen but not rejected"),
        ({"prompt": "a", "chosen": "b", "rejected": "c", "verdict": "d"}, "chosen is the verdict"),
        ({"prompt": "a", "completion": "b", "response_a": "c"}, "one answer to learn or two"),
        ({"prompt": "a", "verdict": "b"}, "verdict but not response_a and response_b"),
        ({"prompt": "a", "label": "b"}, "label but not completion"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(columns: dict[str, str], words: str) -> None:
    with pytest.raises(StudioError, match=words):
        by_columns(Mapping(columns))
