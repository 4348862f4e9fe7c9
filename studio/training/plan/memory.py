"""How much memory a run needs at most, reckoned from the model's shape: nothing is loaded for it.

Counted are the weights, what the optimiser keeps, what the forward pass keeps for the way back, and the largest of what
comes and goes. What was counted is checked against real runs by `tests/bench/memory.py`.
"""

from dataclasses import dataclass

from studio.training.plan.architecture import Architecture
from studio.training.plan.facts import Memory, Part
from studio.training.plan.load import FAST_METHODS, Load
from studio.training.recipe import Recipe
from studio.training.trainer.steps import beforehand

_MIB = 1 << 20

LIBRARIES = 550 * _MIB
"""What torch, transformers, PEFT and TRL hold in main memory before a model is loaded."""
LOGITS_AT_ONCE = {"cpu": 2**24, "cuda": 2**27}
"""As `fast.head` has it, which can't be imported without torch."""
TILE_TOKENS, TILE_WORDS = 4096, 32768
"""How many logits TRL's own losses hold at a time."""
TILE_BYTES = {"cpu": 28, "cuda": 4}
"""What becomes of each of these on the way back: on a GPU one kernel does it all in place."""
GENERAL_TOKENS = 256
"""As `watching.forgetting` reads at a time."""
LOOSE = {"cpu": 1.6, "cuda": 1.06}
"""What many small tensors take beyond their size, since memory is handed out in blocks that are never quite full."""
BITS_4 = 0.57
"""Bytes of a number held in 4 bits, its scales among them."""

_OPTIMIZER = {"adamw": 8, "adamw_8bit": 2.1, "paged_adamw_8bit": 0.2}
"""Bytes that the optimiser keeps on the device for each number that is trained."""


@dataclass(frozen=True)
class Machine:
    """Where it would be trained."""

    device: str
    """`cpu` or `cuda`."""
    is_bf16: bool
    free: int
    """Bytes of memory that are free there."""

    @property
    def width(self) -> int:
        """Bytes of a number that is computed with."""
        return 2 if self.is_bf16 else 4


def estimate(recipe: Recipe, shape: Architecture, load: Load, machine: Machine, *, rows: int, fast: bool) -> Memory:
    """Return the most memory that a run over so many rows needs."""
    trained = trained_of(recipe, shape)
    weights = _weights(recipe, shape, machine)
    learning = trained * (4 + _OPTIMIZER[recipe.optimizer] + (0 if recipe.tuning == "full" else 4))
    kept = _kept(recipe, shape, load, machine, fast=fast)
    passing = max(_head(recipe, shape, load, machine, fast=fast), _way_back(recipe, shape, load, machine))
    reading = shape.in_file if machine.device == "cpu" else 0
    general = GENERAL_TOKENS * shape.vocabulary * (machine.width + 8) if recipe.general_text else 0
    spare = max(0, max(reading, general) - kept - passing - int(learning))
    parts = [
        Part("libraries", LIBRARIES if machine.device == "cpu" else 0),
        Part("weights", weights),
        Part("the model before, as the reference", weights if _keeps_reference(recipe, rows) else 0),
        Part("gradients and optimiser", int(learning)),
        Part("kept for the way back", kept),
        Part("logits and other passing things", passing),
        Part("reading the model", spare),
    ]
    needed = sum(part.size for part in parts)
    name = "memory" if machine.device == "cpu" else "GPU memory"
    return Memory(name, tuple(part for part in parts if part.size), needed, machine.free)


def trained_of(recipe: Recipe, shape: Architecture) -> int:
    """Return how many numbers a run trains."""
    return shape.parameters if recipe.tuning == "full" else shape.adapter(recipe.lora_rank, recipe.lora_targets)


def is_fast(recipe: Recipe, shape: Architecture) -> bool:
    """Tell whether a run goes the fast ways, as far as the model's shape says."""
    return recipe.fast and recipe.method in FAST_METHODS and not shape.attends_otherwise


def _weights(recipe: Recipe, shape: Architecture, machine: Machine) -> int:
    if recipe.quantisation == "4bit":
        return int(shape.in_linear * BITS_4) + (shape.parameters - shape.in_linear) * machine.width
    return shape.parameters * (4 if recipe.tuning == "full" else machine.width)


def _keeps_reference(recipe: Recipe, rows: int) -> bool:
    """Tell whether TRL holds the model a second time: an adapter can be switched off, all weights can't."""
    if recipe.tuning != "full":
        return False
    if recipe.method == "grpo":
        return recipe.beta > 0
    return recipe.method == "kto" and not beforehand(recipe, rows)


def _kept(recipe: Recipe, shape: Architecture, load: Load, machine: Machine, *, fast: bool) -> int:
    """Return what the forward pass keeps until the way back has used it."""
    a_layer = load.tokens * _layer(recipe, shape, machine, fast=fast)
    copies = 2 * shape.in_linear if recipe.tuning == "full" and machine.is_bf16 else 0
    layers = a_layer * shape.layers
    if recipe.gradient_checkpointing:
        layers = a_layer + load.tokens * shape.layers * shape.hidden * machine.width
    return int(layers * LOOSE[machine.device] + copies)


def _layer(recipe: Recipe, shape: Architecture, machine: Machine, *, fast: bool) -> float:
    """Return what a layer keeps of each token, in bytes."""
    width, hidden, inner = machine.width, shape.hidden, shape.inner
    # Keys are repeated for the queries that share them; an answer that shares its prompt has a copy of its keys, and
    # what its attention gives is joined with the other answer's.
    attention = width * (2 * shape.queries + 2 * shape.queries)
    if fast and recipe.method == "dpo":
        attention += width * (shape.queries + 2 * shape.keys)
    # Two norms in fp32 with what they give on, and the four stages of the feed-forward part.
    plain = 2 * (4 + width) * hidden + attention + 4 * width * inner
    if recipe.tuning == "full":
        # Each linear layer converts its input by itself, and a norm whose weight is trained keeps its own.
        converted = 3 * width * hidden if machine.is_bf16 else 0
        return plain + 8 * hidden + converted
    ranks = 7 * width * recipe.lora_rank
    is_quick = fast and not recipe.use_dora and not recipe.lora_dropout and recipe.quantisation == "none"
    if is_quick:
        return plain + ranks
    # PEFT converts the input of each layer for its adapter.
    inputs = 5 * hidden + shape.queries + inner
    return plain + ranks + (width * inputs if machine.is_bf16 else 0)


def _head(recipe: Recipe, shape: Architecture, load: Load, machine: Machine, *, fast: bool) -> int:
    """Return the most that the logits take, of which only a part is there at a time."""
    if fast and recipe.tuning == "lora":
        at_once = min(load.scored * shape.vocabulary, LOGITS_AT_ONCE[machine.device])
        # The logits in fp32, and as much again while their sum is taken.
        return at_once * 8
    at_once = min(load.scored, TILE_TOKENS) * min(shape.vocabulary, TILE_WORDS)
    return at_once * (machine.width + TILE_BYTES[machine.device])


def _way_back(recipe: Recipe, shape: Architecture, load: Load, machine: Machine) -> int:
    """Return what the way back through one layer needs, and the gradient of the largest weight."""
    through = load.tokens * machine.width * (4 * shape.inner + 2 * shape.hidden)
    return through + (shape.longest_linear * 4 if recipe.tuning == "full" else 0)
