"""What is put before a question: the same text in chat and in examples, and never what is held out."""

import json
from pathlib import Path

import pytest

from store import examples
from store.database import Store
from studio.errors import StudioError
from studio.importing import import_file
from studio.project import Project, open_project
from studio.retrieval.asking import augment
from studio.retrieval.documents import passages_in
from studio.retrieval.near_examples import few_shot_for
from studio.settings import TemplateSettings, TurnTemplate
from studio.templating import applying
from studio.templating.previewing import preview

LOOKS_UP = TemplateSettings(
    "looks up",
    (TurnTemplate("user", "{{ passages(prompt) }}"), TurnTemplate("assistant", "{{ completion }}")),
    examples_for="{{ prompt }}",
    examples=2,
)
QUESTION = "Are trains to Lyon paid for?"


@pytest.fixture
def asked(project: Project, store: Store, tmp_path: Path) -> Project:
    """Questions with answers, the splits set by hand, and two documents."""
    (project.folder / "documents").mkdir()
    (project.folder / "documents" / "travel.md").write_text(
        "# Trains\n\nTrains to Lyon are paid for, says <|im_end|>.\n"
    )
    (project.folder / "documents" / "food.txt").write_text("Lunch is at noon.\n")
    with (project.folder / "studio.toml").open("a") as settings:
        settings.write('\n[documents]\nfolders = ["documents"]\npassages = 2\n')
    rows = [
        {"prompt": QUESTION, "completion": "Yes."},
        {"prompt": "Are trains to Nantes paid for?", "completion": "Yes, second class."},
        {"prompt": "Are planes to Lyon paid for?", "completion": "No."},
        {"prompt": "When is lunch?", "completion": "At noon."},
        {"prompt": "Are boats to Lyon paid for?", "completion": "Never."},
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    import_file(project, store, file)
    for number in range(1, 6):
        examples.set_status(store, number, "approved")
    store.connection.execute("UPDATE example SET split = CASE id WHEN 5 THEN 'test' ELSE 'train' END")
    return open_project(project.folder)


def test_chat_and_examples_are_given_the_same_text_to_the_byte(asked: Project, store: Store) -> None:
    sent = augment(asked, store, QUESTION, documents=True, examples=2)
    applying.apply(asked, store, LOOKS_UP, over_edits=[1])
    said = examples.get(store, 1).messages
    assert [(m["role"], m["content"]) for m in said[:-1]] == [(m["role"], m["content"]) for m in sent.messages]
    assert said[-1]["content"] == "Yes."
    assert sent.text == (
        "Use these passages where they help. Say so if they do not hold the answer.\n\n"
        "[1] documents/travel.md, lines 3\nTrains to Lyon are paid for, says <|im_end|>.\n\n"
        f"Question: {QUESTION}"
    )


def test_what_was_put_into_an_example_is_known_after_the_document_changed(asked: Project, store: Store) -> None:
    preview(store, LOOKS_UP, 1)
    text = augment(asked, store, QUESTION, documents=True, examples=0).text
    assert not passages_in(store, text)
    applying.apply(asked, store, LOOKS_UP)
    (asked.folder / "documents" / "travel.md").write_text("Nothing is paid for.")
    (asked.folder / "documents.db").unlink()
    augment(asked, store, QUESTION, documents=True, examples=0)
    [passage] = passages_in(store, str(examples.get(store, 1).messages[-2]["content"]))
    assert (passage.file, passage.lines, passage.heading) == ("documents/travel.md", "3", "Trains")


def test_a_question_imported_again_after_its_documents_changed_stays_in_its_split(
    asked: Project, store: Store, tmp_path: Path
) -> None:
    settings = asked.folder / "studio.toml"
    turns = '{role = "user", content = "{{ passages(q) }}"}, {role = "assistant", content = "{{ a }}"}'
    settings.write_text(f"{settings.read_text()}\n[template]\nexamples_for = '{{{{ q }}}}'\nturns = [{turns}]\n")
    project, file = open_project(asked.folder), tmp_path / "again.jsonl"
    said, rows = set(), [{"q": f"Are trains to town {n} paid for?", "a": "Yes."} for n in range(40)]
    for number, paid in enumerate(("Trains to Lyon are paid for.", "Trains are paid for by nobody any more.")):
        (asked.folder / "documents" / "travel.md").write_text(paid)
        file.write_text("".join(f"{json.dumps({**row, 'n': number})}\n" for row in rows))
        import_file(project, store, file)
        said.add(examples.get(store, 6 + 40 * number).messages[-2]["content"])
    assert len(said) == 2
    kept = [examples.get(store, number).split for number in range(6, 86)]
    assert kept[:40] == kept[40:]
    assert len(set(kept)) > 1


def test_no_example_shows_itself_or_what_is_held_out_or_not_approved(asked: Project, store: Store) -> None:
    assert [near.id for near in few_shot_for(store, QUESTION, 9)] == [3, 2]
    examples.set_status(store, 2, "draft")
    assert [near.id for near in few_shot_for(store, QUESTION, 9)] == [3]
    examples.set_excluded(store, 3, True)
    assert few_shot_for(store, QUESTION, 9) == []


def test_a_prompt_that_is_held_out_elsewhere_is_not_shown(asked: Project, store: Store) -> None:
    examples.add(store, record_id=None, messages=examples.get(store, 2).messages, split="validation")
    assert [near.id for near in few_shot_for(store, QUESTION, 9)] == [3]


def test_what_an_example_was_shown_is_not_shown_again_with_it(asked: Project, store: Store) -> None:
    applying.apply(
        asked,
        store,
        TemplateSettings(
            "near", (TurnTemplate("user", "{{ prompt }}"), LOOKS_UP.turns[1]), examples_for="{{ prompt }}", examples=2
        ),
    )
    assert len(examples.get(store, 2).messages) > 2
    assert [len(near.turns) for near in few_shot_for(store, QUESTION, 9)] == [2, 2]


def test_the_answers_of_shown_examples_are_not_learnt_again(asked: Project, store: Store) -> None:
    applying.apply(asked, store, LOOKS_UP)
    shown = [m for m in examples.get(store, 1).messages[:-1] if m["role"] == "assistant"]
    assert shown
    assert all(message["weight"] == 0 for message in shown)


def test_a_question_without_anything_near_is_sent_as_it_is(asked: Project, store: Store) -> None:
    sent = augment(asked, store, "Xylophone?", documents=True, examples=3)
    assert (sent.text, sent.messages) == ("Xylophone?", [{"role": "user", "content": "Xylophone?"}])


def test_the_template_of_documents_can_be_changed_and_faults_in_it_are_named(asked: Project, store: Store) -> None:
    settings = asked.folder / "studio.toml"
    before = settings.read_text()
    settings.write_text(f"{before}template = '{{{{ passages[0].lines }}}}|{{{{ question }}}}'\n")
    sent = augment(open_project(asked.folder), store, "lunch {{ 7 * 7 }}", documents=True, examples=0)
    assert sent.text == "1|lunch {{ 7 * 7 }}"
    for wrong in ("{{ quest }}", "{% if %}", "{{ question.__class__ }}"):
        settings.write_text(f"{before}template = '{wrong}'\n")
        with pytest.raises(StudioError, match="documents"):
            augment(open_project(asked.folder), store, "lunch", documents=True, examples=0)


def test_a_field_called_passages_is_the_records_own(asked: Project, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps({"passages": "mine", "prompt": "a", "completion": "b"}))
    report = import_file(asked, store, file, format="plain")
    assert report
    turns = (TurnTemplate("user", "{{ passages }}"), TurnTemplate("assistant", "{{ completion }}"))
    made = preview(store, TemplateSettings("own", turns), 6)
    assert made.messages[0]["content"] == "mine"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("folder = 'x'", "no setting 'folder'"),
        ("folders = 'x'", "list of folders"),
        ("passages = 0", "from 1 to 50"),
        ("size = 10", "from 100"),
        ("template = 5", "must be a text"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(project: Project, said: str, problem: str) -> None:
    with (project.folder / "studio.toml").open("a") as settings:
        settings.write(f"\n[documents]\n{said}\n")
    with pytest.raises(StudioError, match=problem):
        open_project(project.folder)
