"""Every key of the app, declared once: bindings, footer, help, palette and the user's changes all read this."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from textual.binding import Binding, BindingType

AREAS: dict[str, str] = {
    "data": "Data",
    "examples": "Examples",
    "compare": "Compare",
    "train": "Train",
    "chat": "Chat",
}
"""The areas in the order of their digits, with the names that people read."""


def _key(keys: str, action: str, label: str, id: str, help: str, *, show: bool = True) -> Binding:
    return Binding(keys, action, label, id=id, tooltip=help, show=show)


EVERYWHERE: list[BindingType] = [
    *(
        _key(str(number), f"area('{area}')", name, f"go.{area}", f"Go to {name}", show=False)
        for number, (area, name) in enumerate(AREAS.items(), start=1)
    ),
    _key("question_mark,f1", "help", "Help", "app.help", "List every key that works here"),
    Binding(
        "ctrl+p",
        "command_palette",
        "Commands",
        id="app.palette",
        tooltip="Find any command by its name; in text fields too",
        show=False,
        priority=True,
    ),
    _key("E", "export", "Export", "app.export", "Write a data set in the shape that another tool reads"),
    _key("colon", "command_palette", "Commands", "app.commands", "Find any command by its name", show=False),
    _key("q", "quit", "Quit", "app.quit", "Leave; asks where something would be lost", show=False),
]
"""Keys of every area; ctrl+q comes with Textual."""

LIST: list[BindingType] = [
    _key("j,down", "move(1)", "Down", "list.down", "Next row", show=False),
    _key("k,up", "move(-1)", "Up", "list.up", "Row before", show=False),
    _key("ctrl+d", "half_page(1)", "Half page down", "list.half_down", "Half a page down", show=False),
    _key("ctrl+u", "half_page(-1)", "Half page up", "list.half_up", "Half a page up", show=False),
    _key("pagedown", "page(1)", "Page down", "list.page_down", "A page down", show=False),
    _key("pageup", "page(-1)", "Page up", "list.page_up", "A page up", show=False),
    _key("g", "first_key", "First (twice)", "list.first", "First row, when pressed twice", show=False),
    _key("home", "first", "First", "list.home", "First row", show=False),
    _key("G,end", "last", "Last", "list.last", "Last row", show=False),
    _key("enter", "open", "Open", "list.open", "Open the row"),
    _key("space", "select", "Select", "list.select", "Select the row and go to the next", show=False),
    _key("left", "scroll_columns(-1)", "Left", "list.left", "Columns further left, where not all fit", show=False),
    _key("right", "scroll_columns(1)", "Right", "list.right", "Columns further right, where not all fit", show=False),
    _key("A", "select_all", "Select all", "list.select_all", "Select all rows of the list, or none", show=False),
]
"""Keys of every list."""

TEXT: list[BindingType] = [
    _key("j,down", "scroll_down", "Down", "text.down", "A line down", show=False),
    _key("k,up", "scroll_up", "Up", "text.up", "A line up", show=False),
    _key("ctrl+d", "half_page(1)", "Half page down", "text.half_down", "Half a page down", show=False),
    _key("ctrl+u", "half_page(-1)", "Half page up", "text.half_up", "Half a page up", show=False),
    _key("pagedown", "page_down", "Page down", "text.page_down", "A page down", show=False),
    _key("pageup", "page_up", "Page up", "text.page_up", "A page up", show=False),
    _key("g", "first_key", "Start (twice)", "text.first", "The start, when pressed twice", show=False),
    _key("home", "scroll_home", "Start", "text.home", "The start", show=False),
    _key("G,end", "scroll_end", "End", "text.last", "The end", show=False),
    _key("plus", "more", "More", "text.more", "Show more of a text that is cut off", show=False),
]
"""Keys of every text that can be scrolled."""

_FIND: list[BindingType] = [
    _key("t", "tags", "Tags", "list.tags", "Add tags to the selected rows, or take them off"),
    _key("w", "note", "Note", "list.note", "Write a note on the selected rows", show=False),
    _key("L", "findings", "Findings", "list.findings", "Show what the checks found in the data, and mend it"),
    _key("S", "saved_queries", "Saved", "list.saved", "Show a saved query, or save this one"),
    _key("T", "template", "Template", "list.template", "Edit the template: how records become examples", show=False),
    _key("F", "flagged_only", "Flagged", "list.flagged", "Show only what is flagged, or all", show=False),
    _key("tab", "switch_pane", "Detail", "screen.pane", "Go to the other pane", show=False),
    _key("escape", "back", "Back", "screen.back", "Back: leave the pane, then the query", show=False),
]
"""Keys of lists that a query narrows down."""

DATA: list[BindingType] = [
    _key("slash", "search", "Search", "screen.search", "Write a query: words, has:flag, source:NAME and more"),
    _key("i", "import_file", "Import", "data.import", "Import a file or a folder"),
    _key("ctrl+x", "stop_import", "Stop import", "data.stop_import", "Stop the import that goes on", show=False),
    _key("f", "flag", "Flag", "item.flag", "Mark for a second look, or take the mark off"),
    _key("x", "exclude", "Exclude", "item.exclude", "Keep out of training and exports, or let in again"),
    *_FIND,
    _key("D", "duplicates", "Duplicates", "data.duplicates", "Review rows that repeat others, and leaks of splits"),
    _key("C", "column_statistics", "Statistics", "data.statistics", "Show what the columns of these rows hold"),
    _key("v", "view", "View", "screen.view", "Show the fields, JSON, the row as read, or its bytes", show=False),
    _key("c", "columns", "Columns", "data.columns", "Choose the columns of the list"),
    _key("O", "order", "Order", "data.order", "Order the list by a column", show=False),
    _key("l", "line", "Line", "data.line", "Go to a line of a file", show=False),
    _key("e", "edit_outside", "Editor", "data.editor", "Look at the whole row in $EDITOR", show=False),
    _key("s", "next_source", "Source", "data.source", "Show the next source, or all of them", show=False),
    _key("p", "problems_only", "Problems", "data.problems", "Show only the rows with a problem, or all", show=False),
    _key("o", "origin", "First", "data.origin", "Go to the first of the rows with the same bytes", show=False),
]
"""Keys of the Data screen."""

EXAMPLES: list[BindingType] = [
    _key("slash", "search", "Search", "screen.search", "Write a query: words, has:flag, split:test and more"),
    _key("v", "view", "View", "screen.view", "Messages, text, or tokens"),
    _key("n", "next_response(1)", "Response", "examples.response", "Show the next response"),
    _key("N", "next_response(-1)", "Response before", "examples.response_back", "Show the response before", show=False),
    _key("e", "edit", "Edit", "item.edit", "Edit the conversation; the old one is kept"),
    _key("a", "approve", "Approve", "item.approve", "Approve, or make it a draft again"),
    _key("y", "approve_and_next", "Approve, next", "item.approve_next", "Approve, and go to the next unreviewed"),
    _key("R", "reject", "Reject", "item.reject", "Reject, or make it a draft again"),
    _key("u", "next_unreviewed", "Next", "examples.unreviewed", "Go to the next that is neither approved nor rejected"),
    _key("f", "flag", "Flag", "item.flag", "Mark for a second look, or take the mark off"),
    _key("x", "exclude", "Exclude", "item.exclude", "Keep out of training and exports, or let in again"),
    *_FIND,
    _key("m", "model_view", "Model", "examples.model", "Show what the model sees: as trained, as a batch, compared"),
    _key("i", "ids", "Ids", "examples.ids", "Show each token with its id, or without", show=False),
    _key("r", "revisions", "Revisions", "examples.revisions", "Compare its states; bring one back", show=False),
    _key("b", "new_example", "New", "examples.new", "Write a new example, or begin with a copy", show=False),
    _key("P", "move_split", "Move", "examples.move_split", "Move to another split, with all of its prompt", show=False),
    _key("o", "record", "Record", "examples.record", "Go to the record that it was made from", show=False),
    _key("s", "next_split", "Split", "examples.split", "Show one split, or all", show=False),
    _key("p", "prepare", "Prepare", "examples.prepare", "Prepare the model's tokenizer", show=False),
]
"""Keys of the Examples screen."""

EDITOR: list[BindingType] = [
    _key("f2,ctrl+s", "save", "Save", "editor.save", "Save"),
    _key("f3", "next_turn(1)", "Next turn", "editor.next", "Go to the next turn"),
    _key("f4", "next_turn(-1)", "Turn before", "editor.previous", "Go to the turn before", show=False),
    _key("f5", "role", "Role", "editor.role", "Change who speaks"),
    _key("ctrl+o", "edit_turn", "$EDITOR", "editor.turn_outside", "Open this turn in your own editor"),
    _key("ctrl+g", "edit_whole", "All in it", "editor.whole_outside", "Open the whole conversation in your own editor"),
    _key("f8", "add_turn", "Add", "editor.add", "Add a turn after this one"),
    _key("f9", "remove_turn", "Remove", "editor.remove", "Remove this turn"),
    _key("ctrl+n,alt+down", "move_turn(1)", "Later", "editor.later", "Move this turn after the next", show=False),
    _key("ctrl+t,alt+up", "move_turn(-1)", "Earlier", "editor.earlier", "Move this turn before", show=False),
    _key("escape", "cancel", "Cancel", "editor.cancel", "Leave; asks where something was changed"),
]
"""Keys of the conversation editor."""

REVISIONS: list[BindingType] = [
    _key("v", "next_view", "View", "screen.view", "Change from the newest, from the one before, or the whole text"),
    _key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with an example's revisions; enter brings one back."""

