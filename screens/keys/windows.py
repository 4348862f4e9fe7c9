"""Keys of the windows over the areas."""

from textual.binding import BindingType

from screens.keys.binding import key
from screens.keys.curves import CURVES

EDITOR: list[BindingType] = [
    key("f2,ctrl+s", "save", "Save", "editor.save", "Save"),
    key("f3", "next_turn(1)", "Next turn", "editor.next", "Go to the next turn"),
    key("f4", "next_turn(-1)", "Turn before", "editor.previous", "Go to the turn before", show=False),
    key("f5", "role", "Role", "editor.role", "Change who speaks"),
    key("ctrl+o", "edit_turn", "$EDITOR", "editor.turn_outside", "Open this turn in your own editor"),
    key("ctrl+g", "edit_whole", "All in it", "editor.whole_outside", "Open the whole conversation in your own editor"),
    key("f8", "add_turn", "Add", "editor.add", "Add a turn after this one"),
    key("f9", "remove_turn", "Remove", "editor.remove", "Remove this turn"),
    key("ctrl+n,alt+down", "move_turn(1)", "Later", "editor.later", "Move this turn after the next", show=False),
    key("ctrl+t,alt+up", "move_turn(-1)", "Earlier", "editor.earlier", "Move this turn before", show=False),
    key("escape", "cancel", "Cancel", "editor.cancel", "Leave; asks where something was changed"),
]
"""Keys of the conversation editor."""

