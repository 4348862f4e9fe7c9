"""The one place where messages become text, token ids and a loss mask: for preview, training, parity and chat."""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.examples import Message, completion_of, prompt_of
from studio.chat_template import render_template
from studio.chat_templates import own_template
from studio.errors import StudioError
from studio.special_tokens import Marker, protected

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_SURROGATES = re.compile("[\ud800-\udfff]")

_NAMED_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
"""By which transformers knows special tokens too; templates see these and no others."""

_LONG = 10_000
"""Characters that take a tokenizer more than a moment."""


@dataclass(frozen=True)
class Rendering:
    """A conversation as the model sees it."""

    text: str
    ids: list[int]
    trained: list[bool]
    """For each id, whether its loss is counted: the last answer with its end-of-turn."""
    pieces: list[str]
    """For each id, its text; empty where a token goes on with the character of the one before."""
    prompt_length: int
    """Ids that belong to the prompt with its generation prompt."""


@dataclass(frozen=True)
class Segment:
    """A stretch of rendered text, with the special tokens in it read as such.

    Between two of them a special token in a person's text is broken up: neither half of it is one.
    """

    text: str


@dataclass(frozen=True)
class ChatTokenizer:
    """A tokenizer with its chat template, as they lie in a Hugging Face folder."""

    tokenizer: "Tokenizer"
    template: str
    named_tokens: dict[str, str]
    """`bos_token` and the like, as templates use them."""

    @classmethod
    def load(cls, folder: Path, template: str | None = None) -> "ChatTokenizer":
        """Read `tokenizer.json`, `tokenizer_config.json` and the chat template, or take another template instead.

        Raises:
            StudioError: a file is missing or broken, or there is no chat template.
        """
        from tokenizers import Tokenizer

        # Texts are encoded one by one, and threads of its own would be in the way of processes that are started.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
            config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            template = own_template(folder) if template is None else template
        except FileNotFoundError as error:
            raise StudioError(f"{error.filename} is missing.", "Prepare the model again: studio doctor.") from error
        except Exception as error:  # tokenizers raises plain Exception for a broken file
            raise StudioError(f"The tokenizer in {folder} can't be read: {error}.") from error
        if template is None:
            raise StudioError(
                f"The tokenizer in {folder} has no chat template.",
                "Use the model's instruction-tuned form, or give the project a template: studio chat-template --set.",
            )
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return cls(tokenizer, template, _named_tokens(config))

    @cached_property
    def special_tokens(self) -> frozenset[str]:
        """The texts that stand for control tokens."""
        return frozenset(t.content for t in self.tokenizer.get_added_tokens_decoder().values() if t.special)

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """The ids of the control tokens."""
        return frozenset(i for i, t in self.tokenizer.get_added_tokens_decoder().items() if t.special)

    @cached_property
    def special_pattern(self) -> re.Pattern[str]:
        """Matches any special token; longer ones first."""
        ordered = sorted(self.special_tokens, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, ordered)) or r"(?!)")

    @cached_property
    def template_tokens(self) -> frozenset[str]:
        """Tokens beside the special ones that the template writes to tell parts of a turn: `<tool_call>`, `<think>`."""
        added = self.tokenizer.get_added_tokens_decoder().values()
        return frozenset(
            t.content for t in added if not t.special and t.content in self.template and not t.content.isspace()
        )

    @cached_property
    def markers(self) -> dict[str, Marker]:
        """What keeps special tokens apart, by the character that it does so with; made as they are needed."""
        return {}

    @cached_property
    def eos_ids(self) -> frozenset[int]:
        """The ids that end an answer: the tokenizer's own, and the one that the template closes a turn with."""
        ends = {self.tokenizer.token_to_id(self.named_tokens.get("eos_token", ""))}
        try:
            probe = render(self, [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])
            answer = probe.ids[probe.prompt_length :]
            ends.add(next((i for i in answer if i in self.special_ids), None))
        except StudioError:
            pass
        return frozenset(i for i in ends if i is not None)

    @cached_property
    def hash(self) -> str:
        """Identifies the vocabulary, the rules and the template together."""
        named = json.dumps(self.named_tokens, sort_keys=True)
        digest = hashlib.sha256("\0".join((self.tokenizer.to_str(), self.template, named)).encode())
        return digest.hexdigest()

    def decode(self, ids: list[int]) -> str:
        """Return the text of ids, special tokens included."""
        return self.tokenizer.decode(ids, skip_special_tokens=False)


@lru_cache(maxsize=8)
def load_tokenizer(folder: Path, template: str | None = None) -> ChatTokenizer:
    """Return the tokenizer of a folder, with its own chat template or another, loaded once in this process.

    Raises:
        StudioError: see `ChatTokenizer.load`.
    """
    return ChatTokenizer.load(folder, template)


