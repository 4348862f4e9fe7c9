"""Models with several chat templates: the one is taken that transformers takes, and both are kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from studio.chat_template import render_template
from studio.chat_templates import FILE, OTHERS, check, own_template
from studio.errors import StudioError
from studio.named_templates import together
from tests.studio.rendering.published_templates import NAMED, small_tokenizer

PLAIN = "\n  {% if true %}P{% endif %}\n{% for m in messages %}{{ m.content }}\n{% endfor %}\n  \n"
TOOLS = "  {% if tools %}T{{ tools | length }}{% endif %} \n{% for m in messages %}{{ m.tool_calls }}{% endfor %}\n\n\n"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "Hi"}]
CALLS = [*MESSAGES, {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]


def in_configuration(folder: Path) -> None:
    named = [
        {"name": name, "template": text} for name, text in (("rag", "no"), ("tool_use", TOOLS), ("default", PLAIN))
    ]
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": named}))


def in_files(folder: Path) -> None:
    (folder / FILE).write_text(PLAIN)
    (folder / OTHERS).mkdir()
    (folder / OTHERS / "tool_use.jinja").write_text(TOOLS)


@pytest.fixture(params=[in_configuration, in_files])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    from transformers import PreTrainedTokenizerFast

    PreTrainedTokenizerFast(tokenizer_object=small_tokenizer(), **NAMED).save_pretrained(tmp_path)
    request.param(tmp_path)
    return tmp_path


@pytest.mark.parametrize("tools", [None, [], [{"type": "function", "function": {"name": "f"}}]])
def test_the_template_is_the_one_that_transformers_takes(folder: Path, tools: list[dict[str, Any]] | None) -> None:
    from transformers import PreTrainedTokenizerFast

    theirs: Any = PreTrainedTokenizerFast.from_pretrained(folder)
    both = own_template(folder)
    assert both is not None
    check(both)
    ours = render_template(both, MESSAGES, tools, NAMED, add_generation_prompt=True)
    assert ours == theirs.apply_chat_template(MESSAGES, tools, tokenize=False, add_generation_prompt=True)
    # A run keeps both in one file, from which other programs render too.
    elsewhere = theirs.apply_chat_template(
        MESSAGES, tools, chat_template=both, tokenize=False, add_generation_prompt=True
    )
    assert ours == elsewhere
    assert ours.strip().startswith("P") is (tools is None)


def test_tool_calls_without_tools_are_not_dropped_by_the_other_template(folder: Path) -> None:
    both = own_template(folder) or ""
    with pytest.raises(StudioError, match="no place for tool calls"):
        render_template(both, CALLS, None, NAMED, add_generation_prompt=False)
    assert "'f'" in render_template(both, CALLS, [{}], NAMED, add_generation_prompt=False)


def test_what_holds_both_is_not_put_together_again() -> None:
    both = together({"default": PLAIN, "tool_use": TOOLS})
    assert together({"default": both, "tool_use": TOOLS}) == both
    assert together({"default": PLAIN}) == PLAIN
    assert together({"tool_use": TOOLS, "rag": PLAIN}) is None
