"""How an answer came about, in a few words."""

from typing import Any

_ENDS = {"cancelled": "stopped", "length": "cut at the longest length"}


def stats_words(stats: dict[str, Any]) -> str:
    """Return how long an answer is, how fast it came, and what was left out for it."""
    if "from_side" in stats:
        return "taken over from another model"
    if stats.get("reason") == "broken":
        return "broken off"
    words = [f"{stats.get('tokens', 0)} tokens"]
    if stats.get("tokens_per_second"):
        words.append(f"{stats['tokens_per_second']:.1f} tokens/s")
    if stats.get("first_token_seconds"):
        words.append(f"first after {stats['first_token_seconds']:.1f} s")
    if stats.get("dropped_why"):
        words.append(str(stats["dropped_why"]))
    words += [_ENDS[stats["reason"]]] if stats.get("reason") in _ENDS else []
    return ", ".join(words)


def context_left(stats: dict[str, Any]) -> int | None:
    """Return how many tokens the context still had room for after an answer; None where that was not noted."""
    if not {"context", "prompt_tokens", "tokens"} <= stats.keys():
        return None
    return max(0, int(stats["context"]) - int(stats["prompt_tokens"]) - int(stats["tokens"]))
