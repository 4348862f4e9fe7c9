"""Examples of the project that are shown to the model before each prompt."""

from store import examples
from store.database import Store
from store.errors import MissingRowError
from studio.errors import StudioError
from studio.settings import FewShot, FewShotTurn


def few_shot_of(store: Store, example_id: int) -> FewShot:
    """Return an example as a few-shot example: its turns as they are now, without a system turn.

    Raises:
        StudioError: there is no such example, or it is no plain conversation with an answer.
    """
    try:
        messages = examples.get(store, example_id).messages
    except MissingRowError as error:
        raise StudioError(str(error), "The Examples screen shows the ids.") from error
    turns = [m for m in messages if m["role"] != "system"]
    is_plain = all(set(m) <= {"role", "content", "weight"} and m["role"] in ("user", "assistant") for m in turns)
    if not is_plain:
        raise StudioError(f"Example {example_id} has tool calls or names.", "Choose one that is only texts.")
    if not turns or turns[0]["role"] != "user" or turns[-1]["role"] != "assistant":
        raise StudioError(f"Example {example_id} is not a question with an answer.", "Choose one that is.")
    return FewShot(tuple(FewShotTurn(m["role"], m["content"]) for m in turns), example_id)
