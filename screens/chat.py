"""Chat: a question to one to four models at once, their answers in panes, branches of it, and what is kept of it."""

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.getters import query_one
from textual.widgets import Static

from screens import keys
from screens.base import StudioScreen
from screens.chat_branches import Branches
from screens.chat_composer import Composer
from screens.chat_judging import JudgeLine
from screens.chat_panes import ChatPanes
from screens.chat_replies import News, Replies
from screens.chat_reply_here import ReplyHere
from screens.chat_sight import WAIT, ChatSight
from screens.chat_verdicts import Verdicts
from screens.chat_ways import ChatWays
from screens.external_editor import edit_outside
from store import chats, interface_state
from store.errors import MissingRowError
from studio.chatting import keeping, standing
from studio.chatting.choices import choices, sides_of
from studio.chatting.conversation import Conversation, Question
from studio.chatting.finding import go_to_turn
from studio.chatting.held_out import from_held_out, held_out_ids
from studio.errors import StudioError

if TYPE_CHECKING:
    from screens.chat_list import Picked


class ChatScreen(StudioScreen):
    """A chat with one to four models: the panes over the line to write in."""

    AREA = "chat"
    AUTO_FOCUS = "#turns-0"
    CSS_PATH = "chat.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.CHAT

    composer = query_one("#composer", Composer)
    panes = query_one("#panes", ChatPanes)
    judge_line = query_one("#judge", JudgeLine)

    def __init__(self) -> None:
        super().__init__()
        self.sight = ChatSight(self)
        self._replies = Replies(self, self.sight, self._all_ended)
        self._branches = Branches(self, self.sight, self._replies)
        self._verdicts = Verdicts(self, self.sight)
        self._reply_here = ReplyHere(self, self.sight)
        self._ways = ChatWays(self, self.sight)
        self._held_out_at = 0

    @property
    def chat(self) -> Conversation:
        """The chat that is shown."""
        return self.sight.chat

    @property
    def busy(self) -> bool:
        """Whether replies are coming."""
        return bool(self.sight.coming)

    def compose_body(self) -> ComposeResult:
        """Lay the panes over the line to write in."""
        yield ChatPanes(id="panes")
        yield JudgeLine(id="judge")
        yield Static("", id="settings", markup=False)
        yield Composer(id="composer")

    def on_mount(self) -> None:
        """Go on with the chat that was open, or begin one with the models that were chosen last."""
        self.judge_line.display = False
        if not self.chat.models:
            self.sight.take(self._first_chat())
        self.composer.put(interface_state.recall(self.studio.store, "chat.draft", ""))
        self.sight.show_all(anew=True)

    def on_screen_resume(self) -> None:
        """Show what stands of the verdicts: one may have been undone in Compare."""
        if self.is_mounted and standing.look_again(self.studio.store, self.chat):
            self.sight.show_all()

    def on_unmount(self) -> None:
        """End the models' process."""
        self._replies.close()

    def remember(self) -> None:
        """Keep what is written and not sent."""
        self.studio.note_place("chat.draft", self._branches.draft)

    def choose(self, ref: str) -> None:
        """Talk to this run beside its base, or to this model alone, in a new chat held as the one before."""
        self._begin(sides_of(self.studio.store, ref))

    def show_chat(self, chat: Conversation) -> None:
        """Show another chat; what still comes goes into the one that is left."""
        self._replies.stop()
        standing.look_again(self.studio.store, chat)
        self.sight.take(chat)
        if self.is_mounted:
            self.sight.close_judging()
            self.set_status("")
            self.sight.show_all(anew=True)
        self.studio.note_place("chat.models", chat.models)
        self.studio.note_place("chat.open", chat.chat_id)

    def _first_chat(self) -> Conversation:
        project, store = self.studio.project, self.studio.store
        last = interface_state.recall(store, "chat.open")
        if last is not None:
            try:
                return keeping.open_chat(project, store, last)
            except MissingRowError:
                pass
        known = [choice.ref for choice in choices(project, store)]
        models = [ref for ref in interface_state.recall(store, "chat.models", []) if ref in known]
        return keeping.new_chat(project, models or sides_of(store, known[0]))

    def _begin(self, models: list[str]) -> None:
        if self.chat.models:
            self.show_chat(keeping.blank_copy(self.chat, models))
        else:
            self.show_chat(keeping.new_chat(self.studio.project, models))

    # The line, the replies and the panes

    def action_write(self) -> None:
        """Go to the line to write in."""
        self.set_focus(self.composer)

    def action_write_outside(self) -> None:
        """Write the question in the user's own editor."""
        written = edit_outside(self.app, self.composer.text)
        if written is not None:
            self.composer.put(written)

    @on(Composer.Sent)
    def _send(self) -> None:
        self._branches.send()

    @on(News)
    def _show_news(self, event: News) -> None:
        self._replies.show(event)

    def _all_ended(self, question: Question, how: str) -> None:
        self.set_status(how)
        self._branches.take_back(question)
        # Who is writing already goes on.
        self._verdicts.ask_unasked(question, take_focus=not self.composer.text)

    def action_back(self) -> None:
        """Stop the replies that are coming, or leave an edit, or the line."""
        if self.busy:
            self.action_cancel()
            return
        self._branches.leave_edit()
        if self.focused is self.composer or self.sight.marked is None:
            self.panes.focus_here()
        else:
            self.sight.marked = None
            self.sight.show_all(at_end=True)

    def action_cancel(self) -> None:
        """Stop the replies that are coming."""
        self._replies.stop()
        if self.busy:
            self.set_status("stopping ...")

    def action_switch_pane(self) -> None:
        """Go to the other replies."""
        self.panes.go_on()

    def action_alone(self) -> None:
        """Show one pane at a time, or all."""
        self.panes.toggle_alone()

    # Questions and their branches

    def action_mark(self, step: int) -> None:
        """Mark the question before or after, for the keys that are about one."""
        self._branches.mark(step)

    def action_edit(self) -> None:
        """Write the question anew, to be asked in a branch of its own."""
        self._branches.edit()

    def action_again(self) -> None:
        """Let all models answer the question once more."""
        self._branches.again()

    def action_again_here(self) -> None:
        """Let this pane's model answer the question once more."""
        self._branches.again(only_here=True)

    def action_branch(self, step: int) -> None:
        """Show another question in this one's place, with all that came of it."""
        self._branches.step_branch(step)

    def action_answer(self, step: int) -> None:
        """Show another reply of this pane's model, with what was asked after it."""
        self._branches.step_answer(step)

    # Verdicts

    def action_prefer(self) -> None:
        """Say which of the replies is better; it becomes judged pairs."""
        self._verdicts.ask()

    @on(JudgeLine.Judged)
    def _judged(self, event: JudgeLine.Judged) -> None:
        self._verdicts.judge(event.outcome)

    @on(JudgeLine.Closed)
    def _close_line(self) -> None:
        self._verdicts.close()

    def action_blind(self) -> None:
        """Keep the names back from the next question on, or no longer."""
        self._verdicts.toggle_blind()

    def action_reveal(self) -> None:
        """Tell whose the replies are; a verdict after that is not a blind one."""
        self._verdicts.reveal()

    def action_compare(self) -> None:
        """Let the replies wait in Compare."""
        self._verdicts.leave_to_compare()

    def action_go_on_from(self) -> None:
        """Let all models go on from this reply, so that they stay comparable."""
        self._verdicts.go_on_from()

    # One reply

    def action_fix(self) -> None:
        """Put this reply right and learn from it."""
        self._reply_here.fix()

    def action_tokens(self) -> None:
        """Show the tokens of this reply, sent and received."""
        self._reply_here.show_tokens()

    def action_origins(self) -> None:
        """Show the training examples nearest to this reply."""
        self._reply_here.show_origins()

    def action_parity(self) -> None:
        """Show the evidence that what was trained is what answers here."""
        self._reply_here.show_evidence()

    # Other chats, other ways to hold this one

    def action_new_chat(self) -> None:
        """Begin anew with the same models and the same system prompt."""
        self._begin(self.chat.models)
        self.set_status("new chat")

    def action_model(self) -> None:
        """Choose who answers."""
        from screens.chat_models import ChooseModels

        def chosen(models: list[str] | None) -> None:
            if models:
                self._begin(models)

        known = [choice.ref for choice in choices(self.studio.project, self.studio.store)]
        self.app.push_screen(ChooseModels(known, self.chat.models), chosen)

    def action_chats(self) -> None:
        """Find an earlier chat and go on with it."""
        from screens.chat_list import ChatsWindow

        self.app.push_screen(ChatsWindow(self.chat.chat_id), self._take_chat)

    def _take_chat(self, picked: "Picked | None") -> None:
        project, store = self.studio.project, self.studio.store
        if picked is not None:
            if picked.chat_id != self.chat.chat_id:
                self.show_chat(keeping.open_chat(project, store, picked.chat_id))
            if picked.turn_id is not None and not self.busy:
                go_to_turn(store, self.chat, picked.turn_id)
                self._branches.walked()
        elif self.chat.chat_id is not None:
            try:
                # It may have another title now, or be gone.
                self.chat.title = chats.get(store, self.chat.chat_id).title
            except MissingRowError:
                self.action_new_chat()

    def action_export_chat(self) -> None:
        """Write this chat into a file."""
        from screens.chat_export import ask_export

        if self.chat.chat_id is None:
            raise StudioError("Nothing was asked in this chat yet, so there is nothing to export.")
        ask_export(self, self.chat.chat_id)

    def action_held_out(self) -> None:
        """Ask the next prompt that no training has seen, in a chat of its own."""
        if self.busy:
            self.set_status(WAIT)
            return
        store, ids = self.studio.store, held_out_ids(self.studio.store)
        for _ in ids:
            example_id = ids[self._held_out_at % len(ids)]
            self._held_out_at += 1
            found = from_held_out(store, self.chat, example_id)
            if found is not None:
                fresh, question = found
                self.show_chat(fresh)
                self._branches.answer_all(keeping.ask(store, fresh, question))
                self.set_status(f"held-out prompt {(self._held_out_at - 1) % len(ids) + 1} of {len(ids)}")
                return
        self.set_status("no prompt is held out")

    def action_system(self) -> None:
        """Change the system prompt; where replies were given under another one, a new chat begins."""
        self._ways.system(self.action_new_chat)

    def action_sampling(self) -> None:
        """Change how the next tokens are chosen, and for how many there is room."""
        self._ways.sampling()

    def action_documents(self) -> None:
        """Choose what is looked up and put before the next questions."""
        self._ways.documents()
