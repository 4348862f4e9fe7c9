"""How good and bad answers are weighed against each other where one kind is rarer."""

from collections.abc import Sequence

from studio.training.recipe import Recipe


def weights(recipe: Recipe, labels: Sequence[bool]) -> tuple[float, float]:
    """Return what good and bad answers weigh; those that the recipe leaves open, so that both sides weigh alike."""
    good = sum(labels)
    bad = len(labels) - good
    # Where one kind is all there is, nothing has to be weighed against it.
    rarer = min(good, bad) or max(good, bad, 1)
    return recipe.desirable_weight or rarer / max(good, rarer), recipe.undesirable_weight or rarer / max(bad, rarer)
