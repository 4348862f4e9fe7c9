"""Applying a template to what is there: planned, done in batches, kept off edits by hand, and taken back."""

import json
from pathlib import Path

import pytest

from store import examples, records, responses
from studio.errors import StudioError
from studio.importing import import_file
from studio.settings import ResponseTemplate, TemplateSettings, TurnTemplate
from studio.templating import applying, versions
from studio.templating.previewing import next_failing, preview, previews

PLAIN = TemplateSettings("p", (TurnTemplate("user", "{{ prompt }}"), TurnTemplate("assistant", "{{ completion }}")))
POLITE = TemplateSettings(
    "p", (TurnTemplate("user", "Please: {{ prompt }}"), TurnTemplate("assistant", "{{ completion }}"))
)
LONG = "a question that is long enough to be kept as a quotation, number"


@pytest.fixture
def filled(project, store, tmp_path: Path):
    """Six prompt-completion rows, and two that made no example: one whose answer is no text, one cut off."""
    rows = [json.dumps({"prompt": f"{LONG} {n}", "completion": f"answer {n}"}) for n in range(1, 7)]
    rows += [json.dumps({"prompt": "short", "completion": 5}), '{"prompt": "cut']
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(rows))
    import_file(project, store, file)
    return project


def said(store, example_id: int) -> list[str]:
    return [m["content"] for m in examples.get(store, example_id).messages]


def edit(store, example_id: int) -> None:
    messages = examples.get(store, example_id).messages
    examples.revise(store, example_id, [*messages[:-1], {"role": "assistant", "content": "mended"}])


def test_a_plan_counts_and_writes_nothing(filled, store) -> None:
    edit(store, 2)
    before = store.connection.execute("SELECT COUNT(*) FROM revision").fetchone()
    plan = applying.plan(store, POLITE)
    assert (plan.records, plan.changed, plan.equal, plan.conflicts) == (8, 5, 0, [2])
    assert (plan.new, plan.unreadable, plan.failing) == (1, 1, 0)
    assert store.connection.execute("SELECT COUNT(*) FROM revision").fetchone() == before
    assert applying.plan(store, PLAIN).equal == 5


def test_a_record_that_fails_is_named_with_its_place_and_reason(filled, store) -> None:
    wrong = TemplateSettings("p", (TurnTemplate("user", "{{ prompt }} {{ 1 // (prompt | length - 5) }}"),))
    plan = applying.plan(store, wrong)
    assert plan.failing == 1
    [failure] = plan.failures
    assert failure.place == "rows.jsonl:7"
    assert "zero" in failure.reason
    assert next_failing(store, wrong, 1) == failure.record_id
    assert next_failing(store, wrong, 7) == failure.record_id
    assert next_failing(store, PLAIN, 1, "source:rows.jsonl prompt") is None
    [shown] = previews(store, wrong, failing=True)
    assert shown.record.id == failure.record_id


def test_applying_keeps_ids_splits_and_edits_and_quotes_the_record(filled, store) -> None:
    edit(store, 2)
    splits = {n: examples.get(store, n).split for n in examples.span(store)}
    done = applying.apply(filled, store, PLAIN)
    assert (done.changed, done.kept) == (0, 1)
    done = applying.apply(filled, store, POLITE)
    assert done.kept == 1
    assert said(store, 1) == [f"Please: {LONG} 1", "answer 1"]
    assert said(store, 2)[-1] == "mended"
    example = examples.get(store, 1)
    assert (example.revision, example.origin, example.template_id) == (2, "template", done.template_id)
    assert {n: examples.get(store, n).split for n in splits} == splits
    back = applying.apply(filled, store, PLAIN)
    newest = store.connection.execute("SELECT messages FROM revision WHERE example_id = 1 AND number = 3").fetchone()[0]
    assert '["prompt"]' in newest
    assert back.changed == done.changed


def test_what_the_template_makes_can_be_taken_over_an_edit_which_stays_a_revision(filled, store) -> None:
    edit(store, 2)
    edit(store, 3)
    done = applying.apply(filled, store, POLITE, over_edits=[2])
    assert (done.taken, done.kept) == (1, 1)
    assert said(store, 2)[0].startswith("Please")
    assert said(store, 3)[-1] == "mended"
    assert [r.origin for r in examples.revisions(store, 2)] == ["import", "edit", "template"]
    applying.take_back(store, done.template_id)
    assert said(store, 2)[-1] == "mended"
    assert examples.get(store, 2).origin == "edit"


def test_it_can_be_taken_back_version_by_version(filled, store) -> None:
    before = said(store, 1)
    first = applying.apply(filled, store, POLITE)
    shout = TemplateSettings("p", (TurnTemplate("user", "{{ prompt | upper }}"), *POLITE.turns[1:]))
    second = applying.apply(filled, store, shout)
    edit(store, 3)
    assert applying.take_back(store, second.template_id) == second.changed - 1
    assert said(store, 1)[0].startswith("Please")
    assert said(store, 3)[-1] == "mended"
    assert applying.take_back(store, first.template_id) == first.changed - 1
    assert said(store, 1) == before
    assert applying.take_back(store, first.template_id) == 0


def test_records_that_made_none_get_an_example(filled, store) -> None:
    lenient = TemplateSettings("p", (TurnTemplate("user", "{{ prompt }}"),))
    assert records.get(store, 7).problem
    done = applying.apply(filled, store, lenient)
    assert done.made == 1
    example = examples.of_records(store, [7])[7]
    assert (example.origin, example.template_id, said(store, example.id)) == ("template", done.template_id, ["short"])
    assert records.get(store, 7).problem is None


def test_responses_stay_and_the_plan_says_so(filled, store) -> None:
    both = TemplateSettings("p", PLAIN.turns[:1], (ResponseTemplate("{{ completion }}"), ResponseTemplate("other")))
    answer = {"role": "assistant", "content": "x"}
    kept = responses.add(store, 1, [answer], origin="human")
    plan = applying.plan(store, both)
    assert plan.other_responses == plan.changed == 6
    applying.apply(filled, store, both)
    assert [r.id for r in responses.of_example(store, 1)] == [kept]


def test_only_the_records_of_a_query_are_touched(filled, store) -> None:
    done = applying.apply(filled, store, POLITE, '"number 3"')
    assert done.changed == 1
    assert said(store, 3)[0].startswith("Please")
    with pytest.raises(StudioError, match="can't be understood"):
        applying.plan(store, POLITE, "has:nonsense")


def test_it_stops_when_it_is_told_to(filled, store) -> None:
    assert applying.plan(store, POLITE, cancelled=lambda: True).stopped
    done = applying.apply(filled, store, POLITE, cancelled=lambda: True)
    assert done.stopped
    assert done.changed == 0


def test_a_wrong_template_is_refused_before_anything_is_done(filled, store) -> None:
    wrong = TemplateSettings("p", (TurnTemplate("user", "{{ prompt"),))
    for work in (lambda: applying.plan(store, wrong), lambda: applying.apply(filled, store, wrong)):
        with pytest.raises(StudioError, match="line 1"):
            work()
    assert versions.of_project(store) == []
    shown = preview(store, wrong, 1)
    assert shown.effect.kind == "failing"
    assert shown.effect.place.line == 1
