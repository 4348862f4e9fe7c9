"""Jinja in a sandbox that always comes to an end: bounded rounds, bounded text, and no way out."""

import json
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from studio.fields import field_of
from studio.formats.row import RowError

if TYPE_CHECKING:
    from jinja2 import Template, nodes
    from jinja2.sandbox import SandboxedEnvironment

ALL_FIELDS = "all fields"
"""Where templates find the whole record; a name that hides no field, as no Jinja name can spell it."""

MOST_ROUNDS = 100_000
"""Rounds of loops and calls of macros in one text."""
MOST_CHARACTERS = 4_000_000
"""Of one text that a template makes; also of what it makes on the way there."""
MOST_SECONDS = 10
"""For one text: far more than any that comes to an end in sensible time."""
WIDEST = 1_000
"""The largest number that an expression which pads or repeats may be given."""

_PADDING_METHODS = {"center", "ljust", "rjust", "zfill", "expandtabs", "to_bytes"}
_PADDING_FILTERS = ("center", "indent", "wordwrap", "tojson", "slice", "batch", "round")
_WIDE_FORMAT = re.compile(r"[0-9]{4,}|\*|\{[^}]*\{")


@dataclass
class _Budget:
    deadline: float
    rounds: int = MOST_ROUNDS
    characters: int = MOST_CHARACTERS


_budget: ContextVar[_Budget | None] = ContextVar("budget of a rendering", default=None)


def render(template: "Template", context: Mapping[str, Any]) -> str:
    """Return what a template makes of a record.

    Raises:
        RowError: it goes on for too long, or makes too much.
        jinja2.TemplateError: it fails in another way.
    """
    token = _budget.set(_Budget(time.monotonic() + MOST_SECONDS))
    try:
        return "".join(map(_measured, template.generate(context)))
    finally:
        _budget.reset(token)


def compiled(text: str) -> "Template":
    """Return a template of the sandbox.

    Raises:
        jinja2.TemplateSyntaxError: the text is no template.
    """
    from jinja2.visitor import NodeTransformer

    jinja = environment()
    tree = jinja.parse(text)
    _bounder(NodeTransformer).visit(tree)
    return jinja.from_string(tree)


@lru_cache(maxsize=1)
def environment() -> "SandboxedEnvironment":
    """Return the sandbox that all templates run in."""
    from jinja2 import pass_context

    jinja = _sandbox()(undefined=_undefined(), finalize=_finalize, autoescape=False)
    # What changes from one time to the next has no place in a template: the same record makes the same example.
    del jinja.filters["random"], jinja.globals["lipsum"]
    jinja.filters["field"] = pass_context(lambda context, name: field_of(context[ALL_FIELDS], name))
    for name in _PADDING_FILTERS:
        jinja.filters[name] = _narrow(jinja.filters[name])
    for name, check in (("replace", _check_replace), ("join", _check_join), ("format", _check_format)):
        jinja.filters[name] = _checked(jinja.filters[name], check)
    # With the context, because Jinja would work out once for all what needs none.
    jinja.filters["a round"] = pass_context(_count_round)
    jinja.filters["joined"] = lambda parts: "".join(map(_measured, map(str, parts)))
    return jinja


def _sandbox() -> type["SandboxedEnvironment"]:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        """Jinja's sandbox, its operators and methods bounded too."""

        intercepted_binops = frozenset(["*", "**", "%", "+"])

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            _check_operator(operator, left, right)
            return super().call_binop(context, operator, left, right)

        def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
            _check_method(function, args, kwargs)
            return super().call(context, function, *args, **kwargs)

    return Sandbox


def _undefined() -> type[Any]:
    from jinja2 import StrictUndefined, UndefinedError
    from jinja2.utils import missing

    class Undefined(StrictUndefined):
        """What is not there; its error says the name and of what."""

        __slots__ = ()

        def __init__(
            self, hint: Any = None, obj: Any = missing, name: Any = None, exc: type[Exception] = UndefinedError
        ) -> None:
            super().__init__(hint, obj, name, partial(_absent, exc, None if obj is missing else obj, name))  # type: ignore[arg-type]

    return Undefined


def _absent(kind: type[Exception], owner: Any, name: Any, message: str) -> Exception:
    error = kind(message)
    error.owner, error.name = owner, name  # type: ignore[attr-defined]
    return error


def _finalize(value: Any) -> Any:
    """Return what an expression prints: nothing for null, JSON for lists and objects."""
    if value is None:
        return ""
    if isinstance(value, bool):
        # PandaLM has answers that are JSON true: printed as "True" they would pass for an answer.
        raise RowError(f"a field that should be text is {json.dumps(value)}")
    if isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        _measured(value)
    return value


