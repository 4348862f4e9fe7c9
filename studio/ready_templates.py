"""Chat templates for base models that came without one, so that they can be taught to answer."""

from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.models import BaseModel
from studio.rendering import ChatTokenizer, render

_PLAIN = """\
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
{{- 'Assistant:\\n' + message['content'] + eos_token + '\\n\\n' -}}
{%- elif message['role'] == 'user' -%}
{{- 'User:\\n' + message['content'] + '\\n\\n' -}}
{%- else -%}
{{- message['content'] + '\\n\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- 'Assistant:\\n' -}}
{%- endif -%}
"""

_CHATML = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""

READY = {"plain": _PLAIN, "chatml": _CHATML}
"""By name: words with the model's own end of text, or ChatML, which needs its tokens in the vocabulary."""

UNTRAINED = 0.2
"""An embedding that is shorter than this share of the usual length has never been learnt."""


def ready(name: str, base: BaseModel) -> str:
    """Return a ready template for a model whose tokenizer is prepared.

    Raises:
        StudioError: the model's tokenizer lacks a token that the template needs.
    """
    tokenizer = ChatTokenizer.load(base.folder, READY[name])
    if name == "plain":
        end = tokenizer.named_tokens.get("eos_token", "")
        if tokenizer.tokenizer.token_to_id(end) is None:
            raise StudioError(f"The tokenizer of {base.name} has no token that ends a text, so no answer could end.")
        return READY[name]
    for token in ("<|im_start|>", "<|im_end|>"):
        if token not in tokenizer.special_tokens:
            raise StudioError(f"{base.name} has no token {token}, which ChatML is made of.", "Use --ready plain.")
    return READY[name]


def untrained_tokens(base: BaseModel, tokenizer: ChatTokenizer) -> list[str]:
    """Return the control tokens of a chat template that the model has never learnt, told by their embeddings.

    Many base models keep such tokens in their vocabulary for later use. A LoRA adapter can't teach them, since it
    leaves the embeddings as they are; training all weights can.

    Raises:
        StudioError: the template refuses even a plain conversation.
    """
    import numpy as np

    probe = render(tokenizer, [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
    used = sorted({token for token in probe.ids if token in tokenizer.special_ids})
    usual = list(range(0, tokenizer.tokenizer.get_vocab_size(), max(1, tokenizer.tokenizer.get_vocab_size() // 256)))
    rows = _embeddings(base, used + usual)
    if rows is None or not used:
        return []
    lengths = np.linalg.norm(rows, axis=1)
    limit = UNTRAINED * float(np.median(lengths[len(used) :]))
    return [tokenizer.decode([token]) for token, length in zip(used, lengths, strict=False) if length < limit]


def _embeddings(base: BaseModel, tokens: list[int]) -> Any | None:
    """Return some rows of the embedding; None where the files don't name it as is usual."""
    if base.kind == "gguf":
        return _of_gguf(base.source, tokens)
    return _of_safetensors(base.folder, tokens)


def _of_gguf(path: Path, tokens: list[int]) -> Any | None:
    import gguf
    from gguf.quants import dequantize

    tensor = next((each for each in gguf.GGUFReader(path).tensors if each.name == "token_embd.weight"), None)
    return None if tensor is None else dequantize(tensor.data[tokens], tensor.tensor_type)


def _of_safetensors(folder: Path, tokens: list[int]) -> Any | None:
    import numpy as np
    from safetensors import safe_open

    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            name = next((each for each in file.keys() if each.endswith("embed_tokens.weight")), None)  # noqa: SIM118
            if name:
                rows = file.get_slice(name)
                return np.stack([rows[token : token + 1][0].float().numpy() for token in tokens])
    return None
