"""What is done in a chat, each thing written down before it returns: asking, answering, branching, walking, leaving."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from store import chats
from store.chats import ChatTurn
from store.database import Store
from store.errors import MissingRowError
from studio.assistant.system import system_of
from studio.chatting.conversation import MOST_MODELS, Answer, Conversation, Question
from studio.chatting.settings import ChatSettings, settings_from
from studio.chatting.traces import pack
from studio.errors import StudioError
from studio.project import Project

LONGEST_TITLE = 80


def new_chat(project: Project, models: Sequence[str], settings: ChatSettings | None = None) -> Conversation:
    """Return a chat that nothing was asked in yet, under the project's own system prompt where it has one.

    Raises:
        StudioError: there are more models than can be chatted with at once, or none.
    """
    if not 1 <= len(models) <= MOST_MODELS:
        raise StudioError(f"A chat has one to {MOST_MODELS} models, not {len(models)}.")
    chat = Conversation(list(models), settings=settings or ChatSettings())
    chat.set_system(system_of(project))
    return chat


def blank_copy(chat: Conversation, models: Sequence[str] | None = None) -> Conversation:
    """Return a chat with the same system prompt and settings where nothing was asked, with these models or the same."""
    fresh = Conversation(list(models or chat.models), settings=chat.settings)
    fresh.set_system(chat.system)
    return fresh


def open_chat(project: Project, store: Store, chat_id: int) -> Conversation:
    """Return a chat as it was left: branch, answers in sight, settings.

    Raises:
        MissingRowError: there is no chat of that id.
    """
    kept, turns = chats.get(store, chat_id), chats.turns(store, chat_id)
    chat = Conversation(
        list(kept.models) or [project.settings.model],
        [{"role": turn.role, "content": turn.content} for turn in turns if turn.opening],
        settings_from(kept.settings),
        kept.title,
        kept.settings.get("example"),
        chat_id,
        _questions([turn for turn in turns if not turn.opening]),
    )
    newest = max(chat.questions, default=None)
    chat.shown_id = kept.shown_id if kept.shown_id in chat.questions else newest
    chat.chosen = {int(side): answer for side, answer in kept.settings.get("chosen", {}).items()}
    return chat


def ask(store: Store, chat: Conversation, text: str) -> Question:
    """Ask after what is in sight, beginning the chat where this is its first question."""
    last = chat.last
    stands = tuple(answer.id for answer in chat.in_sight(last) if answer) if last else ()
    return _ask(store, chat, text, last.id if last else None, stands)


def ask_instead(store: Store, chat: Conversation, question: Question, text: str) -> Question:
    """Ask something else in a question's place: a branch, beside which the question stays."""
    return _ask(store, chat, text, question.parent_id, question.follows)


def go_to(store: Store, chat: Conversation, question: Question, chosen: Mapping[int, int] | None = None) -> None:
    """Make a question the last in sight, with these answers by side and else those that were: to go on from there."""
    stood = {answer.side: answer.id for answer in chat.in_sight(question) if answer}
    _show(store, chat, question.id, {**stood, **(chosen or {})})


def show_branch(store: Store, chat: Conversation, question: Question) -> None:
    """Show the branch that a question is in, as far as it went."""
    _show(store, chat, chat.newest_below(question).id, {})


def keep_answer(
    store: Store, chat: Conversation, question: Question, side: int, answer: Answer, *, begun: int | None = None
) -> Answer | None:
    """Write an answer down, over what was kept before its end; it comes in sight where its question is the last.

    None where it is gone by now.
    """
    # By itself, not by its number: a question that was taken back is gone.
    if chat.chat_id is None or chat.questions.get(question.id) is not question:
        return None
    trace = None if answer.trace is None else pack(answer.trace)
    with store.transaction():
        if begun is not None:
            if not chats.rewrite(store, begun, answer.text, stats=answer.stats, trace=trace):
                return None
            number = begun
        else:
            try:
                number = chats.add_turn(
                    store,
                    chat.chat_id,
                    "assistant",
                    answer.text,
                    model=chat.author_of(replace(answer, side=side)),
                    stats=answer.stats,
                    parent_id=question.id,
                    side=side,
                    trace=trace,
                )
            except MissingRowError:
                return None
        if chat.shown_id == question.id and side in chat.chosen:
            chat.chosen[side] = number
            _keep_settings(store, chat)
    kept = Answer(answer.text, answer.stats, number, side)
    question.answers.append(kept)
    return kept


def withdraw(store: Store, chat: Conversation, question: Question) -> bool:
    """Take back a question that nothing was said to, as if it had not been asked; return whether it was such a one."""
    with store.transaction():
        if not chats.remove_unanswered(store, question.id):
            return False
        chat.drop(question)
        if not chat.questions and chat.chat_id is not None:
            chats.delete(store, chat.chat_id)
            chat.chat_id, chat.shown_id, chat.title = None, None, ""
        elif chat.shown_id == question.id:
            _show_before(store, chat, question)
    return True


def step_question(store: Store, chat: Conversation, question: Question, step: int) -> bool:
    """Show the branch of another question in this one's place, `step` places on; return whether there is one."""
    siblings = chat.siblings(question)
    at = siblings.index(question) + step
    if not 0 <= at < len(siblings):
        return False
    show_branch(store, chat, siblings[at])
    return True


