"""Chats that ask what no training has seen."""

from store import examples
from store.database import Store
from store.examples import prompt_of
from studio.chatting.conversation import Conversation
from studio.chatting.keeping import blank_copy


def held_out_ids(store: Store) -> list[int]:
    """Return the examples that no training has seen, validation before test."""
    return [*examples.ids_of_split(store, "validation"), *examples.ids_of_split(store, "test")]


def from_held_out(store: Store, chat: Conversation, example_id: int) -> tuple[Conversation, str] | None:
    """Return a new chat that opens with an example's prompt, and the question to ask in it; None where it has none."""
    example = examples.get(store, example_id)
    prompt = prompt_of(example.messages)
    plain = all(m["role"] in ("system", "user", "assistant") and isinstance(m.get("content"), str) for m in prompt)
    if example.excluded or not prompt or not plain or prompt[-1]["role"] != "user":
        return None
    fresh = blank_copy(chat)
    fresh.opening, fresh.example_id = prompt[:-1], example_id
    return fresh, str(prompt[-1]["content"])
