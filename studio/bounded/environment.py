"""Jinja's sandbox, its loops, operators, methods and filters bounded too."""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Template, TemplateSyntaxError, pass_context
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from studio.bounded import syntax
from studio.bounded.budget import Budget, Limits, budget, count_round, current, spend
from studio.bounded.operations import before_call, bounded_filter, check_operator, joined, total

MOST_SOURCE = 100_000
"""Characters of a template: five times the longest that is published, and half a second to read."""

_NAMES_OF_DICT = frozenset(dir(dict))

_USUAL_METHODS: dict[type, tuple[str, ...]] = {
    str: ("split", "strip", "lstrip", "rstrip", "startswith", "endswith"),
    dict: ("get", "items", "keys", "values"),
}
"""Methods that change nothing and reach nothing, so that the sandbox need not look at them."""


class PlainNamespace(Namespace):
    """A namespace that holds no name of Python's own workings, and prints as nothing that grows."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        self, values = args[0], dict(*args[1:], **kwargs)
        for name in values:
            _check_name(name)
        Namespace.__init__(self, values)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        super().__setitem__(name, value)

    def __repr__(self) -> str:
        return "<Namespace>"


def _check_name(name: Any) -> None:
    # As in transformers.
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace may not hold {name!r}")


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox in which every template comes to an end, if it is run by `run`."""

    intercepted_binops = frozenset(["*", "**", "%"])

    def __init__(self, **options: Any) -> None:
        # Its optimizer takes the square of a long expression's time, and would run filters that nothing counts yet.
        super().__init__(optimized=False, **options)
        del self.globals["lipsum"]
        self.globals["namespace"] = PlainNamespace
        for name, function in list(self.filters.items()):
            self.filters[name] = bounded_filter(name, function)
        self.filters |= {
            syntax.ROUND: pass_context(_count_round),
            syntax.LOOK: pass_context(_look),
            syntax.PRINTED: pass_context(_printed),
            syntax.SUM: total,
            syntax.JOINED: joined,
            syntax.MADE: spend,
        }

    def add_filter(self, name: str, function: Callable[..., Any]) -> None:
        """Add a filter, or put one in the place of Jinja's; what it makes is counted."""
        self.filters[name] = bounded_filter(name, function)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute or an item by its name; the sandbox's own way takes long for what is usual."""
        kind = obj.__class__
        if kind is dict and attribute not in _NAMES_OF_DICT:
            try:
                return obj[attribute]
            except KeyError:
                return self.undefined(obj=obj, name=attribute)
        if attribute in _USUAL_METHODS.get(kind, ()):
            return getattr(obj, attribute)
        if kind is PlainNamespace and attribute in (held := obj._Namespace__attrs):
            value = held[attribute]
            if not callable(value):
                return value
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Work out an operator that may make much of little."""
        check_operator(operator, left, right)
        return spend(super().call_binop(context, operator, left, right))

    def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls."""
        # Jinja wraps `format`, to keep it from reaching further.
        owner = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        if isinstance(owner, (str, bytes, int)) or owner is int:
            kwargs.pop("_loop_vars", None)
            kwargs.pop("_block_vars", None)
            args = before_call(owner, function.__name__, args, kwargs)
            made = function(*args, **kwargs)
            # A text's pieces have its length.
            budget().spend(len(made if isinstance(made, (str, bytes)) else str(owner)))
            return made
        return spend(super().call(context, function, *args, **kwargs))

    def compiled(self, source: str) -> Template:
        """Return a template, ready to run.

        Raises:
            TemplateSyntaxError: it is not valid Jinja, or too long or too deep to be any.
        """
        if len(source) > MOST_SOURCE:
            raise TemplateSyntaxError(f"it has more than {MOST_SOURCE:,} characters", 1)
        try:
            return self.from_string(syntax.bound(self.parse(source)))
        except TemplateSyntaxError:
            raise
        except (RecursionError, MemoryError):
            raise TemplateSyntaxError("it is nested too deep", 1) from None
        except (SyntaxError, ValueError, OverflowError) as error:
            raise TemplateSyntaxError(f"Python can't run it: {error}", 1) from error


def run(template: Template, context: Mapping[str, Any], limits: Limits, room: Callable[[], int] | None = None) -> str:
    """Return the text that a template makes.

    Args:
        template: of a bounded environment.
        context: its variables.
        limits: what it may use up.
        room: how many characters more, asked only when the limit is reached.

    Raises:
        BeyondBounds: it goes on for too long, or makes too much.
        jinja2.TemplateError: it fails in another way.
    """
    left = Budget(limits, room)
    token = current.set(left)
    pieces = []
    try:
        for piece in template.generate(context):
            pieces.append(piece)
            left.spend(len(piece))
    finally:
        current.reset(token)
    return "".join(pieces)


def _count_round(_context: Any, value: Any) -> Any:
    # With the context, because Jinja would work out once for all what needs none.
    count_round()
    return value


def _look(_context: Any, value: Any) -> Any:
    budget().look_at_clock()
    return value


def _printed(_context: Any, value: Any) -> Any:
    return spend(value)
