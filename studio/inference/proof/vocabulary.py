"""What a GGUF says of its text beside the tokenizer that trained: template, vocabulary, special tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.inference.proof.evidence import Check, Difference, Finding, Outcome, Piece
from studio.named_templates import together
from studio.rendering import ChatTokenizer, render_prompt

if TYPE_CHECKING:
    import gguf as gguf_library

CONTROL, USER_DEFINED = 3, 4
"""Values of `tokenizer.ggml.token_type` for tokens that are read whole."""

NAMED = {"bos": "bos_token_id", "eos": "eos_token_id", "pad": "padding_token_id", "unk": "unknown_token_id"}
"""Under which names a tokenizer and a GGUF keep the same special token."""

AROUND = 24
"""Characters of two templates that are shown where they part."""

MOST_NAMED = 5
"""Tokens that are named one by one; more are counted."""


@dataclass(frozen=True)
class Vocabulary:
    """What a GGUF says of its tokenizer."""

    template: str | None
    tokens: list[str]
    kinds: list[int]
    named: dict[str, int]
    """The ids of bos, eos, pad, unk and eot, those that are given."""
    adds_bos: bool


def read_vocabulary(reader: "gguf_library.GGUFReader") -> Vocabulary:
    """Read it from an open GGUF."""

    def field(key: str) -> Any:
        found = reader.get_field(f"tokenizer.{key}")
        return None if found is None else found.contents()

    ids = {name: field(f"ggml.{key}") for name, key in {**NAMED, "eot": "eot_token_id"}.items()}
    named = {name: int(number) for name, number in ids.items() if number is not None}
    kinds = [int(kind) for kind in field("ggml.token_type") or ()]
    template = together({"default": field("chat_template"), "tool_use": field("chat_template.tool_use")})
    return Vocabulary(template, field("ggml.tokens") or [], kinds, named, bool(field("ggml.add_bos_token")))


def check_template(tokenizer: ChatTokenizer, found: Vocabulary, gguf: Path, *, is_own: bool) -> Check:
    """Compare the chat template that trained with the GGUF's.

    Args:
        tokenizer: what trained.
        found: what the GGUF says.
        gguf: the file.
        is_own: whether the template came with the model; a project's own differs by intent.
    """
    ours, theirs = (text.removesuffix("\n") for text in (tokenizer.template, found.template or ""))
    if found.template is None:
        words = f"{gguf.name} carries no chat template"
        words += "; other programs need it from the tokenizer's folder" if is_own else ", nor does its tokenizer"
        return Check("template", "noted", words)
    if ours == theirs:
        return Check("template", "equal", f"the same {len(ours):,} characters")
    if not is_own:
        words = f"the project's own; {gguf.name} carries the model's, so other programs must be given this one"
        return Check("template", "noted", words)
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
    sides = (tuple(Piece(text) for text in [side[at : at + AROUND]] if text) for side in (ours, theirs))
    trained, other = sides
    before = ours[max(0, at - AROUND) : at]
    difference = Difference("the chat template", at, before, trained, other)
    words = f"the GGUF's differs from character {at + 1:,} on, after {before!r}"
    finding = Finding(
        "template",
        f"{gguf.name} carries another chat template than the one that trained: they part at character {at + 1:,}.",
        "Programs that take the GGUF's would prompt the model in another form; convert it again with the tokenizer.",
    )
    return Check("template", "different", words, (finding,), difference=difference)


def check_special_tokens(tokenizer: ChatTokenizer, found: Vocabulary, gguf: Path) -> Check:
    """Compare every token's text and kind, and which ids bos, eos and the others have."""
    faults = [
        *_moved(tokenizer, found, gguf),
        *_not_special(tokenizer, found, gguf),
        *_misnamed(tokenizer, found, gguf),
        *_unending(tokenizer, found, gguf),
    ]
    asides = list(_asides(tokenizer, found, gguf))
    named = ", ".join(f"{name} {number}" for name, number in found.named.items())
    sentence = f"{len(found.tokens):,} tokens; {named or 'no special token is named'}"
    outcome: Outcome = "different" if faults else "noted" if asides else "equal"
    return Check("special tokens", outcome, sentence, (*faults, *asides))


