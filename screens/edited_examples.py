"""Changing examples: their turns, their responses, their revisions and their splits; and writing new ones."""

from functools import partial
from typing import get_args

from screens.background import in_background
from screens.choose import ChooseLine
from screens.dialogs import Confirm
from screens.example_text import Completion
from screens.marked_rows import FEW_ROWS
from screens.reviewed_list import ReviewedList
from store import examples, journal, revisions, runs, splits
from store.examples import Example, Message, Split, prompt_group, prompt_of
from store.responses import Response
from store.splits import Move
from studio.errors import StudioError
from studio.labelling.edited import add_edited
from studio.splits import split_of

EMPTY: list[Message] = [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]


class EditedExamples(ReviewedList):
    """The list of examples with all that changes what one says."""

    def __init__(self) -> None:
        super().__init__()
        self._completions: list[Completion] = []
        self._completion = 0

    @property
    def shown_completion(self) -> Completion | None:
        """The answer that is shown, of those that the prompt has."""
        return self._completions[self._completion % len(self._completions)] if self._completions else None

    # Editing

    def action_edit(self) -> None:
        """Open the editor on the example; where a response is shown, on that or on the prompt."""
        example, shown = self._example, self.shown_completion
        if example is None:
            return
        response = shown.response if shown else None
        if response is None:
            self._edit_example(example)
            return
        lines = [f"The response, into another one: {shown.label if shown else ''}", "The example's own turns"]

        def chosen(position: int | None) -> None:
            if position == 0:
                self._edit_response(response)
            elif position == 1:
                self._edit_example(example)

        self.studio.push_screen(ChooseLine("Edit", lines), chosen)

    def _edit_example(self, example: Example, draft: list[Message] | None = None) -> None:
        from screens.editor import ConversationEditor

        editor = ConversationEditor(example.messages, draft=draft, title=f"Example {example.id}")
        self.studio.push_screen(editor, partial(self._save_example, example))

    def _save_example(self, example: Example, messages: list[Message] | None) -> None:
        if messages is None:
            return
        verdicts = len(journal.current_verdicts_of(self.studio.store, example.id))
        revise, again = partial(self._revise, example, messages), partial(self._edit_example, example, messages)
        if not verdicts or prompt_of(messages) == prompt_of(example.messages):
            self.save(revise, again)
            return
        given = "One verdict was" if verdicts == 1 else f"{verdicts:,} verdicts were"
        question = f"{given} given on the replies to the old prompt, and will count for the new one. Save it?"

        def answered(yes: bool | None) -> None:
            if yes:
                self.save(revise, again)
            else:
                again()

        self.studio.push_screen(Confirm(question, yes="Save"), answered)

    def _revise(self, example: Example, messages: list[Message]) -> None:
        store = self.studio.store
        with store.transaction():
            before = examples.get(store, example.id).revision
            number = examples.revise(store, example.id, messages)
        remark = self._leak_words(example, messages)
        if before != example.revision:
            remark += f" Revision {before} came from elsewhere meanwhile; r shows what it said."
        self.notify(
            f"Saved as revision {number} of example {example.id}.{remark}",
            severity="warning" if remark else "information",
            markup=False,
        )
        self.show_changed([example.id])

    def _leak_words(self, example: Example, messages: list[Message]) -> str:
        """Say that an edit gave an example a prompt that another split has too; nothing where it did not."""
        group = prompt_group(messages)
        if group == prompt_group(example.messages):
            return ""
        other = splits.of_group(self.studio.store, group)
        if other in (None, example.split):
            return ""
        return f" Its prompt is in {other} too, and it is in {example.split}: training leaves out what is held out."

    def _edit_response(self, response: Response, draft: list[Message] | None = None) -> None:
        from screens.editor import ConversationEditor

        title = f"Response {response.id}; it stays, and what you save is another"
        editor = ConversationEditor(response.messages, draft=draft, title=title)
        self.studio.push_screen(editor, partial(self._save_response, response))

    def _save_response(self, response: Response, messages: list[Message] | None) -> None:
        if messages is None:
            return
        if messages[-1].get("role") != "assistant":
            self.notify("A response ends with a turn of the assistant.", severity="error", markup=False)
            self._edit_response(response, messages)
            return
        self.save(partial(self._add_response, response, messages), partial(self._edit_response, response, messages))

    def _add_response(self, response: Response, messages: list[Message]) -> None:
        added = add_edited(self.studio.store, response, messages, rater=self.studio.project.rater)
        self.notify("Saved as another response; the two wait as a pair on Compare.", markup=False)
        self.show_changed([response.example_id])
        self._show_response(added)

    def _show_response(self, response_id: int) -> None:
        ids = [None if shown.response is None else shown.response.id for shown in self._completions]
        if response_id in ids:
            self._completion = ids.index(response_id)
            self.read_again()

    # New ones

    def action_new_example(self) -> None:
        """Write a new example, or begin with a copy of this one."""
        example = self._example
        if example is None:
            self._write_new(EMPTY)
            return
        lines = ["An empty one", f"A copy of example {example.id}"]

        def chosen(position: int | None) -> None:
            if position == 0:
                self._write_new(EMPTY)
            elif position == 1:
                self._write_new(example.messages, example)

        self.studio.push_screen(ChooseLine("New example", lines), chosen)

    def _write_new(
        self, messages: list[Message], like: Example | None = None, draft: list[Message] | None = None
    ) -> None:
        from screens.editor import ConversationEditor

        title = f"New example like {like.id}" if like else "New example; f3 goes from the prompt to the answer"
        editor = ConversationEditor(messages, draft=draft, title=title, at=-1 if like else 0)
        self.studio.push_screen(editor, partial(self._add, like))

    def _add(self, like: Example | None, messages: list[Message] | None) -> None:
        if messages is None:
            return
        while messages[-1].get("content") == "" and not messages[-1].get("tool_calls"):
            messages = messages[:-1]
        self.save(partial(self._add_example, like, messages), partial(self._write_new, [], like, messages))

    def _add_example(self, like: Example | None, messages: list[Message]) -> None:
        store, group = self.studio.store, prompt_group(messages)
        with store.transaction():
            split = splits.of_group(store, group) or split_of(group, self.studio.project.settings.splits)
            tools = like.tools if like else None
            added = examples.add(store, record_id=None, messages=messages, split=split, tools=tools, origin="edit")
        self.notify(f"Example {added:,} is in {split}, as all examples with its prompt are.", markup=False)
        self.reload()
        self.go_to(added)

    # Revisions

    def action_revisions(self) -> None:
        """List the states of the example and what each changed; enter brings one back as the newest."""
        from screens.revisions import RevisionsWindow

        if self._example is not None:
            example_id = self._example.id
            store = self.studio.store
            window = RevisionsWindow(examples.revisions(store, example_id), revisions.template_names(store, example_id))
            self.studio.push_screen(window, partial(self._revert, example_id))

    def _revert(self, example_id: int, number: int | None) -> None:
        if number is not None:
            newest = revisions.revert(self.studio.store, example_id, number)
            self.notify(f"Revision {number} is back, as revision {newest} of example {example_id}.", markup=False)
            self.show_changed([example_id])

    # Splits

    def action_move_split(self) -> None:
        """Move the chosen examples to another split, with all that have their prompts."""
        ids = self.chosen_ids()
        if not ids:
            return
        names = list(get_args(Split))

        def chosen(position: int | None) -> None:
            if position is not None:
                to: Split = names[position]
                self.say(f"looking what moves to {to} ...")
                in_background(self, lambda store: splits.plan(store, ids, to), self._planned)

        title = f"Move {len(ids):,} {'example' if len(ids) == 1 else 'examples'}, with all of the same prompts, to"
        self.studio.push_screen(ChooseLine(title, names), chosen)

    def _planned(self, move: Move) -> None:
        number = sum(move.examples.values())
        held_out = {split for split in move.examples if split != "train"}
        if not number:
            self.say(f"all of them are in {move.to}")
        elif (move.to == "train" and held_out) or number > FEW_ROWS:
            self.studio.push_screen(
                Confirm(move_question(move), yes="Move"), lambda yes: self._move(move) if yes else None
            )
        else:
            self._move(move)

    def _move(self, move: Move) -> None:
        self.say(f"moving to {move.to} ...")

        def moved(number: int) -> None:
            self.show_changed(self.chosen_ids())
            self.table.refresh_rows()
            self.say(f"{_counted(number, 'example')} of {_counted(len(move.groups), 'prompt')} moved to {move.to}")
            if move.to != "train" and "train" in move.examples and runs.all_runs(self.studio.store):
                words = "Runs made until now may have learned them: only later ones can be evaluated on them."
                self.notify(words, severity="warning", markup=False)

        def failed(error: StudioError) -> None:
            self.show_changed(self.chosen_ids())
            self.table.refresh_rows()
            self.say(f"not all of them are in {move.to}; each prompt is in one split still")
            self.notify_error(error)

        in_background(self, lambda store: splits.move(store, move.groups, move.to), moved, failed=failed)


def move_question(move: Move) -> str:
    """Return what a person is asked before many examples, or held-out ones, are moved."""
    number = sum(move.examples.values())
    words = [f"Move {_counted(number, 'example')} of {_counted(len(move.groups), 'prompt')} to {move.to}?"]
    if move.companions:
        words.append(f"{move.companions:,} of them were not chosen, but have the same prompt as one that was.")
    held_out = [f"{count:,} from {split}" for split, count in sorted(move.examples.items()) if split != "train"]
    if move.to == "train" and held_out:
        words.append(
            f"They are held out until now ({', '.join(held_out)}): once a run has learned them, "
            "what an evaluation says about them is worth nothing."
        )
    return " ".join(words)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
