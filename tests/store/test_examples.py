"""Examples: every edit is kept, a prompt has one split, and any text survives."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import examples_of, responses_of

from store import examples, records, responses, splits
from store.database import Store, create_store
from store.errors import MissingRowError
from store.examples import completion_of, prompt_group, prompt_of
from store.quoting import dumps, quote

QUESTION = {"role": "user", "content": "Why?"}
ANSWER = {"role": "assistant", "content": "Because."}
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {}}}]

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": st.none() | ANY_TEXT}
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Store]:
    """One file for many drawn examples."""
    with create_store(tmp_path_factory.mktemp("examples") / "studio.db") as opened:
        yield opened


def add(store: Store, *messages: dict, **more) -> int:
    return examples.add(store, **{"record_id": None, "messages": list(messages), "split": "train", **more})


@given(MESSAGES)
def test_prompt_and_completion_part_a_conversation(messages) -> None:
    prompt, completion = prompt_of(messages), completion_of(messages)
    assert prompt + completion == messages
    assert all(m["role"] == "assistant" for m in completion)
    assert not prompt or prompt[-1]["role"] != "assistant"


@given(MESSAGES, ANY_TEXT)
@settings(max_examples=100, deadline=None)
def test_any_text_is_given_back_as_it_was(shared, messages, text) -> None:
    example_id = add(shared, *messages)
    response_id = responses.add(shared, example_id, messages, origin="model", parameters={"stop": text})
    assert examples.get(shared, example_id).messages == messages
    assert responses.get(shared, response_id).messages == messages
    assert responses.get(shared, response_id).parameters == {"stop": text}
    examples.revise(shared, example_id, [{"role": "user", "content": text}])
    assert examples.get(shared, example_id).messages == [{"role": "user", "content": text}]
    assert examples.revisions(shared, example_id)[0].messages == messages


def test_half_a_surrogate_pair_survives(store) -> None:
    half = {"role": "user", "content": "half \ud83d, whole \U0001f98a"}
    assert examples.get(store, add(store, half)).messages == [half]
    assert len(prompt_group([half])) == 16


def test_an_edit_adds_a_revision_and_keeps_all_else(store) -> None:
    first, other = add(store, QUESTION, ANSWER, split="test", tools=TOOLS), add(store, QUESTION)
    examples.set_flagged(store, first, True)
    examples.set_status(store, first, "approved")
    edits = [[QUESTION, {**ANSWER, "content": f"Edit {n}."}] for n in (2, 3)]
    assert [examples.revise(store, first, messages) for messages in edits] == [2, 3]
    newest = examples.get(store, first)
    assert (newest.id, newest.revision, newest.messages, newest.tools) == (first, 3, edits[1], TOOLS)
    assert (newest.split, newest.status, newest.flagged, newest.origin) == ("test", "approved", True, "edit")
    kept = examples.revisions(store, first)
    assert [(r.number, r.origin, r.messages) for r in kept] == [
        (1, "import", [QUESTION, ANSWER]),
        (2, "edit", edits[0]),
        (3, "edit", edits[1]),
    ]
    assert examples.get(store, first, revision=2).messages == edits[0]
    assert examples.get(store, other).revision == 1


def test_what_is_not_there_is_named(store) -> None:
    add(store, QUESTION)
    for ask, name in (
        (lambda: examples.get(store, 9), "example 9"),
        (lambda: examples.get(store, 1, revision=4), "revision 4"),
        (lambda: examples.revise(store, 9, []), "example 9"),
        (lambda: responses.get(store, 9), "response 9"),
    ):
        with pytest.raises(MissingRowError, match=name):
            ask()


@pytest.mark.parametrize(
    ("messages", "is_same"),
    [
        ([QUESTION], True),
        ([QUESTION, {**ANSWER, "content": "Else."}], True),
        ([{"role": "system", "content": "Be kind."}, QUESTION, ANSWER], True),
        ([QUESTION, ANSWER, QUESTION, ANSWER], False),
        ([{**QUESTION, "content": "Why"}], False),
        ([{"role": "tool", "content": "Why?"}], False),
        ([], False),
    ],
)
def test_examples_with_one_prompt_share_its_group(messages, is_same) -> None:
    assert (prompt_group(messages) == prompt_group([QUESTION, ANSWER])) is is_same


def test_texts_without_a_prompt_are_each_their_own_group() -> None:
    assert prompt_group([ANSWER]) == prompt_group([dict(ANSWER)])
    assert prompt_group([ANSWER]) != prompt_group([{**ANSWER, "content": "Else."}])


def test_many_are_added_at_once_as_one_is(store) -> None:
    text = "A text of more than thirty-two characters."
    [row] = records.add(store, add_source(store), [records.NewRecord(1, f'{{"q": "{text}"}}', {"q": text}, b"")])
    asked = [{"role": "user", "content": text}]
    one = examples.add(store, record_id=row, messages=asked, split="test", tools=TOOLS)
    stored = quote(asked, {text: ("q",)})
    assert text not in stored
    new = examples.next_id(store)
    row_of_many = (new, row, prompt_group(asked), "test", stored, dumps(TOOLS))
    examples.add_many(store, [row_of_many], template_id=None, origin="import")
    assert examples.get(store, new) == replace(examples.get(store, one), id=new)
    offered = responses.next_id(store)
    responses.add_many(store, [(offered, new, stored, "file", "Ada", True, None)])
    assert responses.get(store, offered) == responses.Response(offered, new, asked, "file", "Ada", {}, True)
    assert splits.of_groups(store, [prompt_group(asked), b"else"]) == {prompt_group(asked): "test"}
    assert splits.of_all(store) == {prompt_group(asked): "test"}


def test_the_split_of_a_known_prompt_is_found(store) -> None:
    add(store, QUESTION, ANSWER, split="validation")
    assert splits.of_group(store, prompt_group([QUESTION])) == "validation"
    assert splits.of_group(store, prompt_group([ANSWER])) is None


def test_examples_are_found_by_record_source_and_split(store) -> None:
    source = add_source(store)
    rows = records.add(store, source, [records.NewRecord(n, "{}", {}, b"") for n in range(3)])
    places = ("train", "test", "train")
    made = [add(store, QUESTION, record_id=row, split=split) for row, split in zip(rows, places, strict=True)]
    alone = add(store, QUESTION, split="validation")
    assert examples.ids_of_split(store, "train") == [made[0], made[2]]
    assert examples.ids_of_split(store, "validation") == [alone]
    assert examples.ids_of_record(store, rows[1]) == [made[1]]
    assert (examples.count_of_source(store, source), examples.count(store)) == (3, 4)


def add_source(store: Store) -> int:
    return records.add_source(store, name="a.jsonl", path="/a.jsonl", container="jsonl", format="plain", size=1)


def test_a_screenful_and_the_whole_agree(store) -> None:
    made = [add(store, {**QUESTION, "content": str(n)}) for n in range(4)]
    examples.revise(store, made[2], [ANSWER])
    page = examples.get_many(store, made)
    assert page == {example_id: examples.get(store, example_id) for example_id in made}
    assert examples_of(store) == list(page.values())
    assert examples.get_many(store, []) == {}


def test_an_excluded_record_excludes_its_examples(store) -> None:
    source = add_source(store)
    [row] = records.add(store, source, [records.NewRecord(1, "{}", {}, b"")])
    add(store, QUESTION, record_id=row)
    own = add(store, QUESTION)
    records.set_excluded(store, row, True)
    examples.set_excluded(store, own, True)
    assert [e.excluded for e in examples_of(store)] == [True, True]
    records.set_excluded(store, row, False)
    assert [e.excluded for e in examples_of(store)] == [False, True]


def test_responses_keep_who_wrote_them(store) -> None:
    example_id, empty = add(store, QUESTION), add(store, QUESTION)
    first = responses.add(store, example_id, [ANSWER], origin="file", author="Tobias", label=False)
    edited = responses.add(store, example_id, [], origin="human", author="Ada", parent_id=first)
    stored = responses.of_example(store, example_id)
    assert [(r.id, r.author, r.label, r.parent_id, r.parameters) for r in stored] == [
        (first, "Tobias", False, None, {}),
        (edited, "Ada", None, first, {}),
    ]
    assert responses.get(store, first) == stored[0]
    assert responses_of(store) == stored
    assert responses.counts(store, [example_id, empty]) == {example_id: 2}


def test_nested_fields_of_a_turn_are_kept(store) -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"n": 1.5}}}]}
    assert json.dumps(examples.get(store, add(store, QUESTION, call)).messages[1]) == json.dumps(call)
