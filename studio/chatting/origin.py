"""Where a response that was said in a chat comes from."""

from typing import Any

from store import runs
from store.database import Store
from store.errors import MissingRowError
from store.responses import ResponseOrigin
from studio.chatting.conversation import Answer, Conversation


def origin_of(store: Store, model: str) -> ResponseOrigin:
    """Return what kind of thing answers under a name."""
    try:
        runs.get(store, model.partition("@")[0])
    except MissingRowError:
        return "model"
    return "run"


def parameters_of(chat: Conversation, answer: Answer) -> dict[str, Any]:
    """Return what names an answer and how it was made: the chat, the turn, the model, the sampling and the seed."""
    sampling = vars(chat.settings.sampling) | answer.stats.get("sampling", {})
    seed = answer.stats.get("seed", sampling["seed"])
    return {
        **sampling,
        "seed": seed,
        "model": chat.author_of(answer),
        "chat": chat.chat_id,
        "turn": answer.id,
        "context": chat.settings.context,
    }
