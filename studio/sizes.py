"""Sizes of files in words."""


def size_in_words(number: int) -> str:
    """Return a number of bytes in words, as rough as it matters."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{max(number / 1e6, 0.1):.1f} MB"
