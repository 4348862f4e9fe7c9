"""A recipe as `recipe.toml` in a run's folder: each field with its explanation, and where its value comes from."""

import tomllib
from collections.abc import Collection
from pathlib import Path

import tomlkit

from studio.errors import StudioError
from studio.training.presets import preset
from studio.training.recipe import Recipe, as_table, checked, settable, settings


def origins(recipe: Recipe, rows: int | None = None, kept: Collection[str] = ()) -> dict[str, str]:
    """Return for each field where its value comes from: a preset, a default, a parent, or a person.

    Args:
        recipe: whose fields are asked about.
        rows: how many rows there are to train on.
        kept: the fields that an adapter which training goes on from decides.
    """
    chosen = preset(recipe.method, rows, as_table(recipe))
    found = {}
    for each in settable():
        value = getattr(recipe, each.name)
        is_preset = each.name in chosen.values
        if each.name in kept:
            found[each.name] = "as in the parent's adapter"
        elif value != (chosen.values[each.name] if is_preset else each.default):
            found[each.name] = "set by hand"
        else:
            found[each.name] = f"preset: {chosen.name}" if is_preset else each.metadata["source"]
    return found


def write_recipe(recipe: Recipe, path: Path, *, rows: int | None = None, kept: Collection[str] = ()) -> None:
    """Write a recipe with each field's explanation, and where its value comes from (see `origins`), beside it."""
    document, found = tomlkit.document(), origins(recipe, rows, kept)
    document.add("method", tomlkit.item(recipe.method))
    group = ""
    for each in settings(recipe.method):
        if each.group != group:
            group = each.group
            document.add(tomlkit.nl())
            document.add(tomlkit.comment(group))
        said = f"{each.explanation} [{found[each.name]}]"
        document.add(each.name, tomlkit.item(getattr(recipe, each.name)).comment(said))
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe back.

    Raises:
        StudioError: the file is absent, no TOML, or holds what no recipe has or can have.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return checked(Recipe(**table))
    except StudioError as error:
        raise StudioError(f"{path}: {error.message}", error.hint) from error
    except (OSError, ValueError, TypeError) as error:
        raise StudioError(f"{path} is no usable recipe: {error}.", "Start a new run.") from error
