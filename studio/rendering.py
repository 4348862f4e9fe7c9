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
from studio.encoding import Reader, pieces
from studio.errors import StudioError
from studio.special_tokens import Marker, protected, unescaped

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SURROGATES = re.compile("[\ud800-\udfff]")

_NAMED_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
"""By which transformers knows special tokens too; templates see these and no others."""


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
    def reader(self) -> Reader:
        """What turns text into ids, whole or in parts."""
        return Reader(self.tokenizer)

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
    tail_ids, tail_pieces = _encode(tokenizer, tail, marker, _last(head_ids))
    trained = [False] * len(head_ids) + [True] * len(tail_ids)
    both = head_pieces + tail_pieces
    return Rendering("".join(both), head_ids + tail_ids, trained, both, len(head_ids))


def render_prompt(
    tokenizer: ChatTokenizer, messages: list[Message], tools: list[dict[str, Any]] | None = None
) -> Rendering:
    """Render a conversation that waits for the assistant's answer; nothing in it is trained.

    Raises:
        StudioError: the template refuses it.
    """
    head, _, marker = _texts(tokenizer, messages, tools, whole=False)
    ids, parts = _encode(tokenizer, head, marker)
    return Rendering("".join(parts), ids, [False] * len(ids), parts, len(ids))


def lengths(
    tokenizer: ChatTokenizer, messages: list[Message], tools: list[dict[str, Any]] | None = None
) -> tuple[int, int]:
    """Return how many ids `render` gives the prompt, and how many the whole conversation; quicker than rendering.

    Raises:
        StudioError: see `render`.
    """
    head, tail, marker = _texts(tokenizer, messages, tools)
    asked = _ids_of(tokenizer, head, marker)
    return len(asked), len(asked) + len(_ids_of(tokenizer, tail, marker, _last(asked)))


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

    def text_of(turns: list[Message], *, prompt: bool) -> str:
        return unescaped(marker, _text(tokenizer, turns, marked_tools, add_generation_prompt=prompt))

    if not whole or not completion_of(marked):
        return text_of(marked, prompt=True), "", marker
    text = text_of(marked, prompt=False)
    head = text_of(asked, prompt=True) if asked else ""
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


def _last(ids: list[int]) -> int | None:
    return ids[-1] if ids else None


def _split(text: str, marker: Marker | None) -> list[Segment]:
    return [Segment(part) for part in (text.split(marker.mark) if marker else [text]) if part]


def _encode(
    tokenizer: ChatTokenizer, text: str, marker: Marker | None, after: int | None = None
) -> tuple[list[int], list[str]]:
    if marker is None:
        reads = tokenizer.reader.read(text, after)
        return [i for i, _ in reads], pieces(text, reads)
    reads = marker.reader.read(text, after, marker.id)
    kept = [(i, p.replace(marker.mark, "")) for (i, _), p in zip(reads, pieces(text, reads), strict=True)]
    kept = [(i, piece) for i, piece in kept if i != marker.id]
    return [i for i, _ in kept], [piece for _, piece in kept]


def _ids_of(tokenizer: ChatTokenizer, text: str, marker: Marker | None, after: int | None = None) -> list[int]:
    if marker is None:
        return tokenizer.reader.ids(text, after)
    return [i for i in marker.reader.ids(text, after, marker.id) if i != marker.id]


def _named_tokens(config: dict[str, Any]) -> dict[str, str]:
    named = {}
    for name in _NAMED_TOKENS:
        value = config.get(name)
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            named[name] = text
    return named
