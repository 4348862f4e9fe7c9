"""The texts of an example, each with a name for where it stands: what most checks of single examples look at."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from store.examples import Message
from studio.lint.check import Answer, Judged, Subject

REASONING = ("thinking", "reasoning_content")
"""Keys of a message, besides its content, that hold text of the assistant."""


class Passage(NamedTuple):
    """One text of an example."""

    where: str
    """For the reader: "turn 2", "answer", "chosen"."""
    role: str
    text: str
    learnt: bool
    """Whether it belongs to an answer, not to the prompt."""


class Texts(NamedTuple):
    """All texts of an example."""

    passages: list[Passage]
    whole: str
    """All of them, one below the other, to find out quickly that something occurs in none."""


_latest: tuple[Subject | None, Texts] = (None, Texts([], ""))


def texts_of(subject: Subject) -> Texts:
    """Return the texts of an example; those of the same one, asked for by check after check, are gathered once."""
    global _latest  # noqa: PLW0603
    # One assignment of one tuple, so that threads may disturb each other's memory but never its truth.
    known, texts = _latest
    if known is not subject:
        passages = list(_passages(subject))
        texts = Texts(passages, "\n".join([passage.text for passage in passages]))
        _latest = subject, texts
    return texts


def answers_of(subject: Subject) -> list[Passage]:
    """Return the texts of an example's answers."""
    return [passage for passage in texts_of(subject).passages if passage.learnt]


def name_of(subject: Subject, answer: Answer) -> str:
    """Return what to call an answer: chosen and rejected where one verdict says so, else by its number."""
    if answer.id is None:
        return "answer"
    decided = subject.pairs[0].chosen_and_rejected if len(subject.pairs) == 1 else None
    if decided and answer.id in decided:
        return "chosen" if answer.id == decided[0] else "rejected"
    responses = [other.id for other in subject.answers if other.id is not None]
    return "response" if len(responses) == 1 else f"response {responses.index(answer.id) + 1}"


def decided_pairs(subject: Subject) -> Iterator[tuple[Judged, Answer, Answer]]:
    """Yield each pair of which one side is better, with the better and the worse answer."""
    by_id = {answer.id: answer for answer in subject.answers}
    for pair in subject.pairs:
        decided = pair.chosen_and_rejected
        if decided and decided[0] in by_id and decided[1] in by_id:
            yield pair, by_id[decided[0]], by_id[decided[1]]


def text_of(messages: list[Message]) -> str:
    """Return what messages say, without their tool calls."""
    return "\n".join(content for message in messages if isinstance(content := message.get("content"), str))


def excerpt(text: str, start: int = 0, end: int | None = None) -> str:
    """Return a stretch of text in quotes, short enough for a line."""
    found = text[start:end] if end is not None else text[start:]
    return repr(found if len(found) <= 60 else found[:57] + "...")


def changed(message: Message, change: Callable[[str], str]) -> Message:
    """Return a message with each of its texts changed; itself where nothing is."""
    new = {
        key: _change(value, change) if key in ("content", "tool_calls", *REASONING) else value
        for key, value in message.items()
    }
    return message if new == message else new


def _change(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_change(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _change(item, change) for key, item in value.items()}
    return value


def _passages(subject: Subject) -> Iterator[Passage]:
    for number, message in enumerate(subject.prompt, 1):
        yield from _of_message(message, f"turn {number}", learnt=False)
    for answer in subject.answers:
        name = name_of(subject, answer)
        for message in answer.messages:
            yield from _of_message(message, name, learnt=True)


def _of_message(message: Message, where: str, *, learnt: bool) -> Iterator[Passage]:
    content = message.get("content")
    if isinstance(content, str):
        yield Passage(where, message["role"], content, learnt)
    for key in REASONING:
        if isinstance(message.get(key), str):
            yield Passage(f"{where}, its reasoning", message["role"], message[key], learnt)
    for call in message.get("tool_calls") or ():
        for text in _strings((call.get("function") or {}).get("arguments")):
            yield Passage(f"{where}, a tool call", "call", text, learnt)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)
