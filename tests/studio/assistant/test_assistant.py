"""What an assistant is for: its system prompt, its settings, its tests."""

from pathlib import Path

import pytest

from store import examples
from studio.assistant.system import system_of
from studio.assistant.trying import held_against, is_refusal
from studio.chatting import keeping
from studio.errors import StudioError
from studio.importing import import_file
from studio.project import Project, open_project

ASSISTANT = """
[[checks]]
name = "short"
kind = "max_words"
value = "5"

[assistant]
name = "Parcel Desk"
purpose = "Answer questions about parcels"
refuses = ["legal advice", "anything but parcels"]
refusal = "I can only help with parcels."
tone = "friendly, brief"

[[assistant.tests]]
prompt = "May I sue them?"
refuses = true
name = "law"

[[assistant.tests]]
prompt = "Where is my parcel?"
refuses = false
checks = ["short", { contains = "parcel" }, { kind = "lacks", value = "sue", name = "no-law" }]
"""


def with_settings(project: Project, text: str) -> Project:
    path = project.folder / "studio.toml"
    path.write_text(path.read_text() + text)
    return open_project(project.folder)


def test_the_system_prompt_is_made_of_what_the_project_states(project: Project) -> None:
    assert system_of(project) == ""
    assert keeping.new_chat(project, ["smollm2"]).opening == []
    stated = with_settings(project, ASSISTANT)
    assert system_of(stated) == (
        "You are Parcel Desk. Your purpose: Answer questions about parcels.\n"
        "You must refuse:\n- legal advice\n- anything but parcels\nThen answer: I can only help with parcels.\n"
        "Tone: friendly, brief."
    )
    assert keeping.new_chat(stated, ["smollm2"]).system == system_of(stated)


def test_a_system_prompt_that_was_written_is_taken_as_it_is(project: Project) -> None:
    stated = with_settings(project, '[assistant]\nname = "Desk"\nsystem = "Be a desk."\n')
    assert system_of(stated) == "Be a desk."


def test_an_answer_is_held_against_all_that_a_test_asks(project: Project) -> None:
    stated = with_settings(project, ASSISTANT)
    law, where = stated.settings.assistant.tests
    assert held_against(stated, law, "Sorry. I can only help with parcels!").passed
    assert held_against(stated, law, "I'm sorry, but I can't.").passed
    assert not held_against(stated, law, "Yes, sue them.").passed
    tried = held_against(stated, where, "The parcel is on its way, do not sue.")
    assert [(v.name, v.passed) for v in tried.verdicts] == [
        ("does not refuse", True),
        ("short", False),
        ("contains parcel", True),
        ("no-law", False),
    ]
    assert (tried.name, tried.passed) == ("Where is my parcel?", False)
    assert held_against(stated, where, "Your parcel left.").passed


def test_the_sentence_that_the_default_prompt_asks_for_is_known_as_a_refusal(project: Project) -> None:
    assert is_refusal(project, "I'm afraid I can't help with that.")
    assert not is_refusal(project, "It can help with that.")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("assistant = 3\n", "must be a table"),
        ('[assistant]\nmood = "x"\n', "no setting 'mood'"),
        ("[assistant]\nname = 3\n", "name must be a text"),
        ('[assistant]\nrefuses = "law"\n', "must be a list of texts"),
        ("[[assistant.tests]]\nrefuses = true\n", "test 1 has no prompt"),
        ('[[assistant.tests]]\nprompt = "a"\n', "asks nothing"),
        ('[[assistant.tests]]\nprompt = "a"\nrefuses = "yes"\n', "true or false"),
        ('[[assistant.tests]]\nprompt = "a"\nchecks = ["short"]\n', "has no checks"),
        ('[[assistant.tests]]\nprompt = "a"\nchecks = [{ shines = "x" }]\n', "kind 'shines'"),
        ('[[assistant.tests]]\nprompt = "a"\nchecks = [{ kind = "equals_field", field = "x" }]\n', "needs a record"),
    ],
)
def test_settings_that_say_what_none_can_say_are_refused(project: Project, text: str, why: str) -> None:
    path: Path = project.folder / "studio.toml"
    path.write_text(text + path.read_text() if text.startswith("assistant") else path.read_text() + text)
    with pytest.raises(StudioError, match=why):
        open_project(project.folder)


def test_record_templates_can_say_the_same_to_their_examples(project: Project) -> None:
    template = '[template]\nsystem = "{{ assistant }}"\n[[template.turns]]\nrole = "user"\ncontent = "{{ ask }}"\n'
    stated = with_settings(project, ASSISTANT + template)
    rows = project.folder / "rows.jsonl"
    rows.write_text('{"ask": "Where?"}\n')
    with stated.open_store() as store:
        import_file(stated, store, rows)
        (example,) = examples.get_many(store, list(examples.span(store))).values()
    assert [message["content"] for message in example.messages] == [system_of(stated), "Where?"]