DIALOG: list[BindingType] = [
    _key("escape", "cancel", "Close", "dialog.close", "Close without doing anything"),
]
"""Keys of the small windows."""

COMPARE: list[BindingType] = [
    _key("h,left", "judge('left')", "Left", "compare.left", "The left reply is better"),
    _key("l,right", "judge('right')", "Right", "compare.right", "The right reply is better"),
    _key("t", "judge('tie')", "Tie", "compare.tie", "Both are as good"),
    _key("b", "judge('both_bad')", "Both bad", "compare.both_bad", "Neither is good"),
    _key("s", "judge('skip')", "Skip", "compare.skip", "Decide nothing and go on"),
    _key("u", "undo", "Undo", "compare.undo", "Take the latest verdict back"),
    _key("ctrl+r", "redo", "Redo", "compare.redo", "Give back what was undone", show=False),
    _key("c", "comment", "Comment", "compare.comment", "Write a remark on this pair"),
    _key("e", "edit", "Edit", "item.edit", "Edit the better reply into a third", show=False),
    _key("f", "flag", "Flag", "item.flag", "Mark for a second look, or take the mark off", show=False),
    _key("escape", "back", "Back", "screen.back", "Back", show=False),
]
"""Keys of the Compare screen."""

TRAIN: list[BindingType] = [
    _key("n", "new_run", "New run", "train.new", "Start a run"),
    _key("s", "stop", "Stop", "train.stop", "Stop the run at the end of its step; asks first"),
    _key("r", "resume", "Resume", "train.resume", "Go on with a stopped or failed run"),
    _key("o", "logs", "Log", "train.logs", "Show what the trainer printed"),
    _key("p", "parity", "Prove tokens", "train.parity", "Compare the run's tokens with llama.cpp's now"),
    _key("c", "chat", "Chat", "train.chat", "Talk to the run beside its base model"),
    _key("escape", "back", "Back", "screen.back", "Back", show=False),
]
"""Keys of the Train screen."""

