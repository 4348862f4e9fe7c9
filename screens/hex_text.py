"""Bytes as people read them: where each stands, its number, and its letter where it is one."""

from collections.abc import Iterator

ROOM_FOR_SIXTEEN = 74
"""Cells of a line with sixteen bytes."""


def hex_lines(data: bytes, width: int) -> Iterator[str]:
    """Yield lines of sixteen bytes, or eight where the width has no room for more."""
    number = 16 if width >= ROOM_FOR_SIXTEEN else 8
    for start in range(0, len(data), number):
        part = data[start : start + number]
        numbers = part[:8].hex(" ") + ("  " + part[8:].hex(" ") if len(part) > 8 else "")
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield f"{start:06x}  {numbers:<{number * 3 + number // 16 - 1}}  {letters}"
