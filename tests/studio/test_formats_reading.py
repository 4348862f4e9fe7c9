"""What rows mean in the shapes of conversations, pairs and labels, and what is said of rows that mean less."""

from typing import Any

import pytest

from studio.formats import to_read
from studio.formats.row import Candidate, Row, RowError


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def read(name: str, **fields: Any) -> Row:
    return to_read(name).read(fields)


def answers_of(row: Row) -> list[str]:
    return [candidate.messages[-1]["content"] for candidate in row.candidates]


TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("trl-sft", {"messages": [user("a"), assistant("b")]}),
        ("trl-prompt-completion", {"prompt": "a", "completion": "b"}),
        ("trl-preference", {"prompt": "a", "chosen": "b", "rejected": "c"}),
        ("trl-preference-implicit", {"chosen": [user("a"), assistant("b")], "rejected": [user("a"), assistant("c")]}),
        ("trl-kto", {"prompt": "a", "completion": "b", "label": True}),
    ],
)
def test_tools_are_read_from_a_list_or_its_text(name: str, fields: dict[str, Any]) -> None:
    assert read(name, **fields, tools=[TOOL]).tools == [TOOL]
    assert read(name, **fields, tools='[{"name": "find", "parameters": {"type": "object"}}]').tools == [TOOL]
    assert read(name, **fields, tools=None).tools is None


def test_the_texts_of_a_row_stay_the_very_objects_of_the_record() -> None:
    fields = {"prompt": " Where is my order?", "chosen": " On its way.", "rejected": ""}
    row = to_read("trl-preference").read(fields)
    assert row.messages[0]["content"] is fields["prompt"]
    chosen, rejected = row.candidates
    assert chosen.messages[0]["content"] is fields["chosen"]
    assert rejected.messages[0]["content"] is fields["rejected"]
    parts = [{"role": "user", "content": [{"type": "text", "text": fields["prompt"]}]}, assistant("b")]
    assert read("trl-sft", messages=parts).messages[0]["content"] is fields["prompt"]
    asked = read("alpaca", instruction=fields["prompt"], input="", output="b").messages[0]["content"]
    assert asked is fields["prompt"]


def test_labels_of_single_answers_go_to_the_candidate() -> None:
    for row in (
        read("llamafactory-kto", messages=[user("a"), assistant("b")], label=False),
        read("llamafactory-kto-alpaca", instruction="a", input="", output="b", kto_tag=False),
        read("trl-kto", prompt="a", completion="b", label="false"),
    ):
        assert row == Row([user("a")], None, (Candidate([assistant("b")], label=False),))
    with pytest.raises(RowError, match="neither true nor false"):
        read("trl-kto", prompt="a", completion="b", label=1)


def test_steps_become_one_answer_and_their_labels_are_said_to_stay_behind() -> None:
    row = read("trl-stepwise", prompt="2+2?", completions=["2+2", "=4"], labels=[True, False])
    assert answers_of(row) == ["2+2\n=4"]
    assert row.candidates[0].label is None
    assert row.candidates[0].parameters == {"step_labels": [True, False]}
    assert row.problem is not None
    with pytest.raises(RowError, match="same length"):
        read("trl-stepwise", prompt="2+2?", completions=["2+2", "=4"], labels=[True])


def test_the_shared_beginning_is_the_implicit_prompt_even_where_both_answers_are_equal() -> None:
    same = [user("a"), assistant("b")]
    row = read("trl-preference-implicit", chosen=same, rejected=same)
    assert row.messages == [user("a")]
    assert answers_of(row) == ["b", "b"]


def test_preferences_that_share_no_prompt_are_refused() -> None:
    with pytest.raises(RowError, match="do not share"):
        read("trl-preference-implicit", chosen=[user("a"), assistant("b")], rejected=[user("x"), assistant("c")])
    with pytest.raises(RowError, match="where their prompt ends"):
        read("trl-preference-implicit", chosen="Hi. Hello.", rejected="Hi. What?")


