"""Several processes compute on the batch that the recipe names, and the settings that ship are known to accelerate."""

import pytest
from accelerate.commands.config.config_args import load_config_from_file

from studio.errors import StudioError
from studio.training.elsewhere.accelerate import WAYS, config_of, share_of
from studio.training.recipe import make_recipe


@pytest.mark.parametrize(
    ("batch", "accumulation", "processes"),
    [(1, 4, 1), (1, 4, 2), (1, 4, 4), (2, 8, 4), (4, 1, 2), (3, 2, 6), (4, 3, 6)],
)
def test_the_batch_is_shared_out(batch: int, accumulation: int, processes: int) -> None:
    recipe = make_recipe("sft", [f"batch_size={batch}", f"gradient_accumulation={accumulation}"])
    share = share_of(recipe, processes)
    assert share.batch_size * share.gradient_accumulation * processes == batch * accumulation
    assert share.batch_size <= batch


def test_a_batch_that_can_not_be_shared_is_refused() -> None:
    with pytest.raises(StudioError, match="The effective batch of 4 rows can't be divided over 3 processes"):
        share_of(make_recipe("sft", ["batch_size=1", "gradient_accumulation=4"]), 3)


def test_a_process_of_kto_has_answers_to_compare() -> None:
    recipe = make_recipe("kto", ["batch_size=2", "gradient_accumulation=4"])
    assert share_of(recipe, 4).batch_size == 2
    with pytest.raises(StudioError, match="kto needs 2 rows in each process's batch"):
        share_of(recipe, 8)


@pytest.mark.parametrize("way", WAYS)
def test_accelerate_reads_the_settings(way: str) -> None:
    found = load_config_from_file(str(config_of(way)))
    # The recipe decides on the number format: a config that named one would have to agree with it.
    assert found.mixed_precision is None
    if way.startswith("zero"):
        assert found.deepspeed_config["zero_stage"] == int(way[-1])
        assert found.deepspeed_config["gradient_accumulation_steps"] == "auto"
