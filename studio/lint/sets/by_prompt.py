"""Examples that are asked the same."""

from collections import defaultdict
from collections.abc import Iterable

from studio.lint.features import Features


def same_prompt(noted: Iterable[Features]) -> list[list[Features]]:
    """Return the groups of two or more examples whose prompts and system turns say the same, in their order."""
    groups: dict[tuple[str, str], list[Features]] = defaultdict(list)
    for each in noted:
        if each.prompt:
            groups[each.prompt, each.system].append(each)
    return [group for group in groups.values() if len(group) > 1]
