"""What the proof found of a run or a model, as it is kept beside it and shown."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from studio.training.folder import write_json

FILE = "parity.json"
"""In the folder of a run, or of a prepared model."""

Outcome = Literal["equal", "different", "noted", "not checked"]
"""`noted` is what differs without harm here, and may matter to other programs."""

Name = Literal["rendering", "tokens", "template", "special tokens", "settings", "weights", "adapter", "logits"]

TITLES: dict[Name, str] = {
    "rendering": "Rendered text",
    "tokens": "Token ids",
    "template": "Chat template",
    "special tokens": "Special tokens",
    "settings": "Settings",
    "weights": "Weights",
    "adapter": "Adapter",
    "logits": "Logits",
}
"""What is compared, in the order in which it is shown."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text that stands at a difference: a token with its id, or characters without one."""

    text: str
    id: int | None = None

    def __str__(self) -> str:
        points = " ".join(f"U+{ord(character):04X}" for character in self.text[:8])
        return f"{'' if self.id is None else f'{self.id} '}{self.text!r} ({points or 'no text of its own'})"


@dataclass(frozen=True)
class Difference:
    """The first place where two readings of a text part."""

    label: str
    """Which text."""
    position: int
    """Tokens, or characters, before it that are equal."""
    before: str
    """The text just before it."""
    trained: tuple[Piece, ...]
    """What training saw from there on; nothing where its text ends."""
    other: tuple[Piece, ...]
    """What the other side makes of it."""


@dataclass(frozen=True)
class Finding:
    """One fault, with what it means and what to do about it."""

    kind: str
    """A short name of its cause, such as `template` or `rope`."""
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Check:
    """What came of comparing one thing."""

    name: Name
    outcome: Outcome
    sentence: str
    findings: tuple[Finding, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)
    difference: Difference | None = None


@dataclass(frozen=True)
class Evidence:
    """All that is known of whether llama.cpp runs what was trained."""

    subject: str
    """A run's id or a model's name."""
    checks: tuple[Check, ...]
    files: dict[str, str] = field(default_factory=dict)
    """What was compared: the GGUF, the adapter, the tokenizer's and the weights' folder."""
    at: str = ""
    """When, as an ISO time."""

    @property
    def differing(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome == "different")

    @property
    def equal(self) -> bool:
        """Whether the tokens were compared and nothing differs."""
        tokens = self.check("tokens")
        return tokens is not None and tokens.outcome == "equal" and not self.differing

    @property
    def sentence(self) -> str:
        """The result for a person: begins with `equal`, `DIFFERENT` or `not checked`."""
        tokens, logits = self.check("tokens"), self.check("logits")
        if tokens is None or tokens.outcome == "not checked":
            return f"not checked: {tokens.sentence}" if tokens else "not checked"
        if tokens.outcome == "different":
            return f"DIFFERENT {tokens.sentence}"
        if self.differing:
            first = next((f.message for c in self.differing for f in c.findings), self.differing[0].sentence)
            return f"DIFFERENT: {', '.join(check.name for check in self.differing)}; {first}"
        more = f"; logits: {logits.sentence}" if logits and logits.outcome in ("equal", "noted") else ""
        return f"equal: {tokens.sentence}{more}"

    def check(self, name: Name) -> Check | None:
        """Return what came of comparing one thing; None where it was not done."""
        return next((check for check in self.checks if check.name == name), None)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return {"equal": self.equal, "sentence": self.sentence, **asdict(self)}


def write(folder: Path, evidence: Evidence) -> None:
    """Keep it in a folder, in the place of what was there."""
    write_json(folder / FILE, evidence.as_json())


def read(folder: Path) -> Evidence | None:
    """Return what the proof found of the run or the model of a folder; None where none was made or it is unreadable."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return _earlier(folder.name, found) if "checks" not in found else _evidence(found)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def lines(evidence: Evidence) -> Iterator[str]:
    """Yield it for a terminal, a line a fact."""
    yield f"{evidence.subject}: {evidence.sentence}"
    for check in evidence.checks:
        yield f"  {TITLES[check.name]}: {check.outcome}. {check.sentence}"
        for finding in check.findings:
            yield f"    - {finding.message}"
            if finding.hint:
                yield f"      {finding.hint}"
        if check.difference:
            yield from (f"    {line}" for line in difference_lines(check.difference))


def difference_lines(found: Difference) -> Iterator[str]:
    """Yield a difference, a line a piece."""
    yield f"first in {found.label}, after {found.position:,} that are equal"
    yield f"before it: {found.before!r}"
    for words, side in (("trained on", found.trained), ("the other has", found.other)):
        yield f"{words}:"
        yield from (f"  {piece}" for piece in side)
        if not side:
            yield "  nothing: the text ends"


def _evidence(found: Mapping[str, Any]) -> Evidence:
    checks = tuple(_check(each) for each in found["checks"])
    return Evidence(found["subject"], checks, found["files"], found["at"])


def _check(found: Mapping[str, Any]) -> Check:
    findings = tuple(Finding(**each) for each in found["findings"])
    difference = found["difference"]
    return Check(
        found["name"],
        found["outcome"],
        found["sentence"],
        findings,
        found["figures"],
        Difference(**difference | {side: _pieces(difference[side]) for side in ("trained", "other")})
        if difference
        else None,
    )


def _pieces(found: list[dict[str, Any]]) -> tuple[Piece, ...]:
    return tuple(Piece(**each) for each in found)


def _earlier(subject: str, found: Mapping[str, Any]) -> Evidence:
    """Return what versions before this one kept: the tokens alone."""
    figures = {name: found[name] for name in ("texts", "tokens", "unequal", "not_rendered")}
    words = f"{found['texts']:,} texts, {found['tokens']:,} tokens"
    if not found["texts"]:
        return Evidence(subject, (Check("tokens", "not checked", "there was no text to compare", (), figures),))
    if not found["unequal"]:
        sentence = f"{words}, none differs from llama.cpp's"
        return Evidence(subject, (Check("tokens", "equal", sentence, (), figures),))
    first = found["first_difference"]
    trained, other = (tuple(Piece(text) for text in first[side]) for side in ("trained", "llama"))
    difference = Difference(first["label"], first["position"], first["before"], trained, other)
    sentence = f"in {found['unequal']:,} of {found['texts']:,} texts"
    return Evidence(subject, (Check("tokens", "different", sentence, (), figures, difference),))
