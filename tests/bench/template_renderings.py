"""The published chat templates, each with 200 generated conversations: our text against that of transformers.

The texts are compared to the byte, with and without the generation prompt, and the speed of both in one run.
"""

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from transformers import PreTrainedTokenizerFast

from studio.chat_template import render_template
from studio.errors import StudioError
from studio.inference.proof.conversations import Conversation
from tests.generated_conversations import generated
from tests.studio.rendering.published_templates import NAMED, published_templates, small_tokenizer


def main() -> None:
    conversations = generated()
    reference = PreTrainedTokenizerFast(tokenizer_object=small_tokenizer(), **NAMED)
    texts = refused = dropped = unequal = 0
    seconds = {"ours": 0.0, "theirs": 0.0}
    for path in published_templates():
        source = path.read_text(encoding="utf-8")
        for conversation in conversations:
            if "tool_calls" not in source and any(m.get("tool_calls") for m in conversation.messages):
                dropped += 1
                continue
            for prompt in (False, True):
                begun = time.process_time()
                ours = rendered_here(source, conversation, prompt)
                between = time.process_time()
                theirs = rendered_by_transformers(reference, source, conversation, prompt)
                seconds["theirs"] += time.process_time() - between
                seconds["ours"] += between - begun
                texts += 1
                refused += ours is None and theirs is None
                if ours != theirs:
                    unequal += 1
                    print(f"{path.stem}, {conversation.label}, generation prompt {prompt}: DIFFERENT")
    print(f"{len(published_templates())} templates, {len(conversations)} conversations: {texts:,} texts,")
    print(f"{refused:,} of them refused by both, {unequal:,} unequal")
    print(f"{dropped:,} conversations whose tool calls the template would drop: refused here, not compared")
    print(f"time to transformers' time: {seconds['ours'] / seconds['theirs']:.2f}")
    raise SystemExit(unequal > 0)


def rendered_here(source: str, conversation: Conversation, prompt: bool) -> str | None:
    try:
        return render_template(source, conversation.messages, conversation.tools, NAMED, add_generation_prompt=prompt)
    except StudioError:
        return None


def rendered_by_transformers(reference: Any, source: str, conversation: Conversation, prompt: bool) -> str | None:
    try:
        made: str = reference.apply_chat_template(
            conversation.messages,
            conversation.tools,
            chat_template=source,
            tokenize=False,
            add_generation_prompt=prompt,
        )
    except Exception:
        return None
    return made


if __name__ == "__main__":
    main()
