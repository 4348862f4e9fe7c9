"""Models with two chat templates, one of them for conversations with tools: kept as one text, which is valid Jinja.

So a run keeps both, and whoever gets its template or its GGUF renders with the right one.
"""

from collections.abc import Mapping

_WITH, _WITHOUT, _END = "{% if tools is not none %}\n", "{{ '' }}{% else %}{# without tools #}\n", "{{ '' }}{% endif %}"
"""They leave a template's own spaces and line ends as they are."""


def together(named: Mapping[str, str | None]) -> str | None:
    """Return a model's templates as one: `tool_use` for conversations with tools, as in transformers, else `default`.

    None where there is none to take when nothing else is said.
    """
    default, tools = named.get("default"), named.get("tool_use")
    if default is None or tools is None or default.startswith(_WITH):
        return default
    return _WITH + tools.removesuffix("\n") + _WITHOUT + default.removesuffix("\n") + _END


def part_for(template: str, *, tools: bool) -> str:
    """Return the template that a conversation is rendered with, of what may be two."""
    if not (template.startswith(_WITH) and template.endswith(_END) and template.count(_WITHOUT) == 1):
        return template
    used, _, unused = template.removeprefix(_WITH).removesuffix(_END).partition(_WITHOUT)
    # Jinja takes one line end off the end of a text.
    return f"{used if tools else unused}\n"
