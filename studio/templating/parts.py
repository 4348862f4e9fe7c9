"""One Jinja text of a template: parsed once, rendered for each record; what fails says where and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.formats.row import RowError
from studio.templating import places
from studio.templating.places import Place
from studio.templating.sandbox import ALL_FIELDS, compiled, environment, render

if TYPE_CHECKING:
    from types import TracebackType

    from jinja2 import Template

SECTION = "[template] in studio.toml"


class TemplateError(StudioError):
    """A template that is wrong whatever the record is."""

    def __init__(self, part: str, place: Place, reason: str, hint: str = "") -> None:
        self.part, self.place, self.reason = part, place, reason
        where = ", ".join(filter(None, (part, str(place))))
        super().__init__(f"The template's {where}: {reason}.", hint)


class Misfit(RowError):
    """A record that a template can't be applied to."""

    def __init__(self, part: str, place: Place, reason: str) -> None:
        self.part, self.place, self.reason = part, place, reason
        where = ", ".join(filter(None, (part, str(place))))
        super().__init__(f"{reason} ({where})")


@dataclass(frozen=True)
class Part:
    """A text of a template, ready to be rendered."""

    name: str
    text: str
    template: "Template"

    def render(self, context: Mapping[str, Any]) -> str:
        """Return what it makes of a record.

        Raises:
            Misfit: it can't be made of this one.
            TemplateError: it does what is not allowed.
        """
        if not self.text:
            return ""
        from jinja2.exceptions import SecurityError, TemplateRuntimeError, UndefinedError

        try:
            return render(self.template, context)
        except UndefinedError as error:
            raise self._absent(error, context) from error
        except SecurityError as error:
            reason = f"it does something that is not allowed: {_plain(error)}"
            raise TemplateError(self.name, self._place(error), reason) from error
        except RecursionError as error:
            raise Misfit(self.name, Place(), "the template goes into itself without an end") from error
        except RowError as error:
            raise Misfit(self.name, self._place(error), str(error)) from error
        except (
            TemplateRuntimeError,
            ArithmeticError,
            AssertionError,
            AttributeError,
            LookupError,
            MemoryError,
            TypeError,
            ValueError,
        ) as error:
            raise Misfit(self.name, self._place(error), f"the template fails on it: {_plain(error)}") from error

    def _place(self, error: BaseException) -> Place:
        return places.of_expression(self.text, _line(error.__traceback__))

    def _absent(self, error: Exception, context: Mapping[str, Any]) -> Misfit:
        name, owner = getattr(error, "name", None), getattr(error, "owner", None)
        line = _line(error.__traceback__)
        if not isinstance(name, str):
            return Misfit(self.name, Place(line), f"the template asks for something that is absent: {error}")
        if owner is None:
            known: Iterable[str] = context[ALL_FIELDS]
            reason = f"there is no field {name!r}"
        else:
            known = owner if isinstance(owner, Mapping) else ()
            reason = f"there is no {name!r} in that"
        return Misfit(self.name, places.of_name(self.text, name, line), reason + did_you_mean(name, known))


@lru_cache(maxsize=256)
def parse(name: str, text: str) -> Part:
    """Return a text of a template, ready to be rendered.

    Raises:
        TemplateError: it is not valid Jinja.
    """
    from jinja2 import TemplateSyntaxError

    try:
        return Part(name, text, compiled(text))
    except TemplateSyntaxError as error:
        reason = (error.message or "it can't be read").rstrip(".")
        place = places.of_syntax_error(text, error.lineno)
        raise TemplateError(name, place, f"not valid Jinja: {reason}", _near_filter(reason)) from error
    except RecursionError as error:
        raise TemplateError(name, Place(), "it is nested too deeply") from error


def undeclared(text: str) -> set[str]:
    """Return the names that a valid text takes from the record."""
    from jinja2 import meta

    jinja = environment()
    return meta.find_undeclared_variables(jinja.parse(text)) - set(jinja.globals)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question after the name that was probably meant; nothing where none is near."""
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _near_filter(reason: str) -> str:
    words = reason.split("'")
    if len(words) < 2 or not reason.startswith(("No filter named", "No test named")):
        return ""
    known = environment().filters if "filter" in words[0] else environment().tests
    near = get_close_matches(words[1], [name for name in known if name.isidentifier()], 1)
    return f"Did you mean {near[0]!r}?" if near else ""


def _plain(error: BaseException) -> str:
    return str(error).rstrip(".")


def _line(traceback: "TracebackType | None") -> int:
    """Return the line of the template that an error came from: Jinja puts it into the traceback."""
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == "<template>":
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
