"""The one way in which passages come into a prompt: by `[documents] template`, the same in chat, training and evals."""

from collections.abc import Sequence

from studio.errors import StudioError
from studio.formats.row import RowError
from studio.retrieval.documents import Passage
from studio.retrieval.settings import DocumentSettings
from studio.templating.parts import parse
from studio.templating.sandbox import ALL_FIELDS

PART = "[documents] template"


def inserted(settings: DocumentSettings, question: str, passages: Sequence[Passage]) -> str:
    """Return the text of the user's turn: the question with the passages that were found for it.

    Raises:
        StudioError: the template is wrong.
    """
    said = {"question": question, "passages": [passage.as_fields() for passage in passages]}
    try:
        return parse(PART, settings.template).render({**said, ALL_FIELDS: said})
    except RowError as error:
        hint = "It may use question and passages."
        raise StudioError(f"{PART} in studio.toml can't be used: {error}.", hint) from error
