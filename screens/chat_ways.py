"""How the chat is held: its system prompt, how tokens are chosen, and what is put before its questions."""

from collections.abc import Callable

from screens.base import StudioScreen
from screens.chat_sight import ChatSight
from screens.choose import ChooseLine
from studio.chatting import keeping
from studio.chatting.settings import ChatSettings

NEAR_EXAMPLES = 3
"""Examples that are shown with a question where any are."""

GIVEN: dict[str, tuple[bool, int]] = {
    "nothing with a question": (False, 0),
    "passages of the project's documents": (True, 0),
    f"the {NEAR_EXAMPLES} nearest examples": (False, NEAR_EXAMPLES),
    f"passages, and the {NEAR_EXAMPLES} nearest examples": (True, NEAR_EXAMPLES),
}


class ChatWays:
    """Asks how the chat is to be held."""

    def __init__(self, screen: StudioScreen, sight: ChatSight) -> None:
        self._screen = screen
        self._sight = sight

    def system(self, begin_anew: Callable[[], None]) -> None:
        """Change the system prompt; where replies were given under another one, a new chat begins."""
        from screens.chat_windows import SystemPrompt

        def changed(text: str | None) -> None:
            if text is None or text == self._sight.chat.system:
                return
            if self._sight.chat.chat_id is not None:
                begin_anew()
            self._sight.chat.set_system(text)
            self._sight.show_all(anew=True)

        self._screen.app.push_screen(SystemPrompt(self._sight.chat.system), changed)

    def sampling(self) -> None:
        """Change how the next tokens are chosen, and for how many there is room."""
        from screens.chat_windows import SamplingForm

        def changed(settings: ChatSettings | None) -> None:
            if settings is not None:
                keeping.change_settings(self._screen.studio.store, self._sight.chat, settings)
                self._sight.show_settings()

        self._screen.app.push_screen(SamplingForm(self._sight.chat.settings), changed)

    def documents(self) -> None:
        """Choose what is looked up and put before the next questions."""
        settings, words = self._sight.chat.settings, list(GIVEN)
        now = (settings.documents, NEAR_EXAMPLES if settings.examples else 0)

        def chosen(position: int | None) -> None:
            if position is not None:
                documents, examples = GIVEN[words[position]]
                self._sight.change(documents=documents, examples=examples)

        at = list(GIVEN.values()).index(now)
        self._screen.app.push_screen(ChooseLine("Give the models", words, at), chosen)