def render(tokenizer: ChatTokenizer, messages: list[Message], tools: list[dict[str, Any]] | None = None) -> Rendering:
    """Render a conversation for training; its ids begin with those of `render_prompt` for its prompt.

    Raises:
        StudioError: the template refuses it, or renders the prompt otherwise once the answer follows.
    """
    head, tail, marker = _texts(tokenizer, messages, tools)
    head_ids, head_pieces = _encode(tokenizer, head, marker)
    tail_ids, tail_pieces = _encode(tokenizer, tail, marker)
    trained = [False] * len(head_ids) + [True] * len(tail_ids)
    pieces = head_pieces + tail_pieces
    return Rendering("".join(pieces), head_ids + tail_ids, trained, pieces, len(head_ids))


def render_prompt(
    tokenizer: ChatTokenizer, messages: list[Message], tools: list[dict[str, Any]] | None = None
) -> Rendering:
    """Render a conversation that waits for the assistant's answer; nothing in it is trained.

    Raises:
        StudioError: the template refuses it.
    """
    head, _, marker = _texts(tokenizer, messages, tools, whole=False)
    ids, pieces = _encode(tokenizer, head, marker)
    return Rendering("".join(pieces), ids, [False] * len(ids), pieces, len(ids))


def lengths(
    tokenizer: ChatTokenizer, messages: list[Message], tools: list[dict[str, Any]] | None = None
) -> tuple[int, int]:
    """Return how many ids `render` gives the prompt, and how many the whole conversation; quicker than rendering.

    Raises:
        StudioError: see `render`.
    """
    head, tail, marker = _texts(tokenizer, messages, tools)
    asked, answered = (len(_ids_of(_encoding(tokenizer, text, marker), marker)) for text in (head, tail))
    return asked, asked + answered


def segments(
    tokenizer: ChatTokenizer, messages: list[Message], tools: list[dict[str, Any]] | None = None
) -> tuple[list[Segment], list[Segment]]:
    """Return a conversation's prompt and completion as stretches of text, for any tokenizer to encode.

    A conversation without an answer is all prompt; one without a prompt is all completion.

    Raises:
        StudioError: see `render`.
    """
    head, tail, marker = _texts(tokenizer, messages, tools)
    return _split(head, marker), _split(tail, marker)


def _texts(
    tokenizer: ChatTokenizer, messages: list[Message], tools: list[dict[str, Any]] | None, *, whole: bool = True
) -> tuple[str, str, Marker | None]:
    """Return the text of the prompt and of what follows it, special tokens of people broken up by a marker."""
    marker, marked, marked_tools = protected(tokenizer, messages, tools)
    asked = prompt_of(marked) if whole else marked
    if not whole or not completion_of(marked):
        return _text(tokenizer, marked, marked_tools, add_generation_prompt=True), "", marker
    text = _text(tokenizer, marked, marked_tools, add_generation_prompt=False)
    head = _text(tokenizer, asked, marked_tools, add_generation_prompt=True) if asked else ""
    if not text.startswith(head):
        raise StudioError(
            "The model's chat template renders this prompt differently once an answer follows it.",
            "Training on it would teach other tokens than chat shows; use a template that only appends.",
        )
    return head, text[len(head) :], marker


def _text(
    tokenizer: ChatTokenizer,
    messages: list[Message],
    tools: list[dict[str, Any]] | None,
    *,
    add_generation_prompt: bool,
) -> str:
    text = render_template(
        tokenizer.template, messages, tools, tokenizer.named_tokens, add_generation_prompt=add_generation_prompt
    )
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)


def _split(text: str, marker: Marker | None) -> list[Segment]:
    return [Segment(part) for part in (text.split(marker.mark) if marker else [text]) if part]


def _encode(tokenizer: ChatTokenizer, text: str, marker: Marker | None) -> tuple[list[int], list[str]]:
    encoding = _encoding(tokenizer, text, marker)
    pieces = _pieces(text, encoding.offsets)
    if marker is None:
        return encoding.ids, pieces
    kept = [(i, p.replace(marker.mark, "")) for i, p in zip(encoding.ids, pieces, strict=True) if i != marker.id]
    return [i for i, _ in kept], [piece for _, piece in kept]


def _ids_of(encoding: "Encoding", marker: Marker | None) -> list[int]:
    return [i for i in encoding.ids if i != marker.id] if marker else encoding.ids


def _encoding(tokenizer: ChatTokenizer, text: str, marker: Marker | None) -> "Encoding":
    reads = marker.tokenizer if marker else tokenizer.tokenizer
    if len(text) > _LONG:
        # Slower to begin with, but it lets other threads go on, the screen's among them.
        return reads.encode_batch([text], add_special_tokens=False)[0]
    return reads.encode(text, add_special_tokens=False)


def _pieces(text: str, offsets: list[tuple[int, int]]) -> list[str]:
    pieces: list[str] = []
    reached = 0
    if not offsets:
        return pieces
    starts = [start for start, _ in offsets[1:]] + [len(text)]
    for (_, end), following in zip(offsets, starts, strict=True):
        # A vocabulary that lacks a byte drops it, and the offsets after it fall short: nothing may be lost here.
        end = following if following == len(text) or text[end:following].strip() else end  # noqa: PLW2901
        pieces.append(text[reached:end])
        reached = max(reached, end)
    return pieces


def _named_tokens(config: dict[str, Any]) -> dict[str, str]:
    named = {}
    for name in _NAMED_TOKENS:
        value = config.get(name)
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            named[name] = text
    return named