def test_a_system_column_goes_before_an_implicit_prompt() -> None:
    pair = {"chosen": [user("a"), assistant("b")], "rejected": [user("a"), assistant("c")]}
    assert read("trl-preference-implicit", system="Be kind.", prompt="a", **pair).messages == [
        system("Be kind."),
        user("a"),
    ]


def test_openai_arguments_become_objects_and_content_parts_one_text() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"id": 7}'}}
    parts = [{"type": "text", "text": "Be "}, {"type": "text", "text": "kind."}]
    messages = [{"role": "developer", "content": parts}, user("a"), assistant(None, tool_calls=[call])]  # type: ignore[arg-type]
    row = read("openai-chat", messages=messages)
    assert row.messages[0] == system("Be kind.")
    assert row.messages[2]["tool_calls"][0]["function"]["arguments"] == {"id": 7}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "x"}},
        {"type": "reasoning", "value": "Let me think."},
        {"type": "tool_call", "value": "{}"},
    ],
)
def test_parts_that_are_no_text_are_refused_and_not_dropped(part: dict[str, Any]) -> None:
    with pytest.raises(RowError, match="besides text"):
        read("trl-sft", messages=[{"role": "user", "content": [part]}, assistant("b")])


@pytest.mark.parametrize(
    ("name", "flag"),
    [("openai-chat", {"weight": 0}), ("axolotl-chat", {"train": False}), ("sharegpt", {"train": False})],
)
def test_what_is_not_to_be_learnt_is_marked_so(name: str, flag: dict[str, Any]) -> None:
    said = [user("a"), {**assistant("b"), **flag}, user("c"), assistant("d")]
    if name == "sharegpt":
        turns = [{"from": m["role"], "value": m["content"], **{k: m[k] for k in flag if k in m}} for m in said]
        row = read(name, conversations=turns, system="s")
    else:
        row = read(name, messages=[system("s"), *said])
    assert row.messages == [system("s"), user("a"), assistant("b", weight=0), user("c"), assistant("d")]
    assert row.problem is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"weight": 0}, "last answer is marked"),
        ({"weight": 0.5}, "weight other than 0 and 1"),
        ({"train_detail": [{"begin_offset": 0, "end_offset": 1, "train": False}]}, "parts of a message"),
        ({"content": [{"type": "text", "text": "b", "train": False}]}, "parts of a message"),
    ],
)
def test_marks_that_can_not_be_kept_are_said(answer: dict[str, Any], reason: str) -> None:
    row = read("trl-sft", messages=[user("a"), {**assistant("b"), **answer}])
    assert reason in (row.problem or "")


def test_a_users_turn_that_is_to_be_learnt_is_said() -> None:
    row = read("axolotl-chat", messages=[{**user("a"), "train": True}, assistant("b")])
    assert "not the assistant's" in (row.problem or "")


def test_llamafactory_v1_reads_parts_and_loss_weights() -> None:
    def turn(role: str, text: str, weight: float) -> dict[str, Any]:
        return {"role": role, "content": [{"type": "text", "value": text}], "loss_weight": weight}

    chat = read("llamafactory-v1", messages=[turn("user", "a", 0.0), turn("assistant", "b", 1.0)])
    assert chat == Row([user("a"), assistant("b")])
    asked = turn("user", "a", 0.0)
    pair = read(
        "llamafactory-v1-pairs",
        chosen_messages=[asked, turn("assistant", "b", 1.0)],
        rejected_messages=[asked, turn("assistant", "c", 1.0)],
    )
    assert pair == Row([user("a")], None, (Candidate([assistant("b")]), Candidate([assistant("c")])), "left")


