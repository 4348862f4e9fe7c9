"""A small project with tame and hostile records."""

import json
from hashlib import sha256
from typing import Any

import pytest

from store import examples, pairs, records
from store.database import Store
from store.records import NewRecord
from studio.project import Project

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
    words = " ".join(str(value) for value in (fields or {}).values()).encode(errors="replace").decode()
    return NewRecord(line, text, fields, sha256(data).digest(), words, error)


def add_source(store: Store, name: str) -> int:
    """Add a source of JSON Lines."""
    return records.add_source(
        store, name=name, path=f"/data/{name}", container="jsonl", format="messages", sha256=name, size=1
    )


def turns(question: str, answer: str | None = None) -> list[examples.Message]:
    """Return a conversation of one question, and its answer if there is one."""
    asked = [{"role": "user", "content": question}]
    return asked if answer is None else [*asked, {"role": "assistant", "content": answer}]


@pytest.fixture
def filled(project: Project, store: Store) -> Project:
    """A project with twelve letters, an unreadable row, hostile rows, and two judged replies."""
    letters = add_source(store, "letters.jsonl")
    rows = [new_record(n, {"subject": f"Order {n}", "body": f"Where is my book {n}?\nThanks"}) for n in range(1, 13)]
    rows.append(new_record(13, None, raw=b'{"subject": "cut', error="the row ends inside a text"))
    ids = records.add(store, letters, rows)
    for number, record_id in enumerate(ids[:12], start=1):
        examples.add(
            store,
            record_id=record_id,
            messages=turns(f"Where is my book {number}?", f"It is on its way, number {number}."),
            split=("train", "train", "validation", "test")[number % 4],
        )
    prompt = examples.add(store, record_id=ids[0], messages=turns("Can I return it?"), split="train")
    good = examples.add_response(
        store, prompt, [{"role": "assistant", "content": "Yes, within 30 days."}], origin="file"
    )
    bad = examples.add_response(store, prompt, [{"role": "assistant", "content": "No."}], origin="model", author="base")
    pair = pairs.get(store, pairs.add_pair(store, prompt, good, bad, seed=2))
    pairs.judge(store, pair, "left", rater="ann")
    hostile = add_source(store, "hostile.jsonl")
    for number, (name, text) in enumerate(HOSTILE.items(), start=1):
        [record_id] = records.add(store, hostile, [new_record(number, {"name": name, "text": text})])
        examples.add(store, record_id=record_id, messages=turns(text, text), split="train")
    return project
