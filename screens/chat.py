"""Chat: one prompt, the base model's answer and the tuned one's side by side."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.getters import query_one
from textual.message import Message as TextualMessage
from textual.widgets import Input, Static

from screens import keys
from screens.background import in_background
from screens.base import StudioScreen
from screens.choose import ChooseLine
from screens.widgets.conversation import transcript
from screens.widgets.text_view import MOST_WHERE_THE_END_COUNTS, TextView
from screens.widgets.typing_order import LineInput
from store import interface_state
from store.pairs import Verdict
from studio.errors import StudioError
from studio.inference import conversation as chatting
from studio.inference.choices import choices, describe_model
from studio.inference.conversation import Answer, Conversation
from studio.inference.engine import Engine, Sampling
from studio.inference.pending import PendingReply
from studio.labelling.words import VERDICT_WORDS
from studio.text import clean_line

SIDES = ("first", "second")

PREFERENCES: tuple[Verdict, ...] = ("left", "right", "tie", "both_bad")


class Composer(LineInput):
    """The line where messages are written; the keys that stop and renew work in it too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+x", "screen.cancel", "Stop", id="composer.cancel", tooltip="Stop the replies that are coming"),
    ]


class ChatScreen(StudioScreen):
    """A chat with a model, or with a base model and a run at once."""

    AREA = "chat"
    AUTO_FOCUS = "#first"
    CSS_PATH = "chat.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (60, "-normal"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = keys.CHAT

    composer = query_one("#composer", Composer)
    settings_line = query_one("#settings", Static)

    class Streamed(TextualMessage):
        """An answer so far."""

        def __init__(self, side: int, reply: PendingReply, text: str) -> None:
            super().__init__()
            self.side, self.reply, self.text = side, reply, text

        def can_replace(self, message: TextualMessage) -> bool:
            """Give way to more of the same answer."""
            return isinstance(message, ChatScreen.Streamed) and message.reply is self.reply

    def __init__(self) -> None:
        super().__init__()
        self._engine: Engine | None = None
        self._chat = Conversation([])
        self._sampling = self._sent_with = Sampling()
        self._pending: dict[int, PendingReply] = {}
        self._coming: dict[int, str] = {}
        self._held_out_at = 0
        self._told = ""
        self._returned = ""

    @property
    def busy(self) -> bool:
        """Whether replies are coming."""
        return bool(self._pending)

    def compose_body(self) -> ComposeResult:
        """Lay the answers over the line to write in."""
        with Container(id="sides"):
            for side in SIDES:
                yield TextView(id=side, most=MOST_WHERE_THE_END_COUNTS)
        yield Static("", id="settings", markup=False)
        yield Composer(placeholder="i or enter: write a message", id="composer")

    def on_mount(self) -> None:
        """Take up the model that was chosen last, or else the newest run."""
        self.composer.cursor_blink = False
        if not self._chat.models:
            refs = [choice.ref for choice in choices(self.studio.project, self.studio.store)]
            last = interface_state.recall(self.studio.store, "chat.model")
            self.choose(last if last in refs else refs[0])
        self._show_all()

    def on_unmount(self) -> None:
        """End the model's process."""
        self._stop_replies()
        if self._engine is not None:
            self._engine.close()

    def choose(self, ref: str) -> None:
        """Talk to this run beside its base, or to this model alone, in a new chat with the same system prompt."""
        self._stop_replies()
        # What still comes belongs to the chat that is left.
        self._pending.clear()
        self._coming.clear()
        fresh = Conversation(chatting.sides_of(self.studio.store, ref))
        fresh.set_system(self._chat.system)
        self._chat = fresh
        self.studio.note_place("chat.model", ref)
        if self.is_mounted:
            self._show_all()

    # What the keys do

    def action_write(self) -> None:
        """Go to the line to write in."""
        self.composer.focus()

    def action_back(self) -> None:
        """Stop the replies that are coming, or leave the line."""
        if self._pending:
            self.action_cancel()
        elif self.focused is self.composer:
            self.query_one("#first").focus()

    def action_cancel(self) -> None:
        """Stop the replies that are coming."""
        self._stop_replies()
        if self._pending:
            self.set_status("stopping ...")

    def action_new_chat(self) -> None:
        """Begin anew with the same models and the same system prompt."""
        self.choose(self._chat.models[-1])
        self.set_status("new chat")

    def action_switch_pane(self) -> None:
        """Go to the other answer."""
        panes = [self.query_one(f"#{name}", TextView) for name in SIDES[: len(self._chat.models)]]
        at = panes.index(self.focused) if isinstance(self.focused, TextView) else -1
        panes[(at + 1) % len(panes)].focus()

    def action_model(self) -> None:
        """Choose a run or a model from a list."""
        found = choices(self.studio.project, self.studio.store)
        refs = [choice.ref for choice in found]
        at = refs.index(self._chat.models[-1]) if self._chat.models[-1] in refs else 0

        def chosen(position: int | None) -> None:
            if position is not None:
                self.choose(refs[position])

        self.app.push_screen(ChooseLine("Talk to", [choice.words for choice in found], at), chosen)

    def action_held_out(self) -> None:
        """Ask the next prompt that no training has seen."""
        if self._pending:
            self.set_status("wait for the replies, or esc stops them")
            return
        ids = chatting.held_out_ids(self.studio.store)
        for _ in ids:
            example_id = ids[self._held_out_at % len(ids)]
            self._held_out_at += 1
            fresh = chatting.from_held_out(self.studio.store, self._chat, example_id)
            if fresh is not None:
                self._chat = fresh
                self.set_status(f"held-out prompt {(self._held_out_at - 1) % len(ids) + 1} of {len(ids)}")
                self._ask_models()
                return
        self.set_status("no prompt is held out")

    def action_system(self) -> None:
        """Change the system prompt; where replies were given under another one, a new chat begins."""
        from screens.chat_windows import SystemPrompt

        def changed(text: str | None) -> None:
            if text is None or text == self._chat.system:
                return
            self._chat.set_system(text)
            if self._chat.exchanges:
                self.action_new_chat()
            self._show_all()

        self.app.push_screen(SystemPrompt(self._chat.system), changed)

    def action_sampling(self) -> None:
        """Change how the next tokens are chosen."""
        from screens.chat_windows import SamplingForm

        def changed(sampling: Sampling | None) -> None:
            if sampling is not None:
                self._sampling = sampling
                self._show_settings()

        self.app.push_screen(SamplingForm(self._sampling), changed)

    def action_tokens(self) -> None:
        """Show the last prompt as the model on the focused side was given it."""
        from screens.chat_windows import TokensWindow

        if not self._chat.exchanges:
            self.set_status("nothing was sent yet")
            return
        side = self._focused_side()
        self.app.push_screen(TokensWindow(self._chat.models[side], self._chat.messages(side)))

    def action_prefer(self) -> None:
        """Say which of the two answers is better; it becomes a judged pair."""
        if self._pending or not self._chat.comparable:
            self.set_status("there are no two replies to the same conversation")
            return
        left, right = self._chat.models
        lines = [f"left is better ({left})", f"right is better ({right})", "tie", "both bad"]

        def judged(position: int | None) -> None:
            if position is not None:
                self._keep_preference(PREFERENCES[position])

        self.app.push_screen(ChooseLine("Which reply is better?", lines), judged)

    def _keep_preference(self, verdict: Verdict) -> None:
        pair = chatting.keep_preference(self.studio.project, self.studio.store, self._chat, verdict, self._sent_with)
        self.set_status(f"pair {pair}: {VERDICT_WORDS[verdict]}, saved")

    # Asking and answering

    @on(Input.Submitted, "#composer")
    def send(self) -> None:
        """Ask what is written in the line."""
        question = self._written()
        if self._pending:
            self.set_status("wait for the replies, or esc stops them")
        elif question:
            self.composer.value = ""
            self._chat.ask(question)
            self._ask_models()

    def _written(self) -> str:
        """Return what is in the line; a question that came back unchanged, with the line ends that no line can show."""
        written = self.composer.value
        return self._returned if written and written == clean_line(self._returned) else written.strip()

    def _ask_models(self) -> None:
        self._told = self._returned = ""
        self._sent_with = self._sampling
        chatting.keep_question(self.studio.store, self._chat)
        if self._engine is None:
            self._engine = Engine(self.studio.project.folder / "engine.log")
        for side in range(len(self._chat.models)):
            self._start_reply(side, self._engine)
        self._show_all()

    def _start_reply(self, side: int, engine: Engine) -> None:
        reply = PendingReply()
        self._pending[side], self._coming[side] = reply, ""
        work = partial(
            reply.run,
            engine,
            self.studio.project,
            self._chat.models[side],
            self._chat.messages(side),
            self._sampling,
            partial(self._stream, side, reply),
        )
        done, failed = partial(self._answered, self._chat, side, reply), partial(self._failed, side, reply)
        in_background(self, work, done, failed=failed, group="replies")

    def _stream(self, side: int, reply: PendingReply, text: str) -> None:
        self.post_message(self.Streamed(side, reply, text))

    def on_chat_screen_streamed(self, event: Streamed) -> None:
        """Show more of an answer."""
        if self._pending.get(event.side) is event.reply:
            self._coming[event.side] = event.text
            self._show_side(event.side)

    def _answered(self, chat: Conversation, side: int, reply: PendingReply, answer: Answer) -> None:
        if answer.text or answer.stats.get("reason") != "cancelled":
            chat.answer(side, answer)
            chatting.keep_answer(self.studio.store, chat, side, answer)
        if self._pending.get(side) is not reply:
            return
        self._forget(side)
        if not self._pending:
            self.set_status("stopped" if answer.stats.get("reason") == "cancelled" else "")
        self._show_side(side)

    def _failed(self, side: int, reply: PendingReply, error: StudioError) -> None:
        if self._pending.get(side) is not reply:
            return
        self._forget(side)
        # One dead process ends both replies with the same words.
        if str(error) != self._told:
            self._told = str(error)
            self.notify_error(error)
        if not self._pending and not self.composer.value and not any(self._chat.exchanges[-1].answers):
            # So that enter sends it again.
            self._returned = self._chat.exchanges.pop().question
            self.composer.value = clean_line(self._returned)
        self._show_all()

    def _stop_replies(self) -> None:
        for reply in self._pending.values():
            reply.stop()

    def _forget(self, side: int) -> None:
        del self._pending[side], self._coming[side]

    # Painting

    def _show_all(self) -> None:
        for side, name in enumerate(SIDES):
            pane = self.query_one(f"#{name}", TextView)
            pane.display = side < len(self._chat.models)
            if pane.display:
                pane.border_title = Content(clean_line(describe_model(self.studio.store, self._chat.models[side])))
                self._show_side(side)
        self._show_settings()

    def _show_side(self, side: int) -> None:
        pane = self.query_one(f"#{SIDES[side]}", TextView)
        at_end = pane.is_vertical_scroll_end
        pane.show(transcript(self._chat, side, self._coming.get(side)), keep_place=True)
        if at_end:
            self.call_after_refresh(pane.scroll_end, animate=False)

    def _show_settings(self) -> None:
        s = self._sampling
        words = f"temperature {s.temperature:g}, top-p {s.top_p:g}, {s.max_tokens} tokens, seed {s.seed}"
        system = f"system: {self._chat.system}" if self._chat.system else "no system prompt"
        self.settings_line.update(clean_line(f"{words}  |  {system}"))

    def _focused_side(self) -> int:
        name = self.focused.id if self.focused is not None else None
        return SIDES.index(name) if name in SIDES[: len(self._chat.models)] else len(self._chat.models) - 1