CHAT: list[BindingType] = [
    _key("i,enter", "write", "Write", "chat.write", "Write a message; esc leaves the line"),
    _key("m", "model", "Model", "chat.model", "Choose a run or a model"),
    _key("o", "held_out", "Held-out", "chat.held_out", "Take the next held-out prompt"),
    _key("w", "prefer", "Better", "chat.prefer", "Say which reply is better; it becomes a judged pair"),
    _key("t", "tokens", "Tokens", "chat.tokens", "Show the prompt's tokens as they were sent"),
    _key("y", "system", "System", "chat.system", "Change the system prompt"),
    _key("s", "sampling", "Sampling", "chat.sampling", "Change temperature, top-p, length and seed"),
    _key("ctrl+n", "new_chat", "New", "chat.new", "Begin a new chat"),
    _key("ctrl+x", "cancel", "Stop", "chat.cancel", "Stop the replies that are coming", show=False),
    _key("tab", "switch_pane", "Other reply", "screen.pane", "Go to the other pane", show=False),
    _key("escape", "back", "Back", "screen.back", "Leave the line, or stop the replies", show=False),
]
"""Keys of the Chat screen."""

FORM: list[BindingType] = [
    _key("f2,ctrl+s,enter", "submit", "Do it", "form.submit", "Take the form as it is"),
    _key("f3", "next_method", "Method", "form.method", "Change between the choices at the top"),
    _key("down", "app.focus_next", "Next", "form.next", "The next field", show=False),
    _key("up", "app.focus_previous", "Before", "form.previous", "The field before", show=False),
]
"""Keys of forms; enter works in their fields too."""

CHOICE: list[BindingType] = [
    _key(str(number), f"take({number - 1})", f"Line {number}", f"choice.{number}", f"Take line {number}", show=False)
    for number in range(1, 10)
]
"""Keys of the windows with a list to choose from; enter takes the line under the cursor."""