REVISIONS: list[BindingType] = [
    key("v", "next_view", "View", "screen.view", "Change from the newest, from the one before, or the whole text"),
    key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with an example's revisions; enter brings one back."""

VERDICT_HISTORY: list[BindingType] = [
    key("w", "reveal", "Whose", "verdicts.whose", "Say whose the two replies are, or keep it from oneself"),
    key("tab", "switch_pane", "Pair", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with all verdicts; enter judges a pair anew."""

LABELLING_REPORT: list[BindingType] = [
    key("o", "next_task", "Queue", "report.task", "Count one queue, the next one, or all"),
    key("w", "next_rater", "Person", "report.rater", "Count one person, the next one, or everybody"),
    key("r", "read", "Again", "report.read", "Count again"),
]
"""Keys of the window on how the labelling goes."""

TASKS: list[BindingType] = [
    key("n", "new", "New", "tasks.new", "Make another queue"),
    key("e", "edit", "Edit", "tasks.edit", "Change the queue under the cursor"),
    key("d", "delete", "Delete", "tasks.delete", "Take the queue away; its verdicts stay"),
    key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with the queues of Compare; enter goes on in one."""

TASK_FORM: list[BindingType] = [
    key("f2,ctrl+s", "submit", "Keep", "task.keep", "Keep the queue"),
    key("f3", "next_order", "Order", "task.order", "The next order of the pairs"),
    key("f4", "next_pairs", "Pairs", "task.pairs", "The next choice of pairs"),
    key("down", "app.focus_next", "Next", "task.next", "The next field", show=False),
    key("up", "app.focus_previous", "Before", "task.previous", "The field before", show=False),
]
"""Keys of the form for a queue."""

DIALOG: list[BindingType] = [
    key("escape", "cancel", "Close", "dialog.close", "Close without doing anything"),
]
"""Keys of the small windows."""

FORM: list[BindingType] = [
    key("f2,ctrl+s,enter", "submit", "Do it", "form.submit", "Take the form as it is"),
    key("down", "app.focus_next", "Next", "form.next", "The next field", show=False),
    key("up", "app.focus_previous", "Before", "form.previous", "The field before", show=False),
]
"""Keys of forms; enter works in their fields too."""

CHOICE: list[BindingType] = [
    key(str(number), f"take({number - 1})", f"Line {number}", f"choice.{number}", f"Take line {number}", show=False)
    for number in range(1, 10)
]
"""Keys of the windows with a list to choose from; enter takes the line under the cursor."""

SYSTEM_PROMPT: list[BindingType] = [
    key("f2,ctrl+s", "submit", "Keep", "system.keep", "Keep the system prompt"),
]
"""Keys of the window for the system prompt."""

COMPOSER: list[BindingType] = [
    key("enter", "send", "Send", "composer.send", "Ask what is written"),
    key("ctrl+j", "newline", "New line", "composer.newline", "Begin another line; a paste keeps its lines"),
    key("escape", "screen.back", "Other keys", "composer.leave", "Stop the replies, or leave the line for the panes"),
    key("ctrl+o", "screen.write_outside", "$EDITOR", "composer.editor", "Write the question in your own editor"),
    key("ctrl+x", "screen.cancel", "Stop", "composer.cancel", "Stop the replies that are coming", show=False),
]
"""Keys of the lines in which a question is written."""

CHAT_JUDGE: list[BindingType] = [
    key("h,left,1", "judge(0)", "First", "chat_judge.first", "The left reply, or the first of several, is better"),
    key("l,right,2", "judge(1)", "Second", "chat_judge.second", "The right reply, or the second, is better"),
    key("3", "judge(2)", "Third", "chat_judge.third", "The third reply is the best", show=False),
    key("4", "judge(3)", "Fourth", "chat_judge.fourth", "The fourth reply is the best", show=False),
    key("t", "judge('tie')", "Tie", "chat_judge.tie", "Both are as good", show=False),
    key("b", "judge('both_bad')", "Bad", "chat_judge.bad", "None is good"),
    key("s", "judge('skip')", "Skip", "chat_judge.skip", "Decide nothing"),
    key("escape,w", "close", "Close", "chat_judge.close", "Decide later; w asks again", show=False),
]
"""Keys of the line that asks which reply is better."""

CHATS: list[BindingType] = [
    key("slash", "search", "Search", "screen.search", "Look for words in any turn"),
    key("e", "rename", "Rename", "item.edit", "Give the chat another title"),
    key("d", "delete", "Delete", "chats.delete", "Delete the chat; asks first"),
    key("E", "export", "Export", "chats.export", "Write the chat into a file"),
    key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with all chats; enter goes on with one."""

RAW_TURN: list[BindingType] = [
    key("v", "next_view", "View", "screen.view", "Token by token, as text with marks, or what was sent"),
    key("n", "next_unsure(1)", "Unsure", "raw.next", "Go to the next token that had less than half of the chances"),
    key("N", "next_unsure(-1)", "Unsure before", "raw.back", "Go to the one before", show=False),
    key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with a reply's tokens."""

CORRECTION: list[BindingType] = [
    key("f2,ctrl+s", "submit", "Learn", "fix.keep", "Keep it: an example, and a pair with the model's own reply"),
    key("ctrl+o", "edit_outside", "$EDITOR", "fix.editor", "Open it in your own editor"),
    key("escape", "cancel", "Leave", "fix.leave", "Leave; asks where something was changed"),
]
"""Keys of the window that corrects a reply."""

SAVED_QUERIES: list[BindingType] = [
    key("s", "save", "Save", "queries.save", "Keep the present query under a name"),
    key("d", "delete", "Delete", "queries.delete", "Delete the query under the cursor; asks first"),
]
"""Keys of the window with the saved queries."""

NOTE: list[BindingType] = [
    key("f2,ctrl+s", "submit", "Keep", "note.keep", "Keep the note; an empty one takes it off"),
]
"""Keys of the window for a note."""

CHOOSE_COLUMNS: list[BindingType] = [
    key("J", "move(1)", "Further down", "columns.down", "Move the column down in the order"),
    key("K", "move(-1)", "Further up", "columns.up", "Move the column up in the order"),
    key("r", "reset", "As at first", "columns.reset", "Show the columns of a new project"),
]
"""Keys of the window with the columns; space chooses, enter shows them."""

TAGS: list[BindingType] = [
    key("tab", "complete", "Complete", "tags.complete", "Complete the tag"),
]
"""Keys of the line for tags."""

DUPLICATES: list[BindingType] = [
    key("X", "exclude_rest", "Exclude", "duplicates.exclude", "Exclude all but the first, of a leak what trains"),
    key("R", "restore", "Restore", "duplicates.restore", "Let in again what was excluded of the group"),
    key("x", "exclude", "Exclude one", "item.exclude", "Keep out of training and exports, or let in again"),
    key("v", "next_kind", "Kind", "screen.view", "Change between equal rows, similar rows and leaks"),
    key("n", "search(True)", "Search", "duplicates.search", "Look for similar rows, or leaks, in the background"),
    key("N", "search(False)", "Fast search", "duplicates.fast", "Look only for those that are all but equal"),
    key("c", "stop", "Stop", "duplicates.stop", "Stop looking"),
    key("o", "open_row", "Go to", "duplicates.open", "Go to the row in its own list"),
]
"""Keys of the window with the duplicates; tab goes to the other pane."""

MODEL_VIEW: list[BindingType] = [
    key("v", "next_view", "View", "screen.view", "As trained, the batch, or beside another model or template"),
    key("i", "ids", "Ids", "model.ids", "Show each token with its id, or without"),
    key("o", "other", "Other model", "model.other", "Choose the model or template to compare with"),
    key("b", "batch", "Batch", "model.batch", "Show these examples as one batch, or the first batch of a run"),
    key("P", "packing", "Packed", "model.packing", "Show the batch packed, or padded"),
    key("d", "method", "Method", "model.method", "Show the batch of sft, or of dpo"),
    key("n", "next_example(1)", "Next", "model.next", "Compare the next example", show=False),
    key("N", "next_example(-1)", "Before", "model.back", "Compare the example before", show=False),
    key("c", "chat_template", "Template", "model.template", "Look at the chat template, or choose another"),
    key("tab", "switch_pane", "Other pane", "screen.pane", "Go to the other pane", show=False),
    key("p", "prepare", "Prepare", "examples.prepare", "Prepare the model's tokenizer", show=False),
]
"""Keys of the window on what the model sees."""

CHAT_TEMPLATE: list[BindingType] = [
    key("e", "edit", "Edit", "chat_template.edit", "Write a chat template for this project"),
    key("ctrl+e", "edit_outside", "Editor", "chat_template.editor", "Write it in $EDITOR"),
    key("m", "own", "Model's own", "chat_template.own", "Use the model's own template again"),
]
"""Keys of the window with the chat template."""

TEMPLATE_TEXT: list[BindingType] = [
    key("f2,ctrl+s", "submit", "Keep", "template_text.keep", "Use this template"),
    key("escape", "cancel", "Cancel", "template_text.cancel", "Leave; asks where something was changed"),
]
"""Keys of the editor for a chat template."""

TEMPLATE: list[BindingType] = [
    key("f2,ctrl+s", "save", "Save", "template.save", "Save a version, and write it into studio.toml"),
    key("f3", "next_part(1)", "Next text", "template.next", "Go to the next text of the template"),
    key("f4", "next_part(-1)", "Text before", "template.previous", "Go to the text before", show=False),
    key("f7", "apply", "Apply", "template.apply", "Look at what applying it would change, then do it"),
    key("ctrl+g", "insert", "Field", "template.field", "Insert a field of the record"),
    key("ctrl+n", "next_record(1)", "Record", "template.record", "Preview the next record"),
    key("ctrl+o", "next_record(-1)", "Record before", "template.record_back", "Preview the record before", show=False),
    key("f5", "role", "Role", "template.role", "Change who speaks the turn"),
    key("f8", "add", "Add", "template.add", "Add a turn, a response, few-shot examples, tools and more"),
    key("f9", "remove", "Remove", "template.remove", "Remove this text"),
    key("f10", "versions", "Versions", "template.versions", "Compare versions, go on from one, take one back"),
    key("ctrl+t", "next_failing", "Failing", "template.failing", "Preview the next record that it fails on"),
    key("ctrl+r", "ready", "Ready-made", "template.ready", "Begin with a template made for these rows"),
    key("f6", "switch_pane", "Preview", "template.pane", "Go to the preview, or back", show=False),
    key("escape", "cancel", "Leave", "template.leave", "Leave; asks where something was changed", show=False),
]
"""Keys of the template editor."""

TEMPLATE_VERSIONS: list[BindingType] = [
    key("v", "next_view", "View", "screen.view", "Change from the draft, or from the version before"),
    key("b", "take_back", "Bring back", "template_versions.back", "Undo what applying this version changed"),
    key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with a template's versions; enter goes on from one."""

TEMPLATE_PLAN: list[BindingType] = [
    key("f2,ctrl+s", "apply", "Apply", "template_plan.apply", "Do what the plan says"),
    key("x", "choose", "Edit or template", "template_plan.choose", "Keep this edit, or take the template's instead"),
    key("X", "choose_all", "All", "template_plan.all", "Take the template's for all edits, or keep them all"),
    key("tab", "switch_pane", "Sides", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with the plan; enter opens both sides of an edit."""

FINDINGS: list[BindingType] = [
    key("x", "exclude", "Exclude", "findings.exclude", "Exclude all rows of the finding"),
    key("R", "restore", "Let in", "findings.restore", "Let in again what was excluded because of it"),
    key("f", "fix", "Fix", "findings.fix", "Mend all its rows, each in a new revision"),
    key("U", "unfix", "Undo the fix", "findings.unfix", "Bring back what they said before, where nobody edited since"),
    key("r", "run", "Run", "findings.run", "Run the checks in the background; only what changed is looked at"),
    key("c", "stop", "Stop", "findings.stop", "Stop the run; what was looked at is kept"),
]
"""Keys of the window with the findings; tab goes to the other pane."""

GENERATE: list[BindingType] = [
    key("f2,ctrl+s", "submit", "Start", "generate.start", "Look at what the form comes to, then start it"),
    key("f3", "next_pairs", "Pairs", "generate.pairs", "The next choice of pairs"),
    key("f4", "choose_model", "Models", "generate.models", "Choose a run or a model from a list"),
    key("f5", "look", "Look", "generate.look", "Count the prompts, and make nothing", show=False),
    key("f6", "jobs", "Jobs", "generate.jobs", "Show the jobs"),
    key("down", "app.focus_next", "Next", "generate.next", "The next field", show=False),
    key("up", "app.focus_previous", "Before", "generate.previous", "The field before", show=False),
]
"""Keys of the form for new replies."""

VARY: list[BindingType] = [
    key("f2,ctrl+s", "submit", "Start", "vary.start", "Start with the ways that are chosen"),
    key("f4", "choose_model", "Models", "vary.models", "Choose a run or a model from a list"),
    key("f6", "jobs", "Jobs", "vary.jobs", "Show the jobs"),
]
"""Keys of the window that varies prompts; space chooses a way, enter starts."""

AI_JUDGE: list[BindingType] = [
    key("n", "ask", "Ask", "judge.ask", "Ask a model about the pairs that you have decided"),
    key("v", "next_judge", "Judge", "screen.view", "Show the next judge"),
    key("r", "read", "Read", "judge.read", "Read its answers again"),
    key("f6", "jobs", "Jobs", "judge.jobs", "Show the jobs"),
    key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with what AI judges say."""

ASK_JUDGE: list[BindingType] = [
    key("f2,ctrl+s", "submit", "Ask", "ask_judge.start", "Ask the judge"),
    key("f4", "choose_model", "Models", "ask_judge.models", "Choose a run or a model from a list"),
    key("down", "app.focus_next", "Next", "ask_judge.next", "The next field", show=False),
    key("up", "app.focus_previous", "Before", "ask_judge.previous", "The field before", show=False),
]
"""Keys of the form that asks an AI judge."""

JOBS: list[BindingType] = [
    key("s", "stop", "Stop", "jobs.stop", "Stop the job; what it made is kept"),
    key("r", "resume", "Go on", "jobs.resume", "Go on with a job that was stopped or failed"),
    key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with the jobs of models."""

EXPORT: list[BindingType] = [
    key("f5", "look", "Look", "export.look", "Show what would be written, and write nothing"),
    key("f3", "next_part", "Part", "export.part", "Write another split, or all of them"),
]
"""Keys of the window for an export."""

PATH: list[BindingType] = [
    key("tab", "complete", "Complete", "import.complete", "Complete the path"),
]
"""Keys of a line for a path."""

IMPORT: list[BindingType] = [
    key("f4", "columns", "Columns", "import.columns", "Look at the columns first, and say what they mean"),
    key("b,enter", "to_background", "Go on in the list", "import.background", "Let the import go on behind the list"),
    key("ctrl+x", "cancel", "Stop", "import.stop", "Stop the import; its rows so far stay", show=False),
]
"""Keys of the window for an import."""

MAPPING: list[BindingType] = [
    key("m", "cycle(1)", "Means", "mapping.next", "Give the column or code its next meaning; enter lists them"),
    key("M", "cycle(-1)", "Meaning before", "mapping.back", "Give it the meaning before", show=False),
    key("x,delete", "clear", "Nothing", "mapping.clear", "Take its meaning away", show=False),
    key("i,f2", "take", "Import", "mapping.take", "Import the file so"),
    key("p", "plain", "Plain", "mapping.plain", "Import the rows as records, without examples"),
    key("s", "save", "Save", "mapping.save", "Keep the mapping in a file"),
    key("o", "load", "Load", "mapping.load", "Use a mapping that was kept"),
    key("n", "next_row(1)", "Next row", "mapping.row", "Show what the next row of the file becomes"),
    key("N", "next_row(-1)", "Row before", "mapping.row_back", "Show what the row before becomes", show=False),
    key("tab", "switch_pane", "Preview", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window that says what columns mean."""

RUN_COMPARE: list[BindingType] = [
    key("v", "next_view", "View", "screen.view", "Show how they differ, or their curves"),
    *CURVES,
]
"""Keys of the window with runs side by side."""

CHOOSE_CURVES: list[BindingType] = [
    key("r", "reset", "As at first", "choose_curves.reset", "Draw the most telling ones, as many as there is room for"),
]
"""Keys of the window that chooses curves; space chooses, enter draws them."""

RUN_ANSWERS: list[BindingType] = [
    key("v", "next_view", "View", "screen.view", "Show each answer whole, or what changed in it"),
    key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with a run's answers."""

EVIDENCE: list[BindingType] = [
    key("r", "prove", "Prove anew", "evidence.prove", "Compare texts, tokens, weights and logits now"),
]
"""Keys of the window with the evidence of a run or a model."""

QUANTISE: list[BindingType] = [
    key("n", "make", "Make", "quantise.make", "Make and test the marked types, or the one under the cursor"),
    key("s", "stop", "Stop", "quantise.stop", "Stop what is going on; what was finished stays"),
    key("c", "chat", "Chat", "quantise.chat", "Talk to this form beside the unquantised run"),
    key("d", "delete", "Delete", "quantise.delete", "Delete the file of this type; asks first"),
    key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with a run's quantised forms; space marks types."""

ORIGINS: list[BindingType] = [
    key("r", "scope", "All or run", "origins.scope", "Look among all examples, or those that the run was given"),
    key("tab", "switch_pane", "Text", "screen.pane", "Go to the other pane", show=False),
]
"""Keys of the window with the examples nearest to a reply; enter opens one."""

RUN_EDIT: list[BindingType] = [
    key("f2,ctrl+s", "submit", "Keep", "run.keep", "Keep the name, the tags and the note"),
    key("down", "app.focus_next", "Next", "run.next", "The next field", show=False),
    key("up", "app.focus_previous", "Before", "run.previous", "The field before", show=False),
]
"""Keys of the window with a run's name, tags and note."""
