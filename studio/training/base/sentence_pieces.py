"""The tokenizers of SentencePiece's kind (Llama 2, Gemma, Phi-3): pieces with scores, and bytes for the rest."""

from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers

SPACE = "▁"
NORMAL = 1
"""Value of `tokenizer.ggml.token_type`, from the GGUF specification, of what is made by merging."""


def build(tokens: list[str], scores: list[float], kinds: list[int], unknown: int | None, *, prefix: bool) -> Tokenizer:
    """Return the tokenizer that merges as llama.cpp does: always the two neighbours whose union scores highest.

    Args:
        tokens: the pieces, by id.
        scores: theirs.
        kinds: theirs, as the GGUF says.
        unknown: the id for what even bytes can't say.
        prefix: whether a text begins with a space that nobody wrote.
    """
    normal = {token: i for i, token in enumerate(tokens) if kinds[i] == NORMAL}
    model = models.BPE(
        vocab={token: i for i, token in enumerate(tokens)},
        merges=_merges(normal, scores),
        unk_token=None if unknown is None else tokens[unknown],
        fuse_unk=True,
        byte_fallback=True,
    )
    tokenizer = Tokenizer(model)
    spaces = normalizers.Replace(" ", SPACE)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), spaces]) if prefix else spaces
    steps: list[Any] = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if prefix else steps)
    return tokenizer


def _merges(normal: dict[str, int], scores: list[float]) -> list[tuple[str, str]]:
    found = [
        (-scores[i], i, piece[:cut], piece[cut:])
        for piece, i in normal.items()
        for cut in range(1, len(piece))
        if piece[:cut] in normal and piece[cut:] in normal
    ]
    found.sort(key=lambda merge: merge[:2])
    return [(left, right) for _, _, left, right in found]
