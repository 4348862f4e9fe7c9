"""What a run or an export uses: chosen by rules, counted, and frozen under the hash of its content."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass

import orjson

from store import examples, pairs
from store.database import Store
from store.examples import Example, Message, Response, Split, completion_of, prompt_group, prompt_of
from store.pairs import Entry
from store.snapshots import Snapshot, SnapshotItem, SnapshotKind
from studio.formats.row import PreferenceRow, SftRow
from studio.project import Project

ID_LENGTH = 32
"""Hexadecimal digits of a snapshot's id."""

_NOT_DECIDED = {"tie": "judged a tie", "both_bad": "judged both bad", "skip": "skipped"}

SnapshotRow = SftRow | PreferenceRow


@dataclass(frozen=True)
class Built:
    """A snapshot with the rows that it stands for; the caller saves it."""

    snapshot: Snapshot
    rows: list[tuple[SnapshotItem, SnapshotRow]]

    @property
    def left_out(self) -> dict[str, int]:
        """How many others were left out for which reason."""
        return dict(self.snapshot.counts["left_out"])


class _LeftOut(Exception):
    """An example or a pair that does not get in; the text is the reason."""


def build(project: Project, store: Store, kind: SnapshotKind, *, split: Split | None = None) -> Built:  # noqa: ARG001
    """Return the rows that can be used now, in the order that their examples or pairs were made.

    For `sft` these are the examples that end with an answer, for `preference` the pairs whose current
    verdict names a better side. Excluded and rejected examples stay out; flagged ones, which only wait
    for a second look, stay in.
    """
    with store.reading():
        candidates = _without_leaks(_conversations(store) if kind == "sft" else _preferences(store), _held_out(store))
    rows: list[tuple[SnapshotItem, SnapshotRow]] = []
    left_out: Counter[str] = Counter()
    for candidate in candidates:
        if isinstance(candidate, str):
            left_out[candidate] += 1
        elif split and candidate[0].split != split:
            left_out[f"not in the {split} split"] += 1
        else:
            rows.append(candidate)
    splits = Counter(item.split for item, _ in rows)
    counts = {**splits, "left_out": dict(left_out)}
    items = [item for item, _ in rows]
    return Built(Snapshot(_id(kind, rows), kind, items, f"split:{split}" if split else "", counts), rows)


_Candidate = tuple[SnapshotItem, SnapshotRow] | str
_Candidates = Iterator[_Candidate]


def _held_out(store: Store) -> dict[bytes, Split]:
    """Return the prompts that are held out, as they read now, with their split; test goes before validation."""
    found: dict[bytes, Split] = {}
    for example in examples.all_current(store):
        if example.split != "train" and not example.excluded and example.status != "rejected":
            group = prompt_group(example.messages)
            found[group] = "test" if "test" in (example.split, found.get(group)) else "validation"
    return found


def _without_leaks(candidates: _Candidates, held_out: dict[bytes, Split]) -> list[_Candidate]:
    """Put a reason in the place of each row whose prompt, through an edit, is now one of another split."""
    found: list[_Candidate] = []
    for candidate in candidates:
        if not isinstance(candidate, str):
            item, row = candidate
            group = prompt_group(row.messages if isinstance(row, SftRow) else row.prompt)
            if held_out.get(group, item.split) != item.split:
                candidate = f"its prompt is in the {held_out[group]} split"  # noqa: PLW2901
        found.append(candidate)
    return found


def _conversations(store: Store) -> _Candidates:
    for example in examples.all_current(store):
        try:
            yield _conversation(example)
        except _LeftOut as reason:
            yield str(reason)


def _conversation(example: Example) -> tuple[SnapshotItem, SnapshotRow]:
    _check_wanted(example)
    answer = completion_of(example.messages)
    if not answer:
        raise _LeftOut("without an answer")
    if _is_empty(answer):
        raise _LeftOut("the answer is empty")
    row = SftRow(example.messages, example.tools)
    _check_characters(row)
    return SnapshotItem(example.split, example.id, example.revision), row


def _preferences(store: Store) -> _Candidates:
    known = {example.id: example for example in examples.all_current(store)}
    responses = {response.id: response for response in examples.all_responses(store)}
    verdicts = {entry.pair_id: entry for entry in pairs.current_verdicts(store)}
    for pair_id, example_id in pairs.examples_of_pairs(store).items():
        try:
            yield _preference(known[example_id], verdicts.get(pair_id), responses)
        except _LeftOut as reason:
            yield str(reason)


def _preference(
    example: Example, verdict: Entry | None, responses: dict[int, Response]
) -> tuple[SnapshotItem, SnapshotRow]:
    _check_wanted(example)
    if verdict is None:
        raise _LeftOut("not judged yet")
    if verdict.chosen_and_rejected is None:
        raise _LeftOut(_NOT_DECIDED.get(verdict.verdict or "", "without a better side"))
    chosen_id, rejected_id = verdict.chosen_and_rejected
    chosen, rejected = responses[chosen_id].messages, responses[rejected_id].messages
    prompt = prompt_of(example.messages)
    _check_pair(prompt, chosen, rejected)
    row = PreferenceRow(prompt, chosen, rejected, example.tools)
    _check_characters(row)
    item = SnapshotItem(example.split, example.id, example.revision, chosen_id, rejected_id, verdict.id)
    return item, row


def _check_wanted(example: Example) -> None:
    if example.excluded:
        raise _LeftOut("excluded")
    if example.status == "rejected":
        raise _LeftOut("rejected")


def _check_pair(prompt: list[Message], chosen: list[Message], rejected: list[Message]) -> None:
    if not prompt:
        raise _LeftOut("without a prompt")
    if chosen == rejected:
        raise _LeftOut("both answers are the same")
    if _is_empty(chosen) or _is_empty(rejected):
        raise _LeftOut("an answer is empty")


def _is_empty(answer: list[Message]) -> bool:
    return not any(message["content"].strip() or message.get("tool_calls") for message in answer)


def _check_characters(row: SnapshotRow) -> None:
    try:
        orjson.dumps(asdict(row))
    except TypeError:
        # Lone surrogates and integers above 64 bits: no tokenizer and no trainer's file can hold them.
        raise _LeftOut("holds half a character or too large a number") from None


def _id(kind: SnapshotKind, rows: list[tuple[SnapshotItem, SnapshotRow]]) -> str:
    digest = hashlib.sha256(kind.encode())
    for item, row in rows:
        digest.update(orjson.dumps([astuple(item), asdict(row)], option=orjson.OPT_SORT_KEYS) + b"\n")
    return digest.hexdigest()[:ID_LENGTH]
