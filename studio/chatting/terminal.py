"""A chat in a plain terminal, line by line: questions, and commands that begin with a slash."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.database import Store
from store.errors import StoreError
from studio.chatting import keeping, lookup
from studio.chatting.answering import Coming, Reply
from studio.chatting.begun import Begun
from studio.chatting.conversation import Answer, Conversation, Question
from studio.chatting.exporting import kind_of, write_export
from studio.chatting.stats_words import context_left, stats_words
from studio.errors import StudioError
from studio.inference.engine import Engine
from studio.project import Project

HELP = """\
/again               another answer to the last question
/edit [TEXT]         ask the last question otherwise, beside it (without TEXT in your editor)
/branch next|prev    the other questions in its place
/answer next|prev    the other answers to it
/show                what is in sight
/system [TEXT]       the system prompt; with TEXT another one, in a new chat
/new                 a new chat with the same system prompt
/save [FILE]         write the chat to FILE (.md, or .jsonl for messages), or into exports
/help                this
/quit                leave; an empty line or ctrl+d too
ctrl+c stops a reply. A line that ends with \\ goes on in the next. // begins a question with a slash."""

_STEPS = {"": 1, "next": 1, "prev": -1}


@dataclass
class TerminalChat:
    """A chat with what it is written to and read from."""

    project: Project
    store: Store
    engine: Engine
    chat: Conversation
    write: Callable[[str], None]
    """Shows text as it is, made safe for a terminal; without a line end of its own."""
    edit: Callable[[str], str | None]
    """Lets the person edit a text; None where it was left as it was."""
    loading: Callable[[str], None] = field(default=lambda _: None)
    """Shows a passing line; nothing takes it away."""

    def take(self, line: str) -> bool:
        """Do what a line says; return whether to go on."""
        word, _, rest = line.partition(" ")
        if word == "/quit":
            return False
        try:
            if not line.startswith("/") or line.startswith("//"):
                self.ask(line.removeprefix("/"))
            else:
                self._command(word, rest.strip())
        except (StudioError, StoreError) as error:
            self._say(str(error))
        return True

    def ask(self, text: str) -> None:
        """Ask a question and show each model's answer as it comes; one that nothing came of is taken back."""
        question = keeping.ask(self.store, self.chat, text)
        self._answer(question)

    def _answer(self, question: Question) -> None:
        try:
            if lookup.is_wanted(self.chat, question):
                found = lookup.look_up(self.project, self.chat.settings, question.text, self.store)
                lookup.keep_found(self.store, question, found)
                self._given(found)
            for side in range(len(self.chat.models)):
                self._answer_of(question, side)
        except (StudioError, StoreError) as error:
            self._say(str(error))
        if not question.answers:
            keeping.withdraw(self.store, self.chat, question)

    def _answer_of(self, question: Question, side: int) -> None:
        """Keep a model's answer, or what there is of it where it breaks off."""
        begun = Begun(self.chat, question, side)
        try:
            answer = self._reply(side, begun)
        except StudioError:
            if begun.text:
                keeping.keep_answer(self.store, self.chat, question, side, begun.answer, begun=begun.turn_id)
            raise
        if answer.text or answer.stats.get("reason") != "cancelled":
            keeping.keep_answer(self.store, self.chat, question, side, answer, begun=begun.turn_id)

    def _given(self, found: dict[str, Any]) -> None:
        for passage in found["passages"]:
            self._say(f"[given with it: {passage['file']}, lines {passage['lines']}]")
        for example in found["near"]:
            self._say(f"[given with it: example {example['id']}]")

    def _reply(self, side: int, begun: Begun) -> Answer:
        """Let a model answer what is in sight, writing the answer as it comes."""
        if len(self.chat.models) > 1:
            self.write(f"{self.chat.models[side]}> ")
        reply, shown = Reply(), 0

        def news(coming: Coming) -> None:
            nonlocal shown
            if coming.stage == "loading":
                self.loading(f"loading {self.chat.models[side]} ... {coming.done:.0%}")
                return
            self.loading("")
            self.write(coming.text[shown:])
            shown = len(coming.text)
            begun.grow(self.store, coming.text)

        with stopped_by_ctrl_c(reply):
            answer = reply.run(self.engine, self.project, self.chat.prompt(side), news, self.store)
        self.loading("")
        self.write(answer.text[shown:])
        left = context_left(answer.stats)
        words = stats_words(answer.stats) + (f", {left} tokens of context left" if left is not None else "")
        self._say(f"\n[{words}]")
        return answer

    def _command(self, word: str, rest: str) -> None:
        commands: dict[str, Callable[[str], None]] = {
            "/again": self._again,
            "/edit": self._edit,
            "/branch": self._branch,
            "/answer": self._walk_answers,
            "/show": lambda _: self.show(),
            "/system": self._system,
            "/new": lambda _: self._begin(self.chat.system),
            "/save": self._save,
            "/help": lambda _: self._say(HELP),
        }
        if word not in commands:
            raise StudioError(f"There is no {word}.", "/help lists what there is; // begins a question with a slash.")
        commands[word](rest)

    def _again(self, _: str) -> None:
        self._answer(self._last())

    def _edit(self, text: str) -> None:
        last = self._last()
        written = text or (self.edit(last.text) or "").strip()
        if not written or written == last.text:
            self._say("The question stays as it was.")
            return
        self._answer(keeping.ask_instead(self.store, self.chat, last, written))

    def _branch(self, where: str) -> None:
        last = self._last()
        if not keeping.step_question(self.store, self.chat, last, _step(where)):
            place = self.chat.place_of_question(last)
            raise StudioError(f"This is question {place.number} of {place.of} in its place.")
        self.show()

    def _walk_answers(self, where: str) -> None:
        last = self._last()
        moved = [
            keeping.step_answer(self.store, self.chat, last, s, _step(where)) for s in range(len(self.chat.models))
        ]
        if not any(moved):
            raise StudioError("There is no other answer that way.", "/again asks for one.")
        self.show()

    def _system(self, text: str) -> None:
        if text:
            self._begin(text)
        else:
            self._say(self.chat.system or "There is no system prompt.")

    def _begin(self, system: str) -> None:
        self.chat = keeping.blank_copy(self.chat)
        self.chat.set_system(system)
        self._say("A new chat.")

    def _save(self, name: str) -> None:
        out = Path(name).expanduser() if name else None
        self._say(f"Written to {write_export(self.project, self.chat, kind_of(out), out=out)}.")

    def show(self) -> None:
        """Show the branch in sight."""
        for exchange in self.chat.exchanges:
            self._say(f"you> {exchange.question}")
            for answer in exchange.answers:
                if answer is not None:
                    self._say(f"{self.chat.author_of(answer)}> {answer.text}")

    def _last(self) -> Question:
        if self.chat.last is None:
            raise StudioError("Nothing was asked yet.", "Write a question.")
        return self.chat.last

    def _say(self, text: str) -> None:
        self.write(f"{text}\n")


def lines(read: Callable[[str], str]) -> Iterator[str]:
    """Yield what is typed, lines that end with a backslash joined, until an empty line or the end of the input."""
    while True:
        typed: list[str] = []
        try:
            typed.append(read("you> "))
            while typed[-1].endswith("\\"):
                typed[-1] = typed[-1][:-1]
                typed.append(read("...> "))
        except EOFError:
            pass
        line = "\n".join(typed).strip()
        if not line:
            return
        yield line


@contextmanager
def stopped_by_ctrl_c(reply: Reply) -> Iterator[None]:
    """Let ctrl+c stop a reply, whose text so far stays; pressed again it ends the program."""
    pressed = False

    def stop(number: int, frame: Any) -> None:
        nonlocal pressed
        if pressed:
            signal.default_int_handler(number, frame)
        pressed = True
        # Not from here: what was interrupted may hold the lock that stopping needs.
        threading.Thread(target=reply.stop, daemon=True).start()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _step(where: str) -> int:
    if where not in _STEPS:
        raise StudioError(f"'{where}' is no way to go.", "Say next or prev.")
    return _STEPS[where]
