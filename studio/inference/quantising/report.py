"""What is known of one quantised file: how it was made, and what it costs. Kept as JSON beside it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import orjson

from studio.atomic import write_private
from studio.inference.quantising.making import Fallback
from studio.inference.quantising.places import Place


@dataclass(frozen=True)
class CheckChange:
    """How often a check of the project is passed, before and after, on the same prompts."""

    name: str
    of: int
    passed_before: int
    passed: int
    change: float
    """In the share that passes; below 0 it got worse."""
    low: float
    high: float
    """The 95 % interval of the change."""
    p: float
    """How likely so uneven changes are by chance (McNemar, exact)."""

    @property
    def has_fallen(self) -> bool:
        """Whether the interval leaves no doubt that fewer pass."""
        return self.high < 0


@dataclass(frozen=True)
class Regression:
    """A prompt that the quantised model answers much otherwise, or worse."""

    example: int
    asked: str
    before: str
    after: str
    kl: float
    """Mean over the tokens of the held-out answer."""
    lost: tuple[str, ...] = ()
    """Checks that the unquantised model's answer passes and this one does not."""


@dataclass(frozen=True)
class Test:
    """What quantising costs, measured on held-out texts against 16-bit floats."""

    key: str
    """Identifies what it was measured on: another one is measured anew."""
    texts: int
    tokens: int
    """Tokens of answers, at each of which both models were asked for the next."""
    skipped: int
    """Texts that the context can't hold, or the chat template refuses."""
    own_answers: bool
    """Whether the answers are the unquantised model's own, for want of others."""
    perplexity: float
    perplexity_before: float
    mean_kl: float
    worst_kl: float
    same_top: float
    """The share of places where both find the same token likeliest."""
    speed: float
    """Tokens a second."""
    speed_before: float
    speed_ratio: float
    """How many times as fast as in 16-bit floats it answers."""
    checks: tuple[CheckChange, ...] = ()
    regressions: tuple[Regression, ...] = ()

    @property
    def perplexity_rise(self) -> float:
        """By which share the perplexity rose."""
        return self.perplexity / self.perplexity_before - 1 if self.perplexity_before else 0.0


@dataclass(frozen=True)
class Report:
    """A quantised file and its test, if there was one."""

    type: str
    made_from: str
    """The hash that its GGUF carries."""
    bytes: int
    bytes_before: int
    bits: float
    fallbacks: tuple[Fallback, ...] = ()
    test: Test | None = None


def write(place: Place, report: Report) -> None:
    """Keep a report beside its file.

    Raises:
        StudioError: it can't be written.
    """
    write_private(place.report(report.type), orjson.dumps(asdict(report), option=orjson.OPT_INDENT_2))


def read(place: Place, type_: str) -> Report | None:
    """Return what is known of a type; None where it was not made."""
    try:
        size = place.gguf(type_).stat().st_size
    except FileNotFoundError:
        return None
    # Of another version, or lost by a copy: the file is there, and nothing is known of it.
    return _read(place.report(type_)) or Report(type_, "", size, size, 0.0)


def read_all(place: Place) -> list[Report]:
    """Return what is known of all types that there are, largest first."""
    return sorted(filter(None, (read(place, name) for name in place.made)), key=lambda report: -report.bytes)


def _read(path: Path) -> Report | None:
    try:
        found = orjson.loads(path.read_bytes())
        test = found.pop("test")
        fallbacks = _all(Fallback, found.pop("fallbacks"))
        return Report(**_known(Report, found), fallbacks=fallbacks, test=test and _test(test))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _test(found: dict[str, Any]) -> Test:
    checks, regressions = _all(CheckChange, found.pop("checks")), found.pop("regressions")
    told = tuple(Regression(**{**each, "lost": tuple(each["lost"])}) for each in regressions)
    return Test(**_known(Test, found), checks=checks, regressions=told)


def _all(kind: Any, found: Sequence[dict[str, Any]]) -> Any:
    return tuple(kind(**each) for each in found)


def _known(kind: Any, found: dict[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in found.items() if name in names}
