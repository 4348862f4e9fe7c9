"""The kinds of groups in which rows repeat each other, behind one face for the window that reviews them."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Protocol

from screens.record_text import preview
from screens.widgets.text_view import Span
from store import duplicates, examples, records, repeats
from store.database import Store
from store.duplicates import MEMBERS_SHOWN, Group, GroupKind

MOST_WORDS_COMPARED = 600
LONGEST_SHOWN = 20_000


@dataclass(frozen=True)
class GroupLine:
    """A group in the list."""

    size: int
    in_use: int | None
    """How many of it are not excluded; None where they are too many to look at."""
    excerpt: str


@dataclass(frozen=True)
class MemberLine:
    """A member of the group that is open."""

    id: int
    excluded: bool
    place: str
    note: str
    """Its split, or how alike it is."""
    excerpt: str


class Groups(Protocol):
    """What the window needs to know of a kind of groups."""

    area: str
    """Where its rows have their own list."""
    nothing: str
    """What is said where there are none."""

    @property
    def searched(self) -> GroupKind | None:
        """What a search for them looks for; None where they are known without one."""

    def ids(self, store: Store) -> Sequence[int]:
        """Return the ids of all groups."""

    def lines(self, store: Store, ids: list[int]) -> dict[int, GroupLine]:
        """Return a screenful of groups, ids as they follow each other in `ids`."""

    def members(self, store: Store, group_id: int) -> list[MemberLine]:
        """Return a group's members, the one to keep first."""

    def texts(self, store: Store, member_ids: list[int]) -> dict[int, str]:
        """Return what members say."""

    def set_excluded(self, store: Store, member_id: int, excluded: bool) -> None:
        """Exclude one member, or let it in again."""

    def keep_first(self, store: Store, group_id: int) -> int:
        """Exclude all but what is to be kept; return how many are out."""

    def restore(self, store: Store, group_id: int) -> int:
        """Let in again what `keep_first` excluded; return how many."""


class SameBytes:
    """Records that repeat an earlier one byte for byte."""

    area = "data"
    nothing = "No row repeats another byte for byte."
    searched = None

    def ids(self, store: Store) -> Sequence[int]:
        """Return the first records, which stand for their groups."""
        return repeats.firsts(store)

    def lines(self, store: Store, ids: list[int]) -> dict[int, GroupLine]:
        """Return a screenful of groups."""
        shown = records.glimpse_many(store, ids, LONGEST_SHOWN)
        return {
            number: GroupLine(group.size, group.in_use, preview(shown[number]))
            for number, group in repeats.get_many(store, ids).items()
        }

    def members(self, store: Store, group_id: int) -> list[MemberLine]:
        """Return the first record and those that repeat it."""
        numbers = repeats.members(store, group_id)
        found = records.glimpse_many(store, numbers, LONGEST_SHOWN)
        return [
            MemberLine(n, r.excluded, f"{r.source}:{r.line}", "first" if n == group_id else "same", preview(r))
            for n in numbers
            if (r := found[n])
        ]

    def texts(self, store: Store, member_ids: list[int]) -> dict[int, str]:
        """Return what records say, of long ones the beginning."""
        return {n: preview(r, LONGEST_SHOWN) for n, r in records.glimpse_many(store, member_ids, LONGEST_SHOWN).items()}

    def set_excluded(self, store: Store, member_id: int, excluded: bool) -> None:
        """Exclude one record, or let it in again."""
        records.set_excluded(store, member_id, excluded)

    def keep_first(self, store: Store, group_id: int) -> int:
        """Exclude all but the first."""
        return repeats.keep_first(store, group_id)

    def restore(self, store: Store, group_id: int) -> int:
        """Let the others in again."""
        return repeats.restore(store, group_id)


class Searched:
    """Groups that a search found: similar records, or examples whose prompt is in more than one split."""

    def __init__(self, kind: GroupKind) -> None:
        self.searched: GroupKind | None = kind
        self._kind: GroupKind = kind
        self.area = "data" if kind == "near" else "examples"
        what = "similar rows" if kind == "near" else "prompts in more than one split"
        self.nothing = f"No {what} are known. n looks for them, N only for all but equal ones."

    def ids(self, store: Store) -> Sequence[int]:
        """Return the ids of all groups."""
        return duplicates.ids(store, self._kind)

    def lines(self, store: Store, ids: list[int]) -> dict[int, GroupLine]:
        """Return a screenful of groups."""
        found = duplicates.groups(store, self._kind, after=ids[0] - 1, limit=len(ids))
        return {group.id: _line(group) for group in found}

    def members(self, store: Store, group_id: int) -> list[MemberLine]:
        """Return a group's members."""
        found = duplicates.groups(store, self._kind, after=group_id - 1, limit=1)
        members = found[0].members if found and found[0].id == group_id else []
        return [MemberLine(m.id, m.excluded, m.place, m.split or f"{m.similarity:.0%}", m.excerpt) for m in members]

    def texts(self, store: Store, member_ids: list[int]) -> dict[int, str]:
        """Return what members say: records all, examples their prompt."""
        return (duplicates.texts if self._kind == "near" else duplicates.prompts)(store, member_ids)

    def set_excluded(self, store: Store, member_id: int, excluded: bool) -> None:
        """Exclude one member, or let it in again."""
        (records if self._kind == "near" else examples).set_excluded(store, member_id, excluded)

    def keep_first(self, store: Store, group_id: int) -> int:
        """Exclude all but the first; of a leak, what is in the split that is held out less."""
        return duplicates.keep_first(store, group_id)

    def restore(self, store: Store, group_id: int) -> int:
        """Let in again what was excluded because of the group."""
        return duplicates.restore(store, group_id)


def _line(group: Group) -> GroupLine:
    in_use = sum(not m.excluded for m in group.members) if group.size <= MEMBERS_SHOWN else None
    return GroupLine(group.size, in_use, group.members[0].excerpt if group.members else "")


def difference(first: str, other: str) -> list[Span]:
    """Return a text with another one's changes: what goes in [-brackets-], what comes in {+braces+}."""
    old, new = (text.split(" ", MOST_WORDS_COMPARED)[:MOST_WORDS_COMPARED] for text in (first, other))
    spans = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            spans.append(Span(" ".join(old[a:b]) + " "))
            continue
        if b > a:
            spans.append(Span(f"[-{' '.join(old[a:b])}-] ", "dim"))
        if d > c:
            spans.append(Span(f"{{+{' '.join(new[c:d])}+}} ", "bold"))
    return spans