def test_alpaca_reads_system_history_and_input() -> None:
    row = read("alpaca", instruction="Translate", input="chat", output="cat", system="Be kind.", history=[["q", "a"]])
    assert row.messages == [system("Be kind."), user("q"), assistant("a"), user("Translate\nchat"), assistant("cat")]
    with pytest.raises(RowError, match="pair of texts"):
        read("alpaca", instruction="a", output="b", history=[["q"]])


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("axolotl-argilla", {"instruction": "a", "chosen_response": "b", "rejected_response": "c"}),
        ("axolotl-icr", {"input": "a", "chosen": "b", "rejected": "c"}),
        ("axolotl-intel", {"question": "a", "chosen": "b", "rejected": "c"}),
        ("axolotl-prompt-pairs", {"prompt": "a", "chosen": "b", "rejected": "c"}),
        ("h2o", {"prompt": "a", "answer": "b", "rejected answer": "c"}),
        ("axolotl-dpo", {"messages": [user("a")], "chosen": assistant("b"), "rejected": assistant("c")}),
        ("swift", {"messages": [user("a"), assistant("b")], "rejected_response": "c"}),
    ],
)
def test_pairs_of_many_tools_mean_the_same(name: str, fields: dict[str, Any]) -> None:
    pair = (Candidate([assistant("b")]), Candidate([assistant("c")]))
    assert read(name, **fields) == Row([user("a")], None, pair, "left")
    if "messages" not in fields:
        assert read(name, **fields, system="Be kind.").messages == [system("Be kind."), user("a")]
        assert read(name, **fields, system="").messages == [user("a")]


def test_a_row_of_h2o_that_goes_on_from_another_says_so() -> None:
    row = read("h2o", **{"prompt": "a", "answer": "b", "rejected answer": "c", "id": "2", "parent_id": "1"})
    assert "parent_id" in (row.problem or "")


def transcript(*turns: str) -> str:
    return "".join(f"\n\n{'Assistant' if n % 2 else 'Human'}: {text}" for n, text in enumerate(turns))


def test_transcripts_end_their_prompt_at_the_last_turn_of_the_assistant() -> None:
    row = read(
        "anthropic-hh",
        chosen=transcript("Hi", "Hello", " What's up?\n\nTell me", "Not much\n"),
        rejected=transcript("Hi", "Hello", " What's up?\n\nTell me", "Nothing"),
    )
    assert row.messages == [user("Hi"), assistant("Hello"), user(" What's up?\n\nTell me")]
    assert answers_of(row) == ["Not much\n", "Nothing"]
    assert (row.verdict, row.problem) == ("left", None)


def test_answers_that_begin_alike_keep_their_beginning() -> None:
    row = read("anthropic-hh", chosen=transcript("Hi", "I am well"), rejected=transcript("Hi", "I am ill"))
    assert answers_of(row) == ["I am well", "I am ill"]


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        (transcript("Hi", "a", "So?", "b"), transcript("Hi", "a"), "do not share"),
        (transcript("Hi", "b"), transcript("Hi ", "c"), "do not share"),
        (transcript("Hi", "b", "And?"), transcript("Hi", "c", "And?"), "chosen does not end with an answer"),
        (transcript("Hi"), transcript("Hi"), "chosen does not end with an answer"),
        ("Hi\n\nAssistant: b", transcript("Hi", "c"), "chosen does not begin with"),
    ],
)
def test_transcripts_that_are_no_pair_are_refused(chosen: str, rejected: str, reason: str) -> None:
    with pytest.raises(RowError, match=reason):
        read("anthropic-hh", chosen=chosen, rejected=rejected)


@pytest.mark.parametrize(
    ("chosen", "rejected", "problem"),
    [
        (transcript("Hi", "b"), "\n\nHuman: Hi\n\nAssistant:", "under rejected is empty"),
        (transcript("Hi", " "), transcript("Hi", ""), "under chosen and rejected is empty"),
        (
            "\n\nHuman: Hi\n\nHuman: there\n\nAssistant: b",
            "\n\nHuman: Hi\n\nHuman: there\n\nAssistant: c",
            "same side follow",
        ),
        (
            "\n\nHuman: Hi\n\nAssistant: So\n\nAssistant: b",
            "\n\nHuman: Hi\n\nAssistant: So\n\nAssistant: c",
            "same side follow",
        ),
    ],
)
def test_odd_transcripts_are_read_and_said_to_be_odd(chosen: str, rejected: str, problem: str) -> None:
    row = read("anthropic-hh", chosen=chosen, rejected=rejected)
    assert problem in (row.problem or "")
    assert row.messages[-1]["role"] == "user"
    assert row.verdict == "left"
