"""A reply that a person made of another one, outside of a comparison."""

import random

from store import pairs, responses
from store.database import Store
from store.examples import Message
from store.responses import Response


def add_edited(store: Store, original: Response, messages: list[Message], *, rater: str) -> int:
    """Keep an edited reply as another one, and queue it against the one it was made from; return its id."""
    with store.transaction():
        edited = responses.add(
            store, original.example_id, messages, origin="human", author=rater, parent_id=original.id
        )
        pairs.add_pair(store, original.example_id, original.id, edited, seed=random.SystemRandom().getrandbits(31))
    return edited
