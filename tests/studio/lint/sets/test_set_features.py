import json
import math

import pytest

from studio.lint.check import Answer, Context, Judged, Subject
from studio.lint.features import features, normal_form, read


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("When will my card arrive?", "when will my  card\narrive"),
        ("Top-up isn't working!", "top up isn’t working"),
        ("ＡＢＣ １２", "abc 12"),
        ("Straße", "STRASSE"),
        ("Mr. Smith, hello", "mr smith hello"),
    ],
)
def test_case_forms_spaces_and_punctuation_make_no_difference(one, other) -> None:
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 6-2?", "What is 6/2?"),
        ("What is 6 - 2?", "What is 6 * 2?"),
        ("Is -5 cold?", "Is 5 cold?"),
        ("Pay 1.5 euros", "Pay 1,5 euros"),
        ("a + b", "a b"),
        ("the card", "a card"),
    ],
)
def test_what_means_something_stays(one, other) -> None:
    assert normal_form(one) != normal_form(other)


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("42", 42),
        (" -3.5 ", -3.5),
        ("$1,250.50", 1250.5),
        ("12 kg", 12),
        ("30%", 30),
        ("20 € ", 20),
        ("2e3", 2000),
        ("She has 16 - 3 = 13 eggs.\nA: 13", 13),
        ("So it is.\n#### 1,234", 1234),
    ],
)
def test_an_answer_that_is_a_number_is_noted(row, answer, number) -> None:
    assert row("How much?", answer).numbers == [("", number)]


@pytest.mark.parametrize("answer", ["", "card_arrival", "3 eggs and 4 more", "1.2.3", "2024-05-01", "12:30", "3 of 4"])
def test_what_is_no_number_is_none(row, answer) -> None:
    assert row("How much?", answer).numbers == []


def test_number_fields_of_json_are_noted_by_their_path(row) -> None:
    noted = row("How much?", '{"price": 12, "new": true, "size": {"kg": 1.5, "text": "7"}, "parts": [1, 2]}')
    assert noted.numbers == [("price", 12), ("size.kg", 1.5)]
    assert row("How much?", '{"price": 12').numbers == []
    assert row("How much?", '{"\\ud800": 3}').numbers == [("?", 3)]
    ((name, value),) = row("How much?", '{"price": NaN}').numbers
    assert name == "price"
    assert math.isnan(value)


def test_what_was_noted_comes_back_from_json() -> None:
    subject = Subject(
        id=7,
        revision=2,
        record_id=3,
        source="a.jsonl",
        split="test",
        prompt=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello\ud800?"}],
        answers=[
            Answer(None, [{"role": "assistant", "content": "Hi \ud800 there"}]),
            Answer(11, [{"role": "assistant", "content": "Good day"}], "mara", True),
            Answer(12, [{"role": "assistant", "content": ""}]),
        ],
        pairs=[Judged(12, 11, "right", "jo", 2.5), Judged(11, 12, None, "", None)],
    )
    stored = features(subject, Context(None, 1024, {}))
    noted = read(json.loads(json.dumps(stored, ensure_ascii=False).encode()))
    assert noted == read(stored)
    assert (noted.id, noted.split, noted.source, noted.answer, noted.problems) == (
        7,
        "test",
        "a.jsonl",
        "Hi ? there",
        0,
    )
    assert [(c.author, c.length, c.label, bool(c.text)) for c in noted.candidates] == [
        ("mara", 8, True, True),
        ("", 0, None, False),
    ]
    assert len(noted.decisions) == 1
    assert [(better.id, worse.id) for better, worse in noted.pairs] == [(11, 12)]


def test_prompts_of_the_same_words_are_told_apart_by_what_the_model_is_told(row) -> None:
    plain, told, again = row("Hello?"), row("hello", told="Be brief."), row("HELLO", told="be brief")
    tools = row("Hello?", tools=[{"name": "lookup"}])
    assert plain.prompt == told.prompt == tools.prompt
    assert told.system == again.system
    assert len({plain.system, told.system, tools.system}) == 3


def test_long_texts_are_noted_briefly(row) -> None:
    noted = row("why? " * 1000, "because " * 1000)
    assert (noted.short_prompt, noted.answer, noted.answer_length, noted.prompt_length) == ("", "", 8000, 5000)
    assert (noted.opening, noted.closing) == ("because because because", "because because because")
    assert len(json.dumps(noted)) < 500
