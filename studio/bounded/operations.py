"""What single operators, methods and filters may make: checked before they begin, where that is a great deal."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any

from studio.bounded.budget import MOST_BITS, WIDEST, BeyondBounds, budget, count_round, spend, weight
from studio.bounded.syntax import FEW

_WIDE_FORMAT = re.compile(r"\d{4,}|\*|\{[^}]*\{")
_PLACE = re.compile(r"[%{]")
_MOST_FOR_RARE = 100_000
"""Characters that filters may be given which no chat template needs, and whose time nobody has measured."""

_MOST_SORTED = 10_000
"""Items that filters may be given which look at all of them before anything can be counted."""
_LONGEST_PATH = 100
"""Characters of an attribute's name, with those that lead to it."""

_FREE_FILTERS = ("abs", "count", "first", "float", "last", "length", "safe")
"""What they return is there already, or is a number."""

_RARE_FILTERS = ("pprint", "striptags", "title", "urlize", "wordcount", "wordwrap", "xmlattr")
_PADDING_FILTERS = ("batch", "center", "indent", "round", "slice", "tojson", "truncate", "wordwrap")
_LAZY_FILTERS = ("map", "reject", "rejectattr", "select", "selectattr")
_SORTING_FILTERS = ("dictsort", "groupby", "max", "min", "sort", "unique")
_PADDING_METHODS = ("center", "expandtabs", "ljust", "rjust", "to_bytes", "zfill")


# Operators


def check_operator(operator: str, left: Any, right: Any) -> None:
    """Refuse what `*`, `**` or `%` would make too much of."""
    sized = [x for x in (left, right) if isinstance(x, (str, bytes, list, tuple))]
    if operator == "%" and isinstance(left, (str, bytes)):
        _check_format(left, right)
    elif operator == "*" and sized:
        times = right if sized[0] is left else left
        left_over = budget()
        left_over.check(weight(sized[0], left_over) * times if isinstance(times, int) else 0)
    elif operator in ("*", "**") and isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
        if bits > MOST_BITS:
            raise BeyondBounds("the template makes a number of too many digits")


def total(first: Any, *others: Any) -> Any:
    """Return a sum as `+` makes it, term after term."""
    for number, each in enumerate(others, 1):
        first = first + each
        if number % FEW == 0:
            spend(first)
    return spend(first)


def joined(parts: list[Any]) -> str:
    """Return what `~` makes of its parts."""
    made: str = spend("".join(map(str, parts)))
    return made


# Methods


