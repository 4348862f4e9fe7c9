"""Rows as a trainer takes them."""

import pytest

from studio.rendering import ChatTokenizer
from studio.training.data import tokenise

pytestmark = pytest.mark.model


def row(number: int, **last: object) -> dict[str, object]:
    asked = {"role": "user", "content": "Where is my order?"}
    return {"example": number, "messages": [asked, {"role": "assistant", "content": "On its way.", **last}]}


def test_an_answer_of_weight_zero_is_not_learnt(tokenizer: ChatTokenizer) -> None:
    tokenised = tokenise(tokenizer, "sft", [row(1), row(2, weight=0), row(3, weight=1)], 512)
    assert len(tokenised.rows) == 2
    assert tokenised.problems == [
        "example 2: Its last answer has the weight 0, which says that it is not to be learnt."
    ]