def step_answer(store: Store, chat: Conversation, question: Question, side: int, step: int) -> bool:
    """Show another of a side's answers, with what was asked after it; return whether there is one."""
    exchange = next(each for each in chat.exchanges if each.asked is question)
    shown, given = exchange.answers[side], question.answers_of(side)
    at = next((n for n, answer in enumerate(given) if shown and answer.id == shown.id), -1) + step
    if not 0 <= at < len(given):
        return False
    answers = {answer.side: answer.id for answer in exchange.answers if answer} | {side: given[at].id}
    following = chat.next_question(question, frozenset(answers.values()))
    if following is None:
        _show(store, chat, question.id, answers)
    else:
        show_branch(store, chat, following)
    return True


def continue_with(store: Store, chat: Conversation, question: Question, side: int) -> None:
    """Let all models go on from one side's answer, as if each had given it, so that they stay comparable."""
    go_to(store, chat, question)
    chosen = chat.in_sight(question)[side]
    if chosen is None:
        return
    with store.transaction():
        for other, answer in enumerate(chat.in_sight(question)):
            if other == side or (answer and answer.text == chosen.text):
                continue
            keep_answer(store, chat, question, other, Answer(chosen.text, {"from_side": side}))


def change_settings(store: Store, chat: Conversation, settings: ChatSettings) -> None:
    """Hold the chat otherwise from now on."""
    chat.settings = settings
    _keep_settings(store, chat)


def note(store: Store, question: Question, **notes: Any) -> None:
    """Note things of a question beside those that are noted."""
    chats.set_stats(store, question.id, {**question.notes, **notes})
    question.notes |= notes


def rename(store: Store, chat: Conversation, title: str) -> None:
    """Give the chat another title."""
    chat.title = " ".join(title.split())[:LONGEST_TITLE]
    if chat.chat_id is not None:
        chats.rename(store, chat.chat_id, chat.title)


def _ask(store: Store, chat: Conversation, text: str, parent: int | None, follows: tuple[int, ...]) -> Question:
    notes = {"blind": _seed(chat, parent)} if chat.settings.blind and len(chat.models) > 1 else {}
    title = chat.title or " ".join(text.split())[:LONGEST_TITLE]
    with store.transaction():
        chat_id = _begin(store, chat, title) if chat.chat_id is None else chat.chat_id
        number = chats.add_turn(store, chat_id, "user", text, parent_id=parent, follows=follows, stats=notes or None)
        chats.show(store, chat_id, number)
        chats.set_settings(store, chat_id, {**_as_kept(chat), "chosen": {}})
    # Only now: what could not be written was not asked.
    question = Question(number, text, parent, follows, notes=dict(notes))
    chat.chat_id, chat.title, chat.shown_id, chat.chosen = chat_id, title, number, {}
    chat.add(question)
    return question


def _seed(chat: Conversation, parent: int | None) -> int:
    """Return what decides who stands where: as before until the names are known, so that no pane changes hands."""
    before = chat.questions[parent] if parent is not None else None
    if before is not None and "blind" in before.notes and not {"verdict", "revealed"} & before.notes.keys():
        return int(before.notes["blind"])
    return secrets.randbits(31)


def _begin(store: Store, chat: Conversation, title: str) -> int:
    number = chats.start(store, title, models=chat.models, settings=_as_kept(chat))
    for message in chat.opening:
        chats.add_turn(store, number, message["role"], str(message["content"]), opening=True)
    return number


def _show(store: Store, chat: Conversation, question_id: int | None, chosen: dict[int, int]) -> None:
    chat.shown_id, chat.chosen = question_id, chosen
    if chat.chat_id is not None:
        with store.transaction():
            chats.show(store, chat.chat_id, question_id)
            _keep_settings(store, chat)


def _show_before(store: Store, chat: Conversation, question: Question) -> None:
    """Show what was in sight before a question was asked; of a first one, another first one."""
    if question.parent_id is None:
        show_branch(store, chat, chat.questions[max(chat.questions)])
        return
    parent = chat.questions[question.parent_id]
    _show(
        store, chat, parent.id, {answer.side: answer.id for answer in parent.answers if answer.id in question.follows}
    )


def _keep_settings(store: Store, chat: Conversation) -> None:
    if chat.chat_id is not None:
        chats.set_settings(store, chat.chat_id, _as_kept(chat))


def _as_kept(chat: Conversation) -> dict[str, Any]:
    return {**chat.settings.as_json(), "chosen": chat.chosen, "example": chat.example_id}


def _questions(turns: list[ChatTurn]) -> dict[int, Question]:
    found = {
        turn.id: Question(turn.id, turn.content, turn.parent_id, turn.follows, notes=dict(turn.stats))
        for turn in turns
        if turn.role == "user"
    }
    for turn in turns:
        if turn.role == "assistant" and turn.parent_id in found:
            answer = Answer(turn.content, turn.stats, turn.id, turn.side or 0)
            found[turn.parent_id].answers.append(answer)
    return found
