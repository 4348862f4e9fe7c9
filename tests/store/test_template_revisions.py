"""Templates as they are kept, and the examples that they restate."""

import pytest

from store import examples, restating, templates
from store.database import create_store
from store.errors import MissingRowError
from store.quoting import dumps
from store.restating import Restated


@pytest.fixture
def store(tmp_path):
    """An empty database."""
    with create_store(tmp_path / "studio.db") as opened:
        yield opened


def test_a_template_is_kept_once_and_numbered_under_its_name(store) -> None:
    first = templates.add(store, "mail", "{{ body }}")
    assert templates.add(store, "mail", "{{ body }}") == first
    other = templates.add(store, "chat", "{{ body }}")
    second = templates.add(store, "mail", "{{ text }}")
    assert [(t.id, t.name, t.number) for t in templates.everything(store)] == [
        (second, "mail", 2),
        (other, "chat", 1),
        (first, "mail", 1),
    ]
    assert templates.get(store, second).body == "{{ text }}"
    with pytest.raises(MissingRowError, match="no template 99"):
        templates.get(store, 99)


def said(store, example_id: int) -> str:
    return str(examples.get(store, example_id).messages[0]["content"])


def asks(text: str) -> list[examples.Message]:
    return [{"role": "user", "content": text}]


def restate(store, example_id: int, text: str, template_id: int) -> None:
    restating.revise_many(store, [Restated(example_id, dumps(asks(text)), None, template_id, "template")])


def test_examples_are_brought_back_to_what_they_said_before_a_template(store) -> None:
    one, two, three = (examples.add(store, record_id=None, messages=asks("first"), split="train") for _ in range(3))
    mail, chat = templates.add(store, "mail", "x"), templates.add(store, "chat", "x")
    for number in (one, two, three):
        restate(store, number, "mail", mail)
    restate(store, one, "chat", chat)
    examples.revise(store, three, asks("by hand"))
    assert templates.examples_of_each(store) == {mail: 1, chat: 1}
    assert restating.restated_by(store, mail) == [two]
    assert restating.bring_back(store, [one], chat) == 1
    assert said(store, one) == "mail"
    assert restating.restated_by(store, mail) == [one, two]
    assert restating.bring_back(store, [one, two], mail) == 2
    assert [said(store, number) for number in (one, two, three)] == ["first", "first", "by hand"]
    assert restating.restated_by(store, mail) == []
    assert [r.origin for r in examples.revisions(store, one)] == [
        "import",
        "template",
        "template",
        "template",
        "import",
    ]


def test_what_a_template_made_in_the_first_place_is_not_brought_back(store) -> None:
    mail = templates.add(store, "mail", "x")
    made = examples.add(
        store, record_id=None, messages=asks("first"), split="train", template_id=mail, origin="template"
    )
    restate(store, made, "again", mail)
    assert restating.bring_back(store, [made], mail) == 0


def test_a_restated_example_that_had_words_of_its_own_is_read_again_by_the_search(store) -> None:
    edited = examples.add(store, record_id=None, messages=asks("first"), split="train")
    store.connection.execute("DELETE FROM unindexed")
    restate(store, edited, "second", templates.add(store, "mail", "x"))
    assert store.connection.execute("SELECT example_id FROM unindexed").fetchall() == [(edited,)]