SYSTEM_PROMPT: list[BindingType] = [
    _key("f2,ctrl+s", "submit", "Keep", "system.keep", "Keep the system prompt"),
]
"""Keys of the window for the system prompt."""

SAVED_QUERIES: list[BindingType] = [
    _key("s", "save", "Save", "queries.save", "Keep the present query under a name"),
    _key("d", "delete", "Delete", "queries.delete", "Delete the query under the cursor; asks first"),
]
"""Keys of the window with the saved queries."""

NOTE: list[BindingType] = [
    _key("f2,ctrl+s", "submit", "Keep", "note.keep", "Keep the note; an empty one takes it off"),
]
"""Keys of the window for a note."""

CHOOSE_COLUMNS: list[BindingType] = [
    _key("J", "move(1)", "Further down", "columns.down", "Move the column down in the order"),
    _key("K", "move(-1)", "Further up", "columns.up", "Move the column up in the order"),
    _key("r", "reset", "As at first", "columns.reset", "Show the columns of a new project"),
]
"""Keys of the window with the columns; space chooses, enter shows them."""

TAGS: list[BindingType] = [
    _key("tab", "complete", "Complete", "tags.complete", "Complete the tag"),
]
"""Keys of the line for tags."""

DUPLICATES: list[BindingType] = [
    _key("X", "exclude_rest", "Exclude", "duplicates.exclude", "Exclude all but the first, of a leak what trains"),
    _key("R", "restore", "Restore", "duplicates.restore", "Let in again what was excluded of the group"),
    _key("x", "exclude", "Exclude one", "item.exclude", "Keep out of training and exports, or let in again"),
    _key("v", "next_kind", "Kind", "screen.view", "Change between equal rows, similar rows and leaks"),
    _key("n", "search(True)", "Search", "duplicates.search", "Look for similar rows, or leaks, in the background"),
    _key("N", "search(False)", "Fast search", "duplicates.fast", "Look only for those that are all but equal"),
    _key("c", "stop", "Stop", "duplicates.stop", "Stop looking"),
    _key("o", "open_row", "Go to", "duplicates.open", "Go to the row in its own list"),
]
"""Keys of the window with the duplicates; tab goes to the other pane."""

MODEL_VIEW: list[BindingType] = [
    _key("v", "next_view", "View", "screen.view", "As trained, the batch, or beside another model or template"),
    _key("i", "ids", "Ids", "model.ids", "Show each token with its id, or without"),
    _key("o", "other", "Other model", "model.other", "Choose the model or template to compare with"),
    _key("b", "batch", "Batch", "model.batch", "Show these examples as one batch, or the first batch of a run"),
    _key("P", "packing", "Packed", "model.packing", "Show the batch packed, or padded"),
    _key("d", "method", "Method", "model.method", "Show the batch of sft, or of dpo"),
    _key("n", "next_example(1)", "Next", "model.next", "Compare the next example", show=False),
    _key("N", "next_example(-1)", "Before", "model.back", "Compare the example before", show=False),
    _key("c", "chat_template", "Template", "model.template", "Look at the chat template, or choose another"),
    _key("tab", "switch_pane", "Other pane", "screen.pane", "Go to the other pane", show=False),
    _key("p", "prepare", "Prepare", "examples.prepare", "Prepare the model's tokenizer", show=False),
]
"""Keys of the window on what the model sees."""

CHAT_TEMPLATE: list[BindingType] = [
    _key("e", "edit", "Edit", "chat_template.edit", "Write a chat template for this project"),
    _key("ctrl+e", "edit_outside", "Editor", "chat_template.editor", "Write it in $EDITOR"),
    _key("m", "own", "Model's own", "chat_template.own", "Use the model's own template again"),
]
"""Keys of the window with the chat template."""

TEMPLATE_TEXT: list[BindingType] = [
    _key("f2,ctrl+s", "submit", "Keep", "template_text.keep", "Use this template"),
    _key("escape", "cancel", "Cancel", "template_text.cancel", "Leave; asks where something was changed"),
]
"""Keys of the editor for a chat template."""

