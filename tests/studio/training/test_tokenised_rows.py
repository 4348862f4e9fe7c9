"""Rows as a trainer takes them: which tokens are learnt, by method and by recipe."""

from typing import Any

import pytest

from studio.errors import StudioError
from studio.rendering import ChatTokenizer, render, render_prompt
from studio.training.recipe import make_recipe
from studio.training.rows import turns
from studio.training.rows.data import TooLongError, prepare_row, tokenise, with_shared_numbers

pytestmark = pytest.mark.model

ASKED = {"role": "user", "content": "Where is my order?"}
AGAIN = {"role": "user", "content": "Since when? \N{OWL}"}
ANSWER = {"role": "assistant", "content": "On its way. \N{OWL}"}
LATER = {"role": "assistant", "content": "Since Monday."}


def row(number: int, **last: object) -> dict[str, object]:
    return {"example": number, "messages": [ASKED, {**ANSWER, **last}]}


def learnt(tokenizer: ChatTokenizer, loss_on: str, *messages: dict[str, Any]) -> str:
    """Return the text of what is learnt, by the labels that the trainer gets."""
    recipe = make_recipe("sft", [f"loss_on={loss_on}"])
    columns = prepare_row(tokenizer, recipe, {"example": 1, "messages": list(messages)}).columns
    return tokenizer.decode([label for label in columns["labels"] if label != -100])


def test_an_answer_of_weight_zero_is_not_learnt(tokenizer: ChatTokenizer) -> None:
    tokenised = tokenise(tokenizer, make_recipe("sft", []), [row(1), row(2, weight=0), row(3, weight=1)])
    assert len(tokenised.rows) == 2
    assert tokenised.problems == [
        "example 2: Its last answer has the weight 0, which says that it is not to be learnt."
    ]


@pytest.mark.parametrize("loss_on", ["completion", "assistant", "conversation"])
def test_answers_in_a_row_of_which_one_is_not_to_be_learnt_are_refused(tokenizer: ChatTokenizer, loss_on: str) -> None:
    for first, second in ((0, 1), (0, None)):
        answers = [{**ANSWER, "weight": first}, LATER if second is None else {**LATER, "weight": second}]
        with pytest.raises(StudioError, match="one has the weight 0 and another has not"):
            learnt(tokenizer, loss_on, ASKED, *answers)
    assert ANSWER["content"] in learnt(tokenizer, loss_on, ASKED, ANSWER, LATER)


def test_the_last_answer_every_answer_or_the_whole_conversation_is_learnt(tokenizer: ChatTokenizer) -> None:
    talk = [ASKED, ANSWER, AGAIN, LATER]
    first, second = "On its way. \N{OWL}<|im_end|>\n", "Since Monday.<|im_end|>\n"
    assert learnt(tokenizer, "completion", *talk) == second
    assert learnt(tokenizer, "assistant", *talk) == first + second
    assert learnt(tokenizer, "conversation", *talk) == render(tokenizer, talk).text
    assert learnt(tokenizer, "assistant", ASKED, {**ANSWER, "weight": 0}, AGAIN, LATER) == second
    assert first not in learnt(tokenizer, "conversation", ASKED, {**ANSWER, "weight": 0}, AGAIN, LATER)
    assert learnt(tokenizer, "assistant", ASKED, ANSWER, AGAIN, {**LATER, "weight": 0}) == first
    with pytest.raises(StudioError, match="All of its answers have the weight 0"):
        learnt(tokenizer, "assistant", ASKED, {**ANSWER, "weight": 0})


def test_every_answer_is_learnt_as_it_is_alone(tokenizer: ChatTokenizer) -> None:
    recipe = make_recipe("sft", ["loss_on=assistant"])
    talk = {"example": 1, "messages": [ASKED, ANSWER, AGAIN, LATER]}
    whole = prepare_row(tokenizer, recipe, talk).columns["labels"]
    alone = prepare_row(tokenizer, make_recipe("sft", []), {"example": 1, "messages": [ASKED, ANSWER]}).columns
    assert whole[: len(alone["labels"])] == alone["labels"]


