"""What a chat template writes around turns, found by rendering short conversations with it."""

from dataclasses import dataclass
from typing import Literal

from store.examples import Message
from studio.chat_template import render_template
from studio.errors import StudioError

SYSTEM, ASKED, ANSWERED, ASKED_AGAIN = "Qsystemq", "Qaskedq", "Qansweredq", "Qagainq"
"""Words that no template writes by itself, and that none of them changes."""

_DATE = "{% macro strftime_now(form) %}Qdateq{% endmacro %}"


class Inexpressible(Exception):
    """Why a chat template can't be said in Ollama's language, as the rest of a sentence about it."""


@dataclass(frozen=True)
class Source:
    """A chat template, with the names that it uses for special tokens."""

    text: str
    named_tokens: dict[str, str]

    @property
    def bos(self) -> str:
        """The token that begins a text, where the template writes it by that name; else empty."""
        return self.named_tokens.get("bos_token", "") if "bos_token" in self.text else ""

    def render(self, messages: list[Message], *, waits: bool = True) -> str:
        """Return a conversation's text, with the beginning of an answer where it waits for one.

        Raises:
            StudioError: the template refuses it.
        """
        return render_template(self.text, messages, None, self.named_tokens, add_generation_prompt=waits)


@dataclass(frozen=True)
class Turns:
    """What stands before and after each turn."""

    begins_with_bos: bool
    default: str
    """What stands at the beginning where no system message does, such as the makers' own."""
    system: Literal["turn", "first question", "last question", "refused"]
    """Where the system text stands."""
    before_system: str
    after_system: str
    before_question: str
    after_question: str
    before_answer: str
    """Of an answer that was given."""
    after_answer: str
    begins_answer: str
    """Of the answer that is to come."""


def derive(source: Source) -> Turns:
    """Return what a template writes around turns.

    Raises:
        Inexpressible: it is of another shape, or writes the date.
    """
    _check_dateless(source)
    asked, answered = {"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWERED}
    again = {"role": "user", "content": ASKED_AGAIN}
    start, ending = _parts(_text(source, [asked]), ASKED)
    begin, between, following, ending_again = _parts(
        _text(source, [asked, answered, again]), ASKED, ANSWERED, ASKED_AGAIN
    )
    if (start, ending) != (begin, ending_again):
        raise Inexpressible("writes a question otherwise once others follow")
    after_question = _closing(source, [asked], ASKED, between)
    after_answer = _closing(source, [asked, answered], ANSWERED, following)
    before_question = following[len(after_answer) :]
    if not start.endswith(before_question) or not ending.startswith(after_question):
        raise Inexpressible("writes the first question otherwise than the next")
    lead = start.removesuffix(before_question)
    begins_with_bos = bool(source.bos) and start.startswith(source.bos)
    system, before_system, after_system = _system(source, lead, before_question, asked, answered, again)
    return Turns(
        begins_with_bos=begins_with_bos,
        default=lead.removeprefix(source.bos) if begins_with_bos else lead,
        system=system,
        before_system=before_system,
        after_system=after_system,
        before_question=before_question,
        after_question=after_question,
        before_answer=between[len(after_question) :],
        after_answer=after_answer,
        begins_answer=ending[len(after_question) :],
    )


def _check_dateless(source: Source) -> None:
    if "strftime_now" in source.text:
        dated = Source(_DATE + source.text, source.named_tokens)
        if "Qdateq" in _text(dated, [{"role": "user", "content": ASKED}]):
            raise Inexpressible("writes the day's date in a form that Ollama has no word for")


def _text(source: Source, messages: list[Message], *, waits: bool = True) -> str:
    try:
        return source.render(messages, waits=waits)
    except StudioError as error:
        raise Inexpressible(f"refuses a plain conversation ({error})") from error


def _parts(text: str, *words: str) -> list[str]:
    """Return what stands before, between and after words."""
    parts = []
    for word in words:
        before, found, text = text.partition(word)
        if not found or word in text:
            raise Inexpressible("does not write each text once, in the order of the turns")
        parts.append(before)
    return [*parts, text]


def _closing(source: Source, messages: list[Message], word: str, following: str) -> str:
    """Return what ends a turn: what stands after it with and without another."""
    alone = _text(source, messages, waits=False).rpartition(word)[2]
    end = source.named_tokens.get("eos_token", "")
    if end and not following.startswith(alone):
        alone = alone.removesuffix(end)
    same = 0
    while same < min(len(alone), len(following)) and alone[same] == following[same]:
        same += 1
    return following[:same]


def _system(
    source: Source, lead: str, before_question: str, asked: Message, answered: Message, again: Message
) -> tuple[Literal["turn", "first question", "last question", "refused"], str, str]:
    """Return where a system text stands, and what around it."""
    system = {"role": "system", "content": SYSTEM}
    try:
        text = source.render([system, asked, answered, again])
    except StudioError:
        return "refused", "", ""
    bos = source.bos if source.bos and lead.startswith(source.bos) else ""
    if SYSTEM not in text:
        raise Inexpressible("leaves the system message out")
    if text.index(SYSTEM) > text.index(ASKED):
        before, after = _parts(text.partition(ANSWERED)[2], SYSTEM, ASKED_AGAIN)[:2]
        return "last question", before.rpartition(before_question)[2], after
    before, after = _parts(text, SYSTEM, ASKED)[:2]
    if after.endswith(before_question) and not before.endswith(before_question):
        return "turn", before.removeprefix(bos), after.removesuffix(before_question)
    if before.startswith(start := lead + before_question):
        return "first question", before.removeprefix(start), after
    raise Inexpressible("mixes the system message with a question")