# The bounds


def _bounder(transformer: type[Any]) -> Any:
    from jinja2 import nodes

    def counted(body: list["nodes.Node"], line: int) -> list["nodes.Node"]:
        count = nodes.Filter(nodes.Const(None), "a round", [], [], None, None)
        return [nodes.ExprStmt(count, lineno=line), *body]

    class Bounder(transformer):  # type: ignore[misc]
        """Counts each round of a loop and each call of a macro, and measures what `~` joins."""

        def visit_For(self, node: "nodes.For") -> "nodes.Node":
            self.generic_visit(node)
            node.body = counted(node.body, node.lineno)
            return node

        def visit_Macro(self, node: "nodes.Macro") -> "nodes.Node":
            self.generic_visit(node)
            node.body = counted(node.body, node.lineno)
            return node

        def visit_CallBlock(self, node: "nodes.CallBlock") -> "nodes.Node":
            self.generic_visit(node)
            node.body = counted(node.body, node.lineno)
            return node

        def visit_Concat(self, node: "nodes.Concat") -> "nodes.Node":
            self.generic_visit(node)
            parts = nodes.List(node.nodes, lineno=node.lineno)
            return nodes.Filter(parts, "joined", [], [], None, None, lineno=node.lineno)

    return Bounder()


def _count_round(_context: Any, _: Any) -> None:
    if budget := _budget.get():
        budget.rounds -= 1
        if budget.rounds < 0:
            raise RowError(f"the template goes round more than {MOST_ROUNDS:,} times")
        if time.monotonic() > budget.deadline:
            raise RowError(f"the template takes longer than {MOST_SECONDS} seconds")


def _measured(text: str) -> str:
    if budget := _budget.get():
        budget.characters -= len(text)
        if budget.characters < 0:
            raise RowError(f"the template makes more than {MOST_CHARACTERS:,} characters")
    return text


def _check_length(length: int) -> None:
    if length > MOST_CHARACTERS:
        raise RowError(f"the template makes more than {MOST_CHARACTERS:,} characters")


def _check_operator(operator: str, left: Any, right: Any) -> None:
    sized = [x for x in (left, right) if isinstance(x, (str, list, tuple))]
    if operator == "%" and isinstance(left, str):
        _check_format(left)
    elif operator == "+" and len(sized) == 2:
        _check_length(len(left) + len(right))
    elif operator == "*" and sized:
        times = right if sized[0] is left else left
        _check_length(len(sized[0]) * times if isinstance(times, int) else 0)
    elif operator in ("*", "**") and isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
        if bits > MOST_ROUNDS:
            raise RowError("the template makes a number of too many digits")


def _check_method(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if name in _PADDING_METHODS and isinstance(owner, (str, int)):
        _check_narrow(args, kwargs)
    elif isinstance(owner, str) and name in _METHOD_CHECKS:
        _METHOD_CHECKS[name](owner, *args, **kwargs)


def _check_narrow(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    for value in (*args, *kwargs.values()):
        if isinstance(value, int) and abs(value) > WIDEST:
            raise RowError(f"the template pads or cuts by {value:,}; {WIDEST:,} is the most")


def _check_format(text: Any, *_: Any, **__: Any) -> None:
    if _WIDE_FORMAT.search(str(text)):
        raise RowError(f"the template formats with a width above {WIDEST:,}")


def _check_replace(text: Any, old: Any = "", new: Any = "", *_: Any, **__: Any) -> None:
    text, old, new = str(text), str(old), str(new)
    times = text.count(old) if old else len(text) + 1
    _check_length(len(text) + times * len(new))


def _check_join(one: Any, other: Any = "", *_: Any, **__: Any) -> None:
    # The filter is given the parts first, the method the separator.
    parts, separator = (other, one) if isinstance(one, str) and not isinstance(other, str) else (one, other)
    if isinstance(parts, (list, tuple, str)):
        _check_length(sum(len(p) + len(str(separator)) for p in parts if isinstance(p, str)))


_METHOD_CHECKS: dict[str, Callable[..., None]] = {
    "replace": _check_replace,
    "join": _check_join,
    "format": _check_format,
    "format_map": _check_format,
}


def _narrow(function: Callable[..., Any]) -> Callable[..., Any]:
    return _checked(function, lambda *args, **kwargs: _check_narrow(args, kwargs))


def _checked(function: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    from functools import wraps

    given_first = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        check(*args[given_first:], **kwargs)
        return function(*args, **kwargs)

    return checked
