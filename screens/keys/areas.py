"""Keys of the whole app, of lists and texts, and of each area."""

from textual.binding import Binding, BindingType

from screens.keys.binding import key
from screens.keys.curves import CURVES

AREAS: dict[str, str] = {
    "data": "Data",
    "examples": "Examples",
    "compare": "Compare",
    "train": "Train",
    "chat": "Chat",
}
"""The areas in the order of their digits, with the names that people read."""

EVERYWHERE: list[BindingType] = [
    *(
        key(str(number), f"area('{area}')", name, f"go.{area}", f"Go to {name}", show=False)
        for number, (area, name) in enumerate(AREAS.items(), start=1)
    ),
    key("question_mark,f1", "help", "Help", "app.help", "List every key that works here"),
    Binding(
        "ctrl+p",
        "command_palette",
        "Commands",
        id="app.palette",
        tooltip="Find any command by its name; in text fields too",
        show=False,
        priority=True,
    ),
    key("E", "export", "Export", "app.export", "Write a data set in the shape that another tool reads"),
    Binding(
        "escape",
        "dismiss_errors",
        "Dismiss",
        id="app.dismiss",
        tooltip="Take away an error that is shown, before anything else",
        show=False,
        priority=True,
    ),
    key("colon", "command_palette", "Commands", "app.commands", "Find any command by its name", show=False),
    key("q", "quit", "Quit", "app.quit", "Leave; asks where something would be lost", show=False),
]
"""Keys of every area; ctrl+q comes with Textual."""

LIST: list[BindingType] = [
    key("j,down", "move(1)", "Down", "list.down", "Next row", show=False),
    key("k,up", "move(-1)", "Up", "list.up", "Row before", show=False),
    key("ctrl+d", "half_page(1)", "Half page down", "list.half_down", "Half a page down", show=False),
    key("ctrl+u", "half_page(-1)", "Half page up", "list.half_up", "Half a page up", show=False),
    key("pagedown", "page(1)", "Page down", "list.page_down", "A page down", show=False),
    key("pageup", "page(-1)", "Page up", "list.page_up", "A page up", show=False),
    key("g", "first_key", "First (twice)", "list.first", "First row, when pressed twice", show=False),
    key("home", "first", "First", "list.home", "First row", show=False),
    key("G,end", "last", "Last", "list.last", "Last row", show=False),
    key("enter", "open", "Open", "list.open", "Open the row"),
    key("space", "select", "Select", "list.select", "Select the row and go to the next", show=False),
    key("left", "scroll_columns(-1)", "Left", "list.left", "Columns further left, where not all fit", show=False),
    key("right", "scroll_columns(1)", "Right", "list.right", "Columns further right, where not all fit", show=False),
    key("A", "select_all", "Select all", "list.select_all", "Select all rows of the list, or none", show=False),
]
"""Keys of every list."""

TEXT: list[BindingType] = [
    key("j,down", "scroll_down", "Down", "text.down", "A line down", show=False),
    key("k,up", "scroll_up", "Up", "text.up", "A line up", show=False),
    key("ctrl+d", "half_page(1)", "Half page down", "text.half_down", "Half a page down", show=False),
    key("ctrl+u", "half_page(-1)", "Half page up", "text.half_up", "Half a page up", show=False),
    key("pagedown", "page_down", "Page down", "text.page_down", "A page down", show=False),
    key("pageup", "page_up", "Page up", "text.page_up", "A page up", show=False),
    key("g", "first_key", "Start (twice)", "text.first", "The start, when pressed twice", show=False),
    key("home", "scroll_home", "Start", "text.home", "The start", show=False),
    key("G,end", "scroll_end", "End", "text.last", "The end", show=False),
    key("plus", "more", "More", "text.more", "Show more of a text that is cut off", show=False),
]
"""Keys of every text that can be scrolled."""

