"""A chat as a file: Markdown to read, or JSON Lines of messages, with models, settings and numbers."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import orjson

from store.examples import Message
from studio.atomic import write_private
from studio.chatting.conversation import Answer, Conversation, Exchange, Question
from studio.chatting.stats_words import stats_words
from studio.errors import StudioError
from studio.project import Project

Kind = Literal["markdown", "jsonl"]

_SUFFIX: dict[Kind, str] = {"markdown": ".md", "jsonl": ".jsonl"}


def kind_of(out: Path | None) -> Kind:
    """Return what a file is to hold by its name; Markdown where that says nothing."""
    return "jsonl" if out is not None and out.suffix == ".jsonl" else "markdown"


def write_export(
    project: Project, chat: Conversation, kind: Kind, *, every_branch: bool = False, out: Path | None = None
) -> Path:
    """Write a chat to a file, in the project's folder of exports unless told otherwise; return the file.

    Raises:
        StudioError: nothing was asked in it yet, or the file can't be written.
    """
    if chat.shown_id is None:
        raise StudioError("Nothing was asked in this chat yet, so there is nothing to export.")
    text = as_markdown(chat, every_branch=every_branch) if kind == "markdown" else as_jsonl(chat, every_branch)
    path = out or project.exports / f"chat-{chat.chat_id}-{datetime.now():%Y%m%d-%H%M%S}{_SUFFIX[kind]}"
    write_private(path, text.encode(errors="replace"))
    return path


def as_jsonl(chat: Conversation, every_branch: bool = False) -> str:
    """Return a line for each model: its messages, and how its last answer came about; or for each branch of each."""
    return "".join(orjson.dumps(row).decode() + "\n" for row in rows(chat, every_branch=every_branch))


def rows(chat: Conversation, *, every_branch: bool = False) -> Iterator[dict[str, Any]]:
    """Yield a row for each model as it stands in the branch in sight, or for each answer that no question follows."""
    for question, answer in _leaves(chat) if every_branch else _last_answers(chat):
        yield {
            "messages": [*_given(chat, question, answer), {"role": "assistant", "content": answer.text}],
            "model": chat.author_of(answer),
            "chat": chat.chat_id,
            "title": chat.title,
            "turn": answer.id,
            "settings": chat.settings.as_json(),
            "stats": answer.stats,
        }


def as_markdown(chat: Conversation, *, every_branch: bool = False) -> str:
    """Return the branch in sight as Markdown, or all branches, each from its beginning."""
    parts = [f"# {chat.title or 'Chat'}", _facts(chat)]
    parts += [f"## {str(message['role']).capitalize()}\n\n{message['content']}" for message in chat.opening]
    tips = _tips(chat) if every_branch else [chat.shown_id]
    for number, tip in enumerate(tips, 1):
        if len(tips) > 1:
            parts.append(f"# Branch {number} of {len(tips)}")
        for exchange in chat.exchanges if tip == chat.shown_id else chat.path(tip):
            parts += _exchange(chat, exchange, every_answer=every_branch)
    return "\n\n".join(parts) + "\n"


def _facts(chat: Conversation) -> str:
    sampling = ", ".join(f"{name} {value}" for name, value in vars(chat.settings.sampling).items())
    return f"- Models: {', '.join(chat.models)}\n- Sampling: {sampling}\n- Context: {chat.settings.context} tokens"


def _exchange(chat: Conversation, exchange: Exchange, *, every_answer: bool) -> Iterator[str]:
    yield f"## You\n\n{exchange.question}"
    for passage in exchange.asked.notes.get("passages", []):
        yield f"> Given with it: {passage.get('file')}, lines {passage.get('lines')}"
    answers = exchange.asked.answers if every_answer else exchange.answers
    for answer in answers:
        if answer is not None:
            yield f"## {chat.author_of(answer)}\n\n{answer.text}\n\n*{stats_words(answer.stats)}*"


def _tips(chat: Conversation) -> list[int | None]:
    """Return the questions that no other follows."""
    parents = {question.parent_id for question in chat.questions.values()}
    return [number for number in sorted(chat.questions) if number not in parents]


def _last_answers(chat: Conversation) -> Iterator[tuple[Question, Answer]]:
    for side in range(len(chat.models)):
        for exchange in reversed(chat.exchanges):
            if (answer := exchange.answers[side]) is not None:
                yield exchange.asked, answer
                break


def _leaves(chat: Conversation) -> Iterator[tuple[Question, Answer]]:
    followed = {number for question in chat.questions.values() for number in question.follows}
    for _, question in sorted(chat.questions.items()):
        for answer in question.answers:
            if answer.id not in followed:
                yield question, answer


def _given(chat: Conversation, question: Question, answer: Answer) -> list[Message]:
    return chat.messages(answer.side, question.id)
