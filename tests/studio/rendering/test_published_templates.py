"""Chat templates of real models make the same text here as in transformers, to the byte."""

from pathlib import Path
from typing import Any

import pytest

from studio.chat_template import render_template
from studio.errors import StudioError
from tests.generated_conversations import generated
from tests.studio.rendering.published_templates import NAMED, published_templates, small_tokenizer

SAMPLE = 12
"""Conversations a template; `tests/bench/template_renderings.py` renders all 200."""


@pytest.fixture(scope="module")
def transformers_tokenizer() -> Any:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_object=small_tokenizer(), **NAMED)


@pytest.mark.parametrize("path", published_templates(), ids=lambda path: path.stem)
def test_text_is_that_of_transformers(transformers_tokenizer: Any, path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    # Other ones for each template, so that most of them are seen.
    start = published_templates().index(path) * SAMPLE % 200
    for conversation in (generated() * 2)[start : start + SAMPLE]:
        if "tool_calls" not in source and any(m.get("tool_calls") for m in conversation.messages):
            continue
        for prompt in (False, True):
            ours: str | None
            try:
                ours = render_template(
                    source, conversation.messages, conversation.tools, NAMED, add_generation_prompt=prompt
                )
            except StudioError:
                ours = None
            theirs = _theirs(transformers_tokenizer, source, conversation.messages, conversation.tools, prompt)
            assert ours == theirs, conversation.label


def _theirs(tokenizer: Any, source: str, messages: Any, tools: Any, prompt: bool) -> str | None:
    try:
        made: str = tokenizer.apply_chat_template(
            messages, tools, chat_template=source, tokenize=False, add_generation_prompt=prompt
        )
    except Exception:  # whatever a template raises is a refusal
        return None
    return made
