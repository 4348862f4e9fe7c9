"""The proof of the rendering: transformers, in a process of its own, makes the same texts; differences are shown."""

from pathlib import Path

import pytest

from studio.inference.proof.conversations import Conversation
from studio.inference.proof.rendering import RenderingDifference, check_rendering
from tests.generated_conversations import generated

pytestmark = pytest.mark.model


def test_the_default_model_s_template_makes_the_text_of_transformers(model_folder: Path) -> None:
    assert check_rendering(model_folder, None, generated(60)) == []


def test_what_is_not_the_same_is_found(model_folder: Path) -> None:
    # Any clock that runs on between the two processes makes two texts of one conversation.
    template = "{% for m in messages %}{{ m.content }} {{ strftime_now('%f') }}{% endfor %}"
    question = Conversation("a question", [{"role": "user", "content": "Why?"}])
    found = check_rendering(model_folder, template, [question])
    assert {each.label for each in found} == {"a question"}
    assert all(each.position >= len("Why? ") for each in found)
    assert found[0].sentence.startswith("a question differs after ")


def test_a_difference_is_shown_with_its_characters() -> None:
    found = RenderingDifference("row 3", False, "one\ntwo", "one\rtwo")
    assert (found.position, found.difference.before) == (3, "one")
    assert found.difference.trained[0].text == "\ntwo"
    assert "U+000A" in str(found.difference.trained[0])
    assert "refused by transformers only: no" in RenderingDifference("row 4", True, "a", None, "no").sentence
