"""What a GGUF says of itself, in the words that people use."""

from collections import Counter
from dataclasses import dataclass
from math import prod
from pathlib import Path

from studio.inference.gguf.header import Header, read_header
from studio.inference.gguf.metadata import RUN

TYPES = {
    **{0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1"},
    **{10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS"},
    **{18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 30: "BF16"},
    **{34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4"},
}
"""The types of tensors, by their number in ggml."""

FILE_TYPES = {
    **{0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S"},
    **{12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K"},
    **{19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL"},
    **{26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0"},
    **{37: "TQ2_0", 38: "MXFP4"},
}
"""The values of `general.file_type`, from llama.cpp."""


@dataclass(frozen=True)
class GgufFacts:
    """A GGUF file, described."""

    path: Path
    kind: str
    """`model` or `adapter`."""
    architecture: str
    name: str
    licence: str
    quantisation: str
    parameters: int
    context: int | None
    """Tokens that it was trained for."""
    bytes: int
    tokenizer: str
    """Its kind and rules, such as `gpt2, smollm`; empty where there is none."""
    vocabulary: int
    special: dict[str, int]
    """The ids of bos, eos, eot, pad and unknown, as far as it names them."""
    adds_bos: bool
    chat_template: str
    run: str
    """The run of this studio that it came from; empty for others."""
    tensors: dict[str, int]
    """How many tensors there are of each type."""


def describe(gguf: Path) -> GgufFacts:
    """Read what a GGUF says of itself; milliseconds, whatever its size.

    Raises:
        StudioError: it is no GGUF, or not a whole one.
    """
    header = read_header(gguf)
    tensors = Counter(TYPES.get(tensor.type, f"type {tensor.type}") for tensor in header.tensors)
    architecture = header.text("general.architecture")
    model, rules = header.text("tokenizer.ggml.model"), header.text("tokenizer.ggml.pre")
    return GgufFacts(
        path=gguf,
        kind=header.text("general.type") or "model",
        architecture=architecture,
        name=header.text("general.name"),
        licence=header.text("general.license"),
        quantisation=_quantisation(header, tensors),
        parameters=sum(prod(tensor.sizes) for tensor in header.tensors),
        context=header.number(f"{architecture}.context_length"),
        bytes=gguf.stat().st_size,
        tokenizer=", ".join(filter(None, (model, rules))),
        vocabulary=header.number("tokenizer.ggml.tokens#") or 0,
        special=_special(header),
        adds_bos=bool(header.values.get("tokenizer.ggml.add_bos_token", model == "llama")),
        chat_template=header.text("tokenizer.chat_template"),
        run=header.text(RUN),
        tensors=dict(tensors.most_common()),
    )


def _quantisation(header: Header, tensors: Counter[str]) -> str:
    """Return the type that the file claims, or that most of its weights have."""
    claimed = FILE_TYPES.get(header.number("general.file_type") or -1)
    if claimed:
        return claimed
    weights = [TYPES.get(tensor.type, f"type {tensor.type}") for tensor in header.tensors if len(tensor.sizes) > 1]
    return Counter(weights).most_common(1)[0][0] if weights else next(iter(tensors), "")


def _special(header: Header) -> dict[str, int]:
    names = {"bos": "bos", "eos": "eos", "eot": "eot", "pad": "padding", "unknown": "unknown"}
    found = {name: header.number(f"tokenizer.ggml.{key}_token_id") for name, key in names.items()}
    return {name: number for name, number in found.items() if number is not None}
