"""Chat: a question to one to four models at once, their answers in panes, branches of it, and what is kept of it."""

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from screens import keys
from screens.chat_asking import WAIT
from screens.chat_branches import BranchedChat
from screens.choose import ChooseLine
from screens.external_editor import edit_outside
from store import chats, interface_state
from store.errors import MissingRowError
from studio.chatting import keeping
from studio.chatting.choices import choices, sides_of
from studio.chatting.conversation import Conversation
from studio.chatting.finding import go_to_turn
from studio.chatting.held_out import from_held_out, held_out_ids
from studio.chatting.settings import ChatSettings
from studio.errors import StudioError

if TYPE_CHECKING:
    from screens.chat_list import Picked

NEAR_EXAMPLES = 3
"""Examples that are shown with a question where any are."""

GIVEN: dict[str, tuple[bool, int]] = {
    "nothing with a question": (False, 0),
    "passages of the project's documents": (True, 0),
    f"the {NEAR_EXAMPLES} nearest examples": (False, NEAR_EXAMPLES),
    f"passages, and the {NEAR_EXAMPLES} nearest examples": (True, NEAR_EXAMPLES),
}


class ChatScreen(BranchedChat):
    """A chat with one to four models."""

    AREA = "chat"
    AUTO_FOCUS = "#turns-0"
    CSS_PATH = "chat.tcss"
    BINDINGS: ClassVar[list[BindingType]] = keys.CHAT

    def __init__(self) -> None:
        super().__init__()
        self._held_out_at = 0

    def on_mount(self) -> None:
        """Go on with the chat that was open, or begin one with the models that were chosen last."""
        self.judge_line.display = False
        if not self._chat.models:
            self._chat = self._first_chat()
        self.composer.put(interface_state.recall(self.studio.store, "chat.draft", ""))
        self.show_all(anew=True)

    def on_unmount(self) -> None:
        """End the models' process."""
        self.stop_replies()
        if self._engine is not None:
            self._engine.close()

    def remember(self) -> None:
        """Keep what is written and not sent."""
        self.studio.note_place("chat.draft", self.composer.text)

    def choose(self, ref: str) -> None:
        """Talk to this run beside its base, or to this model alone, in a new chat held as the one before."""
        self._begin(sides_of(self.studio.store, ref))

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
        if self._chat.models:
            self.show_chat(keeping.blank_copy(self._chat, models))
        else:
            self.show_chat(keeping.new_chat(self.studio.project, models))

    # The line and the panes

    def action_write(self) -> None:
        """Go to the line to write in."""
        self.set_focus(self.composer)

    def action_write_outside(self) -> None:
        """Write the question in the user's own editor."""
        written = edit_outside(self.app, self.composer.text)
        if written is not None:
            self.composer.put(written)

    def action_back(self) -> None:
        """Stop the replies that are coming, or leave an edit, or the line."""
        if self._replies:
            self.action_cancel()
            return
        if self._editing is not None:
            self._editing = None
            self.composer.put("")
            self.show_settings()
        if self.focused is self.composer or self._marked is None:
            self.panes.focus_here()
        else:
            self._marked = None
            self.show_all(at_end=True)

    def action_cancel(self) -> None:
        """Stop the replies that are coming."""
        self.stop_replies()
        if self._replies:
            self.set_status("stopping ...")

    def action_switch_pane(self) -> None:
        """Go to the other replies."""
        self.panes.go_on()

    def action_alone(self) -> None:
        """Show one pane at a time, or all."""
        self.panes.toggle_alone()

    # Other chats, other ways to hold this one

    def action_new_chat(self) -> None:
        """Begin anew with the same models and the same system prompt."""
        self._begin(self._chat.models)
        self.set_status("new chat")

    def action_model(self) -> None:
        """Choose who answers."""
        from screens.chat_models import ChooseModels

        def chosen(models: list[str] | None) -> None:
            if models:
                self._begin(models)

        known = [choice.ref for choice in choices(self.studio.project, self.studio.store)]
        self.app.push_screen(ChooseModels(known, self._chat.models), chosen)

    def action_chats(self) -> None:
        """Find an earlier chat and go on with it."""
        from screens.chat_list import ChatsWindow

        self.app.push_screen(ChatsWindow(self._chat.chat_id), self._take_chat)

    def _take_chat(self, picked: "Picked | None") -> None:
        project, store = self.studio.project, self.studio.store
        if picked is not None:
            if picked.chat_id != self._chat.chat_id:
                self.show_chat(keeping.open_chat(project, store, picked.chat_id))
            if picked.turn_id is not None and not self._replies:
                go_to_turn(store, self._chat, picked.turn_id)
                self.walked()
        elif self._chat.chat_id is not None:
            try:
                # It may have another title now, or be gone.
                self._chat.title = chats.get(store, self._chat.chat_id).title
            except MissingRowError:
                self.action_new_chat()

    def action_export_chat(self) -> None:
        """Write this chat into a file."""
        from screens.chat_export import ask_export

        if self._chat.chat_id is None:
            raise StudioError("Nothing was asked in this chat yet, so there is nothing to export.")
        ask_export(self, self._chat.chat_id)

    def action_held_out(self) -> None:
        """Ask the next prompt that no training has seen, in a chat of its own."""
        if self._replies:
            self.set_status(WAIT)
            return
        store, ids = self.studio.store, held_out_ids(self.studio.store)
        for _ in ids:
            example_id = ids[self._held_out_at % len(ids)]
            self._held_out_at += 1
            found = from_held_out(store, self._chat, example_id)
            if found is not None:
                fresh, question = found
                self.show_chat(fresh)
                self.answer_all(keeping.ask(store, fresh, question))
                self.set_status(f"held-out prompt {(self._held_out_at - 1) % len(ids) + 1} of {len(ids)}")
                return
        self.set_status("no prompt is held out")

    def action_system(self) -> None:
        """Change the system prompt; where replies were given under another one, a new chat begins."""
        from screens.chat_windows import SystemPrompt

        def changed(text: str | None) -> None:
            if text is None or text == self._chat.system:
                return
            if self._chat.chat_id is not None:
                self.action_new_chat()
            self._chat.set_system(text)
            self.show_all(anew=True)

        self.app.push_screen(SystemPrompt(self._chat.system), changed)

    def action_sampling(self) -> None:
        """Change how the next tokens are chosen, and for how many there is room."""
        from screens.chat_windows import SamplingForm

        def changed(settings: ChatSettings | None) -> None:
            if settings is not None:
                keeping.change_settings(self.studio.store, self._chat, settings)
                self.show_settings()

        self.app.push_screen(SamplingForm(self._chat.settings), changed)

    def action_documents(self) -> None:
        """Choose what is looked up and put before the next questions."""
        settings, words = self._chat.settings, list(GIVEN)
        now = (settings.documents, NEAR_EXAMPLES if settings.examples else 0)

        def chosen(position: int | None) -> None:
            if position is not None:
                documents, examples = GIVEN[words[position]]
                self.change(documents=documents, examples=examples)

        at = list(GIVEN.values()).index(now)
        self.app.push_screen(ChooseLine("Give the models", words, at), chosen)
