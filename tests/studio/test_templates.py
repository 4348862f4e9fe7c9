"""Templates: what a person writes to say what a record means."""

import pytest

from studio.errors import StudioError
from studio.formats.row import RowError
from studio.settings import ResponseTemplate, TemplateSettings, TurnTemplate
from studio.templates import apply, fits

EMAIL = {
    "subject": "Late",
    "body": "Where is {{ my }} book?",
    "anna": "Sorry! It ships today.",
    "ben": "No idea.",
    "better": "anna",
    "why": "kinder",
    "who": "lee",
}
TEMPLATE = TemplateSettings(
    turns=(TurnTemplate("system", "You answer e-mails."), TurnTemplate("user", "{{ subject }}\n\n{{ body }}")),
    responses=(ResponseTemplate("{{ anna }}", "Anna"), ResponseTemplate("{{ ben }}", "{{ 'Ben' }}")),
    verdict="{{ {'anna': 'left', 'ben': 'right'}.get(better, '') }}",
    comment="{{ why }}",
    rater="{{ who }}",
)


def test_a_record_becomes_turns_responses_and_a_verdict() -> None:
    row = apply(TEMPLATE, EMAIL)
    assert row.messages == [
        {"role": "system", "content": "You answer e-mails."},
        {"role": "user", "content": "Late\n\nWhere is {{ my }} book?"},
    ]
    assert [(c.messages[0]["content"], c.author) for c in row.candidates] == [
        ("Sorry! It ships today.", "Anna"),
        ("No idea.", "Ben"),
    ]
    assert (row.verdict, row.comment, row.rater) == ("left", "kinder", "lee")


def test_a_record_without_a_verdict_waits_for_one() -> None:
    assert apply(TEMPLATE, {**EMAIL, "better": ""}).verdict is None


def test_a_response_that_renders_empty_is_left_out_and_its_verdict_too() -> None:
    row = apply(TEMPLATE, {**EMAIL, "ben": "  "})
    assert len(row.candidates) == 1
    assert row.verdict is None
    assert "empty" in (row.problem or "")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"anna": True}, "is true"),
        ({"better": ["x"]}, "fails"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_with_the_reason(changed, reason) -> None:
    with pytest.raises(RowError, match=reason):
        apply(TEMPLATE, {**EMAIL, **changed})


def test_a_field_that_is_absent_is_named() -> None:
    with pytest.raises(RowError, match="'body'"):
        apply(TEMPLATE, {"subject": "x"})


def test_a_verdict_must_be_a_word_of_ours() -> None:
    template = TemplateSettings(turns=TEMPLATE.turns, responses=TEMPLATE.responses, verdict="{{ better }}")
    with pytest.raises(RowError, match="one of left, right"):
        apply(template, {**EMAIL, "better": "1"})


@pytest.mark.parametrize(
    "template",
    [
        TemplateSettings(turns=(TurnTemplate("user", "{{ body"),)),
        TemplateSettings(turns=(TurnTemplate("user", "{{ body | nosuchfilter }}"),)),
        TemplateSettings(turns=(TurnTemplate("narrator", "x"),)),
        TemplateSettings(),
        TemplateSettings(turns=(TurnTemplate("user", "{{ body.__class__.__mro__ }}"),)),
        TemplateSettings(turns=(TurnTemplate("user", "{{ ''.__class__.__base__.__subclasses__() }}"),)),
        TemplateSettings(turns=(TurnTemplate("user", "{{ body | truncate(2, true, 'xxx') }}"),)),
    ],
)
def test_a_wrong_or_prying_template_gives_nothing(template) -> None:
    with pytest.raises((StudioError, RowError)):
        apply(template, EMAIL)


def test_a_template_fits_where_its_turns_find_their_fields() -> None:
    assert fits(TEMPLATE, [EMAIL])
    assert not fits(TEMPLATE, [{"text": "x", "category": "y"}])


def test_a_template_fits_where_the_conversation_that_it_names_is_a_column_or_inside_one() -> None:
    template = TemplateSettings(turns=(TurnTemplate("messages", "chat.turns"),), system="By {{ json_schema }}")
    turns = [{"role": "user", "content": "Hi"}]
    for fields in ({"chat": {"turns": turns}}, {"chat.turns": turns}):
        assert fits(template, [fields])
        assert apply(template, fields).messages[-1]["content"] == "Hi"
    assert not fits(template, [{"turns": turns}])