_FIND: list[BindingType] = [
    key("t", "tags", "Tags", "list.tags", "Add tags to the selected rows, or take them off"),
    key("w", "note", "Note", "list.note", "Write a note on the selected rows", show=False),
    key("L", "findings", "Findings", "list.findings", "Show what the checks found in the data, and mend it"),
    key("S", "saved_queries", "Saved", "list.saved", "Show a saved query, or save this one"),
    key("T", "template", "Template", "list.template", "Edit the template: how records become examples", show=False),
    key("F", "flagged_only", "Flagged", "list.flagged", "Show only what is flagged, or all", show=False),
    key("tab", "switch_pane", "Detail", "screen.pane", "Go to the other pane", show=False),
    key("escape", "back", "Back", "screen.back", "Back: leave the pane, then the query", show=False),
]
"""Keys of lists that a query narrows down."""

DATA: list[BindingType] = [
    key("slash", "search", "Search", "screen.search", "Write a query: words, has:flag, source:NAME and more"),
    key("i", "import_file", "Import", "data.import", "Import a file or a folder"),
    key("ctrl+x", "stop_import", "Stop import", "data.stop_import", "Stop the import that goes on", show=False),
    key("f", "flag", "Flag", "item.flag", "Mark for a second look, or take the mark off"),
    key("x", "exclude", "Exclude", "item.exclude", "Keep out of training and exports, or let in again"),
    *_FIND,
    key("D", "duplicates", "Duplicates", "data.duplicates", "Review rows that repeat others, and leaks of splits"),
    key("C", "column_statistics", "Statistics", "data.statistics", "Show what the columns of these rows hold"),
    key("v", "view", "View", "screen.view", "Show the fields, JSON, the row as read, or its bytes", show=False),
    key("c", "columns", "Columns", "data.columns", "Choose the columns of the list"),
    key("O", "order", "Order", "data.order", "Order the list by a column", show=False),
    key("l", "line", "Line", "data.line", "Go to a line of a file", show=False),
    key("e", "edit_outside", "Editor", "data.editor", "Look at the whole row in $EDITOR", show=False),
    key("s", "next_source", "Source", "data.source", "Show the next source, or all of them", show=False),
    key("p", "problems_only", "Problems", "data.problems", "Show only the rows with a problem, or all", show=False),
    key("o", "origin", "First", "data.origin", "Go to the first of the rows with the same bytes", show=False),
]
"""Keys of the Data screen."""

EXAMPLES: list[BindingType] = [
    key("slash", "search", "Search", "screen.search", "Write a query: words, has:flag, split:test and more"),
    key("v", "view", "View", "screen.view", "Messages, text, or tokens"),
    key("n", "next_response(1)", "Response", "examples.response", "Show the next response"),
    key("N", "next_response(-1)", "Response before", "examples.response_back", "Show the response before", show=False),
    key("e", "edit", "Edit", "item.edit", "Edit the conversation; the old one is kept"),
    key("a", "approve", "Approve", "item.approve", "Approve, or make it a draft again"),
    key("y", "approve_and_next", "Approve, next", "item.approve_next", "Approve, and go to the next unreviewed"),
    key("R", "reject", "Reject", "item.reject", "Reject, or make it a draft again"),
    key("u", "next_unreviewed", "Next", "examples.unreviewed", "Go to the next that is neither approved nor rejected"),
    key("f", "flag", "Flag", "item.flag", "Mark for a second look, or take the mark off"),
    key("x", "exclude", "Exclude", "item.exclude", "Keep out of training and exports, or let in again"),
    *_FIND,
    key("m", "model_view", "Model", "examples.model", "Show what the model sees: as trained, as a batch, compared"),
    key("i", "ids", "Ids", "examples.ids", "Show each token with its id, or without", show=False),
    key("r", "revisions", "Revisions", "examples.revisions", "Compare its states; bring one back", show=False),
    key("b", "new_example", "New", "examples.new", "Write a new example, or begin with a copy", show=False),
    key("P", "move_split", "Move", "examples.move_split", "Move to another split, with all of its prompt", show=False),
    key("o", "record", "Record", "examples.record", "Go to the record that it was made from", show=False),
    key("s", "next_split", "Split", "examples.split", "Show one split, or all", show=False),
    key("c", "candidates", "Candidates", "examples.candidates", "Let models write replies to these", show=False),
    key("V", "vary", "Vary", "examples.vary", "Make new prompts from these, for review", show=False),
    key("p", "prepare", "Prepare", "examples.prepare", "Prepare the model's tokenizer", show=False),
]
"""Keys of the Examples screen."""