TEMPLATE: list[BindingType] = [
    _key("f2,ctrl+s", "save", "Save", "template.save", "Save a version, and write it into studio.toml"),
    _key("f3", "next_part(1)", "Next text", "template.next", "Go to the next text of the template"),
    _key("f4", "next_part(-1)", "Text before", "template.previous", "Go to the text before", show=False),
    _key("f7", "apply", "Apply", "template.apply", "Look at what applying it would change, then do it"),
    _key("ctrl+g", "insert", "Field", "template.field", "Insert a field of the record"),
    _key("ctrl+n", "next_record(1)", "Record", "template.record", "Preview the next record"),
    _key("ctrl+o", "next_record(-1)", "Record before", "template.record_back", "Preview the record before", show=False),
    _key("f5", "role", "Role", "template.role", "Change who speaks the turn"),
    _key("f8", "add", "Add", "template.add", "Add a turn, a response, few-shot examples, tools and more"),
    _key("f9", "remove", "Remove", "template.remove", "Remove this text"),
    _key("f10", "versions", "Versions", "template.versions", "Compare versions, go on from one, take one back"),
    _key("ctrl+t", "next_failing", "Failing", "template.failing", "Preview the next record that it fails on"),
    _key("ctrl+r", "ready", "Ready-made", "template.ready", "Begin with a template made for these rows"),
    _key("f6", "switch_pane", "Preview", "template.pane", "Go to the preview, or back", show=False),
    _key("escape", "cancel", "Leave", "template.leave", "Leave; asks where something was changed", show=False),
]
"""Keys of the template editor."""

TEMPLATE_VERSIONS: list[BindingType] = [
    _key("v", "next_view", "View", "screen.view", "Change from the draft, or from the version before"),
    _key("b", "take_back", "Bring back", "template_versions.back", "Undo what applying this version changed"),
    _key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with a template's versions; enter goes on from one."""

TEMPLATE_PLAN: list[BindingType] = [
    _key("f2,ctrl+s", "apply", "Apply", "template_plan.apply", "Do what the plan says"),
    _key("x", "choose", "Edit or template", "template_plan.choose", "Keep this edit, or take the template's instead"),
    _key("X", "choose_all", "All", "template_plan.all", "Take the template's for all edits, or keep them all"),
    _key("tab", "switch_pane", "Sides", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with the plan; enter opens both sides of an edit."""

FINDINGS: list[BindingType] = [
    _key("x", "exclude", "Exclude", "findings.exclude", "Exclude all rows of the finding"),
    _key("R", "restore", "Let in", "findings.restore", "Let in again what was excluded because of it"),
    _key("f", "fix", "Fix", "findings.fix", "Mend all its rows, each in a new revision"),
    _key("U", "unfix", "Undo the fix", "findings.unfix", "Bring back what they said before, where nobody edited since"),
    _key("r", "run", "Run", "findings.run", "Run the checks in the background; only what changed is looked at"),
    _key("c", "stop", "Stop", "findings.stop", "Stop the run; what was looked at is kept"),
]
"""Keys of the window with the findings; tab goes to the other pane."""

EXPORT: list[BindingType] = [
    _key("f5", "look", "Look", "export.look", "Show what would be written, and write nothing"),
    _key("f3", "next_part", "Part", "export.part", "Write another split, or all of them"),
]
"""Keys of the window for an export."""

PATH: list[BindingType] = [
    _key("tab", "complete", "Complete", "import.complete", "Complete the path"),
]
"""Keys of a line for a path."""

IMPORT: list[BindingType] = [
    _key("f4", "columns", "Columns", "import.columns", "Look at the columns first, and say what they mean"),
    _key("b,enter", "to_background", "Go on in the list", "import.background", "Let the import go on behind the list"),
    _key("ctrl+x", "cancel", "Stop", "import.stop", "Stop the import; its rows so far stay", show=False),
]
"""Keys of the window for an import."""

MAPPING: list[BindingType] = [
    _key("m", "cycle(1)", "Means", "mapping.next", "Give the column or code its next meaning; enter lists them"),
    _key("M", "cycle(-1)", "Meaning before", "mapping.back", "Give it the meaning before", show=False),
    _key("x,delete", "clear", "Nothing", "mapping.clear", "Take its meaning away", show=False),
    _key("i,f2", "take", "Import", "mapping.take", "Import the file so"),
    _key("p", "plain", "Plain", "mapping.plain", "Import the rows as records, without examples"),
    _key("s", "save", "Save", "mapping.save", "Keep the mapping in a file"),
    _key("o", "load", "Load", "mapping.load", "Use a mapping that was kept"),
    _key("n", "next_row(1)", "Next row", "mapping.row", "Show what the next row of the file becomes"),
    _key("N", "next_row(-1)", "Row before", "mapping.row_back", "Show what the row before becomes", show=False),
    _key("tab", "switch_pane", "Preview", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window that says what columns mean."""

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
    "Import": IMPORT,
    "Columns": MAPPING,
    "Compare": COMPARE,
    "Train": TRAIN,
    "Chat": CHAT,
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
