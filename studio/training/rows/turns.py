"""Which tokens of a conversation are learnt: its last answer, every answer, or all of it."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, groupby
from typing import Any

from store.examples import Message
from studio.errors import StudioError
from studio.rendering import ChatTokenizer, Rendering, render, segments


def learnt(
    tokenizer: ChatTokenizer,
    loss_on: str,
    rendering: Rendering,
    messages: list[Message],
    tools: list[dict[str, Any]] | None,
) -> list[bool]:
    """Return for each token of a rendered conversation whether its loss is counted; answers of weight 0 never are.

    Raises:
        StudioError: nothing is left to learn, or the template doesn't say which tokens an answer is.
    """
    answers = list(_answers(messages))
    if loss_on == "completion":
        if messages[-1].get("weight") == 0:
            raise StudioError("Its last answer has the weight 0, which says that it is not to be learnt.")
        return rendering.trained
    if loss_on == "assistant":
        wanted = [span for span, counts in answers if counts]
        mask = _mask(tokenizer, rendering, messages, tools, wanted)
    else:
        unwanted = [span for span, counts in answers if not counts]
        mask = [not inside for inside in _mask(tokenizer, rendering, messages, tools, unwanted)]
    if not any(mask):
        raise StudioError("All of its answers have the weight 0, which says that they are not to be learnt.")
    return mask


def _answers(messages: list[Message]) -> Iterator[tuple[tuple[int, int], bool]]:
    """Yield where the assistant's turns begin and end, those in a row as one, and whether they are to be learnt.

    Raises:
        StudioError: of some in a row one is to be learnt and another is not.
    """
    numbered = enumerate(messages)
    for is_answer, group in groupby(numbered, key=lambda each: each[1]["role"] == "assistant"):
        turns = list(group)
        if is_answer:
            [counts, *others] = {turn.get("weight") != 0 for _, turn in turns}
            if others:
                raise StudioError(
                    "Of answers that follow each other directly one has the weight 0 and another has not.",
                    "Put them into one turn, or give them one weight.",
                )
            yield (turns[0][0], turns[-1][0] + 1), counts


def _mask(
    tokenizer: ChatTokenizer,
    rendering: Rendering,
    messages: list[Message],
    tools: list[dict[str, Any]] | None,
    turns: list[tuple[int, int]],
) -> list[bool]:
    """Return which tokens begin in these turns."""
    # Rendering text takes a tenth of the time; but where a tokenizer drops spaces of it, the tokens' own text counts.
    texts = _texts if "".join(_texts(tokenizer, messages, tools)) == rendering.text else _texts_of_tokens
    spans = [_span(rendering, *texts(tokenizer, messages[:end], tools)) for _, end in turns]
    begins, starts = [begin for begin, _ in spans], [0, *accumulate(map(len, rendering.pieces))][:-1]
    nearest = (bisect_right(begins, start) - 1 for start in starts)
    return [place >= 0 and start < spans[place][1] for start, place in zip(starts, nearest, strict=True)]


def _texts(tokenizer: ChatTokenizer, messages: list[Message], tools: list[dict[str, Any]] | None) -> tuple[str, str]:
    """Return the text of a conversation's prompt, and that of its last answer."""
    prompt, answer = segments(tokenizer, messages, tools)
    return "".join(part.text for part in prompt), "".join(part.text for part in answer)


def _texts_of_tokens(
    tokenizer: ChatTokenizer, messages: list[Message], tools: list[dict[str, Any]] | None
) -> tuple[str, str]:
    """Return the same as its tokens have it."""
    found = render(tokenizer, messages, tools)
    prompt = "".join(found.pieces[: found.prompt_length])
    return prompt, found.text.removeprefix(prompt)


def _span(rendering: Rendering, prompt: str, answer: str) -> tuple[int, int]:
    """Return where in the text the last answer of a conversation's beginning stands."""
    if not rendering.text.startswith(prompt + answer):
        raise StudioError(
            "The chat template renders an earlier answer otherwise once the conversation goes on.",
            "Use loss_on=completion, or a template that only appends.",
        )
    return len(prompt), len(prompt) + len(answer)
