"""Records, tame and hostile, that the tests of the screens share."""

import json
from hashlib import sha256
from typing import Any

from store import examples, records
from store.database import Store
from store.records import NewRecord

HOSTILE = {
    "markup": "[i]not italic[/i] [/INST] [/] [@click=app.quit]press[/] [b x='",
    "escapes": "\x1b]52;c;aGVsbG8=\x07 \x1b[31mred\x1b[0m \x9b31m \x08\x00\x7f",
    "zeros": "0" * 5639,
    "right to left": "user\u202egnp.exe\u2066 abc \u200b",
    "wide": "\u6f22\u5b57 \U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301 \ud800",
}


def new_record(
    line: int, fields: dict[str, Any] | None, *, raw: str | bytes = b"", error: str | None = None
) -> NewRecord:
    """Return a record as an importer would make it."""
    text = raw or json.dumps(fields)
    data = text if isinstance(text, bytes) else text.encode()
    return NewRecord(line, text, fields, sha256(data).digest(), error)


def add_source(store: Store, name: str) -> int:
    """Add a source of JSON Lines."""
    return records.add_source(
        store, name=name, path=f"/data/{name}", container="jsonl", format="messages", sha256=name, size=1
    )


def turns(question: str, answer: str | None = None) -> list[examples.Message]:
    """Return a conversation of one question, and its answer if there is one."""
    asked = [{"role": "user", "content": question}]
    return asked if answer is None else [*asked, {"role": "assistant", "content": answer}]
