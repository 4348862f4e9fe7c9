"""Revisions: an older one comes back whole, as a new one."""

import pytest

from store import examples, revisions, templates
from store.database import Store
from store.errors import MissingRowError

TOOLS = [{"type": "function", "function": {"name": "find"}}]


def say(text: str) -> list[examples.Message]:
    return [{"role": "user", "content": text}]


def test_an_older_state_comes_back_with_its_tools_and_template(store: Store) -> None:
    template = templates.add(store, "mail", "{{ body }}")
    number = examples.add(
        store, record_id=None, messages=say("a"), split="test", tools=TOOLS, template_id=template, origin="template"
    )
    examples.revise(store, number, say("b"))
    assert revisions.revert(store, number, 1) == 3
    back = examples.get(store, number)
    assert (back.messages, back.tools, back.template_id, back.origin) == (say("a"), TOOLS, template, "edit")
    assert [r.messages for r in examples.revisions(store, number)] == [say("a"), say("b"), say("a")]
    assert store.connection.execute("SELECT example_id FROM unindexed").fetchall() == [(number,)]


def test_a_revision_that_is_not_there_is_named(store: Store) -> None:
    number = examples.add(store, record_id=None, messages=say("a"), split="test")
    with pytest.raises(MissingRowError, match="revision 7 of example 1"):
        revisions.revert(store, number, 7)
    assert examples.get(store, number).revision == 1


def test_the_template_of_each_revision_is_named_with_its_version(store: Store) -> None:
    templates.add(store, "other", "x")
    first, second = templates.add(store, "mail", "1"), templates.add(store, "mail", "2")
    number = examples.add(store, record_id=None, messages=say("a"), split="test", template_id=second)
    plain = examples.add(store, record_id=None, messages=say("a"), split="test")
    assert first != second
    assert revisions.template_names(store, number) == {1: "mail, version 2"}
    assert revisions.template_names(store, plain) == {}
