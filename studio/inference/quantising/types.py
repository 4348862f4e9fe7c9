"""The types that llama.cpp quantises to, by their names, and which of them are usual."""

from collections.abc import Iterable

from studio.errors import StudioError

FULL = "F16"
"""What all others are made of and held against: 16-bit floats."""

TYPES: dict[str, str] = {
    "F16": "16-bit floats, nothing quantised",
    "BF16": "16-bit floats of a wider range",
    "Q8_0": "8 bits a weight; hardly ever tells",
    "Q6_K": "6.6 bits a weight",
    "Q5_K_M": "5.7 bits a weight",
    "Q5_K_S": "5.5 bits a weight",
    "Q5_1": "6 bits a weight, an old form",
    "Q5_0": "5.5 bits a weight, an old form",
    "Q4_K_M": "4.8 bits a weight; what most people run",
    "Q4_K_S": "4.6 bits a weight",
    "Q4_1": "5 bits a weight, an old form",
    "Q4_0": "4.5 bits a weight, an old form",
    "IQ4_NL": "4.5 bits a weight, not evenly spaced",
    "IQ4_XS": "4.3 bits a weight, not evenly spaced",
    "MXFP4_MOE": "4.3 bits a weight in the experts of a mixture, the rest in 8",
    "Q3_K_L": "4.3 bits a weight",
    "Q3_K_M": "3.9 bits a weight",
    "Q3_K_S": "3.5 bits a weight",
    "IQ3_M": "3.7 bits a weight",
    "IQ3_S": "3.4 bits a weight",
    "IQ3_XS": "3.3 bits a weight",
    "IQ3_XXS": "3.1 bits a weight",
    "Q2_K": "3 bits a weight; often breaks a model",
    "TQ2_0": "2.1 bits a weight, for models trained with three values",
    "TQ1_0": "1.7 bits a weight, for models trained with three values",
    "Q2_0": "2 bits a weight, for models trained with so few values",
    "Q1_0": "1 bit a weight, for models trained with two values",
}
"""What can be asked for, the largest first."""

NEED_IMPORTANCE = ("Q2_K_S", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S")
"""Types that llama.cpp makes only with an importance matrix, which is not worked out here."""

USUAL = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
"""What `all` stands for, and what the window offers."""


def named(names: Iterable[str]) -> list[str]:
    """Return the types of these names, each once, largest first; `all` stands for the usual ones.

    Raises:
        StudioError: there is no type of a name, or it can't be made here.
    """
    wanted: set[str] = set()
    for name in names:
        wanted |= set(USUAL) if name.lower() == "all" else {_checked(name.upper())}
    return [name for name in TYPES if name in wanted]


def _checked(name: str) -> str:
    if name in TYPES:
        return name
    if name in NEED_IMPORTANCE:
        raise StudioError(
            f"{name} needs an importance matrix, without which llama.cpp refuses to go below 3 bits a weight.",
            "Q2_K is the smallest that can be made of any model without one.",
        )
    raise StudioError(f"llama.cpp has no type {name!r} to quantise to.", f"It has {', '.join(TYPES)}.")
