"""Writing without spaces: each Chinese or Japanese sign is a word of the index, and several together are a phrase."""

import re

_SIGN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]")


def apart(text: str) -> str:
    """Return a text with such signs set apart from what is around them."""
    return text if text.isascii() else _SIGN.sub(r" \g<0> ", text)


def ends_so(text: str) -> bool:
    """Tell whether a text ends with such a sign."""
    return _SIGN.fullmatch(text[-1:]) is not None
