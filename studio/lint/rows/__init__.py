"""Checks of single examples."""

from studio.lint.check import OfRow
from studio.lint.rows import (
    content,
    encoding,
    endings,
    labels,
    language,
    leftovers,
    length,
    pairs,
    personal,
    phrases,
    repetition,
    roles,
    structured,
    tools,
    verdicts,
)

CHECKS: tuple[OfRow, ...] = (
    *content.CHECKS,
    *roles.CHECKS,
    *leftovers.CHECKS,
    *length.CHECKS,
    *endings.CHECKS,
    *encoding.CHECKS,
    *repetition.CHECKS,
    *phrases.CHECKS,
    *structured.CHECKS,
    *labels.CHECKS,
    *tools.CHECKS,
    *personal.CHECKS,
    *language.CHECKS,
    *pairs.CHECKS,
    *verdicts.CHECKS,
)
