"""Which split a prompt belongs to: decided by its content alone, so that it never moves."""

import hashlib

from store.examples import Split
from studio.settings import SplitSettings


def split_of(group: bytes, settings: SplitSettings) -> Split:
    """Return the split of a prompt group; the same group and settings always give the same one."""
    digest = hashlib.blake2b(group, digest_size=8, key=str(settings.seed).encode()).digest()
    place = int.from_bytes(digest, "big") / 2**64
    if place < settings.test:
        return "test"
    if place < settings.test + settings.validation:
        return "validation"
    return "train"