COMPARE: list[BindingType] = [
    key("h,left", "judge('left')", "Left", "compare.left", "The left reply is better"),
    key("l,right", "judge('right')", "Right", "compare.right", "The right reply is better"),
    key("t", "judge('tie')", "Tie", "compare.tie", "Both are as good"),
    key("b", "judge('both_bad')", "Both bad", "compare.both_bad", "Neither is good"),
    key("s", "judge('skip')", "Skip", "compare.skip", "Decide nothing and go on"),
    key("u", "undo", "Undo", "compare.undo", "Take the latest answer back"),
    key("H", "judge('left', 'clearly')", "Clearly", "compare.left_clearly", "Left is clearly better", show=False),
    key("L", "judge('right', 'clearly')", "Clearly", "compare.right_clearly", "Right is clearly better", show=False),
    key("ctrl+r", "redo", "Redo", "compare.redo", "Give back what was undone", show=False),
    key("c", "comment", "Comment", "compare.comment", "Write a remark on this pair"),
    key("r", "reasons", "Why", "compare.reasons", "Say why, from the queue's list", show=False),
    key("e", "edit", "Edit", "item.edit", "Make the reply in focus better; yours beats both", show=False),
    key("f", "flag", "Flag", "item.flag", "Mark for a second look, or take the mark off", show=False),
    key("tab", "switch_pane", "Other reply", "screen.pane", "Go to the other reply", show=False),
    key("m", "layout", "Layout", "compare.layout", "Side by side, stacked, one at a time", show=False),
    key("p", "prompt", "Prompt", "compare.prompt", "Give the prompt a line, most of the room, or a part", show=False),
    key("d", "differences", "Differences", "compare.differences", "Mark what only one reply says", show=False),
    key("v", "rendered", "Rendered", "screen.view", "Show Markdown and code rendered, or raw", show=False),
    key("z", "together", "Together", "compare.together", "Scroll both replies together, or alone", show=False),
    key("w", "whose", "Whose", "compare.whose", "Tell whose the pair judged last were", show=False),
    key("a", "history", "All verdicts", "compare.history", "List every verdict; judge one anew", show=False),
    key("o", "tasks", "Queues", "compare.tasks", "Choose the queue, make one, change it", show=False),
    key("n", "new_replies", "New replies", "compare.new_replies", "Let models write replies; see the jobs", show=False),
    key("i", "report", "How it goes", "compare.report", "Show what the verdicts say, how reliably", show=False),
    key("J", "ai_judge", "AI judge", "compare.ai_judge", "See how far a model agrees with your verdicts", show=False),
    key("enter", "begin", "Begin", "compare.begin", "Show the first pair", show=False),
    key("escape", "back", "Back", "screen.back", "Back: close a line, or leave a pair judged before", show=False),
]
"""Keys of the Compare screen."""

REASONS: list[BindingType] = [
    *(
        key(str(number), f"choose({number})", f"Reason {number}", f"reasons.{number}", f"Reason {number}", show=False)
        for number in range(1, 10)
    ),
    key("enter,escape,r", "close", "Close", "reasons.close", "Close the reasons; what was chosen stays", show=False),
]
"""Keys of the line with the reasons; verdicts work there too."""

