"""Where a reply may come from: the training examples nearest to it, each with its record, file and line."""

from collections.abc import Iterator
from dataclasses import dataclass

from store import examples, nearest, records, responses, runs, snapshots
from store.database import Store
from store.errors import MissingRowError
from store.examples import Example, Message, prompt_of
from store.snapshots import Snapshot
from studio.errors import StudioError
from studio.retrieval.overlap import MOST_WORDS, Overlap, excerpt, first_of, longest_overlap
from studio.retrieval.searchable import make_searchable
from studio.retrieval.terms import any_of, words_of
from studio.retrieval.weights import Weights, weigh

LOOKED_AT = 40
"""Examples that are weighed against each other, of each way of searching."""
MOST_TERMS = 32
RUN = 5
"""Words of the runs that are looked for as they stand."""
MOST_RUNS = 48
TELLING_RUN = 6
"""Words from which on a shared run is named: shorter ones are mere phrases of the language."""


@dataclass(frozen=True)
class Origin:
    """An example that a reply may come from."""

    example_id: int
    record: int | None
    """The record that it was made from; None where a person wrote it."""
    file: str
    line: int
    """0 where there is no file."""
    split: str
    in_training: bool
    """Whether its text was learnt from in the run; without a run, whether it would be."""
    score: float
    """From 0 to 1: how much of what is telling in the reply it has too; a long shared run counts twice."""
    part: str
    """Which of its texts is nearest."""
    excerpt: str
    shared: str
    """The longest run of words that it shares with the reply, where that says something."""

    @property
    def place(self) -> str:
        """Its file and line in words."""
        return f"{self.file}:{self.line}" if self.file else "written here"


def origins(store: Store, text: str, *, run: str | None = None, limit: int = 10) -> list[Origin]:
    """Return the examples nearest to a reply, the nearest first; of a run, only those of its snapshot.

    Nearness is no proof: it says where the words are, not what moved the weights.

    Raises:
        StudioError: there is no such run.
    """
    make_searchable(store)
    said = words_of(text)[:MOST_WORDS]
    weights = weigh(store, said)
    snapshot = _snapshot(store, run)
    if snapshot:
        nearest.want(store, snapshot.items)
    found = list(_candidates(store, said, weights, "wanted" if snapshot else "everything"))
    read = examples.get_many(store, found)
    rows = nearest.rows_of(snapshot.items, found) if snapshot else {}
    made = [_origin(store, text, weights, read[number], rows.get(number)) for number in found]
    made.sort(key=lambda origin: (-origin.score, origin.example_id))
    return [origin for origin in made if origin.score][:limit]


def run_of(store: Store, model: str) -> str | None:
    """Return the run that answers under a name, such as dpo-1 or dpo-1@Q4_K_M; None where it is a base model."""
    try:
        return runs.get(store, model.partition("@")[0]).id
    except MissingRowError:
        return None


def _snapshot(store: Store, run: str | None) -> Snapshot | None:
    if run is None:
        return None
    try:
        return snapshots.get(store, runs.get(store, run).snapshot_id)
    except MissingRowError as error:
        raise StudioError(str(error)) from error


def _candidates(store: Store, said: list[str], weights: Weights, scope: nearest.Scope) -> dict[int, None]:
    terms = weights.rarest(MOST_TERMS)
    by_terms = nearest.ids(store, any_of(terms), scope, LOOKED_AT)
    by_runs = nearest.ids(store, any_of(_runs(said, frozenset(terms))), scope, LOOKED_AT)
    return dict.fromkeys([*by_runs, *by_terms])


def _runs(said: list[str], telling: frozenset[str]) -> Iterator[str]:
    """Yield runs of the reply that have a telling word: any shared run of twice the length has one of them in it."""
    whole = (said[at : at + RUN] for at in range(0, len(said) - RUN + 1, RUN))
    runs = [" ".join(run) for run in whole if not telling.isdisjoint(run)]
    yield from dict.fromkeys(runs[:: max(1, len(runs) // MOST_RUNS)])


def _origin(
    store: Store, text: str, weights: Weights, example: Example, rows: list[snapshots.SnapshotItem] | None
) -> Origin:
    best: tuple[float, str, str, Overlap] = (0.0, "", "", Overlap(0, 0, 0))
    for part, other in _texts(store, example, rows):
        overlap = longest_overlap(text, other)
        run = words_of(other[overlap.begin : overlap.end]) if overlap.words >= TELLING_RUN else []
        score = (weights.covered(words_of(other)) + weights.covered(run)) / 2
        best = max(best, (score, part, other, overlap), key=lambda each: each[0])
    score, part, other, overlap = best
    is_telling = overlap.words >= TELLING_RUN
    record = None if example.record_id is None else records.glimpse_many(store, [example.record_id], 1)
    source = record[example.record_id] if record and example.record_id is not None else None
    split = rows[0].split if rows else example.split
    return Origin(
        example.id,
        example.record_id,
        source.source if source else "",
        source.line if source else 0,
        split,
        split == "train" and (rows is not None or not example.excluded),
        round(score, 4),
        part,
        excerpt(other, overlap if is_telling else first_of(other, weights.rarest(MOST_TERMS))),
        other[overlap.begin : overlap.end] if is_telling else "",
    )


def _texts(store: Store, example: Example, rows: list[snapshots.SnapshotItem] | None) -> Iterator[tuple[str, str]]:
    """Yield the texts of an example, each with what it is; of a run's rows those that the run learnt from."""
    if rows is None:
        yield from _said(example.messages, "answer")
        for response in responses.of_example(store, example.id):
            yield from _said(response.messages, f"answer of {response.author or response.origin}")
        return
    for revision in {row.revision for row in rows}:
        messages = example.messages if revision == example.revision else _messages(store, example.id, revision)
        yield from _said(messages, "answer")
    for row in rows:
        for number, part in ((row.chosen_id, "better answer"), (row.rejected_id, "worse answer")):
            if number is not None:
                yield from _said(responses.get(store, number).messages, part)


def _messages(store: Store, example_id: int, revision: int) -> list[Message]:
    return examples.get(store, example_id, revision).messages


def _said(messages: list[Message], answer: str) -> Iterator[tuple[str, str]]:
    asked = len(prompt_of(messages))
    for place, message in enumerate(messages):
        if isinstance(message.get("content"), str) and message["content"].strip():
            role = "earlier answer" if message["role"] == "assistant" else str(message["role"])
            yield (answer if place >= asked and message["role"] == "assistant" else role), message["content"]
