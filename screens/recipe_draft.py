"""A recipe in the making: what a person set, what follows from it, and what is wrong with it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from studio.errors import StudioError
from studio.training import recipe_checks
from studio.training.presets import preset
from studio.training.recipe import Method, Recipe, Setting, convert, settings
from studio.training.recipe_file import origins

YES_OR_NO = ("true", "false")


@dataclass
class RecipeDraft:
    """The settings of a run that is not started yet, as texts."""

    method: Method
    rows: int | None = None
    """How many rows there are to train on, which decides the preset; None while they are counted."""
    written: dict[str, str] = field(default_factory=dict)
    """What a person set, by setting; also of those that only other methods have."""
    kept: dict[str, Any] = field(default_factory=dict)
    """What the adapter that it goes on from is like, which can't be changed."""

    @property
    def settings(self) -> list[Setting]:
        """The settings that the method has, in order."""
        return settings(self.method)

    @property
    def recipe(self) -> Recipe:
        """The recipe as it would be, whatever is wrong with it; what can't be read is left out."""
        return self._with({**dict(self._readable()), **self.kept})

    @property
    def overrides(self) -> list[str]:
        """What a person set that the method has, each KEY=VALUE."""
        return [f"{name}={text}" for name, text in self._wanted()]

    @property
    def problems(self) -> list[str]:
        """What is wrong with it, a sentence or two each."""
        found = []
        for name, text in self._wanted():
            try:
                convert(name, text)
            except StudioError as error:
                found.append(str(error))
        recipe = self.recipe
        return found or [str(error) for error in (*recipe_checks.problems(recipe), *recipe_checks.idle(recipe))]

    def set(self, name: str, text: str) -> None:
        """Take what a person wrote; the value that it has by itself is as good as none."""
        self.written.pop(name, None)
        if text.strip() != self.text(name):
            self.written[name] = text.strip()

    def take(self, overrides: list[str]) -> None:
        """Take these as what a person set, in the place of all that this method had."""
        mine = {each.name for each in self.settings}
        self.written = {name: text for name, text in self.written.items() if name not in mine}
        for override in overrides:
            name, _, value = override.partition("=")
            self.set(name.strip(), value)

    def text(self, name: str) -> str:
        """Return a setting's value as it is written."""
        return self._text(name, self.recipe)

    def texts(self) -> dict[str, str]:
        """Return the values of all settings that the method has."""
        recipe = self.recipe
        return {each.name: self._text(each.name, recipe) for each in self.settings}

    def choices(self, setting: Setting) -> tuple[str, ...]:
        """Return the values that a setting can have; none where it can have any."""
        return YES_OR_NO if isinstance(getattr(self.recipe, setting.name), bool) else setting.choices

    def origins(self) -> dict[str, str]:
        """Return for each setting where its value comes from."""
        found = origins(self.recipe, self.rows, self.kept)
        return found | {name: "set by hand" for name, _ in self._wanted()}

    def _text(self, name: str, recipe: Recipe) -> str:
        is_written = name in self.written and name not in self.kept
        return self.written[name] if is_written else as_text(getattr(recipe, name))

    def _wanted(self) -> Iterator[tuple[str, str]]:
        mine = {each.name for each in self.settings} - self.kept.keys()
        return ((name, text) for name, text in self.written.items() if name in mine)

    def _readable(self) -> Iterator[tuple[str, Any]]:
        for name, text in self._wanted():
            try:
                yield name, convert(name, text)
            except StudioError:
                continue

    def _with(self, changes: dict[str, Any]) -> Recipe:
        begun = Recipe(method=self.method, **preset(self.method, self.rows, changes).values)
        return replace(begun, **changes)


def draft_of(method: Method, overrides: Iterable[str]) -> RecipeDraft:
    """Return the draft that gives these overrides; what is like the preset before the rows are counted is kept too."""
    written = {name.strip(): text.strip() for name, _, text in (each.partition("=") for each in overrides)}
    return RecipeDraft(method, written=written)


def as_text(value: Any) -> str:
    """Return a setting's value as a person writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
