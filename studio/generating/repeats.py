"""Replies that say what another response to the prompt says already."""

from typing import Literal

import orjson

from store.responses import Response
from studio.duplicates import LEAST
from studio.shingles import fold, likeness, shingles


class Known:
    """What was said to one prompt so far."""

    def __init__(self, responses: list[Response]) -> None:
        self._folded: set[str] = set()
        self._shingles: list[set[str]] = []
        for response in responses:
            self.add(text_of(response))

    def add(self, text: str) -> None:
        """Note a response."""
        folded = fold(text)
        self._folded.add(folded)
        self._shingles.append(shingles(folded))

    def repeats(self, text: str) -> Literal["duplicates", "near duplicates", ""]:
        """Tell whether a text is one of them but for case, spaces and punctuation, or nearly so."""
        folded = fold(text)
        if folded in self._folded:
            return "duplicates"
        runs = shingles(folded)
        return "near duplicates" if any(likeness(runs, other) >= LEAST for other in self._shingles) else ""


def text_of(response: Response) -> str:
    """Return all that a response says, calls of tools too."""
    parts = []
    for message in response.messages:
        parts.append(str(message.get("content") or ""))
        if calls := message.get("tool_calls"):
            parts.append(orjson.dumps(calls).decode())
    return "\n".join(parts)
