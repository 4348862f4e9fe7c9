"""Examples with all that belongs to them, many at once, each record parsed once for all that quotes it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from store.database import Store
from store.examples import Message, Split
from store.pairs import Verdict
from store.quoting import Quoted, loads


class WholeResponse(NamedTuple):
    """A response to an example's prompt."""

    id: int
    messages: list[Message]
    author: str
    label: bool | None


class WholePair(NamedTuple):
    """A pair with the verdict that counts for it; left and right are as they were judged."""

    left_id: int
    right_id: int
    verdict: Verdict | None
    rater: str
    shown_at: str | None
    answered_at: str | None


@dataclass(frozen=True)
class WholeExample:
    """An example at its newest revision."""

    id: int
    revision: int
    record_id: int | None
    source: str
    split: Split
    group: bytes
    messages: list[Message]
    tools: list[dict[str, Any]] | None
    responses: list[WholeResponse] = field(default_factory=list)
    pairs: list[WholePair] = field(default_factory=list)


def read(store: Store, example_ids: list[int]) -> list[WholeExample]:
    """Return these examples (a screenful), in the order of their ids."""
    marks = ",".join("?" * len(example_ids))
    records: dict[int, Quoted] = {}
    found: dict[int, WholeExample] = {}
    for number, revision, record_id, source, split, group, messages, tools, raw, fields in store.connection.execute(
        "SELECT e.id, e.revision, e.record_id, COALESCE(s.name, ''), e.split, e.prompt_group, v.messages, v.tools,"
        " t.raw, t.fields FROM example e JOIN revision v ON v.example_id = e.id AND v.number = e.revision"
        " LEFT JOIN record r ON r.id = e.record_id LEFT JOIN source s ON s.id = r.source_id"
        f" LEFT JOIN record_text t ON t.record_id = e.record_id WHERE e.id IN ({marks}) ORDER BY e.id",
        example_ids,
    ):
        quoted = records[number] = Quoted(raw, fields)
        said = quoted.unquote(messages)
        found[number] = WholeExample(number, revision, record_id, source, split, group, said, loads(tools))
    for number, response_id, messages, author, label in store.connection.execute(
        f"SELECT example_id, id, messages, author, label FROM response WHERE example_id IN ({marks}) ORDER BY id",
        example_ids,
    ):
        said = records[number].unquote(messages)
        found[number].responses.append(WholeResponse(response_id, said, author, None if label is None else bool(label)))
    for number, *pair in store.connection.execute(
        "SELECT p.example_id, COALESCE(c.left_id, p.first_id), COALESCE(c.right_id, p.second_id), p.verdict,"
        " COALESCE(c.rater, ''), c.shown_at, c.answered_at FROM pair p LEFT JOIN comparison c ON c.id = p.verdict_id"
        f" WHERE p.example_id IN ({marks}) ORDER BY p.id",
        example_ids,
    ):
        found[number].pairs.append(WholePair(*pair))
    return list(found.values())