def _moved(tokenizer: ChatTokenizer, found: Vocabulary, gguf: Path) -> Iterator[Finding]:
    """Find ids that stand for another text in the GGUF."""
    special = tokenizer.special_ids
    moved = [
        (number, text, theirs)
        for text, number in tokenizer.tokenizer.get_vocab(with_added_tokens=True).items()
        if _plain(theirs := found.tokens[number] if number < len(found.tokens) else "") != _plain(text)
    ]
    for number, text, theirs in sorted(moved)[:MOST_NAMED]:
        if number in special:
            yield Finding(
                "special token",
                f"Token {number} is {text!r} where it was trained and {theirs!r} in {gguf.name}.",
                "What the template puts there reaches the model as something else; convert the vocabulary again.",
            )
    ordinary = [each for each in moved if each[0] not in special]
    if ordinary:
        number, text, theirs = min(ordinary)
        yield Finding(
            "vocabulary",
            f"{len(ordinary):,} tokens have another text in {gguf.name}; the first is {number}: {text!r},"
            f" there {theirs!r}.",
            "The GGUF was made with another tokenizer.",
        )


def _not_special(tokenizer: ChatTokenizer, found: Vocabulary, gguf: Path) -> Iterator[Finding]:
    """Find special tokens that llama.cpp would not read as one."""
    whole = (CONTROL, USER_DEFINED)
    lost = [i for i in sorted(tokenizer.special_ids) if i < len(found.kinds) and found.kinds[i] not in whole]
    used = [
        i for i in lost if i in tokenizer.eos_ids or (tokenizer.tokenizer.id_to_token(i) or "\0") in tokenizer.template
    ]
    if used:
        names = ", ".join(repr(tokenizer.tokenizer.id_to_token(i)) for i in used[:MOST_NAMED])
        yield Finding(
            "special token",
            f"{gguf.name} holds {names} as ordinary text, which llama.cpp cuts into pieces.",
            "Convert the model again with its tokenizer_config.json.",
        )


def _misnamed(tokenizer: ChatTokenizer, found: Vocabulary, gguf: Path) -> Iterator[Finding]:
    """Find special tokens of which the GGUF names another one, where that changes what a model reads or writes."""
    for name in ("bos", "eos"):
        text, theirs = tokenizer.named_tokens.get(f"{name}_token"), found.named.get(name)
        ours = tokenizer.tokenizer.token_to_id(text) if text else None
        if ours is None or theirs is None or ours == theirs or (name == "eos" and theirs in tokenizer.eos_ids):
            continue
        if name == "bos" and not found.adds_bos and "bos_token" not in tokenizer.template:
            continue
        yield Finding(
            "special token",
            f"{name} is token {ours} ({text!r}) in the tokenizer and token {theirs} ({_text_of(found, theirs)!r})"
            f" in {gguf.name}.",
            "Set it in the GGUF's metadata, or convert the model again.",
        )


def _unending(tokenizer: ChatTokenizer, found: Vocabulary, gguf: Path) -> Iterator[Finding]:
    """Find an answer's end that programs which only read the GGUF would run over."""
    stops = {found.named[name] for name in ("eos", "eot") if name in found.named}
    if stops and tokenizer.eos_ids and not stops & tokenizer.eos_ids:
        ends = ", ".join(repr(tokenizer.tokenizer.id_to_token(i)) for i in sorted(tokenizer.eos_ids))
        shown = ", ".join(repr(_text_of(found, i)) for i in sorted(stops))
        yield Finding(
            "special token",
            f"Answers were trained to end with {ends}, and {gguf.name} stops at {shown}.",
            "Other programs would let the model talk on; chat here stops at the trained one.",
        )


def _asides(tokenizer: ChatTokenizer, found: Vocabulary, gguf: Path) -> Iterator[Finding]:
    """Note what other programs make of the GGUF otherwise than is done here."""
    bos = tokenizer.named_tokens.get("bos_token", "")
    try:
        begins = bool(bos) and render_prompt(tokenizer, [{"role": "user", "content": "a"}]).text.startswith(bos)
    except StudioError:
        return
    if found.adds_bos and not begins:
        yield Finding(
            "bos",
            f"{gguf.name} asks for a first token (add_bos_token) that the template does not write.",
            "Chat here does not add it, as training did not; some programs do.",
        )
    if found.adds_bos and begins:
        yield Finding(
            "bos",
            f"{gguf.name} asks for a first token (add_bos_token) that the template writes too.",
            "Chat here sends it once, as training did; a program that adds it to the rendered text sends it twice.",
        )


def _text_of(found: Vocabulary, number: int) -> str:
    return found.tokens[number] if 0 <= number < len(found.tokens) else ""


def _plain(text: str) -> str:
    # Converters write added tokens with spaces where the tokenizer has its own sign for them.
    return text.replace("\N{LOWER ONE EIGHTH BLOCK}", " ")
