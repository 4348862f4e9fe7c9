"""The strict reading of what a model wrote: one new prompt, or the reason why it is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.settings import Settings
from studio.shingles import fold
from studio.synthetic.methods import METHODS, PERSONAS, ask, instructions_hash, needs_model
from studio.synthetic.reading import Dropped, check_new, is_near, read

PROMPT = "Where is the book that I ordered last week from your shop?"
PHRASES = (*Settings().lint["refusals"], *Settings().lint["boilerplate"])


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("What became of my order from seven days ago?", "What became of my order from seven days ago?"),
        ("  \n What became of my order? \n", "What became of my order?"),
        ('"What became of my order?"', "What became of my order?"),
        ("“What became of my order?”", "What became of my order?"),
        ("<message>\nWhat became of my order?\n</message>", "What became of my order?"),
        ('He said "wait". What became of "it"?', 'He said "wait". What became of "it"?'),
        ("Please tell me what became of my order.", "Please tell me what became of my order."),
    ],
)
def test_one_new_prompt_is_taken_as_it_is(reply, text) -> None:
    assert read(reply, PROMPT, "paraphrase", PHRASES) == text


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "empty"),
        (" \n ... \n", "empty"),
        ('""', "empty"),
        ("I'm sorry, but I can't help with where your book is. Is there anything else?", "a refusal"),
        ("As an AI language model, where would I know it from?", "a refusal"),
        ("Sure, when did you order it?", "an answer"),
        ("Your book is on its way and arrives on Tuesday.", "an answer"),
        ("It is on its way: track 12?", "an answer"),
        ("Lost? " + "Once upon a time there was a book. " * 40, "an answer"),
        ("Here is the rewritten message: Where did my order go?", "not one prompt alone"),
        ("Rewritten message:\nWhere did my order go?", "not one prompt alone"),
        ("1. Where did my order go?\n2. What became of my parcel?", "not one prompt alone"),
        ("<message>Where did it go?</message> <message>Where is it?</message>", "not one prompt alone"),
        (PROMPT, "a copy"),
        ("where is the book, that I ordered last week from your shop", "a copy"),
        ("WHERE is the book that i ordered last week - from your shop?", "a copy"),
        ("Where is the books that I ordered last week from your shop?", "a near copy"),
    ],
)
def test_anything_else_is_dropped_with_its_reason(reply, reason) -> None:
    with pytest.raises(Dropped) as dropped:
        read(reply, PROMPT, "paraphrase", PHRASES, answer="It is on its way, track 12.")
    assert dropped.value.reason == reason


def test_what_the_prompt_says_itself_is_no_reason() -> None:
    prompt = "Here is my list:\n1. Apples\n2. Pears\nI'm sorry, but can you sort it?"
    made = "Here is a list of mine, sorry. Sort it?\n1. Apples\n2. Pears\nI'm sorry, but I need it at once!"
    assert read(made, prompt, "paraphrase", PHRASES) == made


def test_a_shorter_one_is_shorter() -> None:
    assert read("my book?", PROMPT, "shorter") == "my book?"
    with pytest.raises(Dropped, match="not shorter"):
        read(
            f"Good morning to all of you in the shop! May I ask what became of {'very ' * 9}old order?",
            PROMPT,
            "shorter",
        )


@given(st.text(max_size=200), st.text(min_size=1, max_size=80), st.sampled_from(["paraphrase", "harder", "persona"]))
def test_any_reply_is_a_new_prompt_or_has_a_reason(reply, prompt, method) -> None:
    try:
        made = read(reply, prompt, method, PHRASES)
    except Dropped:
        return
    assert made
    assert made in reply
    assert fold(made)
    assert fold(made) != fold(prompt)
    assert not is_near(made, prompt)


@given(st.text(max_size=300))
def test_a_text_is_near_to_itself(text) -> None:
    if fold(text):
        with pytest.raises(Dropped, match="a copy"):
            check_new(text, ["another thing altogether", f" {text.lower()} "])


def test_what_a_model_is_told_hangs_on_method_and_seed_alone() -> None:
    for method in filter(needs_model, METHODS):
        told = ask(method, PROMPT, 5)
        assert told == ask(method, PROMPT, 5)
        assert PROMPT in str(told.messages[-1]["content"])
    assert {ask("persona", PROMPT, seed).persona for seed in range(60)} == set(PERSONAS)
    assert ask("persona", "{persona}", 1).messages[-1]["content"].count("{persona}") == 1
    assert len({instructions_hash(method) for method in METHODS}) == len(METHODS)
