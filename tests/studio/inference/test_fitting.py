"""A chat that outgrows the context loses its oldest exchanges, whole, and says so."""

import pytest

from studio.errors import StudioError
from studio.inference.fitting import fit
from studio.rendering import ChatTokenizer, render_prompt

pytestmark = pytest.mark.model

SYSTEM = {"role": "system", "content": "You answer for a shop."}


def exchange(number: int) -> list[dict[str, object]]:
    return [
        {"role": "user", "content": f"Question {number}: " + "where is it? " * 20},
        {"role": "assistant", "content": f"Answer {number}: " + "on its way. " * 20},
    ]


def length(tokenizer: ChatTokenizer, messages: list[dict[str, object]]) -> int:
    return len(render_prompt(tokenizer, messages).ids)


def test_what_fits_is_left_alone(tokenizer: ChatTokenizer) -> None:
    messages = [SYSTEM, *exchange(1), exchange(2)[0]]
    fitted = fit(tokenizer, messages, length(tokenizer, messages))
    assert (fitted.messages, fitted.dropped, fitted.why) == (messages, 0, "")
    assert fitted.ids == render_prompt(tokenizer, messages).ids


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 4])
def test_the_oldest_exchanges_go_first_and_no_more_than_it_takes(tokenizer: ChatTokenizer, kept: int) -> None:
    exchanges = [exchange(number) for number in range(5)]
    question = {"role": "user", "content": "And now?"}
    wanted = [SYSTEM, *(turn for one in exchanges[5 - kept :] for turn in one), question]
    room = length(tokenizer, wanted)
    for more in (0, 30):
        fitted = fit(tokenizer, [SYSTEM, *(turn for one in exchanges for turn in one), question], room + more)
        assert fitted.messages == wanted
        assert fitted.ids == render_prompt(tokenizer, wanted).ids
        assert fitted.dropped == 5 - kept
    said = "the oldest exchange was left out" if kept == 4 else f"the oldest {5 - kept} exchanges were left out"
    assert said in fitted.why
    assert f"{room + 30:,}" in fitted.why


def test_what_tools_said_goes_with_its_question(tokenizer: ChatTokenizer) -> None:
    called = [exchange(1)[0], {"role": "assistant", "content": "looking"}, {"role": "tool", "content": "found"}]
    question = {"role": "user", "content": "And now?"}
    fitted = fit(tokenizer, [*called, exchange(1)[1], *exchange(2), question], length(tokenizer, [question]) + 5)
    assert fitted.messages == [question]
    assert fitted.dropped == 2


def test_a_question_that_is_too_long_alone_is_refused_in_words(tokenizer: ChatTokenizer) -> None:
    with pytest.raises(StudioError, match="The last question has") as caught:
        fit(tokenizer, [SYSTEM, *exchange(1), exchange(2)[0]], 50)
    assert "Shorten it" in caught.value.hint
    with pytest.raises(StudioError, match="room for 10"):
        fit(tokenizer, [exchange(1)[0]], 10)
