"""Answers in another language than the project's."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from studio.lint.check import Check, Context, OfRow, Subject
from studio.lint.rows.passages import answers_of

_LOOKED_AT = 400
_FEWEST_LETTERS = 40
_CERTAIN = 0.9
_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<[^>]{1,80}>|[\d\W_]+", re.DOTALL)


def _other_language(subject: Subject, context: Context) -> Iterator[str]:
    wanted = context.options["language"]
    if not wanted:
        return
    for passage in answers_of(subject):
        if passage.role == "assistant" and (found := _language_of(passage.text)) not in ("", wanted):
            yield f"{passage.where}: {found}"


def _language_of(text: str) -> str:
    """Return the code of a text's language, empty where that can't be told with certainty."""
    words = _NO_PROSE.sub(" ", text[: 2 * _LOOKED_AT])[:_LOOKED_AT]
    # A sign of Chinese or Japanese says as much as a few letters do.
    if len(words.replace(" ", "")) < (_FEWEST_LETTERS if words.isascii() else _FEWEST_LETTERS // 3):
        return ""
    language, share = _identifier().classify(words)
    return str(language) if share > _CERTAIN else ""


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


CHECKS = (
    OfRow(
        Check(
            "other-language",
            "answers in another language",
            "The answer does not seem to be in lint.language of studio.toml: right for translations, else a slip.",
            "info",
        ),
        _other_language,
    ),
)
