"""Batches without padding: all rows of one lie behind each other in one sequence."""

from collections.abc import Mapping
from typing import Any

import torch

from studio.training.fast.attention import Piece

NOT_LEARNT = -100
_FOR_THE_MODEL = ("input_ids", "position_ids", "scored_from", "scored_ids", "pieces")


def given(batch: Mapping[str, Any], device: torch.device | None = None) -> dict[str, Any]:
    """Return what the model is given of a batch."""
    found = {name: batch[name] for name in _FOR_THE_MODEL}
    return {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in found.items()}


def texts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Lay out rows of `input_ids` and `labels`; packed ones say the lengths of what they hold in `seq_lengths`."""
    ids = [token for row in rows for token in row["input_ids"]]
    labels = [label for row in rows for label in row["labels"]]
    lengths = [length for row in rows for length in row.get("seq_lengths") or [len(row["input_ids"])]]
    pieces: list[Piece] = []
    start = 0
    for length in lengths:
        pieces.append((start, start + length, 0, 0))
        # Nothing comes before a first token that it could be predicted from.
        labels[start] = NOT_LEARNT
        start += length
    learnt = [place for place, label in enumerate(labels) if label != NOT_LEARNT]
    return {
        "input_ids": torch.tensor([ids]),
        "position_ids": torch.tensor([[place for length in lengths for place in range(length)]]),
        "labels": torch.tensor([labels]),
        "scored_from": torch.tensor([place - 1 for place in learnt], dtype=torch.long),
        "scored_ids": torch.tensor([ids[place] for place in learnt], dtype=torch.long),
        "pieces": pieces,
    }


def pairs(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Lay out pairs as prompt, chosen, rejected: the prompt is there once, and each answer sees it alone."""
    ids: list[int] = []
    positions: list[int] = []
    counted: list[int] = []
    pieces: list[Piece] = []
    scored: dict[str, list[tuple[int, int]]] = {"chosen": [], "rejected": []}
    lengths: dict[str, list[int]] = {"chosen": [], "rejected": []}
    for row in rows:
        prompt, chosen, rejected = row["prompt_ids"], row["chosen_ids"], row["rejected_ids"]
        start, fork, end = len(ids), len(ids) + len(prompt), len(ids) + len(prompt) + len(chosen)
        pieces += [(start, end, 0, 0), (end, end + len(rejected), start, fork)]
        ids += prompt + chosen + rejected
        positions += [*range(len(prompt) + len(chosen)), *range(len(prompt), len(prompt) + len(rejected))]
        counted += [0] * len(prompt) + [1] * (len(chosen) + len(rejected))
        # The first token of either answer is predicted from the prompt's last.
        for side, answer, begin in (("chosen", chosen, fork), ("rejected", rejected, end)):
            before = [fork - 1, *range(begin, begin + len(answer) - 1)]
            first = 0 if prompt else 1
            scored[side] += zip(before[first:], answer[first:], strict=False)
            lengths[side].append(len(answer) - first)
    both = scored["chosen"] + scored["rejected"]
    batch = {
        "input_ids": torch.tensor([ids]),
        "position_ids": torch.tensor([positions]),
        "completion_mask": torch.tensor([counted]),
        "scored_from": torch.tensor([place for place, _ in both], dtype=torch.long),
        "scored_ids": torch.tensor([token for _, token in both], dtype=torch.long),
        "answer_lengths": torch.tensor(lengths["chosen"] + lengths["rejected"]),
        "pieces": pieces,
    }
    if "ref_chosen_logps" in rows[0]:
        for name in ("ref_chosen_logps", "ref_rejected_logps"):
            batch[name] = torch.tensor([row[name] for row in rows], dtype=torch.float32)
    return batch