def test_answers_are_found_by_the_text_as_by_the_tokens(
    tokenizer: ChatTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = [
        ASKED,
        ANSWER,
        {**AGAIN, "content": "<|im_end|> since\n when?"},
        LATER,
        ASKED,
        {**ANSWER, "weight": 0},
        AGAIN,
        LATER,
    ]
    by_text = [learnt(tokenizer, loss_on, *talk) for loss_on in ("assistant", "conversation")]
    # As where a tokenizer drops spaces, so that its tokens' text is not the whole.
    monkeypatch.setattr(turns, "_texts", lambda *_: ("", ""))
    by_tokens = [learnt(tokenizer, loss_on, *talk) for loss_on in ("assistant", "conversation")]
    assert by_text == by_tokens
    assert by_text[0].count("Since Monday.") == 2
    assert by_text[0].count("On its way.") == 1


def test_a_template_that_rewrites_earlier_answers_is_refused(tokenizer: ChatTokenizer) -> None:
    forgetful = (
        "{% for m in messages %}{% if loop.last or m.role == 'user' %}{{ m.role }}: {{ m.content }}\n{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    )
    other = ChatTokenizer(tokenizer.tokenizer, forgetful, tokenizer.named_tokens)
    with pytest.raises(StudioError, match="renders an earlier answer otherwise"):
        learnt(other, "assistant", ASKED, ANSWER, AGAIN, LATER)


def test_a_prompt_that_fills_the_length_leaves_nothing_to_learn(tokenizer: ChatTokenizer) -> None:
    talk = [ASKED, ANSWER, AGAIN, LATER]
    length = render(tokenizer, talk).prompt_length
    made = [f"max_length={length}"]
    assert tokenise(tokenizer, make_recipe("sft", made), [{"example": 1, "messages": talk}]).dropped == 1
    made.append("loss_on=assistant")
    assert tokenise(tokenizer, make_recipe("sft", made), [{"example": 1, "messages": talk}]).cut == 1


def test_rows_of_the_other_methods(tokenizer: ChatTokenizer) -> None:
    asked = render_prompt(tokenizer, [ASKED]).ids
    good, bad = (render(tokenizer, [ASKED, each]).ids for each in (ANSWER, LATER))
    pair = {"example": 1, "prompt": [ASKED], "chosen": [ANSWER], "rejected": [LATER]}
    assert prepare_row(tokenizer, make_recipe("reward", []), pair).columns == {"chosen_ids": good, "rejected_ids": bad}
    single = {"example": 1, "prompt": [ASKED], "completion": [LATER], "label": False}
    kto = prepare_row(tokenizer, make_recipe("kto", []), single).columns
    assert kto == {"prompt_ids": asked, "completion_ids": bad[len(asked) :], "label": False}
    prompt = {"example": 1, "prompt": [ASKED], "fields": {"n": 7}}
    grpo = prepare_row(tokenizer, make_recipe("grpo", []), prompt).columns
    assert grpo == {"prompt_ids": asked, "fields": '{"n":7}'}


def test_what_is_scored_is_never_cut(tokenizer: ChatTokenizer) -> None:
    pair = {"example": 1, "prompt": [ASKED], "chosen": [ANSWER], "rejected": [LATER]}
    longest = len(render(tokenizer, [ASKED, ANSWER]).ids)
    assert prepare_row(tokenizer, make_recipe("reward", [f"max_length={longest}"]), pair).is_cut is False
    with pytest.raises(TooLongError, match=f"have {longest} tokens"):
        prepare_row(tokenizer, make_recipe("reward", [f"max_length={longest - 1}"]), pair)


def test_token_ids_are_held_once() -> None:
    """Of many rows the numbers would take four times what the lists do."""
    one, other = (with_shared_numbers({"input_ids": [int("40001"), int("-100")], "label": True}) for _ in range(2))
    assert one == other == {"input_ids": [40001, -100], "label": True}
    assert all(a is b for a, b in zip(one["input_ids"], other["input_ids"], strict=True))
