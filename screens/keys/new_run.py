"""Keys of the form for a new run, and of what it shows before the start."""

from textual.binding import BindingType

from screens.keys.binding import key

NEW_RUN: list[BindingType] = [
    key("f2,ctrl+s,enter", "submit", "Start", "new_run.start", "Start the run; it waits where another goes on"),
    key("f3", "choose_method", "Method", "new_run.method", "Choose what is done, from a list with what each is for"),
    key("f4", "choose", "Values", "new_run.values", "Choose the field's value from a list, such as a model or a run"),
    key("f5", "plan", "Plan", "new_run.plan", "Count rows and tokens, estimate memory; time and batch from there"),
    key("f6", "fold", "All", "new_run.fold", "Show every setting, or only those that matter to most runs"),
    key("f7", "write_out", "Write out", "new_run.write_out", "Write the same as a TRL script or another tool's YAML"),
    key("f8", "reset", "As preset", "new_run.reset", "Give the field the value that it has by itself", show=False),
    key("down", "app.focus_next", "Next", "new_run.next", "The next field", show=False),
    key("up", "app.focus_previous", "Before", "new_run.previous", "The field before", show=False),
]
"""Keys of the form for a new run; enter works in its fields too."""

VALUE: list[BindingType] = [
    key("space,right", "cycle(1)", "Next value", "value.next", "The next of the values that it can have"),
    key("left", "cycle(-1)", "Value before", "value.before", "The value before", show=False),
]
"""Keys of a field that has one of a few values."""

FOLDED: list[BindingType] = [
    key("enter,space", "fold", "Unfold", "folded.fold", "Show the settings of this group, or fold them away"),
]
"""Keys of the line that stands for a group of settings."""

PLAN: list[BindingType] = [
    key("f2,ctrl+s,enter", "submit", "Start", "plan.start", "Start the run as it is planned"),
    key("t", "time", "Time it", "plan.time", "Take a few real steps, to tell the time and the memory"),
    key("f", "fit", "Make it fit", "plan.fit", "Take the changes that let it fit, and plan anew"),
    key("v", "next_view", "View", "screen.view", "Show the plan, or the first batch as tokens with what is learnt"),
    key("i", "ids", "Ids", "plan.ids", "Show each token of the batch with its id, or without", show=False),
]
"""Keys of the window with the plan of a run; esc goes back to the form."""

WRITTEN_OUT: list[BindingType] = [
    key("f2,ctrl+s,enter", "submit", "Write", "written_out.write", "Write it into the folder, with all that it reads"),
    key("f6", "switch_pane", "Folder", "written_out.pane", "Go to the line with the folder, or back to the text"),
]
"""Keys of the window with a recipe written out for another tool."""
