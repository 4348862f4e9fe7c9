"""Attention over rows that lie one behind the other in one sequence, none of which sees another.

A row may have two ends (a prompt with its two answers): the second end sees the beginning that both share, but not the
first end. No mask over the whole batch is made, and nothing is computed that a mask would throw away.
"""

from functools import lru_cache
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "studio_pieces"
"""How transformers knows this attention."""

Piece = tuple[int, int, int, int]
"""Where tokens that follow each other begin and end, and where begins and ends what they see before them."""


def use(model: Any) -> None:
    """Let a model attend by pieces where they are given, and as always where they are not."""
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    pieces: list[Piece] | None = None,
    **given: Any,
) -> tuple[torch.Tensor, None]:
    """Compute attention as transformers' own for torch does, piece by piece."""
    if pieces is None:
        found: tuple[torch.Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **given)
        return found
    if torch.is_autocast_enabled(query.device.type):
        # As torch's own attention does by itself; the other knows of no autocast.
        computed_in = torch.get_autocast_dtype(query.device.type)
        query, key, value = (each.to(computed_in) for each in (query, key, value))
    if is_in_one_call(query, given.get("dropout", 0.0)):
        return in_one_call(query, key, value, pieces, given.get("scaling")), None
    ends = []
    for start, end, shared_start, shared_end in pieces:
        keys, values = (_with_shared(each, start, end, shared_start, shared_end) for each in (key, value))
        mask = _lower_right(end - start, keys.shape[2], query.device) if shared_end > shared_start else None
        ends.append(sdpa_attention_forward(module, query[:, :, start:end], keys, values, mask, **given)[0])
    return torch.cat(ends, dim=1), None


def _with_shared(each: torch.Tensor, start: int, end: int, shared_start: int, shared_end: int) -> torch.Tensor:
    own = each[:, :, start:end]
    return torch.cat([each[:, :, shared_start:shared_end], own], dim=2) if shared_end > shared_start else own


def _lower_right(queries: int, keys: int, device: torch.device) -> torch.Tensor:
    """Return which keys are seen when the last query is the last key."""
    return torch.ones(1, 1, queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def is_in_one_call(query: torch.Tensor, dropout: float) -> bool:
    """Tell whether torch's flash attention for rows of unequal length takes this; it runs on newer GPUs only."""
    if query.device.type != "cuda" or query.dtype not in (torch.bfloat16, torch.float16) or dropout:
        return False
    size = query.shape[-1]
    return size <= 256 and size % 8 == 0 and _is_flash_able(query.device.index or 0)


@lru_cache
def _is_flash_able(device: int) -> bool:
    return torch.version.hip is None and torch.cuda.get_device_capability(device) >= (8, 0)


def in_one_call(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, pieces: list[Piece], scaling: float | None
) -> torch.Tensor:
    """Attend by flash attention: as many rows as pieces, of keys that are copied where two pieces share them."""
    from torch.nn.attention.varlen import varlen_attn

    queries_to, keys_to, wanted = _borders(tuple(pieces), query.device)
    heads, keys, values = (each[0].transpose(0, 1).contiguous() for each in (query, key, value))
    if wanted is not None:
        keys, values = keys.index_select(0, wanted), values.index_select(0, wanted)
    longest_query = max(end - start for start, end, _, _ in pieces)
    longest_key = max(end - start + shared_end - shared_start for start, end, shared_start, shared_end in pieces)
    # Flash attention aligns a causal mask with the last key, which is what a shared beginning needs.
    found = varlen_attn(
        heads,
        keys,
        values,
        queries_to,
        keys_to,
        longest_query,
        longest_key,
        scale=scaling,
        window_size=(-1, 0),
        enable_gqa=keys.shape[1] != heads.shape[1],
    )
    assert isinstance(found, torch.Tensor)
    return found.unsqueeze(0)


@lru_cache(maxsize=4)
def _borders(pieces: tuple[Piece, ...], device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Return where pieces end among queries and among keys, and the keys' places; the same for each layer."""
    own = torch.tensor([end - start for start, end, _, _ in pieces])
    shared = torch.tensor([end - start for _, _, start, end in pieces])
    wanted = None
    if shared.any():
        places = [
            torch.cat([torch.arange(shared_start, shared_end), torch.arange(start, end)])
            for start, end, shared_start, shared_end in pieces
        ]
        wanted = torch.cat(places).to(device)
    queries_to, keys_to = (
        torch.nn.functional.pad(lengths.cumsum(0), (1, 0)).to(device, torch.int32) for lengths in (own, own + shared)
    )
    return queries_to, keys_to, wanted
