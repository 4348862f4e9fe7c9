"""The settings of a recipe as lines of a form: those that matter to most runs, and the rest folded by group."""

from asyncio import Lock
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from screens import keys
from screens.recipe_draft import RecipeDraft
from screens.widgets.typing_order import LineInput
from screens.widgets.value_input import ValueInput
from studio.text import clean_line
from studio.training.recipe import Setting


class SettingLine(Horizontal):
    """A setting's name, its value, and where that comes from."""

    def __init__(self, setting: Setting, draft: RecipeDraft) -> None:
        choices, text = draft.choices(setting), draft.text(setting.name)
        # Here and not in `compose`: a draft may change while lines are being mounted.
        self.field = ValueInput(text, choices, id=setting.name) if choices else line_input(setting.name, text)
        self.origin = Static("", classes="origin", markup=False)
        label = Static(setting.name.replace("_", " "), classes="label", markup=False)
        super().__init__(label, self.field, self.origin, id=f"row-{setting.name}", classes="field")
        self.setting = setting
        # Names take the room of their origin too.
        self.set_class(not choices and isinstance(getattr(draft.recipe, setting.name), str), "-text")

    def show(self, draft: RecipeDraft, text: str, origin: str) -> None:
        """Show the value in a draft, and where it comes from; what a person wrote stays as it was written."""
        name, field = self.setting.name, self.field
        field.disabled = name in draft.kept
        if field.value != text and (name not in draft.written or field.disabled):
            with self.prevent(Input.Changed):
                field.value = text
        say(self.origin, clean_line(origin))


def say(line: Static, text: str) -> None:
    """Show a text where it is another: on a slow line nothing is painted twice."""
    if line.content != text:
        line.update(text)


def line_input(name: str, text: str) -> LineInput:
    """Return a field for any text."""
    field = LineInput(text, id=name, select_on_focus=False)
    field.cursor_blink = False
    return field


class FoldedGroup(Static, can_focus=True):
    """A line that stands for the settings of a group."""

    BINDINGS: ClassVar[list[BindingType]] = keys.FOLDED

    @dataclass
    class Fold(Message):
        """The group is to be shown, or folded away."""

        line: "FoldedGroup"

    def __init__(self, group: str, members: list[Setting]) -> None:
        super().__init__("", id=f"group-{group}", markup=False, classes="folded")
        self.members = members
        self.is_open = False
        self._group = group

    def show(self, draft: RecipeDraft) -> None:
        """Say what is in it, what a person set first."""
        mine = sorted(self.members, key=lambda each: each.name not in draft.written)
        said = [f"{m.name}={draft.text(m.name)}" if m.name in draft.written else m.name for m in mine]
        words = "" if self.is_open else f", {len(mine)} more: {', '.join(said)}"
        say(self, clean_line(f"{'-' if self.is_open else '+'} {self._group}{words}"))

    def action_fold(self) -> None:
        """Show the group, or fold it away."""
        self.post_message(self.Fold(self))


class RecipeForm(Vertical):
    """The lines of a recipe that is being made."""

    @dataclass
    class Changed(Message):
        """A person wrote another value."""

        form: "RecipeForm"

    def __init__(self, draft: RecipeDraft) -> None:
        super().__init__(id="recipe")
        self.draft = draft
        self._laying_out = Lock()
        """Keys that come fast must not lay out lines while others are being laid out."""

    def compose(self) -> ComposeResult:
        """Lay the settings that matter most over a line for each group of the others."""
        known = self.draft.settings
        for setting in known:
            if setting.is_main:
                yield SettingLine(setting, self.draft)
        folded = sorted((each for each in known if not each.is_main), key=lambda each: _ORDER.index(each.group))
        for group, members in groupby(folded, key=lambda each: each.group):
            yield FoldedGroup(group, list(members))

    async def show_method(self) -> None:
        """Lay out the settings of another method; groups that were open stay so."""
        async with self._laying_out:
            before = list(self.query(FoldedGroup))
            opened = [line.id for line in before if line.is_open]
            await self.recompose()
            now = self.query(FoldedGroup)
            await self._unfold(line for line in now if line.id in opened or len(opened) == len(before))
        self.show()

    def show(self) -> None:
        """Show what the recipe is now."""
        texts, origins = self.draft.texts(), self.draft.origins()
        for line in self.query(SettingLine):
            name = line.setting.name
            # Lines of the method before may not be gone yet.
            if name in texts:
                line.show(self.draft, texts[name], origins[name])
        for group in self.query(FoldedGroup):
            group.show(self.draft)

    async def fold_all(self) -> None:
        """Show every setting, or where all are shown only those that matter most."""
        async with self._laying_out:
            groups = list(self.query(FoldedGroup))
            is_all = all(line.is_open for line in groups)
            await (self._fold(groups) if is_all else self._unfold(groups))
        if not is_all:
            groups[0].focus(scroll_visible=False)
            self.call_after_refresh(groups[0].scroll_visible, animate=False, top=True)
        self.show()

    def reset(self, name: str) -> None:
        """Give a setting the value that it has by itself."""
        self.draft.written.pop(name, None)
        field = self.query_one(f"#{name}", Input)
        with self.prevent(Input.Changed):
            field.value = self.draft.text(name)
        self._changed()

    def setting(self, name: str) -> Setting | None:
        """Return what is known of a setting; None where the method has none of that name."""
        return next((each for each in self.draft.settings if each.name == name), None)

    @on(Input.Changed)
    def _write(self, event: Input.Changed) -> None:
        event.stop()
        if event.input.id and event.value != self.draft.text(event.input.id):
            self.draft.set(event.input.id, event.value)
            self._changed()

    @on(FoldedGroup.Fold)
    async def _fold_one(self, event: FoldedGroup.Fold) -> None:
        async with self._laying_out:
            await (self._fold([event.line]) if event.line.is_open else self._unfold([event.line]))
        self.show()

    def _changed(self) -> None:
        self.show()
        self.post_message(self.Changed(self))

    async def _unfold(self, groups: Iterable[FoldedGroup]) -> None:
        for line in groups:
            if not line.is_open:
                line.is_open = True
                await self.mount_all([SettingLine(each, self.draft) for each in line.members], after=line)

    async def _fold(self, groups: Iterable[FoldedGroup]) -> None:
        for line in groups:
            line.is_open = False
            names = {each.name for each in line.members}
            if self.screen.focused is not None and self.screen.focused.id in names:
                line.focus()
            await self.remove_children([each for each in self.query(SettingLine) if each.setting.name in names])


_ORDER = ("optimiser", "data", "loss", "adapter", "hardware", "watching")
