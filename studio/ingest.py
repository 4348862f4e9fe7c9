"""What a row means, written into the store: an example, its responses, their pairs and a verdict."""

import json
from dataclasses import asdict, dataclass
from itertools import combinations

from store import examples, pairs
from store.database import Store
from store.examples import Message, Split
from store.pairs import Verdict
from studio.formats.row import Row
from studio.settings import SplitSettings, TemplateSettings
from studio.splits import split_of

_FLIPPED: dict[Verdict, Verdict] = {"left": "right", "right": "left"}


@dataclass
class Made:
    """How much came of the rows of a file."""

    examples: int = 0
    responses: int = 0
    pairs: int = 0
    verdicts: int = 0

    def described(self) -> list[str]:
        """Return the counts that are not zero, in words."""
        counts = (
            (self.examples, "example"),
            (self.responses, "response"),
            (self.pairs, "pair"),
            (self.verdicts, "verdict"),
        )
        return [f"{number:,} {what}{'' if number == 1 else 's'}" for number, what in counts if number]


class Ingest:
    """Writes rows of one file; everything joins the caller's transaction."""

    def __init__(self, store: Store, splits: SplitSettings, file: str, template: TemplateSettings | None) -> None:
        self.made = Made()
        self._store = store
        self._splits = splits
        self._rater = storable(f"file {file}")
        self._template = template
        self._template_id: int | None = None
        self._known: dict[bytes, Split] = {}

    def add(self, record_id: int, row: Row, digest: bytes) -> int:
        """Add what a row means; `digest` of the record decides which response is shown on which side."""
        example_id = examples.add(
            self._store,
            record_id=record_id,
            messages=row.messages,
            split=self._split(row.messages),
            tools=row.tools,
            template_id=self._kept_template(),
            origin="template" if self._template else "import",
        )
        self.made.examples += 1
        responses = [
            examples.add_response(
                self._store, example_id, c.messages, origin=c.origin, author=storable(c.author), label=c.label
            )
            for c in row.candidates
        ]
        self.made.responses += len(responses)
        self._add_pairs(example_id, row, responses, int.from_bytes(digest[:4], "big"))
        return example_id

    def _add_pairs(self, example_id: int, row: Row, responses: list[int], seed: int) -> None:
        labelled = any(c.label is not None for c in row.candidates)
        for number, (first, second) in enumerate(combinations(range(len(responses)), 2)):
            is_judged = number == 0 and row.verdict is not None
            same = row.candidates[first].messages == row.candidates[second].messages
            # Nobody can choose between equal answers; labels of single answers are no comparison either.
            if not is_judged and (same or labelled):
                continue
            pair_id = pairs.add_pair(self._store, example_id, responses[first], responses[second], seed=seed + number)
            self.made.pairs += 1
            if number == 0:
                self._judge(pair_id, row)

    def _judge(self, pair_id: int, row: Row) -> None:
        rater = storable(row.rater) or self._rater
        if row.verdict is not None:
            pair = pairs.get(self._store, pair_id)
            # The row's left is its first answer, which the pair may show on the right.
            verdict = _FLIPPED.get(row.verdict, row.verdict) if pair.seed % 2 else row.verdict
            pairs.judge(self._store, pair, verdict, rater=rater, note=storable(row.comment))
            self.made.verdicts += 1
        elif row.comment:
            pairs.comment(self._store, pair_id, storable(row.comment), rater=rater)

    def _split(self, messages: list[Message]) -> Split:
        group = examples.prompt_group(messages)
        if group not in self._known:
            self._known[group] = examples.split_of_group(self._store, group) or split_of(group, self._splits)
        return self._known[group]

    def _kept_template(self) -> int | None:
        if self._template and self._template_id is None:
            body = json.dumps(asdict(self._template))
            self._template_id = examples.add_template(self._store, storable(self._template.name), body)
        return self._template_id


def storable(text: str) -> str:
    """Return text that SQLite can hold: lone surrogates, which are no character, become a question mark."""
    return text if text.isascii() else text.encode(errors="replace").decode()