def before_call(owner: Any, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the arguments of a text's or a number's method, checked where it may make much of little."""
    if name in _PADDING_METHODS:
        _check_narrow(*args, **kwargs)
        budget().check(_tabs(owner) * WIDEST if name == "expandtabs" else 0)
    elif name == "translate":
        raise BeyondBounds("the template translates characters, which no chat needs")
    elif name == "join" and len(args) == 1:
        parts = _listed(args[0])
        _check_join(parts, owner)
        return (parts,)
    elif name in _METHODS:
        _METHODS[name](owner, *args, **kwargs)
    return args


def _tabs(text: Any) -> int:
    return int(text.count("\t" if isinstance(text, str) else b"\t")) + 1


def _check_narrow(*args: Any, **kwargs: Any) -> None:
    for value in (*args, *kwargs.values()):
        if isinstance(value, int) and abs(value) > WIDEST:
            raise BeyondBounds(f"the template pads or cuts by {value:,}; {WIDEST:,} is the most")


def _check_format(text: Any, *args: Any, **kwargs: Any) -> None:
    text = text.decode("latin-1") if isinstance(text, bytes) else str(text)
    if _WIDE_FORMAT.search(text):
        raise BeyondBounds(f"the template formats with a width above {WIDEST:,}")
    left = budget()
    left.check(len(text) + len(_PLACE.findall(text)) * (WIDEST + weight([*args, kwargs], left)))


def _check_replace(text: Any, old: Any = "", new: Any = "", *_: Any, **__: Any) -> None:
    text, old, new = ((x if isinstance(x, bytes) else str(x)) for x in (text, old, new))
    times = text.count(old) if old else len(text) + 1
    budget().check(len(text) + times * len(new))


def _check_join(parts: list[Any] | str | bytes, separator: Any) -> None:
    left = budget()
    left.check(weight(parts, left) + len(parts) * len(separator if isinstance(separator, bytes) else str(separator)))


def _check_digits(_: Any, digits: Any = "", *__: Any, **others: Any) -> None:
    for value in (digits, *others.values()):
        if isinstance(value, (str, bytes, list, tuple)) and len(value) * 4 > MOST_BITS:
            raise BeyondBounds("the template makes a number of too many digits")


def _listed(parts: Any) -> Any:
    return parts if isinstance(parts, (str, bytes, list, tuple)) else list(parts)


_METHODS: dict[str, Callable[..., None]] = {
    "replace": _check_replace,
    "format": _check_format,
    "format_map": _check_format,
    "from_bytes": _check_digits,
}


# Filters


def bounded_filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter of Jinja that counts what it makes, and begins nothing that is too much."""
    if name in _FREE_FILTERS:
        return function
    prepare = _FILTERS.get(name)
    if prepare is None:
        return wraps(function)(lambda *args, **kwargs: spend(function(*args, **kwargs)))
    given_first = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def counted(*args: Any, **kwargs: Any) -> Any:
        return spend(function(*args[:given_first], *prepare(*args[given_first:], **kwargs), **kwargs))

    return counted


def _lazy(value: Any, *args: Any, **_: Any) -> tuple[Any, ...]:
    # What is empty, or not there, is passed over by Jinja itself.
    return (_counted(value) if value else value, *args)


def _counted(items: Any) -> Iterator[Any]:
    for item in items:
        count_round()
        yield item


def _narrow(value: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    _check_narrow(*args, **kwargs)
    return (value, *args)


def _rare(value: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    left = budget()
    _check_narrow(*args, **kwargs)
    if weight(value, left) > _MOST_FOR_RARE or weight([args, kwargs], left) > WIDEST:
        raise BeyondBounds(f"the template uses a filter on more than {_MOST_FOR_RARE:,} characters that is not for it")
    return (value, *args)


def _indent(value: Any, width: Any = 4, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    _check_narrow(width, **kwargs)
    wide = kwargs.get("width", width)
    budget().check((str(value).count("\n") + 1) * (len(wide) if isinstance(wide, str) else int(wide)))
    return (value, *(() if "width" in kwargs else (width,)), *args)


def _tojson(value: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    indent = kwargs.get("indent", args[1] if len(args) > 1 else None)
    for each in (*args, *kwargs.values()):
        long = each > WIDEST // 10 if isinstance(each, int) else len(str(each)) > WIDEST // 10
        if long:
            raise BeyondBounds("the template indents JSON too far")
    if indent is not None:
        _check_indented(value, indent if isinstance(indent, int) else len(str(indent)))
    return (value, *args)


def _check_indented(value: Any, width: int) -> None:
    left, total, depth, level = budget(), 0, 0, [value]
    while level:
        total += len(level) * depth * width
        left.check(total)
        lists = (each.values() if isinstance(each, dict) else each for each in level)
        level = [item for each in lists if not isinstance(each, str) and hasattr(each, "__iter__") for item in each]
        depth += 1


def _join(value: Any, separator: Any = "", *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    parts = _listed(value)
    _check_join(parts, kwargs.get("d", separator))
    return (parts, *(() if "d" in kwargs else (separator,)), *args)


def _replace(value: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    _check_replace(value, *args, **kwargs)
    return (value, *args)


def _format(value: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    _check_format(value, *args, **kwargs)
    return (value, *args)


def _sorting(value: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    parts = value if isinstance(value, dict) else _listed(value)
    if len(parts) > _MOST_SORTED:
        raise BeyondBounds(f"the template sorts or adds up more than {_MOST_SORTED:,} values")
    if any(isinstance(each, str) and len(each) > _LONGEST_PATH for each in (*args, *kwargs.values())):
        raise BeyondBounds("the template names an attribute by too long a name")
    return (parts, *args)


def _sum(value: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    parts, *args = _sorting(value, *args, **kwargs)  # type: ignore[assignment]
    if len(parts) > WIDEST and any(isinstance(part, (list, tuple)) for part in parts):
        raise BeyondBounds("the template adds up too many lists")
    return (parts, *args)


def _int(value: Any, *args: Any, **_: Any) -> tuple[Any, ...]:
    _check_digits(None, value)
    return (value, *args)


_FILTERS: dict[str, Callable[..., tuple[Any, ...]]] = {
    **dict.fromkeys(_PADDING_FILTERS, _narrow),
    **dict.fromkeys(_RARE_FILTERS, _rare),
    **dict.fromkeys(_LAZY_FILTERS, _lazy),
    **dict.fromkeys(_SORTING_FILTERS, _sorting),
    "indent": _indent,
    "tojson": _tojson,
    "join": _join,
    "replace": _replace,
    "format": _format,
    "int": _int,
    "sum": _sum,
}
