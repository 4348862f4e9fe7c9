"""A recipe written out for other tools, so that nobody is locked in."""

import shlex
import tempfile
from pathlib import Path

from studio.errors import StudioError
from studio.training.elsewhere import axolotl, llamafactory, trl_script
from studio.training.elsewhere.material import Material
from studio.training.elsewhere.written import Written
from studio.training.presets import preset
from studio.training.recipe import Recipe, as_table, settings
from studio.training.recipe_file import write_recipe

TOOLS = {
    "toml": "the recipe itself, each setting with what it does and where its value comes from",
    "trl": "a Python script with TRL, PEFT and datasets",
    "axolotl": "Axolotl's YAML",
    "llamafactory": "LLaMA-Factory's YAML",
}
"""What a recipe can be written out as."""


def write(material: Material, tool: str) -> Written:
    """Return what a tool needs to do the same.

    Raises:
        StudioError: the tool has no word for the method, or there is no such tool.
    """
    match tool:
        case "toml":
            return _toml(material)
        case "trl":
            return trl_script.write(material)
        case "axolotl":
            return axolotl.write(material)
        case "llamafactory":
            return llamafactory.write(material)
    raise StudioError(f"A recipe can't be written out as {tool!r}.", f"Known are {', '.join(TOOLS)}.")


def _command(material: Material) -> str:
    """Return what starts such a run: its settings that are not the preset's, since no command reads a recipe."""
    recipe, rows = material.recipe, len(material.rows["train"])
    usual = Recipe(recipe.method, **preset(recipe.method, rows, as_table(recipe)).values)
    words = ["studio", "train", recipe.method, *material.options]
    for setting in settings(recipe.method):
        value = getattr(recipe, setting.name)
        if value != getattr(usual, setting.name):
            words += ["--set", f"{setting.name}={str(value).lower() if isinstance(value, bool) else value}"]
    return shlex.join(words)


def _toml(material: Material) -> Written:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.toml"
        write_recipe(material.recipe, path, rows=len(material.rows["train"]), kept=material.kept)
        text = path.read_text(encoding="utf-8")
    return Written("recipe.toml", text, [], f"In a project: {_command(material)}")
