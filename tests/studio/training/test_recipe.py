"""Recipes: presets, changes by hand, and the file that a run keeps."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import StudioError
from studio.training.recipe import make_recipe, settings
from studio.training.recipe_file import origins, read_recipe, write_recipe


def test_changes_are_typed() -> None:
    recipe = make_recipe("dpo", ["epochs=1", "learning_rate=5e-5", "gradient_checkpointing=true", "loss=ipo"])
    assert (recipe.epochs, recipe.learning_rate, recipe.gradient_checkpointing, recipe.loss) == (1.0, 5e-5, True, "ipo")


@pytest.mark.parametrize(
    ("method", "change", "message"),
    [
        ("magic", "epochs=1", "There is no method 'magic'"),
        ("dpo", "epoch=1", "epochs"),
        ("dpo", "epochs=many", "epochs must be a number"),
        ("dpo", "batch_size=0", "batch_size must be above 0"),
        ("dpo", "loss=hope", "loss can't be 'hope'"),
        ("dpo", "learning_rate=nan", "learning_rate must be a finite number"),
        ("dpo", "epochs", "KEY=VALUE"),
        ("dpo", "seed=-1", "seed must be from 0 to 4294967295, not -1"),
        ("dpo", "seed=4294967296", "seed must be from 0"),
        ("dpo", "packing=true", "packing is no setting of dpo"),
        ("kto", "fast=false", "fast is no setting of kto"),
        ("dpo", "label_smoothing=0.1", "loss=sigmoid has no label_smoothing"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(method: str, change: str, message: str) -> None:
    with pytest.raises(StudioError, match=message):
        make_recipe(method, [change])


@given(
    method=st.sampled_from(["sft", "dpo"]),
    epochs=st.floats(0.01, 100),
    rank=st.integers(1, 512),
    scheduler=st.sampled_from(["cosine", "linear", "constant"]),
)
def test_a_recipe_survives_its_file(
    tmp_path_factory: pytest.TempPathFactory, method: str, epochs: float, rank: int, scheduler: str
) -> None:
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    recipe = make_recipe(method, [f"epochs={epochs!r}", f"lora_rank={rank}", f"scheduler={scheduler}"])
    write_recipe(recipe, path)
    assert read_recipe(path) == recipe


def test_the_file_explains_each_setting(tmp_path: Path) -> None:
    recipe = make_recipe("dpo", [])
    write_recipe(recipe, tmp_path / "recipe.toml")
    lines = (tmp_path / "recipe.toml").read_text(encoding="utf-8").splitlines()
    found = origins(recipe)
    for each in settings("dpo"):
        said = f"# {each.explanation} [{found[each.name]}]"
        assert any(line.startswith(f"{each.name} = ") and line.endswith(said) for line in lines)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("method = ", encoding="utf-8")
    with pytest.raises(StudioError, match=r"recipe\.toml is no usable recipe"):
        read_recipe(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('method = "magic"', "There is no method 'magic'"),
        ("batch_size = 1.5", "batch_size must be a whole number, not 1.5"),
        ("lora_rank = true", "lora_rank must be a whole number, not True"),
        ('learning_rate = "fast"', "learning_rate must be a number, not 'fast'"),
        ("fast = 1", "fast must be true or false, not 1"),
        ("loss = 3", "loss must be a text, not 3"),
        ("lora_rank = 0", "lora_rank must be above 0"),
    ],
)
def test_a_file_that_was_changed_by_hand_is_looked_at(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(line if "method" in line else f'method = "dpo"\n{line}', encoding="utf-8")
    with pytest.raises(StudioError, match=rf"recipe\.toml: {message}"):
        read_recipe(path)


def test_what_has_no_effect_is_refused_when_it_is_asked_for_and_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('method = "dpo"\nlabel_smoothing = 0.1', encoding="utf-8")
    assert read_recipe(path).label_smoothing == 0.1


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes('method = "dpo" # größer'.encode("latin-1"))
    with pytest.raises(StudioError, match=r"recipe\.toml is no usable recipe"):
        read_recipe(path)


def test_a_whole_number_stands_for_any_number(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('method = "dpo"\nepochs = 2', encoding="utf-8")
    assert read_recipe(path).epochs == 2


def test_what_differs_from_the_preset_was_set_by_hand_also_where_it_is_the_default() -> None:
    def origin(name: str, *overrides: str, rows: int = 100, kept: tuple[str, ...] = ()) -> str:
        return origins(make_recipe("dpo", list(overrides), rows=rows), rows, kept)[name]

    assert origin("learning_rate") == "preset: dpo, 40 to 500 rows"
    assert origin("learning_rate", "learning_rate=2e-4") == "set by hand"
    assert origin("epochs", "epochs=3", rows=20) == "set by hand"
    assert origin("lora_rank", "lora_rank=32") == "set by hand"
    assert origin("lora_rank", "lora_rank=32", kept=("lora_rank",)) == "as in the parent's adapter"
    assert origin("max_length") == "TRL's default"
