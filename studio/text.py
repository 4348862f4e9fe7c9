"""Text from data made safe to show: control characters and hidden marks become visible signs."""

import re

_CONTROL_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)}
_C1_CONTROLS = dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}")
_HIDDEN = {
    code: f"\N{LEFT-POINTING ANGLE BRACKET}{name}\N{RIGHT-POINTING ANGLE BRACKET}"
    for code, name in {
        0x00AD: "SHY",
        0x061C: "ALM",
        0x200B: "ZWSP",
        0x200E: "LRM",
        0x200F: "RLM",
        0x2028: "LS",
        0x2029: "PS",
        0x202A: "LRE",
        0x202B: "RLE",
        0x202C: "PDF",
        0x202D: "LRO",
        0x202E: "RLO",
        0x2060: "WJ",
        0x2066: "LRI",
        0x2067: "RLI",
        0x2068: "FSI",
        0x2069: "PDI",
        0xFEFF: "BOM",
    }.items()
}
_VISIBLE: dict[int, str] = {
    **_CONTROL_PICTURES,
    **_C1_CONTROLS,
    **_HIDDEN,
    0x09: "    ",
    0x7F: "\N{SYMBOL FOR DELETE}",
}
_UNSAFE = re.compile(f"[{''.join(re.escape(chr(code)) for code in _VISIBLE)}\ud800-\udfff]")


BEGIN, END = "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}", "\N{MATHEMATICAL RIGHT WHITE SQUARE BRACKET}"
"""Stand before and after what the loss counts."""


def clean(text: str) -> str:
    """Return text that a terminal can't be harmed by; newlines stay, CR LF becomes a newline.

    What is stored keeps its own bytes: this is for the eye, at the edge of the screen.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_visible, text.replace("\r\n", "\n"))


def clean_line(text: str) -> str:
    """Return the same as `clean` on one line, with a sign for each line end."""
    return clean(text).replace("\n", "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}")


def _visible(match: re.Match[str]) -> str:
    return _VISIBLE.get(ord(match[0]), "\N{REPLACEMENT CHARACTER}")
