"""How an example looks to a model: as text and as tokens, what is trained of it, and what is cut off."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from store.examples import Message, completion_of
from studio import models
from studio.errors import StudioError
from studio.project import Project

if TYPE_CHECKING:
    from studio.rendering import ChatTokenizer, Rendering


class NotPreparedError(StudioError):
    """The model's tokenizer isn't on this machine in the form that rendering reads."""


@dataclass(frozen=True)
class Seen:
    """A sequence of tokens as the model sees it, and where training cuts it."""

    rendering: "Rendering"
    special: frozenset[int]
    """Ids of control tokens."""
    max_length: int
    left_out: str = ""
    """Why training does not take it; empty where it does."""
    side: str = ""
    """`chosen` or `rejected` of a pair."""

    @property
    def lost(self) -> int:
        """Tokens beyond max_length."""
        return max(0, len(self.rendering.ids) - self.max_length)

    @property
    def lost_trained(self) -> int:
        """Those of the lost tokens that would have been learnt."""
        return sum(self.rendering.trained[self.max_length :])


class Preview:
    """Renders for a project's model as training does; every method may take a moment and is meant for a thread."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.model_name = project.settings.model

    def render(self, messages: list[Message], tools: list[dict[str, Any]] | None) -> Seen:
        """Render a conversation as training sees it, and say where it is cut, or why it is left out.

        Raises:
            NotPreparedError: the tokenizer must be prepared first.
            StudioError: there is no such model, or its template refuses the conversation.
        """
        return see(self.tokenizer(), messages, tools)

    def tokenizer(self) -> "ChatTokenizer":
        """Return the tokenizer with the chat template that a run would train with.

        Raises:
            NotPreparedError: it must be prepared first.
            StudioError: there is no such model, or it has no chat template.
        """
        from studio.chat_templates import chosen
        from studio.rendering import load_tokenizer

        model = models.resolve(self.model_name)
        if not models.has_tokenizer(model):
            raise NotPreparedError(
                f"The tokenizer of {self.model_name} is not prepared on this machine yet.",
                "Press p to prepare it; that is done once.",
            )
        template = chosen(self._project, model)
        return load_tokenizer(model.folder, template.text if template else None)

    def prepare(self, say: Callable[[str], None]) -> None:
        """Prepare the model's tokenizer.

        Raises:
            StudioError: see `models.prepare`.
        """
        models.prepare(models.resolve(self.model_name), "tokenizer", on_progress=say)


def see(tokenizer: "ChatTokenizer", messages: list[Message], tools: list[dict[str, Any]] | None) -> Seen:
    """Render a conversation for any tokenizer, as training on it would.

    Raises:
        StudioError: the template refuses it.
    """
    from studio.rendering import render, render_prompt
    from studio.training.recipe import make_recipe
    from studio.training.rows.data import prepare_row

    recipe = make_recipe("sft", [])
    if not completion_of(messages):
        prompt = render_prompt(tokenizer, messages, tools)
        return Seen(prompt, tokenizer.special_ids, recipe.max_length, "It has no answer that could be learnt.")
    try:
        row = {"messages": messages, "tools": tools}
        return Seen(prepare_row(tokenizer, recipe, row).whole[0], tokenizer.special_ids, recipe.max_length)
    except StudioError as error:
        # What training leaves out is shown all the same, unless it can't be rendered.
        return Seen(render(tokenizer, messages, tools), tokenizer.special_ids, recipe.max_length, str(error))
