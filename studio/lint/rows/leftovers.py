"""Marks that a template, a mail merge or a chat format left in the text."""

import re
from collections.abc import Iterator
from functools import lru_cache

from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import Passage, answers_of, excerpt, text_of, texts_of

_SOMEBODY = (
    "your|my|our|insert|enter|add|fill|recipient|customer|client|manager|sender|salesperson|employee|employer|hiring"
    "|company|organi[sz]ation|institution|university|business|team|product|service|event|position|job|department"
    "|name|first|last|full|date|day|month|year|time|address|street|city|state|country|location|phone|telephone|email"
    "|e-mail|contact|number|amount|price|url|link|website|title|signature|topic|industry|placeholder"
)
"""First words of what stands in brackets for the reader to fill in."""

_PLACEHOLDER = re.compile(
    r"(?<![$=\\])\{\{-?\s*[A-Za-z_][\w. -]{0,40}\}\}"
    rf"|\[(?i:{_SOMEBODY})(?:['’]s)?(?:[ _/-][^\]\[\n,=\"\d(]{{1,40}})?\](?![(\w\[])"
    rf"|<(?i:your|insert|enter)[ _][\w '’-]{{1,40}}>|<no ?(?:in|out)put>"
    r"|\bTODO\b|\b[Ll]orem ipsum\b"
)

_BRACKETED = re.compile(
    r"(?<![\w\])\\!=(,])(?<!= )\[(?!sic\]|[\w ]{0,30}\bfor\b)[A-Za-z][A-Za-z '’_-]{2,40}\](?![(\[:])"
)
"""Words in brackets that are no link, no index and no list: often a gap, sometimes a stage direction or a pattern."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_BLOCK = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)

_ROLE_HEADER = re.compile(r"^(?:Human|Assistant): ?", re.MULTILINE)


def _placeholder(subject: Subject, _: Context) -> Iterator[str]:
    for passage in answers_of(subject):
        found = _first_placeholder(passage)
        # Whoever is asked to rewrite a letter with gaps is right to keep them.
        if found and found not in text_of(subject.prompt):
            yield f"{passage.where}: {excerpt(found)}"


def _first_placeholder(passage: Passage) -> str:
    text = passage.text
    if passage.role == "call" or not ("[" in text or "{{" in text or "<" in text or "TODO" in text or "orem " in text):
        return ""
    if not _PLACEHOLDER.search(text):
        return ""
    found = _PLACEHOLDER.search(_CODE.sub("", text))
    return found[0] if found else ""


def _possible_placeholder(subject: Subject, _: Context) -> Iterator[str]:
    for passage in answers_of(subject):
        found = _first_bracketed(passage)
        if found and found not in text_of(subject.prompt):
            yield f"{passage.where}: {excerpt(found)}"


def _first_bracketed(passage: Passage) -> str:
    """Return the first words in brackets outside blocks of code, where there is no plain gap."""
    if passage.role == "call" or "[" not in passage.text or not _BRACKETED.search(passage.text):
        return ""
    found = _BRACKETED.search(_BLOCK.sub("", passage.text))
    return found[0] if found and not _first_placeholder(passage) else ""


def _special_token(subject: Subject, context: Context) -> Iterator[str]:
    pattern = _special_pattern(
        context.tokenizer.special_tokens if context.tokenizer else frozenset(), tuple(context.options["control_texts"])
    )
    texts = texts_of(subject)
    if pattern.search(texts.whole):
        for passage in texts.passages:
            if found := pattern.search(passage.text):
                yield f"{passage.where}: {excerpt(found[0])}"


@lru_cache(maxsize=4)
def _special_pattern(special: frozenset[str], more: tuple[str, ...]) -> re.Pattern[str]:
    ordered = sorted({*special, *more} - {""}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)) or r"(?!)")


def _role_header(subject: Subject, _: Context) -> Iterator[str]:
    whole = texts_of(subject).whole
    if "Human:" in whole or "Assistant:" in whole:
        for passage in texts_of(subject).passages:
            if passage.role != "system" and (found := _ROLE_HEADER.search(passage.text)):
                yield f"{passage.where}: {excerpt(passage.text, found.start())}"


CHECKS = (
    OfRow(
        Check(
            "placeholder",
            "answers with a gap still to be filled in",
            "{{name}}, [Your Name] or TODO stands in the answer outside code: the model would learn to say it.",
            "warning",
        ),
        _placeholder,
    ),
    OfRow(
        Check(
            "possible-placeholder",
            "answers with words in brackets that may be a gap",
            "[reasons] or [user_name] may wait to be filled in. Stage directions, an editor's words and patterns such"
            " as `[abc]` look alike, so see for yourself. What is plainly a gap is a placeholder, and not said again.",
            "info",
        ),
        _possible_placeholder,
    ),
    OfRow(
        Check(
            "special-token",
            "texts that hold control tokens",
            "A mark such as <|im_end|> or [/INST] belongs to a chat template. In a text it can end a turn too early,"
            " and it often shows that something was rendered twice or cut at the wrong place.",
            "error",
        ),
        _special_token,
    ),
    OfRow(
        Check(
            "role-header",
            "turns that hold another turn",
            "A line begins with Human: or Assistant:. Often a transcript was cut at the wrong place, and chosen and"
            " rejected then follow different prompts.",
            "warning",
        ),
        _role_header,
    ),
)
