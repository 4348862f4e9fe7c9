"""What rows mean, written into the store: examples, their responses, their pairs and verdicts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

from store import examples, journal, pairs, responses, splits
from store.database import Store
from store.examples import NewExample, Split, prompt_group
from store.gathered import MAJORITY
from store.journal import NewEntry
from store.pairs import NewPair, Verdict
from store.quoting import dumps, places, quote
from store.responses import NewResponse
from studio.formats.row import Candidate, Row
from studio.settings import SplitSettings, TemplateSettings
from studio.splits import split_of
from studio.templating import versions

_FLIPPED: dict[Verdict, Verdict] = {"left": "right", "right": "left"}

Said = tuple[Verdict | None, str, str]
"""Verdict, rater and remark; without a verdict only the remark counts."""


@dataclass
class Made:
    """How much came of the rows of a file."""

    examples: int = 0
    responses: int = 0
    pairs: int = 0
    verdicts: int = 0
    kept_split: int = 0
    """Examples that stay in the split which their prompt had already, although another was asked for."""

    def described(self) -> list[str]:
        """Return the counts that are not zero, in words."""
        counts = (
            (self.examples, "example"),
            (self.responses, "response"),
            (self.pairs, "pair"),
            (self.verdicts, "verdict"),
        )
        return [f"{number:,} {what}{'' if number == 1 else 's'}" for number, what in counts if number]


class Understood(NamedTuple):
    """A record with what its row means."""

    record_id: int
    hash: bytes
    """Of the record; decides which response is shown on which side."""
    fields: dict[str, Any]
    row: Row


class Ingest:
    """Writes rows of one file; each batch joins the caller's transaction."""

    def __init__(
        self,
        store: Store,
        splits: SplitSettings,
        file: str,
        template: TemplateSettings | None,
        *,
        split: Split | None = None,
    ) -> None:
        self.made = Made()
        self._store = store
        self._splits = splits
        self._split = split
        self._rater = storable(f"file {file}")
        self._majority = storable(f"{MAJORITY}{file}")
        self._template = template
        self._template_id: int | None = None
        # A prompt keeps the split that it has. Within one file the rules give the same one each time.
        self._looks_up_splits = examples.count(store) > 0
        self._splits_before: dict[bytes, Split] | None = None

    def remember_splits(self) -> None:
        """Read the splits of all prompts now, because the index that finds one is about to be taken away."""
        self._splits_before = splits.of_all(self._store)

    def add(self, rows: Iterable[Understood]) -> None:
        """Add what a batch of rows means."""
        batch = list(rows)
        groups = [prompt_group(row.asked or row.messages) for _, _, _, row in batch]
        splits = self._splits_of(groups)
        new = _Batch(self._store)
        for (record_id, digest, fields, row), group in zip(batch, groups, strict=True):
            known = places(fields)
            tools = None if row.tools is None else dumps(row.tools)
            example_id = new.next_example + len(new.examples)
            new.examples.append((example_id, record_id, group, splits[group], quote(row.messages, known), tools))
            if row.candidates:
                first = new.next_response + len(new.responses)
                for number, c in enumerate(row.candidates, first):
                    author = storable(c.author) if c.author else ""
                    said = None if c.parameters is None else dumps(c.parameters)
                    messages = quote(c.messages, known)
                    new.responses.append((number, example_id, messages, c.origin, author, c.label, said))
                self._add_pairs(new, example_id, row, first, int.from_bytes(digest[:4], "big"))
        self._write(new)

    def _splits_of(self, groups: list[bytes]) -> dict[bytes, Split]:
        wanted = set(groups)
        found: dict[bytes, Split] = {}
        if self._splits_before is not None:
            found = {group: self._splits_before[group] for group in wanted & self._splits_before.keys()}
        elif self._looks_up_splits:
            found = splits.of_groups(self._store, wanted)
        if self._split:
            self.made.kept_split += sum(found.get(group, self._split) != self._split for group in groups)
        return {group: found.get(group) or self._split or split_of(group, self._splits) for group in wanted}

    def _add_pairs(self, new: "_Batch", example_id: int, row: Row, first_response: int, seed: int) -> None:
        offered = row.candidates
        if len(offered) < 2:
            return
        verdicts = self._verdicts(row)
        if verdicts or _can_be_compared(offered[0], offered[1]):
            self._add_pair(new, example_id, first_response, first_response + 1, seed, verdicts)
        if len(offered) == 2:
            return
        for number, (first, second) in enumerate(combinations(range(len(offered)), 2)):
            if number and _can_be_compared(offered[first], offered[second]):
                self._add_pair(new, example_id, first_response + first, first_response + second, seed + number, ())

    def _add_pair(
        self, new: "_Batch", example_id: int, first: int, second: int, seed: int, verdicts: Sequence[Said]
    ) -> None:
        pair_id = new.next_pair + len(new.pairs)
        counts: tuple[int | None, Verdict | None] = (None, None)
        # As Pair.left_id has it: the first is shown on the left where the seed is even.
        left, right = (second, first) if seed % 2 else (first, second)
        for verdict, rater, note in verdicts:
            entry_id = new.next_entry + len(new.entries)
            if verdict is None:
                new.entries.append((entry_id, "comment", pair_id, None, None, None, None, note, rater))
                continue
            # The row's left is its first answer, which the pair may show on the right.
            shown = _FLIPPED.get(verdict, verdict) if seed % 2 else verdict
            new.entries.append((entry_id, "verdict", pair_id, left, right, seed, shown, note, rater))
            counts = entry_id, shown
        new.pairs.append((pair_id, example_id, first, second, seed, *counts))

    def _verdicts(self, row: Row) -> Sequence[Said]:
        """Return what was said of the row's first two answers.

        Of several the one that counts, what most of them say, comes last.
        """
        if row.verdict is not None or not row.judgements:
            said = row.verdict is not None or row.comment
            return [(row.verdict, storable(row.rater) or self._rater, storable(row.comment))] if said else []
        given = [
            (j.verdict, storable(j.rater) or self._rater, storable(j.comment)) for j in row.judgements if j.verdict
        ]
        if len(given) < 2:
            return given
        (most, votes), *others = Counter(verdict for verdict, _, _ in given).most_common(2)
        if others and others[0][1] == votes:
            return [*given, ("skip", self._majority, "the raters disagree, and no verdict has most votes")]
        return [*given, (most, self._majority, "")]

    def _write(self, new: "_Batch") -> None:
        origin: examples.RevisionOrigin = "template" if self._template else "import"
        examples.add_many(self._store, new.examples, template_id=self._kept_template(), origin=origin)
        responses.add_many(self._store, new.responses)
        pairs.add_many(self._store, new.pairs)
        journal.add_many(self._store, new.entries)
        self.made.examples += len(new.examples)
        self.made.responses += len(new.responses)
        self.made.pairs += len(new.pairs)
        self.made.verdicts += sum(entry[6] is not None for entry in new.entries)

    def _kept_template(self) -> int | None:
        if self._template and self._template_id is None:
            self._template_id = versions.save(self._store, self._template).id
        return self._template_id


class _Batch:
    """New rows under the ids that they will have; certain because the caller holds the write lock."""

    def __init__(self, store: Store) -> None:
        self.examples: list[NewExample] = []
        self.responses: list[NewResponse] = []
        self.pairs: list[NewPair] = []
        self.entries: list[NewEntry] = []
        self.next_example = examples.next_id(store)
        self.next_response = responses.next_id(store)
        self.next_pair = pairs.next_id(store)
        self.next_entry = journal.next_id(store)


def _can_be_compared(first: Candidate, second: Candidate) -> bool:
    # Nobody can choose between equal answers; labels of single answers are no comparison either.
    return first.label is None and second.label is None and first.messages != second.messages


def storable(text: str) -> str:
    """Return text that SQLite can hold: lone surrogates, which are no character, become a question mark."""
    return text if text.isascii() else text.encode(errors="replace").decode()
