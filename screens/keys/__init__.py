"""Every key of the app, declared once: bindings, footer, help, palette and the user's changes all read this."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from textual.binding import Binding, BindingType

from screens.keys.areas import AREAS, CHAT, COMPARE, DATA, EVERYWHERE, EXAMPLES, LIST, REASONS, TEXT, TRAIN
from screens.keys.new_run import FOLDED, NEW_RUN, PLAN, VALUE, WRITTEN_OUT
from screens.keys.windows import (
    AI_JUDGE,
    ASK_JUDGE,
    CHAT_JUDGE,
    CHAT_TEMPLATE,
    CHATS,
    CHOICE,
    CHOOSE_COLUMNS,
    CHOOSE_CURVES,
    COMPOSER,
    CORRECTION,
    DIALOG,
    DUPLICATES,
    EDITOR,
    EVIDENCE,
    EXPORT,
    FINDINGS,
    FORM,
    GENERATE,
    IMPORT,
    JOBS,
    LABELLING_REPORT,
    MAPPING,
    MODEL_VIEW,
    NOTE,
    ORIGINS,
    PATH,
    QUANTISE,
    RAW_TURN,
    REVISIONS,
    RUN_ANSWERS,
    RUN_COMPARE,
    RUN_EDIT,
    SAVED_QUERIES,
    SYSTEM_PROMPT,
    TAGS,
    TASK_FORM,
    TASKS,
    TEMPLATE,
    TEMPLATE_PLAN,
    TEMPLATE_TEXT,
    TEMPLATE_VERSIONS,
    VARY,
    VERDICT_HISTORY,
)

__all__ = [
    "AI_JUDGE",
    "AREAS",
    "ASK_JUDGE",
    "CHAT",
    "CHATS",
    "CHAT_JUDGE",
    "CHAT_TEMPLATE",
    "CHOICE",
    "CHOOSE_COLUMNS",
    "CHOOSE_CURVES",
    "COMPARE",
    "COMPOSER",
    "CORRECTION",
    "DATA",
    "DIALOG",
    "DUPLICATES",
    "EDITOR",
    "EVERYWHERE",
    "EVIDENCE",
    "EXAMPLES",
    "EXPORT",
    "FINDINGS",
    "FOLDED",
    "FORM",
    "GENERATE",
    "GROUPS",
    "IMPORT",
    "JOBS",
    "LABELLING_REPORT",
    "LIST",
    "MAPPING",
    "MODEL_VIEW",
    "NEW_RUN",
    "NOTE",
    "ORIGINS",
    "PATH",
    "PLAN",
    "QUANTISE",
    "RAW_TURN",
    "REASONS",
    "REVISIONS",
    "RUN_ANSWERS",
    "RUN_COMPARE",
    "RUN_EDIT",
    "SAVED_QUERIES",
    "SYSTEM_PROMPT",
    "TAGS",
    "TASKS",
    "TASK_FORM",
    "TEMPLATE",
    "TEMPLATE_PLAN",
    "TEMPLATE_TEXT",
    "TEMPLATE_VERSIONS",
    "TEXT",
    "TRAIN",
    "VALUE",
    "VARY",
    "VERDICT_HISTORY",
    "WRITTEN_OUT",
    "keymap_problems",
]

GROUPS: dict[str, list[BindingType]] = {
    "Everywhere": EVERYWHERE,
    "Lists": LIST,
    "Texts": TEXT,
    "Data": DATA,
    "Examples": EXAMPLES,
    "Editor": EDITOR,
    "Revisions": REVISIONS,
    "Dialogs": DIALOG,
    "Forms": FORM,
    "Choices": CHOICE,
    "System prompt": SYSTEM_PROMPT,
    "What the model sees": MODEL_VIEW,
    "Chat template": CHAT_TEMPLATE,
    "Chat template's text": TEMPLATE_TEXT,
    "Template": TEMPLATE,
    "Template's versions": TEMPLATE_VERSIONS,
    "Template's plan": TEMPLATE_PLAN,
    "Export": EXPORT,
    "Saved queries": SAVED_QUERIES,
    "Tags": TAGS,
    "Note": NOTE,
    "Columns of the list": CHOOSE_COLUMNS,
    "Duplicates": DUPLICATES,
    "Findings": FINDINGS,
    "Paths": PATH,
    "New replies": GENERATE,
    "Vary": VARY,
    "AI judge": AI_JUDGE,
    "Ask an AI judge": ASK_JUDGE,
    "Jobs": JOBS,
    "Import": IMPORT,
    "Columns": MAPPING,
    "Compare": COMPARE,
    "Reasons": REASONS,
    "Your verdicts": VERDICT_HISTORY,
    "How it goes": LABELLING_REPORT,
    "Queues": TASKS,
    "A queue": TASK_FORM,
    "Train": TRAIN,
    "New run": NEW_RUN,
    "A value": VALUE,
    "A group of settings": FOLDED,
    "Plan of a run": PLAN,
    "Written out": WRITTEN_OUT,
    "Runs compared": RUN_COMPARE,
    "Curves drawn": CHOOSE_CURVES,
    "A run's answers": RUN_ANSWERS,
    "A run's name": RUN_EDIT,
    "Evidence": EVIDENCE,
    "Quantise": QUANTISE,
    "Origins of a reply": ORIGINS,
    "Chat": CHAT,
    "A question": COMPOSER,
    "Which reply is better": CHAT_JUDGE,
    "Chats": CHATS,
    "A reply's tokens": RAW_TURN,
    "A reply corrected": CORRECTION,
}
"""All of them, by where they work."""


def keymap_problems(keymap: Mapping[str, str]) -> list[str]:
    """Return what is wrong with a user's changes of keys: unknown names, and keys given twice in one place."""
    known = {binding.id for group in GROUPS.values() for binding in _bindings(group)}
    problems = []
    for name in keymap:
        if name not in known:
            near = get_close_matches(name, [k for k in known if k], 1)
            hint = f" Did you mean {near[0]!r}?" if near else " `?` lists the names."
            problems.append(f"There is no key named {name!r}.{hint}")
    for place, group in GROUPS.items():
        problems.extend(_clashes(place, group, keymap))
    return problems


def _clashes(place: str, group: list[BindingType], keymap: Mapping[str, str]) -> Iterator[str]:
    taken: dict[str, str] = {}
    for binding in _bindings(group):
        assert binding.id is not None
        for key in (keymap.get(binding.id) or binding.key).split(","):
            other = taken.setdefault(key.strip(), binding.id)
            if other != binding.id and {other, binding.id} & keymap.keys():
                yield f"{place}: the key {key.strip()!r} is given to both {other} and {binding.id}."


def _bindings(group: list[BindingType]) -> Iterator[Binding]:
    return (binding for binding in group if isinstance(binding, Binding))
