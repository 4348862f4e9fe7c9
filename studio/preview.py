"""How an example looks to the model: the project's tokenizer, loaded once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from store.examples import Message, completion_of
from studio import models
from studio.errors import StudioError

if TYPE_CHECKING:
    from studio.rendering import Rendering


class NotPreparedError(StudioError):
    """The model's tokenizer isn't on this machine in the form that rendering reads."""


class Preview:
    """Renders conversations for a model; every method may take a moment and is meant for a thread."""

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def render(self, messages: list[Message], tools: list[dict[str, Any]] | None) -> "tuple[Rendering, frozenset[int]]":
        """Render a conversation as training sees it; return it with the ids of the special tokens.

        Raises:
            NotPreparedError: the tokenizer must be prepared first.
            StudioError: there is no such model, or its template refuses the conversation.
        """
        from studio.rendering import load_tokenizer, render, render_prompt

        model = models.resolve(self.model_name)
        if not models.has_tokenizer(model):
            raise NotPreparedError(
                f"The tokenizer of {self.model_name} is not prepared on this machine yet.",
                "Press p to prepare it; that is done once.",
            )
        tokenizer = load_tokenizer(model.folder)
        rendered = (render if completion_of(messages) else render_prompt)(tokenizer, messages, tools)
        return rendered, tokenizer.special_ids

    def prepare(self, say: Callable[[str], None]) -> None:
        """Prepare the model's tokenizer.

        Raises:
            StudioError: see `models.prepare`.
        """
        models.prepare(models.resolve(self.model_name), "tokenizer", on_progress=say)
