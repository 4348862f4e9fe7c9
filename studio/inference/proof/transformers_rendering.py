"""The process in which transformers renders: `python -m studio.inference.proof.transformers_rendering`.

The first line of its input names a tokenizer's folder and a template, or null for what transformers takes from there;
each further one holds a conversation. For each it writes a line: what comes without and with the generation prompt, as
text, or null and why it was refused.
"""

import os
import sys
from typing import Any

import orjson


def main() -> None:
    """Render what standard input asks for."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    asked, *rows = map(orjson.loads, sys.stdin.buffer.read().splitlines())
    tokenizer = _tokenizer(asked["folder"])
    for row in rows:
        made = [_rendered(tokenizer, asked["template"], row, prompt) for prompt in (False, True)]
        sys.stdout.buffer.write(orjson.dumps(made) + b"\n")


def _tokenizer(folder: str) -> Any:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError):
        # A folder that names no kind of tokenizer that transformers knows.
        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)


def _rendered(tokenizer: Any, template: str | None, row: dict[str, Any], prompt: bool) -> tuple[str | None, str]:
    try:
        text = tokenizer.apply_chat_template(
            row["messages"], row["tools"], chat_template=template, tokenize=False, add_generation_prompt=prompt
        )
    except Exception as error:  # whatever a template raises is a refusal
        return None, f"{type(error).__name__}: {error}"
    return text, ""


if __name__ == "__main__":
    main()