TRAIN: list[BindingType] = [
    key("n", "new_run", "New run", "train.new", "Start a run; it waits where another goes on"),
    key("s", "stop", "Stop", "train.stop", "Stop the run, or take it out of the queue; asks first"),
    key("r", "resume", "Resume", "train.resume", "Go on with a stopped or failed run"),
    key("a", "answers", "Answers", "train.answers", "Show what it answered while it learnt"),
    key("v", "view", "View", "screen.view", "Show facts and curves, only facts, only curves"),
    key("C", "compare", "Compare", "train.compare", "Compare the selected runs, or a run with its parent"),
    key("u", "put_first", "Next", "train.next", "Let a waiting run train before the others that wait", show=False),
    key("e", "edit", "Name", "item.edit", "Give the run a name, tags and a note", show=False),
    key("o", "logs", "Log", "train.logs", "Show what the trainer printed, as enter does", show=False),
    key("p", "parity", "Proof", "train.parity", "Show the evidence that what was trained is what answers", show=False),
    key("c", "chat", "Chat", "train.chat", "Talk to the run beside its base model", show=False),
    key("Q", "quantise", "Quantise", "train.quantise", "Make it smaller, and see what that costs", show=False),
    key("T", "tree", "Tree", "train.tree", "Show which run went on from which; go to one", show=False),
    key("d", "delete", "Delete", "train.delete", "Delete the run with its files; asks first", show=False),
    *CURVES,
    key("tab", "switch_pane", "Facts", "screen.pane", "Go to the facts, or back to the list", show=False),
    key("escape", "back", "Back", "screen.back", "Back to the list, to all steps, to one run's curves", show=False),
]
"""Keys of the Train screen."""

CHAT: list[BindingType] = [
    key("i,enter", "write", "Write", "chat.write", "Write a message; esc leaves the line"),
    key("e", "edit", "Edit", "item.edit", "Change the marked question and ask again, in a branch of its own"),
    key("r", "again", "Again", "chat.again", "Let each model answer the marked question once more"),
    key("w", "prefer", "Better", "chat.prefer", "Say which reply is better; it becomes a judged pair"),
    key("f", "fix", "Fix", "chat.fix", "Correct this reply and learn from it: an example and a pair"),
    key("m", "model", "Models", "chat.model", "Choose one to four runs and models to talk to"),
    key("c", "chats", "Chats", "chat.chats", "Find an earlier chat; go on with it, rename, delete, export"),
    key("b", "blind", "Blind", "chat.blind", "Shuffle the models, their names kept back, or not", show=False),
    key("v", "reveal", "Whose", "chat.reveal", "Tell whose the replies are, without a verdict", show=False),
    key("a", "compare", "To Compare", "chat.compare", "Let the replies wait in Compare for a verdict", show=False),
    key("t", "tokens", "Tokens", "chat.tokens", "Show the tokens sent and received, each with its chances", show=False),
    key("O", "origins", "Origins", "chat.origins", "Show the training examples nearest to this reply", show=False),
    key("p", "parity", "Proof", "chat.parity", "Show the evidence that what was trained is what answers", show=False),
    key("o", "held_out", "Held-out", "chat.held_out", "Take the next held-out prompt", show=False),
    key("y", "system", "System", "chat.system", "Change the system prompt", show=False),
    key("s", "sampling", "Sampling", "chat.sampling", "Change temperature, seed, context and the like", show=False),
    key("d", "documents", "Documents", "chat.documents", "Give passages and examples with questions", show=False),
    key("h,left", "answer(-1)", "Reply before", "chat.answer_back", "Show the reply made before", show=False),
    key("l,right", "answer(1)", "Next reply", "chat.answer", "Show the reply made after", show=False),
    key("less_than_sign", "branch(-1)", "Branch before", "chat.branch_back", "Show the branch before", show=False),
    key("greater_than_sign", "branch(1)", "Next branch", "chat.branch", "Show the next branch", show=False),
    key("left_square_bracket", "mark(-1)", "Turn before", "chat.mark_back", "Mark the question before", show=False),
    key("right_square_bracket", "mark(1)", "Next turn", "chat.mark", "Mark the next question", show=False),
    key("n", "go_on_from", "Go on", "chat.go_on", "Let all models go on from this reply", show=False),
    key("R", "again_here", "This again", "chat.again_here", "Let only this pane's model answer again", show=False),
    key("z", "alone", "One pane", "chat.alone", "Show one pane at a time, or all", show=False),
    key("E", "export_chat", "Export", "chat.export", "Write this chat into a file"),
    key("ctrl+n", "new_chat", "New", "chat.new", "Begin a new chat", show=False),
    key("ctrl+x", "cancel", "Stop", "chat.cancel", "Stop the replies that are coming", show=False),
    key("tab", "switch_pane", "Other reply", "screen.pane", "Go to the other pane", show=False),
    key("escape", "back", "Back", "screen.back", "Leave the line, or stop the replies", show=False),
]
"""Keys of the Chat screen."""
