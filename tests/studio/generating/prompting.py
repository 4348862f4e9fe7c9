"""Examples that ask something."""

from typing import Any

from store import examples
from store.database import Store


def add_prompt(store: Store, asked: str, answer: str = "", **more: Any) -> int:
    """Add an example; it ends with its answer where there is one."""
    messages = [{"role": "user", "content": asked}]
    if answer:
        messages.append({"role": "assistant", "content": answer})
    return examples.add(store, record_id=None, messages=messages, split="train", **more)
