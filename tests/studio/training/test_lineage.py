"""Which run went on from which."""

from store import runs
from store.database import Store
from studio.project import Project
from studio.training.history.lineage import ancestors, family, tree
from tests.studio.training.ended_runs import made


def test_families_are_drawn_in_the_order_in_which_they_were_made(project: Project, store: Store) -> None:
    assert tree(store) == []
    root = made(project, store, "sft")
    alone = made(project, store, "sft")
    first = made(project, store, parent=root.id)
    second = made(project, store, parent=root.id)
    grandchild = made(project, store, parent=first.id)
    runs.describe(store, first.id, name="careful")
    assert [str(branch) for branch in tree(store)] == [
        "sft-1, done",
        "├ dpo-3 careful, done",
        "│ └ dpo-5, done",
        "└ dpo-4, done",
        "sft-2, done",
    ]
    assert ancestors(store, grandchild) == [root.id, first.id]
    assert family(store, first.id) == {root.id, first.id, grandchild.id}
    assert family(store, root.id) == {root.id, first.id, second.id, grandchild.id}
    assert family(store, alone.id) == {alone.id}
